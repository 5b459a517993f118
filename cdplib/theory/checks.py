"""What "non-increasing" and "convex" mean for a computed surface, and the checks of the proof.

A surface is an array C[i, j] = C(Ds[i], Ps[j]) with inf where nothing is feasible, as the
extended-value convention of convex analysis has it: 0.5 * inf = inf, and a feasible pair whose
midpoint is infeasible is a violation, of infinite size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from cdplib.errors import InputError
from cdplib.theory import divergences, exact

Array = NDArray[np.float64]


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


# -- the second argument of d: Eq. (13) ------------------------------------------------------------

Distance = Callable[[Array, Array], float]


def w2_squared(p: Array, q: Array) -> float:
    """The squared Wasserstein-2 distance on the letters 0, 1, ..., n-1, by matching quantiles."""
    levels = np.sort(np.concatenate([np.cumsum(p)[:-1], np.cumsum(q)[:-1]]).clip(0, 1))
    levels = np.concatenate([[0.0], levels, [1.0]])
    middles = 0.5 * (levels[1:] + levels[:-1])
    last = len(p) - 1
    ours = np.searchsorted(np.cumsum(p), middles).clip(max=last)
    theirs = np.searchsorted(np.cumsum(q), middles).clip(max=last)
    return float(np.diff(levels) @ (ours - theirs) ** 2.0)


def js(p: Array, q: Array) -> float:
    """The Jensen-Shannon divergence, in nats."""
    kl, middle = divergences.get("kl"), 0.5 * (p + q)
    return 0.5 * kl.value(p, middle) + 0.5 * kl.value(q, middle)


#: Measures that are no entry of :mod:`cdplib.theory.divergences`: the last three are not convex.
MORE: dict[str, Distance] = {
    "js": js,
    "w2_squared": w2_squared,
    "w2": lambda p, q: math.sqrt(w2_squared(p, q)),
    "hellinger": lambda p, q: math.sqrt(divergences.get("hellinger2").value(p, q)),
    "sqrt_tv": lambda p, q: math.sqrt(divergences.get("tv").value(p, q)),
}


def distance(name: str) -> Distance:
    """The function d(p, q) of a name in :data:`MORE` or of ``divergences.get``."""
    return MORE[name] if name in MORE else divergences.get(name).value


@dataclass(frozen=True)
class Slack:
    """mean of d at the ends - d at the middle: negative where convexity fails; the laws and weight.

    ``fixed`` (n,) is the argument held fixed, ``first`` and ``second`` (n,) the ends of the other.
    """

    value: float
    fixed: Array
    first: Array
    second: Array
    weight: float


def worst_slack(
    name: str,
    random: np.random.Generator,
    letters: int = 3,
    trials: int = 1000,
    argument: int = 2,
) -> Slack:
    """The least slack of convexity in one argument over random laws, some of them with zeros.

    ``argument``: 2, as the theorem asks for, or 1. Pairs with an infinite mean say nothing.
    """
    if argument not in (1, 2):
        raise InputError(f"argument {argument}: expected 1 or 2")
    d = distance(name)
    worst: Slack | None = None
    for _ in range(trials):
        rows = random.dirichlet(np.full(letters, random.choice([0.2, 1.0, 5.0])), size=3)
        if random.random() < 0.3:  # the edges of the simplex are where convexity breaks first
            rows = np.where(rows < 0.1, 0.0, rows)
            rows /= rows.sum(axis=1, keepdims=True)
        fixed, first, second = rows
        weight = float(random.random())
        values = [
            d(fixed, law) if argument == 2 else d(law, fixed)
            for law in (first, second, weight * first + (1 - weight) * second)
        ]
        mean = weight * values[0] + (1 - weight) * values[1] if weight > 0 else values[1]
        slack = mean - values[2] if math.isfinite(mean) else math.inf
        if worst is None or slack < worst.value:
            worst = Slack(slack, fixed, first, second, weight)
    assert worst is not None
    return worst


# -- the other steps, on solved points -------------------------------------------------------------


def proof_steps(
    problem: exact.Problem,
    divergence: str,
    one: tuple[float, float],
    two: tuple[float, float],
    weight: float,
) -> dict[str, float]:
    """(8)-(12) and (15) at two feasible pairs of budgets: slacks that the proof says are >= 0.

    "(9)", "(10)": minus the gap between the error of the plan found and a certified lower bound of
    the minimum, so 0 up to the solver's tolerance. The others use, on the larger side, what a plan
    attains, and on the smaller side what is certified: a negative slack beyond rounding would
    *refute* the step, not just fail to confirm it. Raises :class:`InputError` if infeasible.
    """
    mu, nu = (exact.solve(problem, divergence, *budgets) for budgets in (one, two))
    if mu.plan is None or nu.plan is None:
        raise InputError(f"budgets {one} and {two}: expected two feasible pairs")
    plan = weight * mu.plan + (1 - weight) * nu.plan
    error, distortion = problem.error_rate(plan), problem.distortion(plan)
    r = plan.sum(axis=0)
    perception = divergences.get(divergence, problem.x).value(problem.px, r / r.sum())
    D = weight * one[0] + (1 - weight) * two[0]
    P = weight * one[1] + (1 - weight) * two[1]
    at_plan = exact.solve(problem, divergence, distortion, perception)
    at_mean = exact.solve(problem, divergence, D, P)
    ends = weight * mu.value + (1 - weight) * nu.value
    return {
        "(8)": ends - at_mean.lower,
        "(9)": -(mu.upper - mu.lower),
        "(10)": -(nu.upper - nu.lower),
        "(11)": -abs(ends - error),
        "(12)": error - at_plan.lower,
        "(13)": P - perception,
        "(14)": D - distortion,
        "(15)": at_plan.upper - at_mean.lower,
    }


def deterministic(problem: exact.Problem, divergence: str, D: float, P: float) -> float:
    """The least error of the n^m *deterministic* restorations within the budgets; inf if none is.

    For small alphabets only. Not convex: the theorem needs restorations that draw lots.
    """
    m, n = problem.shape
    if n**m > 100_000:
        raise InputError(f"{n}^{m} deterministic restorations: expected at most 100000")
    best = math.inf
    for letters in np.ndindex(*(n,) * m):
        plan = problem.deterministic(np.array(letters))
        if exact.feasible(problem, divergence, D, P, plan):
            best = min(best, problem.error_rate(plan))
    return best


def adapted(
    joint: ArrayLike,
    channel: ArrayLike,
    distortion: ArrayLike,
    divergence: str,
    D: float,
    P: float,
    px: ArrayLike | None = None,
) -> float:
    """The least error if the classifier may be chosen for each restoration; see ``make_problem``.

    Minima over restorations and classifiers exchange, so this is the least of the L^n convex
    functions C(D, P), one for each classifier: and a minimum of convex functions need not be one.
    """
    classes, letters = np.shape(joint)[0], np.shape(distortion)[1]
    if classes**letters > 1000:
        raise InputError(f"{classes}^{letters} classifiers: expected at most 1000")
    values = []
    for labels in np.ndindex(*(classes,) * letters):
        problem = exact.make_problem(joint, channel, distortion, np.array(labels), px=px)
        values.append(exact.solve(problem, divergence, D, P).value)
    return min(values)


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
