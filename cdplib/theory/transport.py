"""Couplings on the line: the monotone one, W2 and its perception-distortion edge (P in W2 itself).

For squared error E|X - X^|^2 = D_min + E|X^ - m(Y)|^2 with m(y) = E[X|y], so distortion beyond the
least one is transport of the law of m(Y).  That gives the edge in closed form (Freirich et al.).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.theory.problem import Problem

Array = NDArray[np.float64]


def monotone(p: ArrayLike, q: ArrayLike, order_p: ArrayLike, order_q: ArrayLike) -> Array:
    """The monotone coupling (k, n) of the laws ``p`` (k,) and ``q`` (n,).

    ``order_p`` (k,), ``order_q`` (n,): the letters' positions, which are matched in order.
    """
    p, q = np.asarray(p, dtype=float), np.asarray(q, dtype=float)
    rows, cols = np.argsort(order_p, kind="stable"), np.argsort(order_q, kind="stable")
    ends_p, ends_q = np.cumsum(p[rows]), np.cumsum(q[cols])
    levels = np.unique(np.concatenate([[0.0], ends_p[:-1], ends_q[:-1], [1.0]]).clip(0.0, 1.0))
    middle, mass = 0.5 * (levels[1:] + levels[:-1]), np.diff(levels)
    i = np.searchsorted(ends_p, middle).clip(max=p.size - 1)
    j = np.searchsorted(ends_q, middle).clip(max=q.size - 1)
    plan = np.zeros((p.size, q.size))
    np.add.at(plan, (rows[i], cols[j]), mass)
    return plan


def w2_squared(p: ArrayLike, q: ArrayLike, x: ArrayLike, z: ArrayLike) -> float:
    """W2^2 between ``p`` on the positions ``x`` and ``q`` on ``z``: the monotone cost."""
    gap = np.subtract.outer(np.asarray(x, dtype=float), np.asarray(z, dtype=float))
    return float(np.vdot(monotone(p, q, x, z), gap**2))


def w2(p: ArrayLike, q: ArrayLike, x: ArrayLike, z: ArrayLike) -> float:
    """W2 between ``p`` on the positions ``x`` and ``q`` on ``z``, in units of the positions."""
    return math.sqrt(w2_squared(p, q, x, z))


def rearranged(problem: Problem, plan: Array, estimate: ArrayLike) -> Array:
    """The plan (m, n) with the same marginals that matches ``estimate`` (m,) and x in order."""
    return monotone(problem.py, plan.sum(axis=0) / plan.sum(), estimate, problem.x)


def w2_edge(least: float, span: float, P: ArrayLike) -> Array:
    """The least squared error at W2(p_X, p_X^) <= P when X^ may be any real number.

    ``least``: D_min = E|X - m(Y)|^2.  ``span``: W2(p_X, p_m), the W2 distance of the MMSE estimate.
    """
    return np.asarray(least + np.maximum(span - np.asarray(P, dtype=float), 0.0) ** 2)


def spread(plan: Array, x: ArrayLike) -> float:
    """sqrt E Var(X^ | Y) of the plan (m, n): how far a restorer's own dice move X^; 0 without."""
    x, mass = np.asarray(x, dtype=float), plan.sum(axis=1)
    on = mass > 0
    law = plan[on] / mass[on, None]
    mean = law @ x
    return math.sqrt(max(0.0, float(mass[on] @ (law @ x**2 - mean**2))))
