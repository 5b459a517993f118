"""The engine under :mod:`cdplib.theory.exact`: which core answers, and its answer in user's units.

Most points of a problem are served by one core in the problem's own unit.  Budgets far below that
unit get a core in theirs, so that no tolerance is larger than what it guards; a budget that is the
least E[Delta] itself gets a core with the columns that are left; and at finite budgets of
``reverse_kl`` letters without mass are not there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdplib.theory import divergences
from cdplib.theory.certificate import distortion, lower_bound
from cdplib.theory.divergences import Divergence, Wasserstein1
from cdplib.theory.ground import Transport
from cdplib.theory.problem import Problem
from cdplib.theory.solver import columns, linear
from cdplib.theory.solver.core import CONIC_GAP, LINEAR_GAP, Core, Found
from cdplib.theory.units import HUGE, Scaled, scaled

Array = NDArray[np.float64]

#: Budgets below this many units are given a unit of their own.
_SMALL = 1e-4


@dataclass(frozen=True, eq=False)
class Solution:
    """C(D,P) at one point.

    ``status``: "optimal", "infeasible" or "uncertified".  ``value``: the error rate of ``plan``
    (inf where infeasible); ``lower`` <= C(D,P) <= ``upper``.  ``lam``, ``mu`` >= 0: shadow prices
    -dC/dD and -dC/dP (supergradients at a kink).  ``lam`` and ``u`` (n,) are the certificate: the
    arguments of :func:`certify`, or of :func:`certify_infeasible` where the point is infeasible.
    ``plan`` (m, n): the joint law of (Y, X^), None where infeasible or where none was found.
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


class Engine:
    """The cores of one problem and divergence, warm between points."""

    def __init__(self, problem: Problem, divergence: str | Divergence) -> None:
        self.problem = problem
        unit = scaled(problem, divergences.get(divergence, problem.x))
        self.perfect = columns.northwest(problem)
        far = distortion(unit.problem, self.perfect)  # budgets of interest are below it
        self.scaled = unit.finer(-math.frexp(far)[1], 0) if far > _SMALL else unit
        delta = self.scaled.problem.delta
        self.step = float(delta[delta > 0].min(initial=math.inf))  # the least that a change costs
        self.inner: dict[float, float] = {}  # budgets of a surface come again and again
        self.cores: dict[tuple[Any, ...], Core] = {}

    def _core(self, P: float, down: int = 0, short: int = 0, exact_zero: bool = False) -> Core:
        """The core with units smaller by 2^down (distortion) and 2^short (positions)."""
        bounded = P < math.inf and not self.scaled.divergence.reach(self.problem.px).all()
        key = (down, short, exact_zero, bounded)
        if key not in self.cores:
            finer = self.scaled.finer(down, short)
            allowed = np.ones(self.problem.shape, dtype=bool)
            if bounded:
                allowed &= finer.divergence.reach(self.problem.px)
            if exact_zero:
                allowed &= finer.problem.delta == 0
            self.cores[key] = Core(finer, self.perfect, allowed, exact_zero)
        return self.cores[key]

    def _budget(self, D: float) -> float:
        """``D`` in the problem's unit; inf where no plan reaches it, 0 where rounding says so."""
        inner = self._within(self.scaled, D)
        if abs(inner) <= self.scaled.noise(D) and self.scaled.magnitude > 0:
            return 0.0
        if inner >= 0 and self.step == math.inf:
            return math.inf
        return math.inf if inner > HUGE else inner

    def _short(self, P: float) -> int:
        """By how much the unit of positions is made smaller for the budget ``P``."""
        inner = self.scaled.perception(P)
        own = isinstance(self.scaled.divergence, Wasserstein1 | Transport)
        return _down(inner) if own and 0 < inner < _SMALL else 0

    # -- edges ---------------------------------------------------------------------------------

    def _edge(self, P: float) -> tuple[Core, Found]:
        """The core in whose unit the least distortion at P is of about 1 (or 0), and its edge."""
        down, short = 0, self._short(P)
        core = self._core(P, down, short)
        found = core.edge(core.scaled.perception(P))
        for _ in range(3):
            if not 0 < found.upper < _SMALL:
                break
            down += _down(found.upper)
            core = self._core(P, down, short)
            found = core.edge(core.scaled.perception(P))
        return core, found

    def edge(self, P: float) -> Edge:
        """The least distortion at budget P."""
        core, found = self._edge(P)
        tolerance = core.tolerance(P)
        closed = found.closed(tolerance * max(1.0, abs(found.upper)))
        unit = core.scaled
        upper = unit.original(found.upper)
        lower = min(unit.original(min(found.lower, found.upper)), upper)
        return Edge(
            upper, status="optimal" if closed else "uncertified", lam=1.0,
            u=np.ldexp(found.u, unit.exponent), lower=lower, upper=upper, plan=found.plan,
        )  # fmt: skip

    def lower_edge(self, D: float) -> Edge:
        """The least divergence at budget D."""
        inner = self._budget(D)
        none = np.zeros(self.problem.px.size)
        if inner < -self.scaled.noise(D) or (inner < 0 and self.scaled.magnitude == 0):
            return Edge(math.inf, status="infeasible", lower=math.inf, upper=math.inf,
                        lam=1.0, u=none, plan=None)  # fmt: skip
        core = self._at(inner, 0.0)
        unit = core.scaled
        found = core.lower_edge(self._within(unit, D), unit.noise(D))
        tolerance = LINEAR_GAP if linear.handles(core.divergence) else CONIC_GAP
        closed = found.closed(tolerance)
        scale = 2.0**unit.length
        upper, lower = found.upper * scale, min(found.lower, found.upper) * scale
        return Edge(
            upper, status="optimal" if closed else "uncertified", u=found.u, lower=lower,
            lam=math.ldexp(found.lam, -unit.exponent), upper=upper, plan=found.plan,
        )  # fmt: skip

    # -- one point -----------------------------------------------------------------------------

    def _at(self, inner: float, P: float) -> Core:
        """The core whose unit suits the budget ``inner``, in the problem's unit."""
        if inner < 1e-13 * self.step:
            return self._core(P, 0, self._short(P), exact_zero=True)
        down = _down(inner) if inner < _SMALL else 0
        return self._core(P, down, self._short(P))

    def _within(self, unit: Scaled, D: float) -> float:
        """``D`` in the unit of a core: without a snap to 0, which only chose the core."""
        if D not in self.inner:
            self.inner[D] = self.scaled.distortion(D)
        down = self.scaled.exponent - unit.exponent
        return self.inner[D] * 2.0**down if down else self.inner[D]

    def point(self, D: float, P: float) -> Solution:
        """C(D,P): feasible or not first, then proposals until the certificate closes."""
        inner = self._budget(D)
        if inner < math.inf:
            core = self._core(P, 0, self._short(P))
            refused = self._infeasible(core, core.edge(core.scaled.perception(P)), D, P)
            if refused is not None:
                return refused
        core = self._at(max(inner, 0.0), P)
        unit = core.scaled
        budget = unit.perception(P)
        within = inner if inner == math.inf else self._within(unit, D)
        found = core.point(within, budget, unit.noise(D))
        if found.plan is None and not core.exact_zero:
            refused = self._infeasible(core, core.edge(budget), D, P)
            if refused is not None:
                return refused
        mu = core.divergence.dual(found.u, self.problem.px, budget)[1]
        optimal = found.closed(core.tolerance(P))
        return Solution(
            "optimal" if optimal else "uncertified", found.upper, min(found.lower, found.upper),
            found.upper, math.ldexp(found.lam, -unit.exponent), math.ldexp(mu, -unit.length),
            found.plan, found.u,
        )  # fmt: skip

    def _infeasible(self, core: Core, edge: Found, D: float, P: float) -> Solution | None:
        """The answer "infeasible", where the multipliers of the edge prove it beyond rounding."""
        unit = core.scaled
        within = self._within(unit, D)
        if not within < edge.lower - unit.noise(D):
            return None
        P = unit.perception(P)
        if not lower_bound(core.problem, None, core.divergence, within, P, 1.0, edge.u) > 0:
            return None
        u = np.ldexp(edge.u, unit.exponent)
        return Solution("infeasible", math.inf, math.inf, math.inf, 1.0, math.nan, None, u)


def _down(size: float) -> int:
    """By how many powers of two a unit is made smaller for a budget of this size, in steps of 8."""
    return 8 * math.floor(-math.frexp(size)[1] / 8)
