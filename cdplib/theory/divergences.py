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
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from cdplib.errors import InputError, unknown

Array = NDArray[np.float64]

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
    if not value >= 0:  # also catches nan
        raise InputError(f"{name} is {value}: expected a number in [0, inf]")
    return float(value)


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
        return self._dual(u, p, P)

    def _value(self, p: Array, q: Array) -> float:
        raise NotImplementedError

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
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
        gain = u[order] - u.min()
        moved = np.clip(P - (np.cumsum(p[order]) - p[order]), 0, p[order])
        last = int(np.argmax(np.cumsum(p[order]) > P)) if P < p.sum() else -1
        return float(p @ u - moved @ gain), float(gain[last])


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

    def _value(self, p: Array, q: Array) -> float:
        x = self.positions(p.size)
        order = np.argsort(x, kind="stable")
        return float(np.abs(np.cumsum((p - q)[order])[:-1]) @ np.diff(x[order]))

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """max over t >= 0 of sum_i p_i min_j (u_j + t |x_i - x_j|) - t P (Kantorovich).

        For t >= Lip(u) the inner minimum is u_i: the often quoted <p, u> - P Lip(u) is that one
        point of the curve, a lower bound that is not sharp in general.  The curve is concave and
        piecewise linear; intersecting the tangents of a bracket ends at its top after finitely
        many steps.
        """
        x = self.positions(p.size)
        order = np.argsort(x, kind="stable")
        x, u, p = x[order], u[order], p[order]
        if P == 0:
            return float(p @ u), math.inf
        index = np.arange(x.size)

        def curve(t: float) -> tuple[float, float]:
            left, right = u - t * x, (u + t * x)[::-1]
            low, high = np.minimum.accumulate(left), np.minimum.accumulate(right)
            from_left = np.maximum.accumulate(np.where(left == low, index, 0))
            from_right = np.maximum.accumulate(np.where(right == high, index, 0))
            source_right = (x.size - 1 - from_right)[::-1]
            low, high = low + t * x, high[::-1] - t * x
            source = np.where(low <= high, from_left, source_right)
            return (
                float(p @ (u[source] + t * np.abs(x - x[source]))) - t * P,
                float(p @ np.abs(x - x[source])) - P,
            )

        gaps = np.diff(x)
        steps = np.abs(np.diff(u))[gaps > 0] / gaps[gaps > 0]
        t0, (f0, s0) = 0.0, curve(0.0)
        if s0 <= 0 or steps.size == 0:
            return f0, 0.0
        t1 = float(steps.max()) * (1 + 1e-12) + 1e-300
        f1, s1 = curve(t1)
        best = max((f0, t0), (f1, t1))
        for _ in range(200):
            if s1 >= 0 or t1 <= t0:
                break
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
        return best


def _log_ratio(p: Array, q: Array) -> Array:
    """log(p/q) of positive arrays; as a difference only where p/q overflows (q denormal)."""
    with np.errstate(over="ignore"):
        ratio = p / q
    return np.where(np.isinf(ratio), np.log(p) - np.log(q), np.log(ratio))


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

    def _value(self, p: Array, q: Array) -> float:
        on = p > 0
        p, q, a = p[on], q[on], self.order
        if a >= 1 and (q == 0).any():
            return self.unrate(math.inf)
        if a == 1:
            return self.unrate(float(p @ _log_ratio(p, q)))
        if a == math.inf:
            return self.unrate(float(_log_ratio(p, q).max()))
        keep = q > 0
        if not keep.any():
            return self.unrate(math.inf)
        ratio = _log_ratio(p[keep], q[keep])
        if a < 1:  # sum p^a q^(1-a) = sum p (q/p)^(1-a): exact near p = q through expm1
            total = float(p[keep] @ np.expm1((a - 1) * ratio)) - float(p[~keep].sum())
        else:
            with np.errstate(over="ignore", invalid="ignore"):
                total = float(q @ np.expm1(a * ratio)) + (float(q.sum()) - 1.0)
            if not math.isfinite(total):
                return self.unrate(_log_sum_exp(np.log(q) + a * ratio) / (a - 1))
        if total <= -1:
            return self.unrate(math.inf)
        return self.unrate(max(0.0, math.log1p(total) / (a - 1)))

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """max over c <= min u of c + exp(-P) M(u - c), with M the power mean of order 1 - 1/a.

        Hölder's inequality (Jensen's for a = 1) gives <v, r> >= exp(-D_a(p || r)) M(v) for v >= 0;
        h_P(c + v) = c + h_P(v) then allows any shift that keeps v >= 0, and the best is sharp.
        M is concave, so the maximum is found from the sign of the slope.
        """
        rate = self.rate(P)
        low = float(u.min())
        if rate == math.inf:
            return low, 0.0
        if rate == 0:
            return float(p @ u), math.inf
        on = p > 0
        p, w = p[on], u[on] - low
        scale = float(w.max())
        if scale == 0:
            return low, 0.0
        power = 1.0 - 1.0 / self.order
        slope = math.exp(-rate) * self.rate_slope(P)

        def excess(z: Array) -> float:  # log M(1 + z)
            logs = np.log1p(z)
            if power == 0:
                return float(p @ logs)
            if abs(power) * logs.max() < 1:  # near 1 the difference from 1 is what counts
                return math.log1p(float(p @ np.expm1(power * logs))) / power
            return _log_sum_exp(np.log(p) + power * logs) / power

        def derivative(log_t: float) -> float:  # log of exp(-P) dM/dt; the maximum is at its zero
            z = w / math.exp(log_t)
            grown = _log_sum_exp(np.log(p) + (power - 1) * np.log1p(z))
            return grown + (1 - power) * excess(z) - rate

        at_zero = _power_mean(p, w, power)
        best = (low + math.exp(-rate) * at_zero, at_zero * slope)
        floor, top = math.log(scale) - 60.0, math.log(scale) + 1.0
        if derivative(floor) > 0:
            while derivative(top) > 0 and top < math.log(scale) + 60:
                top += 3.0
            root = top if derivative(top) > 0 else brentq(derivative, floor, top, xtol=1e-12)
            t = math.exp(root)
            grown = excess(w / t)
            value = low + t * math.expm1(grown - rate)
            best = max(best, (value, t * math.exp(grown) * slope))
        return best


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

    def _value(self, p: Array, q: Array) -> float:
        on = q > 0
        if (p[on] == 0).any():
            return math.inf
        return float(q[on] @ np.log(q[on] / p[on]))

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """max over mu >= 0 of -mu log sum p exp(-u/mu) - mu P (Donsker and Varadhan).

        At mu = 0 it is the least u on the support of p: the answer once P pays for going there.
        """
        on = p > 0
        p, u = p[on], u[on]
        low = float(u.min())
        if P == 0:
            return float(p @ u), math.inf
        w = u - low
        scale = float(w.max())
        if scale == 0 or P >= -math.log(float(p[w == 0].sum())):
            return low, 0.0

        def log_mean(mu: float) -> float:
            return math.log1p(float(p @ np.expm1(-w / mu)))

        def slope(log_mu: float) -> float:  # KL(tilted || p) - P, decreasing in mu
            mu = math.exp(log_mu)
            grown = log_mean(mu)
            tilted = p * np.exp(-w / mu - grown)
            return -float(tilted @ w) / mu - grown - P

        floor, top = math.log(scale) - 40.0, math.log(scale)
        while slope(top) > 0 and top < math.log(scale) + 60:
            top += 3.0
        if slope(floor) <= 0:
            return low, 0.0
        root = top if slope(top) > 0 else brentq(slope, floor, top, xtol=1e-12)
        mu = math.exp(root)
        return max((low, 0.0), (low - mu * (log_mean(mu) + P), mu))


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


@dataclass(frozen=True)
class _Table:
    plain: dict[str, Divergence] = field(
        default_factory=lambda: {
            "tv": TotalVariation(),
            "w1": Wasserstein1(),
            "kl": Renyi(),
            "reverse_kl": ReverseKL(),
            "hellinger2": Hellinger2(),
            "chi2": ChiSquared(),
        }
    )


_TABLE = _Table()


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
    if name in _TABLE.plain:
        return _TABLE.plain[name]
    if not name.startswith("renyi:"):
        raise unknown("divergence", name, NAMES)
    try:
        order = float(name.removeprefix("renyi:"))
    except ValueError:
        order = math.nan
    if not order > 0:
        raise InputError(f"divergence {name!r}: expected an order in (0, inf], as in renyi:0.5")
    return HighRenyi(name, order) if order > 1 else Renyi(name, order)
