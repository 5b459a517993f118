"""What "non-increasing" and "convex" mean for a computed surface, and the checks of the proof.

A surface is an array C[i, j] = C(Ds[i], Ps[j]) with inf where nothing is feasible, as the
extended-value convention of convex analysis has it: 0.5 * inf = inf, and a feasible pair whose
midpoint is infeasible is a violation, of infinite size.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from cdplib.errors import InputError
from cdplib.theory import divergences, exact

Array = NDArray[np.float64]

_MOST_MAPS = 100_000


def rise(surface: ArrayLike) -> float:
    """The largest increase of C between neighbours as D or P grows: 0 or less if non-increasing.

    ``surface``: shape (nD, nP) with increasing budgets. -inf if no two neighbours are feasible.
    """
    values = _surface(surface)
    worst = -np.inf
    for axis in (0, 1):
        before, after = np.moveaxis(values, axis, 0)[:-1], np.moveaxis(values, axis, 0)[1:]
        known = np.isfinite(before)  # from inf, any value is a decrease
        if known.any():
            worst = max(worst, float((after[known] - before[known]).max()))
    return worst


def midpoint_excess(surface: ArrayLike) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """The worst C(middle) - mean of C(ends) over all pairs of points whose middle is on the grid.

    ``surface``: shape (nD, nP) on *evenly spaced* budgets. Returns the excess, positive where
    Eq. (8) with lambda = 1/2 fails, and the two ends as grid indices. inf if the middle of two
    feasible points is infeasible.
    """
    values = _surface(surface)
    rows, columns = values.shape
    worst: tuple[float, tuple[int, int], tuple[int, int]] = (-np.inf, (0, 0), (0, 0))
    for di in range((rows + 1) // 2):
        for dj in range(-((columns - 1) // 2), (columns + 1) // 2):
            if (di, dj) <= (0, 0):
                continue  # the pair and its mirror image are one pair
            height, width = rows - 2 * di, columns - 2 * abs(dj)
            left, right = (0, 2 * dj) if dj >= 0 else (-2 * dj, 0)
            first = values[:height, left : left + width]
            second = values[2 * di :, right : right + width]
            middle = values[di : di + height, abs(dj) : abs(dj) + width]
            excess = np.full(middle.shape, -np.inf)
            known = np.isfinite(first) & np.isfinite(second)
            excess[known] = middle[known] - 0.5 * (first[known] + second[known])
            if excess.size and excess.max() > worst[0]:
                i, j = (int(k) for k in np.unravel_index(excess.argmax(), excess.shape))
                worst = (float(excess.max()), (i, j + left), (i + 2 * di, j + right))
    return worst


# -- the other steps, on solved points -------------------------------------------------------------


@dataclass(frozen=True)
class Chain:
    """The chain of the proof at mixing weights lambda: each array (k,) is at least the next.

    ``chord``: lambda C1 + (1 - lambda) C2. ``mixture``: error of the mixed plans, equal to it by
    (11). ``at_mixture``, ``at_mean``: solutions of (7) at the budgets that the mixture uses, and at
    the mean budgets. ``spare``: the unused part (k, 2) of the mean budgets D and P, (14) and (13).
    ``gaps``: upper - lower at the two ends, (9) and (10).
    """

    weights: Array
    chord: Array
    mixture: Array
    at_mixture: list[exact.Solution]
    at_mean: list[exact.Solution]
    spare: Array
    gaps: tuple[float, float]


def chain(
    problem: exact.Problem,
    divergence: str,
    one: tuple[float, float],
    two: tuple[float, float],
    weights: ArrayLike,
) -> Chain:
    """Mix the optimal plans at two feasible pairs of budgets (D, P); see :class:`Chain`.

    ``weights`` (k,) in [0, 1] are those of ``one``. Raises :class:`InputError` if a pair is
    infeasible.
    """
    mu, nu = (exact.solve(problem, divergence, *budgets) for budgets in (one, two))
    if mu.plan is None or nu.plan is None:
        raise InputError(f"budgets {one} and {two}: expected two feasible pairs")
    d = divergences.get(divergence, problem.x)
    lams = np.asarray(weights, dtype=float)
    means = lams[:, None] * np.array(one) + (1 - lams[:, None]) * np.array(two)
    mixture, used = [], []
    for lam in lams:
        plan = lam * mu.plan + (1 - lam) * nu.plan
        r = plan.sum(axis=0)
        mixture.append(problem.error_rate(plan))
        used.append((problem.distortion(plan), d.value(problem.px, r / r.sum())))
    return Chain(
        weights=lams,
        chord=lams * mu.value + (1 - lams) * nu.value,
        mixture=np.array(mixture),
        at_mixture=[exact.solve(problem, divergence, *budgets) for budgets in used],
        at_mean=[exact.solve(problem, divergence, *map(float, budgets)) for budgets in means],
        spare=means - np.array(used),
        gaps=(mu.gap, nu.gap),
    )


def proof_steps(
    problem: exact.Problem,
    divergence: str,
    one: tuple[float, float],
    two: tuple[float, float],
    weight: float,
) -> dict[str, float]:
    """(8)-(15) at two feasible pairs of budgets: slacks that the proof says are >= 0.

    "(9)", "(10)": minus the gap between the error of the plan found and a certified lower bound of
    the minimum, so 0 up to the solver's tolerance. "(11)": minus the difference of its two sides.
    The others use, on the larger side, what a plan attains, and on the smaller side what is
    certified: a negative slack beyond rounding would *refute* the step, not just fail to confirm
    it. Raises :class:`InputError` if a pair is infeasible.
    """
    found = chain(problem, divergence, one, two, [weight])
    (chord,), (error,) = found.chord, found.mixture
    (at_mixture,), (at_mean,) = found.at_mixture, found.at_mean
    return {
        "(8)": float(chord) - at_mean.lower,
        "(9)": -found.gaps[0],
        "(10)": -found.gaps[1],
        "(11)": -abs(float(chord - error)),
        "(12)": float(error) - at_mixture.lower,
        "(13)": float(found.spare[0, 1]),
        "(14)": float(found.spare[0, 0]),
        "(15)": at_mixture.upper - at_mean.lower,
    }


def deterministic(
    problem: exact.Problem, divergence: str, D: float, P: float, pieces: int = 1
) -> float:
    """The least error of all *deterministic* restorations within the budgets; inf if none is.

    ``pieces`` k: each letter of Y is first split into k of equal mass, which say no more about X,
    so that a restoration sends i/k of it to a letter of X^; with k = 1 there are n^m of them. For
    small alphabets only. Not convex: the theorem needs restorations that draw lots, or a Y without
    atoms (k to infinity).
    """
    m, n = problem.shape
    shares = _compositions(pieces, n) / pieces  # (choices, n)
    if len(shares) ** m > _MOST_MAPS:
        raise InputError(
            f"{len(shares)}^{m} deterministic restorations: expected at most {_MOST_MAPS}"
        )
    rows = problem.py[:, None] * (problem.err @ shares.T)  # (m, choices): error added by each row
    errors = functools.reduce(np.add.outer, rows)
    for flat in np.argsort(errors, axis=None, kind="stable"):
        plan = problem.plan(shares[list(np.unravel_index(flat, errors.shape))])
        if exact.feasible(problem, divergence, D, P, plan):
            return problem.error_rate(plan)
    return math.inf


def _compositions(total: int, parts: int) -> NDArray[np.int64]:
    """All ways to write ``total`` as an ordered sum of ``parts`` numbers >= 0, (ways, parts)."""
    if total < 1:
        raise InputError(f"pieces is {total}: expected at least 1")
    bars = np.array(list(itertools.combinations(range(total + parts - 1), parts - 1)), dtype=int)
    bars = bars.reshape(-1, parts - 1)
    ends = np.hstack(
        [np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), total + parts - 1)]
    )
    return np.diff(ends, axis=1) - 1


# -- can all three be minimal at once? -------------------------------------------------------------


@dataclass(frozen=True)
class Minima:
    """Whether minima are attained together, and a restoration that attains all three, if any.

    ``letters`` (m, n): the letters that are best for y in distortion and in error alike.
    ``distortion_and_error``: some restoration attains both minima. ``all_three``: one of these also
    has the law of X, the least perceptual difference, 0. ``plan`` (m, n): it, or None.
    """

    letters: NDArray[np.bool_]
    distortion_and_error: bool
    all_three: bool
    plan: Array | None


def minima(problem: exact.Problem, tolerance: float = 1e-12) -> Minima:
    """The exact test: M(y) = argmin delta(y, .) meets B(y) = argmin err(y, .) for each y of mass.

    A restoration has both minima if and only if it sends (almost) every y into M(y) and B(y). All
    three are minimal together if and only if such a restoration has the law of X: a transportation
    problem, for every d that is 0 only at equality. ``tolerance``: ties up to this count.
    """
    m, n = problem.shape
    best = np.ones((m, n), dtype=bool)
    for table in (problem.delta, problem.err):
        best &= table <= table.min(axis=1, keepdims=True) + tolerance
    best[problem.py == 0] = True
    if not best.any(axis=1).all():
        return Minima(best, False, False, None)
    rows = np.kron(np.eye(m), np.ones(n))
    columns = np.kron(np.ones(m), np.eye(n))
    found = linprog(
        np.zeros(m * n),
        A_eq=np.vstack([rows, columns]),
        b_eq=np.concatenate([problem.py, problem.px]),
        bounds=[(0, None if allowed else 0) for allowed in best.ravel()],
    )
    plan = found.x.reshape(m, n) if found.success else None
    return Minima(best, True, plan is not None, plan)


def _surface(values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=float)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"surface of shape {array.shape}: expected a table (nD, nP) of values")
    if np.isnan(array).any():
        raise InputError("surface holds nan: expected numbers, inf where nothing is feasible")
    return array
