"""The budget picker of real digits: which image an optimal restorer outputs, for ``letters.js``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cdpbook.figures import answers
from cdpbook.studies.real_digits import Sample
from cdplib.theory import exact

#: Budgets P in total variation, and D above the least one of each P, as shares of it.
PS, SHARES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0), (0.0001, 0.01, 0.03, 0.1)
#: What a letter is: one of the prior's digits, the mean of its y, or a mean moved to another class.
KINDS = ("digit", "mean", "changed")
_STILL = "Choosing budgets needs scripts; the figure above shows the same for four budgets, still."


def data(
    sample: Sample, ys: Sequence[int], Ps: Sequence[float] = PS, shares: Sequence[float] = SHARES
) -> dict[str, Any]:
    """A certified solution at each budget, and what it most likely outputs for some noisy digits.

    ``points[i][j]`` belongs to ``Ps[i]`` and ``shares[j]``: D, C with its bounds, the prices lam
    and mu, the mass on the prior's digits, and for each of ``ys`` its likeliest letter's number in
    ``letters`` and probability; null where no solution is found. ``edge``: least D, and their P.
    """
    problem, used = sample.problem, dict[int, int]()
    along = sorted({*Ps, *(np.array(Ps[1:]) + Ps[:-1]) / 2})  # and half-way: the edge is bent
    edge = {float(P): float(exact.least_distortion(problem, "tv", P)) for P in along}
    points = [[_point(sample, ys, (1 + share) * edge[P], P, used) for share in shares] for P in Ps]
    first = len(sample.images)  # letters: the prior's digits, each y's mean, means that were moved
    ends = np.array([first, first + len(sample.noisy)])
    kinds = np.searchsorted(ends, list(used), side="right")
    clean, noisy = sample.images[sample.truth[list(ys)]], sample.noisy[list(ys)]
    return {
        "Ps": list(Ps), "shares": list(shares), "edge": [list(edge.values()), list(edge)],
        "points": points, "letters": _pixels(sample.letters[list(used)]),
        "kinds": [KINDS[k] for k in kinds], "read": problem.labels[list(used)],
        "clean": _pixels(clean), "noisy": _pixels(noisy),
        "labels": sample.labels[sample.truth[list(ys)]],
    }  # fmt: skip


def _point(
    sample: Sample, ys: Sequence[int], D: float, P: float, used: dict[int, int]
) -> dict[str, Any] | None:
    """One of ``points``; letters that are new get the next numbers in ``used``."""
    found = exact.solve(sample.problem, "tv", D, P)
    if found.plan is None or found.status == "infeasible":
        return None
    plan = found.plan / sample.problem.py[:, None]
    likeliest = [int(plan[y].argmax()) for y in ys]
    output = [used.setdefault(k, len(used)) for k in likeliest]
    chances = [float(plan[y, k]) for y, k in zip(ys, likeliest, strict=True)]
    digits = float(found.plan[:, : len(sample.images)].sum())
    numbers = {name: getattr(found, name) for name in ("value", "lower", "upper", "lam", "mu")}
    return {"D": D, **numbers, "digits": digits, "output": output, "chances": chances}


def _pixels(images: np.ndarray) -> str:
    return answers.pixels(np.rint(255 * images.clip(0, 1)).astype(np.uint8))


def picker(sample: Sample, ys: Sequence[int]) -> str:
    """HTML of the picker for the noisy digits ``ys`` (numbers in ``sample``)."""
    return answers.moving("letters", data(sample, ys), "Budget picker of real digits", _STILL)
