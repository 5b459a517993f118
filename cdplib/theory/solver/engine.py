"""The engine of :mod:`cdplib.theory.exact`: propose, price, repair, certify, at one point.

One engine serves one problem and one divergence.  Its models stay warm between points, and all of
them share one working set of columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdplib.theory import divergences
from cdplib.theory.certificate import ROUNDING, certify, certify_infeasible, feasible, repair
from cdplib.theory.divergences import Divergence
from cdplib.theory.problem import Problem
from cdplib.theory.solver import columns, conic, cutting, linear

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


@dataclass
class _Found:
    """The best bounds that any proposal has given so far."""

    lower: float = -math.inf
    upper: float = math.inf
    lam: float = 0.0
    u: Array = field(default_factory=lambda: np.zeros(0))
    plan: Array | None = None


class Engine:
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
        """Answers, one try after another; columns added in between are in the next one.

        A linear program is solved again until pricing is done, at last without its old basis; a
        cone program by Clarabel under three scalings, and then by tangents.
        """
        model = self._model(goal, P)
        if isinstance(model, linear.LinearModel):
            attempts: list[dict[str, Any]] = [{}] * 60 + [{"fresh": True}] * 2
        else:
            attempts = [{"scaling": scaling} for scaling in (0.5, 0.5, 0.5, 0.0, 1.0)]
        laws = []
        for attempt in attempts:
            model.set_columns(self.mask)
            answer = model.solve(D, P, **attempt)
            if answer is not None:
                laws.append(np.maximum(answer.plan.sum(axis=0), 0.0))
                yield answer
        if isinstance(model, conic.ConicModel) and goal != "divergence":
            yield from self._cutting_planes(model, D, P, laws)

    def _cutting_planes(
        self, model: conic.ConicModel, D: float, P: float, laws: list[Array]
    ) -> Iterator[conic.Answer]:
        """Answers of the second method, starting from the laws of X^ that the first one found."""
        second, mask = None, self.mask
        for _ in range(25):
            if second is None or mask is not self.mask:
                mask = self.mask
                second = cutting.CuttingModel(self.problem, self.divergence, model.cost, mask)
                for law in laws:
                    second.cut(law)
            answer = second.solve(D, model.cone.level(P))
            if answer is None:
                return
            yield answer
            laws.append(np.maximum(answer.plan.sum(axis=0), 0.0))
            second.cut(laws[-1])

    def _price(self, cost: Array, answer: conic.Answer, worth: float) -> None:
        """Add the columns that the answer's multipliers miss by more than ``worth`` in all."""
        reduced = cost + answer.lam * self.problem.delta - answer.u
        more = columns.missing(self.problem, reduced, self.mask, worth)
        if more.any():
            self.mask = self.mask | more

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
            plan = repair(problem, d, math.inf, P, answer.plan, lambda: self.perfect)
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
            plan = repair(problem, d, D, math.inf, answer.plan, lambda: self.mmse)
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
        found, before = _Found(u=np.zeros(problem.px.size)), self.mask
        tolerance = self.tolerance(P)
        for answer in self._proposals("err", max(D, edge.upper), P):
            lam = answer.lam if D < math.inf else 0.0
            lower = certify(problem, d, D, P, lam, answer.u)
            if lower > found.lower:
                found.lower, found.lam, found.u = lower, lam, answer.u
            mended = repair(problem, d, D, P, answer.plan, lambda: self._inside(D, edge))
            value = math.inf if mended is None else problem.error_rate(mended)
            if value < found.upper:
                found.upper, found.plan = value, mended
            if found.upper - found.lower <= tolerance:
                break
            self._price(problem.err, answer, 0.1 * tolerance)
        if found.plan is not None and np.count_nonzero(self.mask) > 1.2 * np.count_nonzero(before):
            self.mask = before | (
                found.plan > 0.1 * ROUNDING
            )  # a hard point must not slow the rest
        if found.upper - found.lower > tolerance:
            self._known(D, P, edge, found)
            bayes = certify(problem, d, D, P, 0.0, np.zeros(problem.px.size))
            if bayes > found.lower:
                found.lower, found.lam, found.u = bayes, 0.0, np.zeros(problem.px.size)
        mu = d.dual(found.u, problem.px, P)[1]
        closed = found.upper - found.lower <= tolerance
        return Solution(
            "optimal" if closed else "uncertified", found.upper, min(found.lower, found.upper),
            found.upper, found.lam, mu, found.plan, found.u,
        )  # fmt: skip

    def _known(self, D: float, P: float, edge: Edge, found: _Found) -> None:
        """Try the plans that are at hand: right at the edge there is no room for a repair."""
        for plan in (self._inside(D, edge), edge.plan, self.perfect):
            if plan is not None and feasible(self.problem, self.divergence, D, P, plan):
                value = self.problem.error_rate(plan)
                if value < found.upper:
                    found.upper, found.plan = value, plan

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
