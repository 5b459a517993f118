"""Bounds of C(D,P) that need no solver: a lower one from multipliers, an upper one from a plan.

Weak duality, spelled out.  For any lam >= 0, any vector u on the letters of X^ and any feasible
plan W with marginal r on X^,

    <err, W>  >=  <err + lam delta - u, W> - lam D + <u, r>
              >=  sum_y py(y) min_x^ [err + lam delta - u] - lam D + h_P(u),

because <delta, W> <= D, and h_P(u) is the least <u, r> over the ball d(p_X, r) <= P.  With err = 0
a positive right-hand side means that there is no such W: the point is infeasible.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError
from cdplib.theory import divergences
from cdplib.theory.divergences import Divergence
from cdplib.theory.problem import Problem

Array = NDArray[np.float64]

#: A plan counts as feasible when it exceeds a budget by no more than this, relative to
#: max(1, budget): room for the rounding of the sums, nothing else.
ROUNDING = 1e-12


def certify(
    problem: Problem,
    divergence: str | Divergence,
    D: float,
    P: float,
    lam: float,
    u: ArrayLike,
) -> float:
    """A lower bound of C(D,P) from the multipliers ``lam`` >= 0 and ``u`` (n,); may be -inf.

    ``D`` in (-inf, inf], ``P`` in [0, inf].  Valid for every ``lam`` and ``u``, whoever found them.
    """
    return _bound(problem, problem.err, divergence, D, P, lam, u)


def certify_infeasible(
    problem: Problem,
    divergence: str | Divergence,
    D: float,
    P: float,
    lam: float,
    u: ArrayLike,
) -> float:
    """The same bound with err = 0: positive proves that no restoration satisfies (D, P)."""
    return _bound(problem, np.zeros(()), divergence, D, P, lam, u)


def _bound(
    problem: Problem,
    cost: Array,
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
    if not np.isfinite(vector).all() or math.isinf(lam) or (D == math.inf and lam > 0):
        return -math.inf
    d = divergences.get(divergence, problem.x)
    reduced = lam * problem.delta  # in place from here: this is most of the time of a surface
    reduced += cost
    reduced -= vector
    least = reduced.min(axis=1)
    charge = lam * D if lam > 0 else 0.0
    return float(problem.py @ least) - charge + d.support(vector, problem.px, P)


def excess(
    problem: Problem, divergence: str | Divergence, D: float, P: float, plan: Array
) -> tuple[float, float]:
    """By how much ``plan`` (m, n) exceeds D and P, each over max(1, |budget|); <= 0 is inside."""
    d = divergences.get(divergence, problem.x)
    over = -math.inf if D == math.inf else (problem.distortion(plan) - D) / max(1.0, abs(D))
    if P == math.inf:
        return over, -math.inf
    r = plan.sum(axis=0)
    value = d.value(problem.px, r / r.sum())
    return over, (value - P) / max(1.0, P)


def feasible(
    problem: Problem, divergence: str | Divergence, D: float, P: float, plan: Array
) -> bool:
    """Whether ``plan`` (m, n) is a coupling of p_Y within both budgets (to :data:`ROUNDING`)."""
    rows = np.abs(plan.sum(axis=1) - problem.py).sum()
    if (plan < 0).any() or rows > ROUNDING:
        return False
    return max(excess(problem, divergence, D, P, plan)) <= ROUNDING


def tidy(problem: Problem, plan: Array) -> Array:
    """``plan`` (m, n) without negative entries and with the marginal p_Y, to rounding."""
    kept = np.maximum(plan, 0.0)
    rows = kept.sum(axis=1)
    empty = rows <= 0
    if empty.any():
        kept[empty] = problem.px
        rows = kept.sum(axis=1)
    return np.asarray(kept * (problem.py / rows)[:, None])


def repair(
    problem: Problem,
    divergence: str | Divergence,
    D: float,
    P: float,
    plan: Array,
    inside: Callable[[], Array],
) -> Array | None:
    """``plan`` moved into the feasible set by mixing in as little as needed of ``inside``.

    ``inside()`` should satisfy both budgets with room to spare; E[Delta] is linear and d convex in
    the plan, so each overshoot shrinks at least in proportion.  None where that does not succeed.
    """
    plan = tidy(problem, plan)
    over = excess(problem, divergence, D, P, plan)
    if max(over) <= ROUNDING:
        return plan
    safe = inside()
    spare = excess(problem, divergence, D, P, safe)
    share = 0.0
    for out, room in zip(over, spare, strict=True):
        if out > ROUNDING:
            if room >= 0 or not math.isfinite(out):
                return None
            share = max(share, out / (out - room))
    for _ in range(3):
        mixed = (1 - share) * plan + share * safe
        if feasible(problem, divergence, D, P, mixed):
            return np.asarray(mixed)
        share = min(1.0, 2 * share)
    return None
