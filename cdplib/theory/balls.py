"""d(p, r) from above and h_P(u) from below, proved: rational where they are, else balls (arb).

The formulas are those of :mod:`cdplib.theory.divergences`, for laws and vectors of exact
:class:`fractions.Fraction`.  TV, W1 and h_0 and h_inf of every divergence are rational functions of
their arguments.  The others are computed in ball arithmetic (python-flint, Johansson 2017), whose
every result carries a proved radius; what leaves this module is the safe end of such a ball.  An
h_P is the maximum of a concave function of one number, and any value of that function is a bound.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from cdplib.errors import InputError
from cdplib.theory.divergences import (
    ChiSquared,
    Divergence,
    Hellinger2,
    Renyi,
    ReverseKL,
    TotalVariation,
    Wasserstein1,
)

Law = Sequence[Fraction]

_BITS = 256
#: A maximiser is good to this many binary digits, and the maximum, being flat, to twice as many.
_SHARP = 40


def groups(d: Divergence, n: int) -> list[int]:
    """For each of ``n`` letters the first one at no distance from it: only W1 has such ties."""
    if not isinstance(d, Wasserstein1):
        return list(range(n))
    first: dict[float, int] = {}
    return [first.setdefault(float(x), j) for j, x in enumerate(d.positions(n))]


def value(d: Divergence, p: Law, r: Law, P: float) -> Fraction | float:
    """A number that d(p, r) does not exceed, or inf; sharp enough to be compared with ``P``."""
    if list(p) == list(r):
        return Fraction(0)
    if isinstance(d, TotalVariation):
        return sum((abs(a - b) for a, b in zip(p, r, strict=True)), Fraction(0)) / 2
    if isinstance(d, Wasserstein1):
        x, order = _line(d, len(p))
        flows = itertools.accumulate(p[j] - r[j] for j in order)
        steps = itertools.pairwise(x[j] for j in order)
        return sum((abs(f) * (b - a) for f, (a, b) in zip(flows, steps, strict=False)), Fraction(0))
    with _precision(P):
        ball = _value(d, p, r)
        return _end(ball.upper()) if ball is not None and ball.is_finite() else math.inf


def support(d: Divergence, u: Law, p: Law, P: float) -> Fraction:
    """A number that h_P(u) = min {<u, r> : r a law, d(p, r) <= P} is not below."""
    if P == math.inf:
        return min(u)
    if P == 0:
        least = _least(d, u)
        return sum((a * least[j] for a, j in zip(p, groups(d, len(p)), strict=True)), Fraction(0))
    if isinstance(d, TotalVariation):
        return _moved(u, p, Fraction(P))
    if isinstance(d, Wasserstein1):
        return _kantorovich(d, u, p, Fraction(P))
    with _precision(P):
        return _support(d, u, p, P)


# -- rational ----------------------------------------------------------------------------------


def _moved(u: Law, p: Law, left: Fraction) -> Fraction:
    """TV: mass P moves from the dearest letters to the cheapest one."""
    low, total = min(u), Fraction(0)
    for v, mass in sorted(zip(u, p, strict=True), reverse=True):
        moved = min(left, mass)
        left -= moved
        total += mass * v - moved * (v - low)
    return total


def _least(d: Divergence, u: Law) -> dict[int, Fraction]:
    """The least u among letters that exchange mass for nothing, by the first of them."""
    least: dict[int, Fraction] = {}
    for j, v in zip(groups(d, len(u)), u, strict=True):
        least[j] = min(least.get(j, v), v)
    return least


def _line(d: Wasserstein1, n: int) -> tuple[list[Fraction], list[int]]:
    """The positions of the letters, and the letters in their order."""
    x = [Fraction(float(v)) for v in d.positions(n)]
    return x, sorted(range(n), key=x.__getitem__)


def _kantorovich(d: Wasserstein1, u: Law, p: Law, P: Fraction) -> Fraction:
    """W1: max over t >= 0 of sum_i p_i min_j (u_j + t |x_i - x_j|) - t P, by cutting planes.

    The curve is concave and piecewise linear: tangents from both sides of its top meet there.
    """
    x, order = _line(d, len(p))
    least, first = _least(d, u), groups(d, len(p))
    u, p, x = [least[first[j]] for j in order], [p[j] for j in order], [x[j] for j in order]

    def curve(t: Fraction) -> tuple[Fraction, Fraction]:  # value and slope
        best, source = list(u), list(x)
        indices = range(len(u))
        for i, j in [*itertools.pairwise(indices), *itertools.pairwise(reversed(indices))]:
            if (reached := best[i] + t * abs(x[j] - x[i])) < best[j]:
                best[j], source[j] = reached, source[i]
        far = (abs(a - b) for a, b in zip(x, source, strict=True))
        slope = sum(map(Fraction.__mul__, p, far), -P)
        return sum(map(Fraction.__mul__, p, best), -t * P), slope

    slopes = (abs(v - w) / (b - a) for (a, b), (v, w) in zip(
        itertools.pairwise(x), itertools.pairwise(u), strict=True) if b > a)  # fmt: skip
    left, right = Fraction(0), max(slopes, default=Fraction(0))
    (f, s), (g, z) = curve(left), curve(right)
    top = max(f, g)
    while s > 0 > z:
        t = (g - f + s * left - z * right) / (s - z)
        new, slope = curve(t)
        top = max(top, new)
        if new >= f + s * (t - left) or slope == 0:
            break
        if slope > 0:
            left, f, s = t, new, slope
        else:
            right, g, z = t, new, slope
    return top


# -- balls -------------------------------------------------------------------------------------


def _precision(P: float) -> Any:
    """The working precision for budgets of about ``P``: their squares must not be lost."""
    from flint import ctx

    return ctx.workprec(_BITS + 4 * _small(P))


def _small(P: float) -> int:
    return max(0, -math.frexp(P)[1])


def _ball(number: Fraction | float) -> Any:
    from flint import arb, fmpq

    exact = Fraction(number)
    return arb(fmpq(exact.numerator, exact.denominator))


def _end(ball: Any) -> Fraction:
    """The exact number that the end of a ball is."""
    mantissa, exponent = ball.man_exp()
    return int(mantissa) * Fraction(2) ** int(exponent)


def _value(d: Divergence, p: Law, r: Law) -> Any:
    """A ball that holds d(p, r); None where it is inf."""
    if isinstance(d, ReverseKL):
        if any(b > 0 and a == 0 for a, b in zip(p, r, strict=True)):
            return None
        return sum(_ball(b) * _ball(b / a).log() for a, b in zip(p, r, strict=True) if b > 0)
    order = _order(d)
    on = [(a, b) for a, b in zip(p, r, strict=True) if a > 0]
    if order >= 1 and any(b == 0 for _, b in on):
        return None
    pairs = [(_ball(a), _ball(a / b).log()) for a, b in on if b > 0]
    if order == math.inf:
        return max((log for _, log in pairs), key=lambda ball: ball.upper())
    if order == 1:
        return sum(a * log for a, log in pairs)
    total = sum((a * ((_ball(order) - 1) * log).exp() for a, log in pairs), _ball(0))
    if isinstance(d, Hellinger2):
        return 1 - total
    if isinstance(d, ChiSquared):
        return total - 1
    return total.log() / (_ball(order) - 1) if pairs else None


def _order(d: Divergence) -> float:
    if not isinstance(d, Renyi):
        raise InputError(
            f"divergence {d.name!r}: expected one that cdplib.theory.divergences names"
        )
    return d.order


def _support(d: Divergence, u: Law, p: Law, P: float) -> Fraction:
    if isinstance(d, ReverseKL):
        u, p = zip(*((v, a) for v, a in zip(u, p, strict=True) if a > 0), strict=True)
    low = min(u)
    size = max(u) - low
    if size == 0 or (isinstance(d, Hellinger2) and P >= 1):
        return low
    on = [(_ball(a), _ball((v - low) / size)) for v, a in zip(u, p, strict=True) if a > 0]
    if isinstance(d, ReverseKL):
        top = _top(lambda mu: _donsker_varadhan(on, mu, P), P)
    elif _order(d) == math.inf:
        top = _end((_shrink(d, P) * sum(a * w for a, w in on)).lower())
    else:
        shrink, power = _shrink(d, P), 1 - 1 / _ball(_order(d))
        top = _top(lambda t: _hoelder(on, t, power, shrink), P)
    return low + size * max(top, Fraction(0))


def _shrink(d: Divergence, P: float) -> Any:
    """exp(-P) for Rényi's divergences, and what stands for it in functions of them."""
    if isinstance(d, Hellinger2):
        return (1 - _ball(P)) ** 2
    return 1 / (1 + _ball(P)) if isinstance(d, ChiSquared) else (-_ball(P)).exp()


def _hoelder(on: list[Any], t: Any, power: Any, shrink: Any) -> tuple[Any, Any]:
    """exp(-P) M(w + t) - t with M the power mean, and its slope."""
    shifted = [(a, w + t) for a, w in on]
    if power == 0:
        mean = sum(a * v.log() for a, v in shifted).exp()
        growth = mean * sum(a / v for a, v in shifted)
    else:
        powers = [(a * (power * v.log()).exp(), v) for a, v in shifted]
        total = sum(z for z, _ in powers)
        mean = (total.log() / power).exp()
        growth = mean / total * sum(z / v for z, v in powers)
    return shrink * mean - t, shrink * growth - 1


def _donsker_varadhan(on: list[Any], mu: Any, P: float) -> tuple[Any, Any]:
    """-mu log sum p exp(-w / mu) - mu P, and its slope."""
    tilted = [(a * (-w / mu).exp(), w) for a, w in on]
    total = sum(a for a, _ in tilted)
    slope = -total.log() - _ball(P)
    return mu * slope, slope - sum(a * w for a, w in tilted) / total / mu


def _top(curve: Callable[[Any], tuple[Any, Any]], P: float) -> Fraction:
    """The highest proved value that a bisection for the top of a concave curve on t > 0 meets."""
    reach = 200.0 + _small(P)
    low, high, best = -reach, reach, Fraction(0)
    while high - low > 2.0**-_SHARP:
        middle = (low + high) / 2
        whole = math.floor(middle)
        height, slope = curve(_ball(Fraction(2.0 ** (middle - whole)) * Fraction(2) ** whole))
        if height.is_finite():
            best = max(best, _end(height.lower()))
        if slope > 0:
            low = middle
        elif slope < 0:
            high = middle
        else:  # as flat as this precision can tell
            break
    return best
