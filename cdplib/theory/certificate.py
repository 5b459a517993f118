"""Bounds of C(D,P) that need no solver: a lower one from multipliers, an upper one from a plan.

Weak duality, spelled out.  For any lam >= 0, any vector u on the letters of X^ and any feasible
plan W with marginal r on X^,

    <err, W>  >=  <err + lam delta - u, W> - lam D + <u, r>
              >=  sum_y py(y) min_x^ [err + lam delta - u] - lam D + h_P(u),

because <delta, W> <= D, and h_P(u) is the least <u, r> over the ball d(p_X, r) <= P.  With err = 0
a positive right-hand side means that there is no such W: the point is infeasible.

Everything is computed in the unit of :mod:`cdplib.theory.units`, where delta >= 0 has a zero in
every row, and rounding is paid for (see :func:`lower_bound`).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError
from cdplib.theory import divergences, units
from cdplib.theory.divergences import Divergence
from cdplib.theory.problem import Problem

Array = NDArray[np.float64]

_EPS = 2.0**-52

#: A plan is inside a budget that it exceeds by no more than this share of it: the rounding with
#: which the products and sums in E[Delta] and d are known at all.
ROUNDING = 2.0**-46


def certify(
    problem: Problem,
    divergence: str | Divergence,
    D: float,
    P: float,
    lam: float,
    u: ArrayLike,
) -> float:
    """A lower bound of C(D,P) from the multipliers ``lam`` >= 0 and ``u`` (n,); may be -inf.

    ``D`` in (-inf, inf], ``P`` in [0, inf].  Valid for every ``lam`` and ``u``, whoever found them,
    with the rounding of this computation subtracted.
    """
    return _public(problem, problem.err, divergence, D, P, lam, u)


def certify_infeasible(
    problem: Problem,
    divergence: str | Divergence,
    D: float,
    P: float,
    lam: float,
    u: ArrayLike,
) -> float:
    """The same bound with err = 0: positive proves that no restoration satisfies (D, P)."""
    return _public(problem, None, divergence, D, P, lam, u)


def _public(
    problem: Problem,
    cost: Array | None,
    divergence: str | Divergence,
    D: float,
    P: float,
    lam: float,
    u: ArrayLike,
) -> float:
    vector = np.asarray(u, dtype=float)
    if vector.shape != problem.px.shape:
        raise InputError(f"u has shape {vector.shape}: expected {problem.px.size} numbers")
    if not lam >= 0:
        raise InputError(f"lam is {lam}: expected a number >= 0")
    if math.isnan(D):
        raise InputError("D is nan: expected a number or inf")
    P = divergences.budget(P)
    if not np.isfinite(vector).all() or math.isinf(lam) or (D == math.inf and lam > 0):
        return -math.inf
    if D == -math.inf:
        return math.inf if lam > 0 else -math.inf
    unit = units.scaled(problem, divergences.get(divergence, problem.x))
    # without err the bound has the unit of lam D, so both may be divided by it beforehand
    down = unit.exponent if cost is None else 0
    with np.errstate(over="ignore", under="ignore"):
        price, vector = float(np.ldexp(lam, unit.exponent - down)), np.ldexp(vector, -down)
        low = lower_bound(
            unit.problem, cost, unit.divergence, unit.distortion(D), unit.perception(P), price,
            vector,
        )  # fmt: skip
        return float(np.ldexp(low, down))


# Rounding.  u may be shifted, as p_Y and every r sum to 1; its rounded shift v is as good a
# vector as u.  With lam' = lam (1 - 2^-49), the computed lam' delta + err is at most the true
# lam delta + (1 + eps) err, for delta >= 0, so that a computed reduced cost exceeds the true one
# by at most 3 eps (1 + |v|), eps = 2^-52, |v| the largest entry.  Every row minimum lies within
# [-|v|, 1 + |v|] because each row of delta has a zero: the sums over y and over the letters,
# with laws that themselves sum to 1 only to m eps and n eps, err by at most (2m + 2n) eps times
# that.  h_P is the value of a dual function at one point, sums of positive terms of at most |v|
# times the condition of exp and log, for which 64 eps |v| is ample.  The whole rounding is below
# (2m + 2n + 64) eps (1 + |v|), the 1 standing for err.
def lower_bound(
    problem: Problem,
    cost: Array | None,
    d: Divergence,
    D: float,
    P: float,
    lam: float,
    u: Array,
) -> float:
    """The certificate for a problem in its own unit; ``cost`` is err (m, n), or None for 0."""
    with np.errstate(over="ignore", invalid="ignore"):
        v = u - (0.5 * float(u.max()) + 0.5 * float(u.min()))
        size = float(np.abs(v).max())
        if not (math.isfinite(size) and math.isfinite(lam)):
            return -math.inf
        # in place from here: this is most of the time of a surface
        reduced = (lam * (1 - 2.0**-49)) * problem.delta
        if cost is not None:
            reduced += cost
            size += 1.0
        reduced -= v
        least = reduced.min(axis=1)
        charge = lam * D if lam > 0 else 0.0
        charge += 4 * _EPS * abs(charge)
        low = float(problem.py @ least) + d.support(v, problem.px, P)
        low -= (2 * sum(problem.shape) + 64) * _EPS * size
        return -math.inf if math.isnan(low - charge) else low - charge


def distortion(problem: Problem, plan: Array) -> float:
    """E[Delta] of ``plan`` (m, n) with each product and the sum rounded once."""
    on = np.flatnonzero(plan)
    return math.fsum((problem.delta.ravel()[on] * plan.ravel()[on]).tolist())


def perception(problem: Problem, d: Divergence, plan: Array) -> float:
    """d(p_X, r) of the marginal r of ``plan`` (m, n)."""
    r = plan.sum(axis=0)
    return d.value(problem.px, r / r.sum())


def feasible(
    problem: Problem, divergence: str | Divergence, D: float, P: float, plan: Array
) -> bool:
    """Whether ``plan`` (m, n) is a coupling of p_Y within both budgets, up to rounding.

    Rows may miss p_Y by 1e-12 in all; a budget may be exceeded by :data:`ROUNDING` of itself, or
    by what the rounding of its own digits leaves open.
    """
    if plan.shape != problem.shape or not (plan >= 0).all():
        return False
    if not np.abs(plan.sum(axis=1) - problem.py).sum() <= 1e-12:
        return False
    unit = units.scaled(problem, divergences.get(divergence, problem.x))
    return inside(
        unit.problem, unit.divergence, unit.distortion(D), unit.perception(P), unit.noise(D), plan
    )


def inside(problem: Problem, d: Divergence, D: float, P: float, noise: float, plan: Array) -> bool:
    """The budgets alone, for a problem in its own unit; ``noise`` is what D leaves open."""
    if D < math.inf and distortion(problem, plan) > max(D + noise, D * (1 + ROUNDING)):
        return False
    if P == math.inf:
        return True
    return perception(problem, d, plan) <= P * (1 + ROUNDING) + d.rounding()


def tidy(problem: Problem, plan: Array, spare: Array) -> Array:
    """``plan`` (m, n) without negative entries and with the marginal p_Y, to rounding.

    Rows without mass are taken from ``spare`` (m, n), a coupling of p_Y.
    """
    kept = np.maximum(plan, 0.0)
    rows = kept.sum(axis=1)
    empty = rows <= 0
    if empty.any():
        kept[empty] = spare[empty]
        rows = kept.sum(axis=1)
    share = np.divide(problem.py, rows, out=np.zeros_like(rows), where=rows > 0)
    return np.asarray(kept * share[:, None])


def matched(problem: Problem, plan: Array, target: Array, mixed: float) -> Array:
    """``plan`` (m, n) changed as little as needed for the marginal ``target`` (n,) on X^.

    Columns are cut down to the target, rows to 1 - ``mixed`` of p_Y, and what both then lack is
    filled in by the product of the two deficits.
    """
    r = plan.sum(axis=0)
    share = np.divide(target, r, out=np.zeros_like(r), where=r > 0)
    cut = plan * (np.minimum(share, 1.0) * (1 - mixed))
    lack_y = np.maximum(problem.py - cut.sum(axis=1), 0.0)
    lack_x = np.maximum(target - cut.sum(axis=0), 0.0)
    if not lack_y.sum() > 0:
        return cut
    return np.asarray(cut + np.outer(lack_y / lack_y.sum(), lack_x))
