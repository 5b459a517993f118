"""C(D,P) of a finite problem over *all* restorations (Eq. 7), every digit with its certificate.

Solvers propose, numpy disposes: an answer is "optimal" only where a plan that keeps both budgets
(upper bound) and a dual certificate (lower bound), both recomputed here without the solver, meet
to within 1e-9 (TV, W1, and every divergence at P = 0 or P = inf) or 1e-7 (the others).  Where none
does, the status is "uncertified" and both bounds are given; an infeasible point carries the
multipliers that prove it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError
from cdplib.theory import columns, conic, divergences, linear
from cdplib.theory.certificate import (
    ROUNDING,
    certify,
    certify_infeasible,
    feasible,
    repair,
)
from cdplib.theory.divergences import Divergence
from cdplib.theory.problem import Problem, gaussian_mixture_problem, make_problem

__all__ = [
    "Edge",
    "Problem",
    "Solution",
    "Surface",
    "certify",
    "certify_infeasible",
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

#: The gap at which a point counts as optimal: polyhedral divergences, and the others.
LINEAR_GAP, CONIC_GAP = 1e-9, 1e-7


@dataclass(frozen=True, eq=False)
class Solution:
    """C(D,P) at one point.

    ``status``: "optimal", "infeasible" or "uncertified".  ``value``: the error rate of ``plan``
    (inf where infeasible); ``lower`` <= C(D,P) <= ``upper``.  ``lam``, ``mu`` >= 0: shadow prices
    -dC/dD and -dC/dP (supergradients at a kink).  ``lam`` and ``u`` (n,) are the certificate: the
    arguments of :func:`certify`, or of :func:`certify_infeasible` where the point is infeasible.
    ``plan`` (m, n): the joint law of (Y, X^), None where infeasible.
    """

    status: str
    value: float
    lower: float
    upper: float
    lam: float
    mu: float
    plan: Array | None
    u: Array

    @property
    def gap(self) -> float:
        """upper - lower; 0 where the point is proved infeasible."""
        return 0.0 if self.status == "infeasible" else self.upper - self.lower


class Edge(float):
    """An edge of the feasible set: a number that carries its bounds, multipliers and plan."""

    status: str
    lower: float
    upper: float
    lam: float
    u: Array
    plan: Array | None

    def __new__(cls, value: float, **evidence: Any) -> Edge:
        edge = super().__new__(cls, value)
        vars(edge).update(evidence)
        return edge

    @property
    def value(self) -> float:
        """The number itself."""
        return float(self)


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
    """C(D,P) with its certificate; ``D`` in (-inf, inf], ``P`` in [0, inf]."""
    return _Engine(problem, divergence).point(_distortion_budget(D), divergences.budget(P))


def surface(
    problem: Problem, divergence: str | Divergence, Ds: ArrayLike, Ps: ArrayLike
) -> Surface:
    """C(D,P) on the grid ``Ds`` (nD,) x ``Ps`` (nP,), one warm model for all of it.

    The grid is walked in snake order, so that neighbours follow each other.
    """
    rows = [_distortion_budget(D) for D in _list(Ds, "Ds")]
    cols = [divergences.budget(P) for P in _list(Ps, "Ps")]
    engine = _Engine(problem, divergence)
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
    return _Engine(problem, divergence).edge(divergences.budget(P))


def least_divergence(problem: Problem, divergence: str | Divergence, D: float) -> Edge:
    """The least d(p_X, p_X^) of any restoration with E[Delta] <= D; inf below the least E[Delta].

    Its lower bound is the largest P that the certificate still proves infeasible with D.
    """
    return _Engine(problem, divergence).lower_edge(_distortion_budget(D))


def least_error(problem: Problem, divergence: str | Divergence, P: float) -> Edge:
    """C(inf, P) for f-divergences and Rényi's, from the law of the decided class alone.

    Coarse-graining X^ to its label cannot increase d, and spreading each label's mass over its
    letters in proportion to p_X attains that: C(inf, P) = min {eps_Y(b) : d(labels of p_X, b) <= P}
    with eps_Y(b) the least error of classifying Y that decides label l with probability b_l.  With
    two labels eps_Y is a fractional knapsack and b an interval; the general case is a problem on as
    many letters as there are labels.  Raises :class:`InputError` for w1, which knows positions.
    """
    d = divergences.get(divergence, problem.x)
    if not d.data_processing:
        raise InputError(f"{d.name} is not an f-divergence: C(inf, P) needs exact.solve")
    P = divergences.budget(P)
    kinds, first = np.unique(problem.labels, return_index=True)
    of = np.array([problem.px[problem.labels == kind].sum() for kind in kinds])
    err = problem.err[:, first]
    if len(kinds) == 1:
        value = float(problem.py @ err[:, 0])
        return Edge(value, status="optimal", lower=value, upper=value)
    if len(kinds) > 2:
        small = Problem(
            of / of.sum(), problem.py, np.zeros_like(err), err, np.arange(float(len(kinds))), kinds
        )
        at = solve(small, d, math.inf, P)
        return Edge(at.value, status=at.status, lower=at.lower, upper=at.upper)
    low, high = _interval(d, float(of[0] / of.sum()), P)
    b, eps = _knapsack(problem.py, err)
    best = np.clip(b[np.argmin(eps)], low, high)
    found = float(np.interp(best, b, eps))
    return Edge(found, status="optimal", lower=found, upper=found)


def _interval(d: Divergence, a: float, P: float) -> tuple[float, float]:
    """{b : d((a, 1-a), (b, 1-b)) <= P} by bisection: d is convex in b and 0 at b = a."""

    def inside(b: float) -> bool:
        return d.value([a, 1 - a], [b, 1 - b]) <= P

    ends = []
    for out in (0.0, 1.0):
        if P == math.inf or inside(out):
            ends.append(out)
            continue
        near, far = a, out
        for _ in range(200):
            middle = 0.5 * (near + far)
            near, far = (middle, far) if inside(middle) else (near, middle)
        ends.append(near)
    return ends[0], ends[1]


def _knapsack(py: Array, err: Array) -> tuple[Array, Array]:
    """eps_Y(b) for two labels as the corners (b, value) of its convex graph; b is label 0's share.

    The letters that gain most (or lose least) per unit of mass from being called 0 come first.
    """
    gain = err[:, 0] - err[:, 1]
    order = np.argsort(gain, kind="stable")
    b = np.concatenate([[0.0], np.cumsum(py[order])])
    value = float(py @ err[:, 1]) + np.concatenate([[0.0], np.cumsum((py * gain)[order])])
    return b, value


@dataclass
class _Found:
    """The best bounds that any proposal has given so far."""

    lower: float = -math.inf
    upper: float = math.inf
    lam: float = 0.0
    u: Array = field(default_factory=lambda: np.zeros(0))
    plan: Array | None = None


class _Engine:
    """The models of one problem and divergence, warm between points, on one set of columns."""

    def __init__(self, problem: Problem, divergence: str | Divergence) -> None:
        self.problem = problem
        self.divergence = divergences.get(divergence, problem.x)
        self.mask = columns.initial(problem)
        self.perfect = columns.northwest(problem)
        self.mmse = problem.deterministic(problem.delta.argmin(axis=1))
        self.models: dict[tuple[str, bool], Any] = {}
        self.edges: dict[float, Edge] = {}

    # -- proposals -----------------------------------------------------------------------------

    def _polyhedral(self, P: float) -> bool:
        return P in (0.0, math.inf) or linear.handles(self.divergence)

    def _model(self, goal: str, P: float) -> Any:
        """The model that minimises ``goal`` ("err", "delta" or "divergence") near budget P."""
        flat = self._polyhedral(P)
        key = (goal, flat)
        if key not in self.models:
            cost = {"err": self.problem.err, "delta": self.problem.delta}.get(
                goal, np.zeros(self.problem.shape)
            )
            last = goal == "divergence"
            cone = None if linear.handles(self.divergence) else conic.epigraph(self.divergence)
            if flat:  # at P = 0 and P = inf every divergence has the ball of TV
                d = self.divergence if cone is None else divergences.get("tv")
                self.models[key] = linear.LinearModel(self.problem, d, cost, last)
            else:
                assert cone is not None
                self.models[key] = conic.ConicModel(self.problem, cone, cost, last)
        return self.models[key]

    def _proposals(self, goal: str, D: float, P: float) -> Iterator[conic.Answer]:
        """Answers of one method after another; columns added in between are in the next one."""
        model = self._model(goal, P)
        if isinstance(model, linear.LinearModel):
            attempts: list[dict[str, Any]] = [{}] * 40 + [{"fresh": True}] * 2
        else:
            attempts = [{"scaling": scaling} for scaling in (0.5, 0.5, 0.5, 0.0, 1.0)]
        for attempt in attempts:
            model.set_columns(self.mask)
            answer = model.solve(D, P, **attempt)
            if answer is not None:
                yield answer

    def _price(self, cost: Array, answer: conic.Answer, worth: float) -> None:
        """Add the columns that the answer's multipliers miss by more than ``worth`` in all."""
        reduced = cost + answer.lam * self.problem.delta - answer.u
        self.mask = self.mask | columns.missing(self.problem, reduced, self.mask, worth)

    # -- the edges of the feasible set ---------------------------------------------------------

    def edge(self, P: float) -> Edge:
        """The least distortion at budget P, with multipliers (1, u) that prove it."""
        if P not in self.edges:
            self.edges[P] = self._edge(P)
        return self.edges[P]

    def _edge(self, P: float) -> Edge:
        problem, d, found = self.problem, self.divergence, _Found(u=np.zeros(self.problem.px.size))
        for known in (self.perfect, self.mmse):
            value = problem.distortion(known)
            if value < found.upper and feasible(problem, d, math.inf, P, known):
                found.upper, found.plan = value, known
        tolerance = self.tolerance(P)
        for answer in self._proposals("delta", math.inf, P):
            lower = certify_infeasible(problem, d, 0.0, P, 1.0, answer.u)
            if lower > found.lower:
                found.lower, found.u = lower, answer.u
            plan = repair(problem, d, math.inf, P, answer.plan, self.perfect)
            if plan is not None and problem.distortion(plan) < found.upper:
                found.upper, found.plan = problem.distortion(plan), plan
            scale = max(1.0, abs(found.upper))
            if found.upper - found.lower <= 0.1 * tolerance * scale:
                break
            self._price(problem.delta, replace(answer, lam=0.0), 0.01 * tolerance)
        closed = found.upper - found.lower <= tolerance * max(1.0, abs(found.upper))
        return Edge(
            found.upper, status="optimal" if closed else "uncertified", lam=1.0, u=found.u,
            lower=min(found.lower, found.upper), upper=found.upper, plan=found.plan,
        )  # fmt: skip

    def tolerance(self, P: float) -> float:
        return LINEAR_GAP if self._polyhedral(P) else CONIC_GAP

    def lower_edge(self, D: float) -> Edge:
        """The least divergence at budget D."""
        problem, d = self.problem, self.divergence
        least = self.edge(math.inf)
        if D < least.upper - ROUNDING * max(1.0, abs(D)):
            return Edge(math.inf, status="infeasible", lower=math.inf, upper=math.inf,
                        lam=1.0, u=least.u, plan=None)  # fmt: skip
        if problem.distortion(self.perfect) <= D:
            return Edge(0.0, status="optimal", lower=0.0, upper=0.0, lam=0.0,
                        u=np.zeros(problem.px.size), plan=self.perfect)  # fmt: skip
        found = _Found(u=np.zeros(problem.px.size), lower=0.0)
        tolerance = LINEAR_GAP if linear.handles(d) else CONIC_GAP
        zero = np.zeros(problem.shape)
        for answer in self._proposals("divergence", D, 1.0):
            floor = float(problem.py @ (answer.lam * problem.delta - answer.u).min(axis=1))
            floor -= answer.lam * D
            plan = repair(problem, d, D, math.inf, answer.plan, self.mmse)
            if plan is not None:
                r = plan.sum(axis=0)
                value = d.value(problem.px, r / r.sum())
                if value < found.upper:
                    found.upper, found.plan = value, plan
            lower = _last_infeasible(d, problem.px, answer.u, floor, min(found.upper, 1e3))
            if lower > found.lower:
                found.lower, found.u, found.lam = lower, answer.u, answer.lam
            if found.upper - found.lower <= tolerance:
                break
            self._price(zero, answer, 0.01 * tolerance)
        closed = found.upper - found.lower <= tolerance
        return Edge(
            found.upper, status="optimal" if closed else "uncertified", lam=found.lam, u=found.u,
            lower=min(found.lower, found.upper), upper=found.upper, plan=found.plan,
        )  # fmt: skip

    # -- one point -----------------------------------------------------------------------------

    def point(self, D: float, P: float) -> Solution:
        """C(D,P): feasible or not first, then proposals until the certificate closes."""
        problem, d = self.problem, self.divergence
        edge = self.edge(P)
        rounding = ROUNDING * max(1.0, abs(D))
        if D < edge.lower - rounding:
            return Solution("infeasible", math.inf, math.inf, math.inf, 1.0, math.nan, None, edge.u)
        found = _Found(u=np.zeros(problem.px.size))
        inside = self._inside(D, edge)
        for known in (inside, edge.plan, self.perfect):
            if known is not None and feasible(problem, d, D, P, known):
                value = problem.error_rate(known)
                if value < found.upper:
                    found.upper, found.plan = value, known
        found.lower = certify(problem, d, D, P, 0.0, found.u)
        tolerance = self.tolerance(P)
        for answer in self._proposals("err", max(D, edge.upper), P):
            lam = answer.lam if D < math.inf else 0.0
            lower = certify(problem, d, D, P, lam, answer.u)
            if lower > found.lower:
                found.lower, found.lam, found.u = lower, lam, answer.u
            mended = repair(problem, d, D, P, answer.plan, inside)
            if mended is not None and problem.error_rate(mended) < found.upper:
                found.upper, found.plan = problem.error_rate(mended), mended
            if found.upper - found.lower <= tolerance:
                break
            self._price(problem.err, answer, 0.1 * tolerance)
        mu = d.dual(found.u, problem.px, P)[1]
        closed = found.upper - found.lower <= tolerance
        return Solution(
            "optimal" if closed else "uncertified", found.upper, min(found.lower, found.upper),
            found.upper, found.lam, mu, found.plan, found.u,
        )  # fmt: skip

    def _inside(self, D: float, edge: Edge) -> Array:
        """A plan with room in both budgets: the edge's plan with some perfect perception in it."""
        if edge.plan is None:
            return self.perfect
        far = self.problem.distortion(self.perfect)
        share = 0.5 if far <= D else min(0.5, 0.5 * max(0.0, D - edge.upper) / (far - edge.upper))
        return np.asarray((1 - share) * edge.plan + share * self.perfect)


def _last_infeasible(d: Divergence, px: Array, u: Array, floor: float, top: float) -> float:
    """The largest P up to ``top`` with floor + h_P(u) > 0, by bisection; 0 if there is none."""
    if floor + d.support(u, px, 0.0) <= 0:
        return 0.0
    if floor + d.support(u, px, top) > 0:
        return top
    low, high = 0.0, top
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if floor + d.support(u, px, middle) > 0 else (low, middle)
    return low


def _distortion_budget(D: float) -> float:
    try:
        value = float(D)
    except (TypeError, ValueError):
        raise InputError(f"D is {D!r}: expected a number or inf") from None
    if math.isnan(value) or value == -math.inf:
        raise InputError(f"D is {value}: expected a number or inf")
    return value


def _list(values: ArrayLike, name: str) -> Sequence[float]:
    listed = np.asarray(values, dtype=float)
    if listed.ndim != 1 or listed.size == 0:
        raise InputError(f"{name} has shape {listed.shape}: expected a non-empty list of budgets")
    return [float(value) for value in listed]
