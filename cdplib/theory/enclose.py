"""C(D,P) between two rationals, proved: weak duality below, a plan repaired in rationals above.

The floats of the reduced problem (py, px, delta, err, x) and of D and P are taken as the exact
numbers that they are, laws divided by their exact sums.  Nothing is believed: multipliers and a
plan come from the solver, or from anybody, and both bounds hold whatever these are.

* Below: the right-hand side of :mod:`cdplib.theory.certificate`, without rounding.
* Above: the error rate of the plan, its rows made exactly p_Y and both budgets kept exactly, by
  mixing in as little as needed of a plan with r = p_X (for P) and of one of least distortion (for
  D).  As d is convex in r, the chord says how much is enough; the result is then checked.  Linear
  programs have optimal plans on both budgets exactly: what the solver left of them is spent.

Floats are whole numbers times a power of two, so that tables are arrays of Python's integers, which
numpy adds and multiplies exactly; only sums become fractions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError
from cdplib.theory import balls, divergences
from cdplib.theory.divergences import Divergence
from cdplib.theory.problem import Problem, distortion_budget
from cdplib.theory.solver import linear
from cdplib.theory.solver.engine import Engine, Solution

Whole = NDArray[np.object_]  # of Python's integers

#: Weights of mixtures are multiples of this: finer than what is lost by rounding them up.
_GRAIN = Fraction(1, 2**96)

#: A plan of a linear program leaves some of a budget: it is mixed with one for this much more.
_NEAR = 1 + 2.0**-20


def enclose(
    problem: Problem,
    divergence: str | Divergence,
    D: float,
    P: float,
    at: Solution | None = None,
) -> tuple[Fraction, Fraction]:
    """Rationals (low, high) with low <= C(D,P) <= high: proved, whatever the solver said.

    C(D,P) is that of the problem whose entries are exactly the floats in ``problem``, with p_Y =
    py / sum(py) and p_X = px / sum(px) exactly; ``D`` in (-inf, inf] and ``P`` in [0, inf] are
    exact too.  ``at``: multipliers and a plan to start from, from any source; None solves.  The
    width is that of the multipliers' rounding (measured at n = 64: TV 5e-18, W1 4e-15), or for the
    divergences that are not linear the gap that the solver left.
    Raises :class:`InputError` where the point is infeasible, proved, or where no plan is found that
    keeps both budgets exactly: at the edge a budget rounded to a float may be that much too small.
    """
    d = divergences.get(divergence, problem.x)
    D, P = distortion_budget(D), divergences.budget(P)
    engine = Engine(problem, d)
    at = engine.point(D, P) if at is None else at
    whole = _Whole.of(problem, d)
    if at.status == "infeasible" and whole.low(None, D, P, at.lam, at.u) > 0:
        raise InputError(f"D {D:g}, P {P:g}: infeasible, no restoration keeps both budgets")
    plan = whole.within(P, whole.coupling(at.plan))
    if D < math.inf and whole.mean(whole.delta, plan) > D:
        edge = engine.edge(P)
        if whole.low(None, D, P, 1.0, edge.u) > 0:
            raise InputError(f"D {D!r}, P {P!r}: infeasible, if only by the rounding of a budget")
        plan = whole.cheaper(D, plan, whole.within(P, whole.coupling(edge.plan)))
    for more in _beyond(D, P) if linear.handles(d) or P in (0, math.inf) else ():
        plan = whole.richer(D, P, plan, whole.coupling(engine.point(*more).plan))
    if not whole.keeps(D, P, plan):
        raise InputError(f"D {D!r}, P {P!r}: found no plan that keeps both budgets exactly")
    best = whole.low(whole.err, D, P, 0.0, np.zeros_like(problem.px))  # of any classifier of Y
    return max(best, whole.low(whole.err, D, P, at.lam, at.u)), whole.mean(whole.err, plan)


def _beyond(D: float, P: float) -> list[tuple[float, float]]:
    """Budgets just beyond (D, P), one at a time."""
    more = [(D * _NEAR if D > 0 else D / _NEAR, P)] if math.isfinite(D) and D != 0 else []
    return more + ([(D, P * _NEAR)] if 0 < P < math.inf else [])


@dataclass(frozen=True, eq=False)
class _Table:
    """An array of exact numbers: ``entries`` times 2^``exponent``."""

    entries: Whole
    exponent: int

    @staticmethod
    def of(values: ArrayLike) -> _Table:
        mantissas, exponents = np.frexp(np.asarray(values, dtype=float))
        least = int(exponents[mantissas != 0].min()) if mantissas.any() else 0
        shifts = np.where(mantissas != 0, exponents - least, 0).astype(object)
        entries = np.ldexp(mantissas, 53).astype(np.int64).astype(object)
        return _Table(np.asarray(entries << shifts, dtype=object), least - 53)

    def at(self, exponent: int) -> Whole:
        """The entries for a smaller exponent."""
        return np.asarray(self.entries << (self.exponent - exponent), dtype=object)

    def fractions(self) -> list[Fraction]:
        return [int(v) * Fraction(2) ** self.exponent for v in self.entries]


@dataclass(frozen=True, eq=False)
class _Whole:
    """A problem in whole numbers: ``py`` (m,) and ``px`` (n,) up to their sums.

    A plan is a table (m, n) of whole numbers >= 0 whose rows are in proportion to ``py``.
    """

    py: Whole
    px: Whole
    delta: _Table
    err: _Table
    d: Divergence

    @staticmethod
    def of(problem: Problem, d: Divergence) -> _Whole:
        py, px = _Table.of(problem.py).entries, _Table.of(problem.px).entries
        # a law of two laws' common denominator: products p_Y p_X are whole then
        return _Whole(
            py * px.sum(), px * py.sum(), _Table.of(problem.delta), _Table.of(problem.err), d
        )

    @property
    def law(self) -> list[Fraction]:
        """p_X."""
        total = int(self.px.sum())
        return [Fraction(int(v), total) for v in self.px]

    # -- below ---------------------------------------------------------------------------------

    def low(self, cost: _Table | None, D: float, P: float, lam: float, u: ArrayLike) -> Fraction:
        """The certificate's bound, exactly; ``cost`` None stands for 0."""
        vector = np.asarray(u, dtype=float)
        if vector.shape != self.px.shape or not lam >= 0:
            raise InputError(f"lam {lam}, u of shape {vector.shape}: expected lam >= 0 and (n,)")
        if not (np.isfinite(vector).all() and lam < math.inf) or (D == math.inf and lam > 0):
            return Fraction(0)
        price, prices = _Table.of([lam]), _Table.of(vector)
        moved = _Table(self.delta.entries * price.entries[0], self.delta.exponent + price.exponent)
        tables = [moved, prices] + ([] if cost is None else [cost])
        least = min(table.exponent for table in tables)
        reduced = moved.at(least) - prices.at(least)
        if cost is not None:
            reduced = reduced + cost.at(least)
        mean = Fraction(int(self.py @ reduced.min(axis=1)), int(self.py.sum()))
        charge = Fraction(lam) * Fraction(D) if lam > 0 else Fraction(0)
        return (
            mean * Fraction(2) ** least
            - charge
            + balls.support(self.d, prices.fractions(), self.law, P)
        )

    # -- above ---------------------------------------------------------------------------------

    def mean(self, table: _Table, plan: Whole) -> Fraction:
        """The mean of ``table`` (m, n) under ``plan``."""
        total = Fraction(int((table.entries * plan).sum()), int(plan.sum()))
        return total * Fraction(2) ** table.exponent

    def distance(self, plan: Whole, P: float) -> Fraction | float:
        """d(p_X, r), or a number just above it."""
        total = int(plan.sum())
        return balls.value(self.d, self.law, [Fraction(int(v), total) for v in plan.sum(axis=0)], P)

    def keeps(self, D: float, P: float, plan: Whole) -> bool:
        """Whether ``plan`` is a coupling of p_Y within both budgets: exactly, or not at all."""
        rows = plan.sum(axis=1) * self.py.sum() == self.py * plan.sum()
        return bool(
            rows.all()
            and (plan >= 0).all()
            and (D == math.inf or self.mean(self.delta, plan) <= D)
            and (P == math.inf or self.distance(plan, P) <= P)
        )

    def coupling(self, plan: NDArray[np.float64] | None) -> Whole:
        """``plan`` (m, n) with its rows exactly in proportion to p_Y, whatever it was.

        A row without mass goes to its letter of least distortion.
        """
        rows = np.arange(self.py.size)
        nearest = self.delta.entries.argmin(axis=1)
        known = np.zeros(self.delta.entries.shape)
        if plan is not None and plan.shape == known.shape:
            known = np.nan_to_num(np.clip(plan, 0.0, 1.0), nan=0.0)
        empty = ~known.any(axis=1)
        known[rows[empty], nearest[empty]] = 1.0
        entries = _Table.of(known).entries
        out = entries * self.py[:, None] // entries.sum(axis=1)[:, None]
        out[rows, known.argmax(axis=1)] += self.py - out.sum(axis=1)
        return np.asarray(out, dtype=object)

    def within(self, P: float, plan: Whole) -> Whole:
        """``plan`` with as little as needed of a near one that has r = p_X."""
        natural = None
        for _ in range(3 if P > 0 else 0):
            over = Fraction(0) if P == math.inf else self.distance(plan, P)
            if over <= P:
                return plan
            natural = self.natural(plan) if natural is None else natural
            # from infinity there is no chord: first to where d is finite
            weight = _up(1 - Fraction(P) / Fraction(over)) if over < math.inf else _GRAIN
            plan = _mixed(plan, natural, weight)
        return self.natural(plan)

    def natural(self, plan: Whole) -> Whole:
        """``plan``, its rows summing to py, changed little so that d(p_X, r) = 0 exactly.

        Columns are cut down to p_X, and what rows and columns then lack is filled in by the product
        of the two deficits.  Letters at no distance from each other count as one.
        """
        plan = plan * self.py.sum() // plan.sum()  # rows may lose less than one unit a letter
        first = np.array(balls.groups(self.d, self.px.size))
        have, want = (np.zeros(self.px.size, dtype=object) for _ in range(2))
        np.add.at(have, first, plan.sum(axis=0))
        np.add.at(want, first, self.px)
        have, goal = have[first], want[first]
        cut = np.where(have > goal, plan * goal // np.maximum(have, 1), plan)
        lack_y = self.py - cut.sum(axis=1)
        lack_x = want.copy()
        np.subtract.at(lack_x, first, cut.sum(axis=0))
        missing = int(lack_y.sum())
        return np.asarray(cut * missing + np.outer(lack_y, lack_x) if missing else cut)

    def cheaper(self, D: float, plan: Whole, nearest: Whole) -> Whole:
        """``plan`` with as little as needed of ``nearest`` for the budget ``D``."""
        here, there = self.mean(self.delta, plan), self.mean(self.delta, nearest)
        if not there < here:
            return plan
        return _mixed(plan, nearest, min(_up((here - Fraction(D)) / (here - there)), Fraction(1)))

    def richer(self, D: float, P: float, plan: Whole, better: Whole) -> Whole:
        """``plan`` with as much of ``better``, which needs larger budgets, as these ones allow."""
        weight = Fraction(1)
        for budget, here, there in (
            (D, self.mean(self.delta, plan), self.mean(self.delta, better)),
            (P, self.distance(plan, P), self.distance(better, P)),
        ):
            if there > budget:
                if math.inf in (here, there):
                    return plan
                room, step = Fraction(budget) - Fraction(here), Fraction(there) - Fraction(here)
                weight = min(weight, room / step)
        mixed = _mixed(plan, better, max(_up(weight) - _GRAIN, Fraction(0)))
        improved = self.mean(self.err, mixed) < self.mean(self.err, plan)
        return mixed if improved and self.keeps(D, P, mixed) else plan


def _up(weight: Fraction) -> Fraction:
    return Fraction(math.ceil(weight / _GRAIN)) * _GRAIN


def _mixed(one: Whole, other: Whole, weight: Fraction) -> Whole:
    """(1 - weight) one + weight other, as laws."""
    mine, theirs = weight.denominator - weight.numerator, weight.numerator
    return np.asarray(one * (mine * int(other.sum())) + other * (theirs * int(one.sum())))
