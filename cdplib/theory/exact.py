"""C(D,P) of a finite problem over *all* restorations (Eq. 7), every digit with its certificate.

Solvers propose, numpy disposes: an answer is "optimal" only where a plan that keeps both budgets
(upper bound) and a dual certificate (lower bound), both recomputed here without the solver, meet
to within 1e-9 (TV, W1, and every divergence at P = 0 or P = inf) or 1e-7 (the others).  Where none
does, the status is "uncertified" and both bounds are given; an infeasible point carries the
multipliers that prove it.  :func:`enclose` repeats both bounds without any rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError
from cdplib.theory import divergences
from cdplib.theory.certificate import certify, certify_infeasible, feasible
from cdplib.theory.closed_form import least_error
from cdplib.theory.divergences import Divergence
from cdplib.theory.enclose import enclose
from cdplib.theory.problem import (
    Problem,
    distortion_budget,
    gaussian_mixture_problem,
    make_problem,
)
from cdplib.theory.solver.core import CONIC_GAP, LINEAR_GAP
from cdplib.theory.solver.engine import Edge, Engine, Solution

__all__ = [
    "CONIC_GAP",
    "LINEAR_GAP",
    "Edge",
    "Problem",
    "Solution",
    "Surface",
    "certify",
    "certify_infeasible",
    "enclose",
    "feasible",
    "gaussian_mixture_problem",
    "least_distortion",
    "least_divergence",
    "least_error",
    "make_problem",
    "solve",
    "surface",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """C(D,P) on a grid: arrays (nD, nP); lam and mu are nan where infeasible."""

    Ds: Array
    Ps: Array
    value: Array
    lower: Array
    upper: Array
    lam: Array
    mu: Array
    status: NDArray[np.str_]

    @property
    def gap(self) -> Array:
        """upper - lower (nD, nP), 0 where infeasible."""
        inside = self.status != "infeasible"
        return np.where(inside, self.upper - np.where(inside, self.lower, 0.0), 0.0)


def solve(problem: Problem, divergence: str | Divergence, D: float, P: float) -> Solution:
    """C(D,P) (Eq. 7): the least error rate of any restoration within both budgets, certified.

    ``problem``: see :func:`make_problem` (your own tables) and :func:`gaussian_mixture_problem`.
    ``divergence``: the measure of perception d(p_X, p_X^), a :class:`Divergence` or a name: ``tv``,
    ``w1`` (between the problem's positions ``x``), ``kl``, ``reverse_kl``, ``hellinger2``, ``chi2``
    or ``renyi:A`` of order A (``renyi:2``, ``renyi:inf``); logarithms are natural.
    ``D`` in (-inf, inf]: the budget E[Delta] <= D, in the units of ``problem``'s distortion table
    (squared signal for a squared error). ``P`` in [0, inf]: the budget d <= P, in the divergence's
    units; 0 asks for p_X^ = p_X. Infinity leaves a budget out.

    Returns a :class:`Solution`: ``value`` is an error rate in [0, 1], that of ``plan`` (m, n), the
    joint law of (Y, X^); ``lower`` <= C(D,P) <= ``upper``; ``lam`` and ``mu`` are -dC/dD and
    -dC/dP; ``status`` is

    * ``optimal``: both bounds meet to :data:`LINEAR_GAP` or :data:`CONIC_GAP`;
    * ``uncertified``: they do not, and both are given;
    * ``infeasible``: no restoration keeps both budgets, which ``lam`` and ``u`` prove; ``value`` is
      inf and ``plan`` None.

    Raises :class:`InputError` for an unknown divergence or a budget outside its range.

    >>> problem = gaussian_mixture_problem(64, threshold=1.2)
    >>> point = solve(problem, "tv", D=0.7, P=0.02)
    >>> point.status, round(point.value, 4), round(point.lam, 3), round(point.mu, 3)
    ('optimal', 0.2124, 0.097, 0.194)
    >>> solve(problem, "tv", D=0.1, P=0.02).status
    'infeasible'
    """
    return Engine(problem, divergence).point(distortion_budget(D), divergences.budget(P))


def surface(
    problem: Problem, divergence: str | Divergence, Ds: ArrayLike, Ps: ArrayLike
) -> Surface:
    """C(D,P) on the grid ``Ds`` (nD,) x ``Ps`` (nP,), one warm model for all of it.

    The grid is walked in snake order, so that neighbours follow each other.
    """
    rows = [distortion_budget(D) for D in _list(Ds, "Ds")]
    cols = [divergences.budget(P) for P in _list(Ps, "Ps")]
    engine = Engine(problem, divergence)
    numbers = {name: np.full((len(rows), len(cols)), np.nan) for name in _FIELDS}
    status = np.full((len(rows), len(cols)), "uncertified")
    along_D, along_P = np.argsort(rows, kind="stable"), np.argsort(cols, kind="stable")
    for turn, i in enumerate(along_D):
        for j in along_P[:: 1 if turn % 2 == 0 else -1]:
            at = engine.point(rows[i], cols[j])
            for name in _FIELDS:
                hidden = at.status == "infeasible" and name in ("lam", "mu")
                numbers[name][i, j] = math.nan if hidden else getattr(at, name)
            status[i, j] = at.status
    return Surface(np.array(rows), np.array(cols), status=status, **numbers)


_FIELDS = ("value", "lower", "upper", "lam", "mu")


def least_distortion(problem: Problem, divergence: str | Divergence, P: float) -> Edge:
    """The least E[Delta] of any restoration with d(p_X, p_X^) <= P: the left edge at P."""
    return Engine(problem, divergence).edge(divergences.budget(P))


def least_divergence(problem: Problem, divergence: str | Divergence, D: float) -> Edge:
    """The least d(p_X, p_X^) of any restoration with E[Delta] <= D; inf below the least E[Delta].

    Its lower bound is the largest P that the certificate still proves infeasible with D.
    """
    return Engine(problem, divergence).lower_edge(distortion_budget(D))


def _list(values: ArrayLike, name: str) -> Sequence[float]:
    listed = np.asarray(values, dtype=float)
    if listed.ndim != 1 or listed.size == 0:
        raise InputError(f"{name} has shape {listed.shape}: expected a non-empty list of budgets")
    return [float(value) for value in listed]
