"""Answers to exercises, checked: right, or one line that helps.

A check cell of a chapter hands an answer to one function of this module. None of them holds what it
asks for: each finds it on another way (a search, a linear program, the published rows), or tests
the properties that it must have. What is wrong raises :class:`Wrong`, so that a program that
executes the notebook can count; what is right prints a line that begins with "Right".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError

Array = NDArray[np.float64]


class Wrong(InputError):
    """A wrong answer, or none: a notebook shows its one line and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def _given(name: str, answer: Any) -> Any:
    """``answer``, unless it is the dots that stood in its place."""
    if answer is None or answer is ... or (isinstance(answer, tuple | list) and ... in answer):
        raise Wrong(
            f"`{name}` has no answer; write it in place of the dots and run this cell again"
        )
    return answer


def numbers(name: str, answer: Any, shape: tuple[int, ...]) -> Array:
    """``answer`` as finite floats of ``shape``."""
    expected = "a number" if shape == () else f"numbers of shape {shape}"
    answer = _given(name, answer)
    try:
        values = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"`{name}` is {answer!r:.60}; expected {expected}") from None
    if values.shape != shape or not np.isfinite(values).all():
        raise Wrong(f"`{name}` is of shape {values.shape}; expected {expected}, all finite")
    return values


def posterior(answer: ArrayLike, p_x: Array, channel: Array) -> None:
    """Exercise 1.2: p(x|y), (m, n), row y; from the law of X, (n,), and the channel, (n, m)."""
    joint = (p_x[:, None] * channel).T
    q = numbers("posterior", answer, joint.shape)
    if not np.allclose(q.sum(axis=1), 1):
        if np.allclose(q.sum(axis=0), 1):
            raise Wrong("columns sum to one, and rows should: row y is the law of X^ given Y = y")
        raise Wrong(f"rows sum to {q.sum(axis=1).round(3)}; each is a law, and sums to one")
    off = 0.5 * np.abs(joint.sum(axis=1) @ q - p_x).sum()
    if not np.allclose(joint.sum(axis=1)[:, None] * q, joint):
        if np.allclose(q, channel.T / channel.T.sum(axis=1, keepdims=True)):
            raise Wrong(
                "these are likelihoods scaled to sum to one: Bayes' rule weighs them by p_X"
            )
        if set(np.unique(q)) <= {0.0, 1.0}:
            raise Wrong(
                "no lots are drawn: this outputs one letter for each y, and the posterior is a law"
            )
        raise Wrong(f"X^ is off the law of X by {off:.3f}; (X^, Y) must have the law of (X, Y)")
    print("Right: (X^, Y) has the law of (X, Y).")


def hellinger_triple(p: ArrayLike, q0: ArrayLike, q1: ArrayLike) -> None:
    """Exercise 2.1: laws on two letters, none at the edge, at which H is not convex."""
    names = ("p", "q0", "q1")
    laws = [numbers(n, law, (2,)) for n, law in zip(names, (p, q0, q1), strict=True)]
    for name, law in zip(names, laws, strict=True):
        if abs(law.sum() - 1) > 1e-9:
            raise Wrong(f"`{name}` sums to {law.sum():g}; a law sums to one")
        if law.min() <= 0:
            raise Wrong(f"`{name}` = {law} is at the edge: move a little mass to the empty letter")
    middle, *ends = (
        math.sqrt(max(1 - float(np.sqrt(laws[0] * q).sum()), 0))
        for q in (0.5 * (laws[1] + laws[2]), laws[1], laws[2])
    )
    if not middle > sum(ends) / 2 + 1e-9:
        raise Wrong(
            f"H is {middle:.4f} in the middle and {sum(ends) / 2:.4f} on the chord: convex here; "
            "look where H rises like a root, at q near p"
        )
    print(f"Right: H is {middle:.4f} in the middle, above the chord's {sum(ends) / 2:.4f}.")


def least_perception(answer: Callable[[float], float], toy: Any) -> None:
    """Exercise 3.2: the least KL of a gain whose MSE is at most D, by a search over gains.

    ``toy`` is a :class:`cdplib.theory.toy.GaussianToy`.
    """
    if not callable(answer):
        raise Wrong(f"`least_P` is {answer!r:.60}; expected a function of D")
    for D in (0.69, 0.73, 0.9):
        found = float(numbers("least_P(D)", answer(D), ()))
        low, high = toy.gains_within_mse(D)[0]
        gains = np.linspace(low, high, 4001)
        within = toy.divergence(gains)
        if abs(found - within.min()) < 1e-5:
            continue
        said = f"least_P({D}) is {found:.4f}"
        if abs(found - toy.divergence(gains, "reverse_kl").min()) < 1e-5:
            raise Wrong(f"{said}, a divergence in the other direction: expected KL(p_X || p_X^)")
        if found < within.min():
            raise Wrong(f"{said}; no gain with an MSE of at most {D} comes as close to p_X")
        if abs(found - within[-1]) < 1e-5:
            raise Wrong(f"{said}, at the largest gain allowed; a smaller one does better: which?")
        raise Wrong(f"{said}; the gain {gains[within.argmin()]:.2f} is allowed and has less")
    print("Right: no gain within the budget does better, at three budgets.")


def weights(own: Sequence[float], other: Sequence[float], run: Any) -> None:
    """Exercise 7.1: (beta, gamma) of the least error, of CNN-1 and of another classifier.

    ``run`` is a :class:`cdpbook.runs.Run`; at most 10 % more MSE than its least are allowed.
    """
    points, least = run.points(), run.points()["mse"].min()
    allowed = points[points["mse"] <= 1.1 * least]
    columns = ("error_rate", f"error_rate_{run.shown_others()[0]}")
    names = ("for_cnn1", "for_other")
    for name, answer, column in zip(names, (own, other), columns, strict=True):
        beta, gamma = numbers(name, answer, (2,))
        row = points[np.isclose(points["beta"], beta) & np.isclose(points["gamma"], gamma)]
        if row.empty:
            raise Wrong(f"`{name}`: no point has beta {beta:g} and gamma {gamma:g}, in that order")
        if row["mse"].item() > 1.1 * least:
            more = 100 * (row["mse"].item() / least - 1)
            raise Wrong(
                f"`{name}` has {more:.0f} % more MSE than the least; at most 10 % is allowed"
            )
        if row[column].item() > allowed[column].min():
            better = int((allowed[column] < row[column].item()).sum())
            raise Wrong(
                f"`{name}`: by `{column}`, {better} other points within the budget are better"
            )
    print("Right: no point within the budget errs less, for either classifier.")


def factors(answer: Sequence[float], bound: Callable[[float, int], float]) -> None:
    """Exercise 13.1: how a critic's bound grows; ``bound(clip, width)`` computes one."""
    clip, width = 0.01, 16
    base = bound(clip, width)
    found = numbers("factors", answer, (3,))
    # The bound is a product of the scale's limit and the weights', each the clip: with the first
    # at 1 it is the geometric mean of the bounds at 1 and at the clip.
    expected = (
        bound(2 * clip, width) / base,
        bound(clip, 2 * width) / base,
        math.sqrt(bound(1.0, width) / base),
    )
    hints = (
        "the clip doubled: in how many places of the bound does it stand?",
        "the width doubled: only the number of the last layer's inputs changes",
        "the scale left at 1: the bound has one factor less that is as small as the clip",
    )
    for value, right, hint in zip(found, expected, hints, strict=True):
        if not math.isclose(value, right, rel_tol=0.01):
            raise Wrong(f"{value:g} is not the factor for {hint}")
    print("Right: all three, as the bound of each critic says.")
