"""Divergences d(p, q) for the perceptual difference (Eq. 2): value and support function of each.

A divergence compares ``p``, the law of the original X, with ``q``, the law of the restored X^.
Two things are needed of it:

* ``value(p, q)``: d(p, q) in [0, inf], with zeros and supports as the definition says;
* ``support(u, p, P)``: h_P(u) = min {<u, r> : r a law, d(p, r) <= P}, the piece of a certificate
  that knows about perception (see :mod:`cdplib.theory.certificate`).

Every support function is computed as the *maximum of a concave dual function of one number*.
Each value of that function is a lower bound of h_P(u) by an elementary inequality (Hölder, Jensen,
Donsker-Varadhan, Kantorovich), so an inexact maximiser costs sharpness, never correctness.

All divergences here are convex in q, which is what Theorem 1 asks for.  Jointly convex: tv, w1, kl,
reverse_kl, hellinger2, chi2 and Rényi of order at most 1 (above it, only in q).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from cdplib.errors import InputError, unknown

Array = NDArray[np.float64]

_EPS = 2.0**-52

#: Where the logarithm of a dual variable is above this, letters that cost up to 1 are so small
#: beside it that a slope is rounding, and the second order gives the maximiser to its digits.
_SECOND_ORDER = 30.0

NAMES = ("tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2", "renyi:A")


def law(values: ArrayLike, name: str = "p") -> Array:
    """``values`` as a probability vector (n,); :class:`InputError` says what is wrong with it."""
    p = np.asarray(values, dtype=float)
    if p.ndim != 1 or p.size == 0:
        raise InputError(f"{name} has shape {p.shape}: expected a non-empty vector")
    if not np.isfinite(p).all() or (p < 0).any():
        raise InputError(f"{name} has the entry {p[~(p >= 0) | ~np.isfinite(p)][0]}: expected >= 0")
    if abs(p.sum() - 1) > 1e-9:
        raise InputError(f"{name} sums to {p.sum():.12g}: expected 1")
    return p


def budget(value: float, name: str = "P") -> float:
    """``value`` as a number in [0, inf], or an :class:`InputError`."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not number >= 0:  # also catches nan
        raise InputError(f"{name} is {value!r:.40}: expected a number in [0, inf]")
    return number


@dataclass(frozen=True)
class Divergence:
    """A divergence by name; ``name`` is what :func:`get` was given."""

    name: str
    #: d is an f-divergence or an increasing function of one: coarse-graining never increases it.
    data_processing: ClassVar[bool] = True
    #: d is convex in the pair (p, q), not only in q.
    jointly_convex: ClassVar[bool] = True

    def value(self, p: ArrayLike, q: ArrayLike) -> float:
        """d(p, q) in [0, inf] for laws ``p`` (n,) and ``q`` (n,)."""
        p, q = law(p, "p"), law(q, "q")
        if p.shape != q.shape:
            raise InputError(f"p has {p.size} letters and q has {q.size}: expected the same number")
        return max(0.0, self._value(p, q))

    def support(self, u: ArrayLike, p: ArrayLike, P: float) -> float:
        """h_P(u) = min {<u, r> : r a law, d(p, r) <= P}; P = inf leaves r free, P in [0, inf]."""
        return self.dual(u, p, P)[0]

    def dual(self, u: ArrayLike, p: ArrayLike, P: float) -> tuple[float, float]:
        """(h_P(u), price): ``price`` >= 0 is -d h_P(u)/dP, a supergradient where there is a kink.

        The price may be inf at P = 0, where some of the h_P start with a vertical tangent.
        """
        u, p, P = np.asarray(u, dtype=float), law(p, "p"), budget(P)
        if u.shape != p.shape or not np.isfinite(u).all():
            raise InputError(f"u has shape {u.shape}: expected {p.size} finite numbers")
        if P == math.inf:
            return float(u.min()), 0.0
        used = self.reach(p)
        low = float(u[used].min())
        with np.errstate(over="ignore"):
            w = u - low
            size = float(w[used].max())
        if size == 0:
            return low, 0.0
        if size == math.inf:
            return -math.inf, math.inf
        value, price = self._dual(np.where(used, w, 0.0) / size, p, P)  # h is homogeneous
        return low + size * value, size * price

    def reach(self, p: Array) -> NDArray[np.bool_]:
        """The letters (n,) on which a law at a finite divergence from ``p`` may have mass."""
        return np.ones(p.size, dtype=bool)

    def full(self, p: Array) -> float:
        """A budget from which on the ball holds every law on :meth:`reach`, or inf."""
        return math.inf

    def nearest(self, p: Array, r: Array) -> Array:
        """A law without divergence from ``p``, as like ``r`` as that allows."""
        return p

    def rounding(self) -> float:
        """What d may be for two laws that agree up to rounding of their letters' masses."""
        return 2.0**-48

    def blur(self, P: float) -> float:
        """How far a value of about ``P`` moves when the masses of the letters are rounded."""
        return self.rounding() / 8

    def _value(self, p: Array, q: Array) -> float:
        raise NotImplementedError

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """The same for ``u`` with least entry 0 and largest 1 on the reach of p, and finite P."""
        raise NotImplementedError


@dataclass(frozen=True)
class TotalVariation(Divergence):
    """TV(p, q) = sum |p - q| / 2, in [0, 1]."""

    name: str = "tv"

    def _value(self, p: Array, q: Array) -> float:
        return 0.5 * float(np.abs(p - q).sum())

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """Mass P moves from the dearest letters to the cheapest one: the value, and the last gain.

        Nothing beats it: to lower <u, r> by moving mass one takes the dearest source there is.
        """
        order = np.argsort(-u)
        gain = u[order]
        moved = np.clip(P - (np.cumsum(p[order]) - p[order]), 0, p[order])
        last = int(np.argmax(np.cumsum(p[order]) > P)) if P < p.sum() else -1
        return float((p[order] - moved) @ gain), float(gain[last])

    def full(self, p: Array) -> float:
        return 1.0


@dataclass(frozen=True)
class Wasserstein1(Divergence):
    """W1(p, q) on the line: the area between the distribution functions, in units of ``x``.

    ``x`` (n,) are the letters' positions, increasing or not; None stands for 0, 1, ..., n-1.
    Not an f-divergence: it knows how far apart the letters are.
    """

    name: str = "w1"
    x: tuple[float, ...] | None = None
    data_processing: ClassVar[bool] = False

    def positions(self, n: int) -> Array:
        """The positions (n,) of the letters."""
        if self.x is None:
            return np.arange(n, dtype=float)
        if len(self.x) != n:
            raise InputError(f"w1 has {len(self.x)} positions for {n} letters: expected {n}")
        return np.asarray(self.x)

    def _steps(self, n: int) -> tuple[NDArray[np.int64], Array]:
        """The order (n,) of the letters along the line and the gaps (n-1,) between neighbours."""
        x = self.positions(n)
        order = np.argsort(x, kind="stable")
        with np.errstate(over="ignore"):
            return order, np.diff(x[order])

    def _value(self, p: Array, q: Array) -> float:
        order = self._steps(p.size)[0]
        gaps = np.diff(self.positions(p.size)[order] / 4)  # a quarter: no difference overflows
        return 4 * float(np.abs(np.cumsum((p - q)[order])[:-1]) @ gaps)

    def full(self, p: Array) -> float:
        return float(self._steps(p.size)[1].sum())

    def nearest(self, p: Array, r: Array) -> Array:
        """Letters that share a position share its mass as in ``r``."""
        place = np.unique(self.positions(p.size), return_inverse=True)[1]
        need, have = np.bincount(place, p), np.bincount(place, r)
        share = np.divide(need, have, out=np.zeros_like(need), where=have > 0)[place]
        return np.where(have[place] > 0, r * share, p)

    def rounding(self) -> float:
        span = np.ptp(np.asarray(self.x)) if self.x is not None else 1.0
        return float(span) * 2.0**-48

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """max over t >= 0 of sum_i p_i min_j (u_j + t |x_i - x_j|) - t P (Kantorovich).

        For t >= Lip(u) the inner minimum is u_i: the often quoted <p, u> - P Lip(u) is that one
        point of the curve, a lower bound that is not sharp in general.  Letters that share a
        position exchange mass for nothing, so the least u among them counts for all.
        """
        order, gaps = self._steps(p.size)
        first = np.concatenate([[True], gaps > 0])
        starts = np.flatnonzero(first)
        u, p = np.minimum.reduceat(u[order], starts), np.add.reduceat(p[order], starts)
        gaps = gaps[first[1:]]
        if P == 0:
            return float(p @ u), math.inf
        length = float(gaps.sum())
        if gaps.size == 0 or not P < length or length == math.inf:
            return float(u.min()), 0.0
        gaps, P = gaps / length, P / length
        t = _steepest(u, p, gaps, P)
        return float(p @ _flattened(u, t * gaps)) - t * P * (1 + 2.0**-50), t / length


def _flattened(u: Array, rises: Array) -> Array:
    """min_j (u_j + t |x_i - x_j|) (n,) from t times the gaps: n sums of positive numbers at most,
    so that no cancellation makes it larger than it is, however close positions are."""
    values, steps = u.tolist(), rises.tolist()
    for i, step in enumerate(steps):
        values[i + 1] = min(values[i + 1], values[i] + step)
    for i in range(len(steps) - 1, -1, -1):
        values[i] = min(values[i], values[i + 1] + steps[i])
    return np.array(values)


def _steepest(u: Array, p: Array, gaps: Array, P: float) -> float:
    """The t that maximises Kantorovich's curve."""
    x = np.concatenate([[0.0], np.cumsum(gaps)])
    index = np.arange(x.size)

    def curve(t: float) -> tuple[float, float]:
        left, right = u - t * x, (u + t * x)[::-1]
        low, high = np.minimum.accumulate(left), np.minimum.accumulate(right)
        from_left = np.maximum.accumulate(np.where(left == low, index, 0))
        from_right = np.maximum.accumulate(np.where(right == high, index, 0))
        source_right = (x.size - 1 - from_right)[::-1]
        low, high = low + t * x, high[::-1] - t * x
        source = np.where(low <= high, from_left, source_right)
        reach = np.abs(x - x[source])
        return float(p @ (u[source] + t * reach)) - t * P, float(p @ reach) - P

    with np.errstate(over="ignore"):
        top = min(float((np.abs(np.diff(u)) / gaps).max()) * (1 + 1e-12), 1e300)
    return summit(curve, top)


def summit(curve: Callable[[float], tuple[float, float]], top: float) -> float:
    """Where a concave piecewise linear ``curve``, t to (value, slope), is largest on [0, top].

    By intersecting the tangents of a bracket, which ends after finitely many steps.
    """
    t0, (f0, s0) = 0.0, curve(0.0)
    if s0 <= 0:
        return 0.0
    t1, (f1, s1) = top, curve(top)
    if s1 >= 0:
        return top
    best = max((f0, t0), (f1, t1))
    for _ in range(200):
        t = (f1 - f0 + s0 * t0 - s1 * t1) / (s0 - s1)
        if not t0 < t < t1:
            break
        f, s = curve(t)
        best = max(best, (f, t))
        if f >= f0 + s0 * (t - t0) - 1e-15 * max(1.0, abs(f)) or s == 0:
            break
        if s > 0:
            t0, f0, s0 = t, f, s
        else:
            t1, f1, s1 = t, f, s
    return best[1]


def _log_ratio(p: Array, q: Array) -> Array:
    """log(p/q) of positive arrays; as a difference only where p/q overflows or loses digits."""
    with np.errstate(over="ignore"):
        ratio = p / q
    return np.where(np.isinf(ratio) | (ratio < 1e-300), np.log(p) - np.log(q), np.log(ratio))


def bend(x: Array, power: float) -> Array:
    """(1 + x)^power - 1 - power x, and its limit x - log(1 + x) for power 0, at x >= -1.

    What a generator has beyond its tangent at 1.  Both sides of a difference that cancels near
    x = 0, where Taylor's series takes over: laws that nearly agree keep their digits.
    """
    small = np.abs(x) * max(1.0, abs(power)) < 1e-2
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        near, far = np.where(small, x, 0.0), np.where(small, 1.0, x)
        if power == 0:
            direct = far - np.log1p(far)
        else:
            direct = np.expm1(power * np.log1p(far)) - power * far
    term = near**2 / 2 * (1.0 if power == 0 else power * (power - 1))
    series = term.copy()
    for k in range(3, 11):
        term = term * near * ((1 - k) / k if power == 0 else (power - k + 1) / k)
        series += term
    return np.asarray(np.where(small, series, direct))


@dataclass(frozen=True)
class Renyi(Divergence):
    """Rényi's divergence of p from q of order ``order`` in (0, inf]: KL(p || q) at order 1.

    D_a(p || q) = log(sum p^a q^(1-a)) / (a - 1), and log max p/q at a = inf.  Convex in q at every
    order; jointly convex up to order 1.  For a >= 1 it is inf where q misses a letter of p.
    Letters outside the support of p may take mass of q: that costs only the mass that is missing
    elsewhere.
    """

    name: str = "kl"
    order: float = 1.0

    def rate(self, P: float) -> float:
        """The Rényi budget that the budget ``P`` stands for (subclasses rescale it)."""
        return P

    def rate_slope(self, P: float) -> float:
        """The derivative of :meth:`rate`."""
        return 1.0

    def unrate(self, value: float) -> float:
        """The inverse of :meth:`rate`."""
        return value

    def rounding(self) -> float:
        if math.isinf(self.order):  # the largest log ratio moves as the masses do
            return super().rounding()
        return min(2.0**-40, max(1.0, self.order) * 2.0**-72)  # a second-order effect

    def blur(self, P: float) -> float:  # d is a square near p, its slope a root
        return math.sqrt(max(1.0, min(self.order, 1e3)) * P) * 2.0**-48

    def _value(self, p: Array, q: Array) -> float:
        on, a = p > 0, self.order
        off = float(q[~on].sum())
        p, q = p[on], q[on]
        if a >= 1 and (q == 0).any():
            return self.unrate(math.inf)
        if a == math.inf:
            return self.unrate(float(_log_ratio(p, q).max()))
        with np.errstate(over="ignore", invalid="ignore"):
            x = (q - p) / p
            near = np.abs(x) < 0.5
            terms = p * bend(np.where(near, x, 0.0), 0.0 if a == 1 else 1 - a)
            if a == 1:  # sum p log(p/q) = sum p [x - log(1 + x)] + q off the support
                logs = _log_ratio(p, q)
                total = float(np.where(near, terms, (q - p) + p * logs).sum()) + off
                return self.unrate(total)
            q1 = np.where(q > 0, q, 1.0)
            power = np.where(q > 0, p * np.exp((a - 1) * _log_ratio(p, q1)), 0.0)
            far = power - p - (1 - a) * (q - p)
            # sum p^a q^(1-a) - 1, from what each letter has beyond the tangent at p = q
            total = float(np.where(near, terms, far).sum()) + (a - 1) * off
        if not -0.5 < total < math.inf:  # the sum itself holds the digits, where it is far from 1
            p, q = p[q > 0], q[q > 0]
            if q.size == 0:
                return self.unrate(math.inf)
            return self.unrate(_log_sum_exp(np.log(p) + (a - 1) * _log_ratio(p, q)) / (a - 1))
        return self.unrate(max(0.0, math.log1p(total) / (a - 1)))

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """max over c <= min u of c + exp(-P) M(u - c), with M the power mean of order 1 - 1/a.

        Hölder's inequality (Jensen's for a = 1) gives <v, r> >= exp(-D_a(p || r)) M(v) for v >= 0;
        h_P(c + v) = c + h_P(v) then allows any shift that keeps v >= 0, and the best is sharp.
        M is concave, so the maximum is found from the sign of the slope.
        """
        rate = self.rate(P)
        if rate == math.inf:
            return 0.0, 0.0
        if rate == 0:
            return float(p @ u), math.inf
        on = p > 0
        p, w = p[on], u[on]
        if w.max() == 0:
            return 0.0, 0.0
        power = 1.0 - 1.0 / self.order
        slope = math.exp(-rate) * self.rate_slope(P)
        if power == 1:  # the ball is p exp(-P) and what is left of the mass, wherever it likes
            mean = float(p @ w)
            return math.exp(-rate) * mean, mean * slope
        size = (p.size + 8) / (abs(power) or 1.0)

        def excess(logs: Array) -> float:  # log M(exp logs)
            return float(p @ logs) if power == 0 else _log_mean(p, power * logs) / power

        def derivative(log_t: float) -> float:  # log of exp(-P) dM/dt; the maximum is at its zero
            logs = np.log1p(w / math.exp(log_t))
            return _log_mean(p, (power - 1) * logs) + (1 - power) * excess(logs) - rate

        at_zero = _power_mean(p, w, power)
        best = (math.exp(-rate) * at_zero, at_zero * slope)
        mean = float(p @ w)
        spread = math.sqrt(float(p @ (w - mean) ** 2))
        second = math.log(spread / math.sqrt(2 * self.order * rate) + 1e-300)
        root = second if second > _SECOND_ORDER else _root(derivative)
        if root is not None:
            t = math.exp(root)
            logs = np.log1p(w / t)
            grown = excess(logs)
            value = t * math.expm1(grown - rate)
            # a log of up to 60 is known to 60 eps, and so is what exp makes of it
            value -= (value + t) * _EPS * (size * float(logs.max()) + grown + rate)
            best = max(best, (value, t * math.exp(grown) * slope))
        return best


def _root(slope: Callable[[float], float]) -> float | None:
    """Where ``slope``, decreasing, changes its sign, as the logarithm of a scale; None: too low.

    Any argument gives a valid bound, so an inexact root costs sharpness only.
    """
    low, top = -60.0, 1.0
    if not slope(low) > 0:
        return None
    while slope(top) > 0 and top < 60:
        top += 3.0
    return top if not slope(top) < 0 else float(brentq(slope, low, top, xtol=1e-12))


@dataclass(frozen=True)
class HighRenyi(Renyi):
    """Rényi's divergence of an order above 1: convex in q, not jointly."""

    jointly_convex: ClassVar[bool] = False


@dataclass(frozen=True)
class Hellinger2(Renyi):
    """H2(p, q) = 1 - sum sqrt(p q), in [0, 1]: the *squared* Hellinger distance (Rényi's 1/2)."""

    name: str = "hellinger2"
    order: float = 0.5

    def rate(self, P: float) -> float:
        return -2.0 * math.log1p(-P) if P < 1 else math.inf

    def full(self, p: Array) -> float:
        return 1.0

    def rate_slope(self, P: float) -> float:
        return 2.0 / (1.0 - P)

    def unrate(self, value: float) -> float:
        return -math.expm1(-value / 2)


@dataclass(frozen=True)
class ChiSquared(Renyi):
    """chi2(p, q) = sum (p - q)^2 / q = sum p^2 / q - 1, in [0, inf] (Rényi's order 2)."""

    name: str = "chi2"
    order: float = 2.0

    def rate(self, P: float) -> float:
        return math.log1p(P)

    def rate_slope(self, P: float) -> float:
        return 1.0 / (1.0 + P)

    def unrate(self, value: float) -> float:
        return math.expm1(value) if value < 700 else math.inf


@dataclass(frozen=True)
class ReverseKL(Divergence):
    """KL(q || p), inf where q leaves the support of p."""

    name: str = "reverse_kl"

    def reach(self, p: Array) -> NDArray[np.bool_]:
        return p > 0

    def full(self, p: Array) -> float:
        return -math.log(float(p[p > 0].min())) * (1 + 1e-12) + 1e-12

    def rounding(self) -> float:
        return 2.0**-72

    def blur(self, P: float) -> float:
        return math.sqrt(P) * 2.0**-48

    def _value(self, p: Array, q: Array) -> float:
        on = p > 0
        if (q[~on] > 0).any():
            return math.inf
        p, q = p[on], q[on]
        with np.errstate(over="ignore", invalid="ignore"):
            x = (q - p) / p
            near = np.abs(x) < 0.5
            y = np.where(near, x, 0.0)
            # (1 + x) log(1 + x) - x = x^2 - (1 + x) [x - log(1 + x)]
            terms = p * (y**2 - (1 + y) * bend(y, 0.0))
            q1 = np.where(q > 0, q, 1.0)
            far = -q * _log_ratio(p, q1) + p - q
        return float(np.where(near, terms, far).sum())

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """max over mu >= 0 of -mu log sum p exp(-u/mu) - mu P (Donsker and Varadhan).

        At mu = 0 it is the least u on the support of p: the answer once P pays for going there.
        """
        on = p > 0
        p, w = p[on], u[on]
        mean = float(p @ w)
        if P == 0:
            return mean, math.inf
        if P >= -math.log(float(p[w == 0].sum())):
            return 0.0, 0.0

        def log_mean(mu: float) -> float:
            return _log_mean(p, -w / mu)

        def slope(log_mu: float) -> float:  # KL(tilted || p) - P, decreasing in mu
            mu = math.exp(log_mu)
            grown = log_mean(mu)
            tilted = p * np.exp(-w / mu - grown)
            return -float(tilted @ w) / mu - grown - P

        spread = math.sqrt(float(p @ (w - mean) ** 2))
        second = math.log(spread / math.sqrt(2 * P) + 1e-300)
        root = second if second > _SECOND_ORDER else _root(slope)
        if root is None:
            return 0.0, 0.0
        mu = math.exp(root)
        return max((0.0, 0.0), (-mu * (log_mean(mu) + P), mu))


def _log_mean(p: Array, values: Array) -> float:
    """log sum p exp(values) for a law p; near 1 the difference from 1 is what counts."""
    if float(np.abs(values).max()) < 1:
        return math.log1p(float(p @ np.expm1(values)))
    return _log_sum_exp(np.log(p) + values)


def _log_sum_exp(values: Array) -> float:
    top = float(values.max())
    return top + math.log(float(np.exp(values - top).sum()))


def _power_mean(p: Array, w: Array, power: float) -> float:
    """(sum p w^power)^(1/power) for w >= 0; the geometric mean at power 0."""
    if power <= 0 and (w == 0).any():
        return 0.0
    logs = np.log(w[w > 0])
    p = p[w > 0]
    if power == 0:
        return math.exp(float(p @ logs))
    return math.exp(_log_sum_exp(np.log(p) + power * logs) / power)


_PLAIN: dict[str, Divergence] = {
    "tv": TotalVariation(),
    "w1": Wasserstein1(),
    "kl": Renyi(),
    "reverse_kl": ReverseKL(),
    "hellinger2": Hellinger2(),
    "chi2": ChiSquared(),
}


def get(name: str | Divergence, x: ArrayLike | None = None) -> Divergence:
    """The divergence called ``name``: one of :data:`NAMES`, ``renyi:A`` with A in (0, inf].

    ``x`` (n,) gives ``w1`` its positions.  A :class:`Divergence` is returned as it is, but for a
    ``w1`` without positions, which takes ``x``.  Raises :class:`InputError` for an unknown name.
    """
    divergence = name if isinstance(name, Divergence) else _by_name(name)
    if isinstance(divergence, Wasserstein1) and divergence.x is None and x is not None:
        return Wasserstein1(x=tuple(float(v) for v in np.asarray(x, dtype=float)))
    return divergence


def _by_name(name: str) -> Divergence:
    if not isinstance(name, str):
        raise InputError(f"divergence {name!r}: expected a name, one of {', '.join(NAMES)}")
    if name in _PLAIN:
        return _PLAIN[name]
    if not name.startswith("renyi:"):
        raise unknown("divergence", name, NAMES)
    try:
        order = float(name.removeprefix("renyi:"))
    except ValueError:
        order = math.nan
    if not order > 0:
        raise InputError(f"divergence {name!r}: expected an order in (0, inf], as in renyi:0.5")
    return HighRenyi(name, order) if order > 1 else Renyi(name, order)
