"""A problem in its own unit: C(D,P) does not depend on metres or hertz, so no solver need see them.

Subtracting min_x^ delta(y, x^) from every row moves all distortions by the least E[Delta], a number
that is computed exactly; dividing by a power of two then rounds nothing.  What is left has a zero
in every row and entries of about 1 where they matter; positions start at 0 and span about 1.
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cdplib.theory.divergences import Divergence, Wasserstein1
from cdplib.theory.ground import Transport
from cdplib.theory.problem import Problem

Array = NDArray[np.float64]

#: Budgets beyond this many units do not bind, and overflow would only be a nuisance.
HUGE = 1e30


@dataclasses.dataclass(frozen=True, eq=False)
class Scaled:
    """``problem`` with delta = (original - row minima) / 2^exponent, and what leads back.

    ``floor`` is the least E[Delta], exactly, for p_Y normalised; ``noise`` is the part of it, in
    the original unit, that the rounding of the user's own numbers leaves open.
    """

    problem: Problem
    divergence: Divergence
    exponent: int
    length: int  # positions are original / 2^length
    floor: Fraction
    magnitude: float

    def distortion(self, D: float) -> float:
        """The budget ``D`` in this unit: correctly rounded, whatever cancels."""
        if D == math.inf:
            return D
        return _float((Fraction(D) - self.floor) / _two(self.exponent))

    def noise(self, D: float) -> float:
        """How far the budget ``D``, in this unit, is open by the rounding of its own digits."""
        size = abs(D) if math.isfinite(D) else 0.0
        return math.ldexp(max(size, self.magnitude), min(-50 - self.exponent, 1000))

    def original(self, D: float) -> float:
        """The distortion ``D`` of this unit in the original one, rounded upwards."""
        if not math.isfinite(D):
            return D
        exact = self.floor + Fraction(D) * _two(self.exponent)
        value = _float(exact)
        return value if value >= exact else math.nextafter(value, math.inf)

    def perception(self, P: float) -> float:
        """The budget ``P`` in this unit: only transport has one."""
        return _ldexp(P, -self.length)

    def finer(self, down: int, short: int) -> Scaled:
        """The same with units smaller by 2^down and 2^short."""
        if down == short == 0:
            return self
        with np.errstate(over="ignore"):
            delta = np.ldexp(self.problem.delta, down)
        delta = np.minimum(delta, np.finfo(float).max)
        d = self.divergence
        if isinstance(d, Wasserstein1) and d.x is not None:
            d = Wasserstein1(x=tuple(_ldexp(v, short) for v in d.x))
        if isinstance(d, Transport):
            d = _shorter(d, -short)
        return dataclasses.replace(
            self, problem=dataclasses.replace(self.problem, delta=delta), divergence=d,
            exponent=self.exponent - down, length=self.length - short,
        )  # fmt: skip


def scaled(problem: Problem, d: Divergence) -> Scaled:
    """``problem`` and ``d`` in the unit of the problem's own distortions and positions."""
    top = float(np.abs(problem.delta).max())
    first = math.frexp(top)[1] if top > 0 else 0  # first to [-1, 1], where nothing overflows
    delta = np.ldexp(problem.delta, -first)
    least = delta.min(axis=1)
    mass = sum(map(Fraction, problem.py.tolist()), Fraction(0))
    weighted = zip(problem.py.tolist(), least.tolist(), strict=True)
    floor = sum((Fraction(w) * Fraction(v) for w, v in weighted), Fraction(0)) / mass
    delta = delta - least[:, None]
    typical = float(problem.py @ (delta @ problem.px))  # of a draw from p_X: scales with the unit
    second = math.frexp(typical)[1] if typical > 0 else math.frexp(float(delta.max()))[1]
    length = 0
    if isinstance(d, Wasserstein1):
        x = d.positions(problem.px.size)
        wide = math.frexp(float(np.abs(x).max()))[1]
        x = np.ldexp(x, -wide)
        x = x - x.min()
        span = math.frexp(float(x.max()))[1]
        d, length = Wasserstein1(x=tuple(np.ldexp(x, -span).tolist())), wide + span
    elif isinstance(d, Transport):
        length = math.frexp(float(d.costs(problem.px.size).max()))[1]
        d = _shorter(d, length)
    return Scaled(
        dataclasses.replace(problem, delta=np.ldexp(delta, -second)), d, first + second, length,
        floor * _two(first), _ldexp(float(problem.py @ np.abs(least)), first),
    )  # fmt: skip


def _shorter(d: Transport, length: int) -> Transport:
    """``d`` with its cost divided by 2^length."""
    with np.errstate(over="ignore", under="ignore"):
        return Transport(d.name, np.minimum(np.ldexp(d.cost, -length), np.finfo(float).max))


def _two(exponent: int) -> Fraction:
    return Fraction(2) ** exponent


def _ldexp(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
