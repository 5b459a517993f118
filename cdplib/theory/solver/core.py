"""The core of :mod:`cdplib.theory.exact`: propose, price, repair, certify, in one unit.

A core serves one problem and one divergence in the unit of :mod:`cdplib.theory.units`.  Its models
stay warm between points, and all of them share one working set of columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdplib.theory import certificate, divergences
from cdplib.theory.certificate import inside, lower_bound, matched, tidy
from cdplib.theory.divergences import Renyi
from cdplib.theory.solver import columns, cutting, linear, newton
from cdplib.theory.solver.answer import Answer
from cdplib.theory.solver.columns import Mask
from cdplib.theory.units import Scaled

Array = NDArray[np.float64]

#: The gap at which a point counts as optimal: polyhedral divergences, and the others.
LINEAR_GAP, CONIC_GAP = 1e-9, 1e-7

#: A certificate may be above the value of a plan by this much, the price of :data:`ROUNDING` in
#: both budgets; where it is above by more, the plan is not believed.
CONTRADICTION = 1e-10

#: From this Rényi budget on a plan needs exp(-25) of p_X in it, and nothing else.
_LOOSE = 25.0


@dataclass
class Found:
    """The best bounds that any proposal has given so far."""

    lower: float = -math.inf
    upper: float = math.inf
    lam: float = 0.0
    u: Array = field(default_factory=lambda: np.zeros(0))
    plan: Array | None = None

    def closed(self, tolerance: float) -> bool:
        """Whether both bounds agree; a bound above the value proves the plan wrong."""
        return -CONTRADICTION <= self.upper - self.lower <= tolerance

    def raise_lower(self, lower: float, lam: float, u: Array) -> None:
        if lower > self.lower:
            self.lower, self.lam, self.u = lower, lam, u

    def take(self, plan: Array | None, value: float) -> None:
        if plan is not None and value < self.upper:
            self.upper, self.plan = value, plan


class Core:
    """The models of one problem and divergence, warm between points, on one set of columns.

    ``allowed`` (m, n): the columns a plan may use.  With ``exact_zero`` these are the ones without
    distortion (the budget is the least E[Delta]) and there is no row for D.
    """

    def __init__(
        self, scaled: Scaled, perfect: Array, allowed: Mask, exact_zero: bool = False
    ) -> None:
        self.scaled, self.problem, self.divergence = scaled, scaled.problem, scaled.divergence
        self.perfect, self.allowed, self.exact_zero = perfect, allowed, exact_zero
        problem = self.problem
        self.everywhere = bool(allowed.all())
        self.mmse = problem.deterministic(np.where(allowed, problem.delta, np.inf).argmin(axis=1))
        self.mask = allowed if exact_zero else columns.initial(problem, allowed)
        self.models: dict[tuple[str, str], Any] = {}
        self.edges: dict[float, Found] = {}
        self.full = self.divergence.full(problem.px)
        self.on = problem.py > 0

    # -- proposals -----------------------------------------------------------------------------

    def kind(self, P: float) -> str:
        """How the ball looks at P: only p_X ("point"), everything ("all"), or a proper "ball"."""
        d = self.divergence
        if P >= self.full or (isinstance(d, Renyi) and d.order < math.inf and d.rate(P) > _LOOSE):
            return "all"
        return "point" if P == 0 else "ball"

    def tolerance(self, P: float) -> float:
        flat = P in (0.0, math.inf) or linear.handles(self.divergence)
        return LINEAR_GAP if flat else CONIC_GAP

    def _cost(self, goal: str) -> Array:
        costs = {"err": self.problem.err, "delta": self.problem.delta}
        return costs.get(goal, np.zeros(self.problem.shape))

    def _model(self, goal: str, kind: str) -> Any:
        """The model that minimises ``goal`` ("err", "delta" or "divergence") over such balls."""
        flat = kind != "ball" or linear.handles(self.divergence)
        key = (goal, "flat" if flat else "bent")
        if key not in self.models:
            cost = self._cost(goal)
            last = goal == "divergence"
            if flat:  # a point and everything are balls of TV as well
                d = self.divergence
                d = d if linear.handles(d) else divergences.get("tv")
                self.models[key] = linear.LinearModel(self.problem, d, cost, last)
            else:
                self.models[key] = newton.NewtonModel(
                    self.problem, self.divergence, cost, self.allowed, last
                )
        return self.models[key]

    def _proposals(self, goal: str, D: float, P: float) -> Iterator[Answer]:
        """Answers, one try after another; columns added in between are in the next one.

        A linear program is solved again until pricing is done, at last without its old basis; a
        ball that bends by the interior-point method, and then by tangents.
        """
        D = math.inf if self.exact_zero else D
        kind = "ball" if goal == "divergence" else self.kind(P)
        if kind == "ball" and not linear.handles(self.divergence):
            if goal != "divergence" and P < 1e-6:  # nearly a point
                yield from self._flat(goal, D, 0.0, 20)
            model = self._model(goal, kind)
            yield from model.answers(D, P, 0.3 * CONIC_GAP)
            if goal != "divergence":
                yield from self._cutting_planes(self._cost(goal), D, P)
        else:
            if kind == "ball" and P < 1e-8:  # as good as one, but for a W1 of another unit
                yield from self._flat(goal, D, 0.0, 20)
            size = {"all": math.inf, "point": 0.0}.get(kind, P * (1 - 2.0**-44))
            yield from self._flat(goal, D, size, 60)

    def _flat(self, goal: str, D: float, P: float, tries: int) -> Iterator[Answer]:
        kind = "all" if P == math.inf else "point" if P == 0 else "ball"
        model = self._model(goal, kind)
        solved, fresh = None, False
        for _ in range(tries):
            if solved is self.mask and fresh:
                return  # nothing was priced in, and a new start did not help
            fresh, solved = solved is self.mask, self.mask
            model.set_columns(self.mask)
            # what a tolerance of 1e-10 lets through costs less at its price than by a repair
            less = 1e-10 if fresh and 1e-8 < P < math.inf else 0.0
            answer = model.solve(D, P - less, fresh=fresh)
            if answer is not None:
                yield answer

    def _cutting_planes(self, cost: Array, D: float, P: float) -> Iterator[Answer]:
        """Answers of the second method; it also cuts at the laws that repairs led to."""
        second, mask = None, self.mask
        laws: list[Array] = []
        for _ in range(40):
            if second is None or mask is not self.mask:
                mask = self.mask
                second = cutting.CuttingModel(self.problem, self.divergence, cost, mask, P)
                for law in laws:
                    second.cut(law)
            self.repaired: Array | None = None
            got = second.solve(D)
            if got is None:
                return
            yield got[0]
            if mask is self.mask and laws and np.abs(got[1] - laws[-1]).max() < 1e-14:
                return  # the program does not move any more
            new = [got[1]]
            if self.repaired is not None:
                new.insert(0, self.repaired.sum(axis=0)[second.letters])
            for law in new:
                second.cut(law)
            laws += new

    def _price(self, cost: Array, answer: Answer, lam: float, worth: float) -> None:
        """Add the columns that the answer's multipliers miss by more than ``worth`` in all."""
        reduced = lam * self.problem.delta
        reduced += cost
        reduced -= answer.u
        if not self.everywhere:
            reduced[~self.allowed] = np.inf
        more = columns.missing(self.problem, reduced, self.mask, worth) & self.allowed
        if more.any():
            self.mask = self.mask | more

    # -- judging -------------------------------------------------------------------------------

    def repair(
        self, plan: Array, D: float, P: float, noise: float, safe: Callable[[], Array]
    ) -> Array | None:
        """``plan`` as a coupling that keeps both budgets, or None.

        First what no mixing can do: the exact marginal where the ball is a point, mass on letters
        that a finite divergence needs.  Then as little as needed of ``safe()``, a plan with room.
        """
        problem, d = self.problem, self.divergence
        plan = tidy(problem, plan, self.perfect)
        if P <= d.rounding():
            target = d.nearest(problem.px, plan.sum(axis=0))
            for part in (0.0, 1e-13, 1e-10):
                exact = tidy(problem, matched(problem, plan, target, part), self.perfect)
                if inside(problem, d, math.inf, P, 0.0, exact):
                    plan = exact
                    break
        elif isinstance(d, Renyi) and d.order >= 1 and P < math.inf:
            far = certificate.perception(problem, d, plan) > P + max(1e-6, 0.01 * P)
            if far or d.order == math.inf:
                plan = self._filled(plan, P)
        strict, loose = 1 - 2.0**-48, 1 + certificate.ROUNDING
        most = P * loose + d.rounding()
        really = most  # at P nearly 0, r = p_X up to rounding
        if P > 100 * d.rounding():
            really = P * strict - (d.blur(P) if P < math.inf else 0.0)
        for cap_D, cap_P in ((D * strict, really), (max(D + noise, D * loose), most)):
            mixed = self._mixed(plan, safe, cap_D, cap_P)
            if mixed is plan:
                return plan
            if mixed is not None and inside(problem, d, D, P, noise, mixed):
                return mixed
        return None

    def _mixed(
        self, plan: Array, safe: Callable[[], Array], cap_D: float, cap_P: float
    ) -> Array | None:
        """``plan`` with as little of ``safe()`` in it as the two caps ask for; None if none will.

        The budgets are convex in the plan, so good shares are an interval that ends at 1.
        """
        d, px = self.divergence, self.problem.px

        def good(E: float, r: Array) -> bool:
            return E <= cap_D and (cap_P == math.inf or d.value(px, r) <= cap_P)

        E0, r0 = self._budgets(plan)
        if good(E0, r0):
            return plan
        other = safe()
        E1, r1 = self._budgets(other)

        def mixes(share: float) -> bool:
            return good((1 - share) * E0 + share * E1, (1 - share) * r0 + share * r1)

        low, high = 0.0, 2.0**-52
        while not mixes(high):
            if high == 1:
                return None
            low, high = high, min(1.0, 8 * high)
        while high - low > 0.02 * high and high > 1e-13:
            middle = 0.5 * (low + high)
            low, high = (low, middle) if mixes(middle) else (middle, high)
        return np.asarray((1 - high) * plan + high * other)

    def _budgets(self, plan: Array) -> tuple[float, Array]:
        r = plan.sum(axis=0)
        return certificate.distortion(self.problem, plan), r / r.sum()

    def _filled(self, plan: Array, P: float) -> Array:
        """``plan`` with the mass that letters need at least, taken from perfect perception."""
        problem, d = self.problem, self.divergence
        assert isinstance(d, Renyi)
        p, r = problem.px, plan.sum(axis=0)
        least = np.exp(-d.rate(P)) * p * (1 + 1e-15)
        if d.order < math.inf:
            least = np.where((p <= 1e-8) & (r < 0.1 * p), p, 0.0)
        unit = np.divide(1.0, p, out=np.zeros_like(p), where=p > 0)
        for _ in range(50):  # scaling the rows back takes a little from letters that had enough
            lack = np.maximum(least - r, 0.0)
            if not (lack > 1e-14 * least).any():
                break
            plan = tidy(problem, plan + self.perfect * (lack * unit), self.perfect)
            r = plan.sum(axis=0)
        return plan

    def judge(self, answer: Answer, cost: Array, D: float, P: float, found: Found) -> float:
        """Raise ``found.lower`` by the answer's certificate; the multiplier that it used."""
        lam = 0.0 if D == math.inf else answer.lam
        u = answer.u
        if self.exact_zero:
            u, lam = self._closed(cost, lam, u)
        found.raise_lower(lower_bound(self.problem, cost, self.divergence, D, P, lam, u), lam, u)
        return lam

    def blunt(self, P: float) -> bool:
        """Whether the solver's u can be improved: a basis without light letters leaves nothing."""
        flat = self.kind(P) != "ball" or linear.handles(self.divergence)
        return not (flat and self.everywhere and float(self.problem.px.min()) > 1e-9)

    def sharpen(
        self, answer: Answer, cost: Array | None, lam: float, D: float, P: float, found: Found
    ) -> None:
        """The same with every u as large as the row minima allow: h_P(u) only grows with u.

        Letters y of hardly any mass may be overruled: what they cost is that mass.
        """
        total = lam * self.problem.delta if cost is None else cost + lam * self.problem.delta
        least = np.where(self.allowed, total - answer.u, np.inf).min(axis=1, keepdims=True)
        for mass in (0.0, 1e-11):
            heavy = (self.problem.py > mass)[:, None]
            usable = heavy & self.allowed if self.exact_zero else heavy
            u, price = np.where(usable, total - least, np.inf).min(axis=0), lam
            u = np.where(np.isfinite(u), u, np.max(u[np.isfinite(u)], initial=0.0))
            if self.exact_zero and cost is not None:
                u, price = self._closed(cost, lam, u)
            low = lower_bound(self.problem, cost, self.divergence, D, P, price, u)
            found.raise_lower(low, price, u)
            if not (self.problem.py < 1e-11).any():
                break

    def _closed(self, cost: Array, lam: float, u: Array) -> tuple[Array, float]:
        """A lam that prices out every column with distortion: at no cost where D leaves none."""
        reduced = cost - u
        least = np.where(self.allowed, reduced, np.inf).min(axis=1, keepdims=True)
        delta = np.where(self.allowed | ~self.on[:, None], np.inf, self.problem.delta)
        return u, max(lam, float(((least - reduced) / delta).max(initial=0.0)) * (1 + 1e-12))

    # -- the edges of the feasible set ---------------------------------------------------------

    def edge(self, P: float) -> Found:
        """The least distortion at budget P, with multipliers (1, u) that prove it."""
        if P not in self.edges:
            self.edges[P] = self._edge(P)
        return self.edges[P]

    def _edge(self, P: float) -> Found:
        problem, d, zero = self.problem, self.divergence, np.zeros(self.problem.px.size)
        found = Found(u=zero, lam=1.0, lower=0.0)
        for known in (self.perfect, self.mmse):
            if inside(problem, d, math.inf, P, 0.0, known):
                found.take(known, certificate.distortion(problem, known))
        tolerance = self.tolerance(P)
        if found.upper == 0:
            return found
        for answer in self._proposals("delta", math.inf, P):
            lower = lower_bound(problem, None, d, 0.0, P, 1.0, answer.u)
            found.raise_lower(lower, 1.0, answer.u)
            plan = self.repair(answer.plan, math.inf, P, 0.0, lambda: self.perfect)
            self.repaired = plan
            if plan is not None:
                found.take(plan, certificate.distortion(problem, plan))
            if found.upper - found.lower <= 0.1 * tolerance:
                break
            if self.blunt(P):
                self.sharpen(answer, None, 1.0, 0.0, P, found)
            if found.upper - found.lower <= 0.1 * tolerance:
                break
            self._price(problem.delta, answer, 0.0, 0.01 * tolerance)
        return found

    def lower_edge(self, D: float, noise: float) -> Found:
        """The least divergence at budget D, which is at least the least distortion."""
        problem, d = self.problem, self.divergence
        found = Found(u=np.zeros(problem.px.size), lower=0.0)
        if certificate.distortion(problem, self.perfect) <= D:
            found.take(self.perfect, 0.0)
            return found
        tolerance = LINEAR_GAP if linear.handles(d) else CONIC_GAP
        zero = np.zeros(problem.shape)
        for answer in self._proposals("divergence", D, 1.0):
            plan = self.repair(answer.plan, D, math.inf, noise, lambda: self.mmse)
            if plan is not None:
                found.take(plan, certificate.perception(problem, d, plan))
            lam, u = answer.lam, answer.u
            if self.exact_zero:
                u, lam = self._closed(zero, lam, u)
            free = lower_bound(problem, None, d, D, math.inf, lam, u)
            lower = self._last_infeasible(u, free, min(found.upper, 1e3))
            found.raise_lower(lower, lam, u)
            if found.upper - found.lower <= tolerance:
                break
            self._price(zero, answer, answer.lam, 0.01 * tolerance)
        return found

    def _last_infeasible(self, u: Array, free: float, top: float) -> float:
        """The largest P up to ``top`` that u proves infeasible, by bisection; 0 if there is none.

        ``free`` is the bound without a budget P, where h is the least u.
        """
        u = u - (0.5 * float(u.max()) + 0.5 * float(u.min()))

        def proved(P: float) -> bool:
            return free - float(u.min()) + self.divergence.support(u, self.problem.px, P) > 0

        if not proved(0.0):
            return 0.0
        if proved(top):
            return top
        low, high = 0.0, top
        for _ in range(100):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if proved(middle) else (low, middle)
        return low

    # -- one point -----------------------------------------------------------------------------

    def point(self, D: float, P: float, noise: float) -> Found:
        """C(D,P) where the point is not known to be infeasible: until the certificate closes."""
        problem, before = self.problem, self.mask
        found, tolerance = Found(u=np.zeros(problem.px.size)), self.tolerance(P)
        edge = Found() if self.exact_zero else self.edge(P)
        at = D * (1 - 2.0**-44)  # a solver's rounding then stays within the budget
        at = at if self.exact_zero or edge.plan is None else max(at, edge.upper)
        safe = self._safe(D, P, noise, edge)
        for answer in self._proposals("err", at, P):
            lam = self.judge(answer, problem.err, D, P, found)
            plan = self.repair(answer.plan, D, P, noise, safe)
            self.repaired = plan
            if plan is not None:
                found.take(plan, problem.error_rate(plan))
            if found.closed(tolerance):
                break
            if self.blunt(P):
                self.sharpen(answer, problem.err, lam, D, P, found)
            if found.closed(tolerance):
                break
            self._price(problem.err, answer, lam, 0.1 * tolerance)
        if found.plan is not None and np.count_nonzero(self.mask) > 1.2 * np.count_nonzero(before):
            self.mask = before | (found.plan > 1e-13)  # a hard point must not slow the rest
        if not found.closed(tolerance):
            found.raise_lower(*self._bayes(D, P))
            for known in (safe(), edge.plan, self.perfect):
                if known is not None and inside(
                    problem, self.divergence, D, P, noise, known
                ):  # right at the edge there is no room for a repair
                    found.take(known, problem.error_rate(known))
        if found.lower > found.upper + CONTRADICTION:
            found.upper, found.plan = math.inf, None
        return found

    def _bayes(self, D: float, P: float) -> tuple[float, float, Array]:
        """The bound without any multiplier: the least error of classifying Y."""
        none = np.zeros(self.problem.px.size)
        low = lower_bound(self.problem, self.problem.err, self.divergence, D, P, 0.0, none)
        return low, 0.0, none

    def _safe(self, D: float, P: float, noise: float, edge: Found) -> Callable[[], Array]:
        """A plan with room in both budgets: the edge's with some perfect perception in it."""
        kept: list[Array] = []

        def plan() -> Array:
            if not kept:
                kept.append(self._inner(D, noise, edge))
            return kept[0]

        return plan

    def _inner(self, D: float, noise: float, edge: Found) -> Array:
        if self.exact_zero:
            nearest = self.lower_edge(D, noise).plan
            return self.mmse if nearest is None else nearest
        if edge.plan is None:
            return self.perfect
        far = certificate.distortion(self.problem, self.perfect)
        room, way = max(0.0, D - edge.upper), far - edge.upper
        share = 0.5 if far <= D or way <= 0 else min(0.5, 0.5 * room / way)
        return np.asarray((1 - share) * edge.plan + share * self.perfect)
