r"""The paper's toy in closed form: a mixture of two Gaussians restored by X^ = aY (Section 2.3).

The signal is class 1 with probability ``prior`` and class 2 otherwise, X given class i is
N(means[i], sigma^2), and Y = X + N(0, noise^2). The restoration multiplies by a gain a >= 0 and the
predefined classifier decides class 1 where x < threshold (by default the Bayes threshold of X).

With M = E[X^2] = sigma^2 + prior means[0]^2 + (1 - prior) means[1]^2 and S^2 = sigma^2 + noise^2,

* X - aY = (1 - a) X - a N, with N independent of X and of mean zero, so
  MSE(a) = (1 - a)^2 M + a^2 noise^2: a parabola, least at M / (M + noise^2);
* aY given class i is N(a means[i], a^2 S^2), so
  error(a) = prior Q((t - a means[0]) / (a S)) + (1 - prior) Phi((t - a means[1]) / (a S)).
  It depends on a only through the threshold t / a that X^ < t puts on Y. The likelihood ratio of Y
  is monotone, hence the error falls until t / a meets the Bayes threshold t_Y of Y and rises after:
  it is least at a = t / t_Y when the two have one sign, and as a grows without bound otherwise;
* -log of a mixture of two Gaussians of standard deviation s is convex if the means are at most
  2 s apart. KL(p_X || p_aY) = const - log u - E log p_Y(uX), u = 1/a, is then convex in 1/a
  (s = S), and KL(p_aY || p_X) = const - log a - E log p_X(aY) is convex in a (s = sigma). So the
  gains with a divergence of at most P form an interval. For other mixtures the turning points of
  the divergence are searched for.

C(D, P) over the family is then the error at the gain nearest to the best one among those allowed.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from cdplib.errors import InputError, unknown
from cdplib.theory import level_sets
from cdplib.theory.level_sets import Interval

Array = NDArray[np.float64]

#: The directions of the Kullback-Leibler divergence, in nats; the paper does not say which it drew.
KINDS = ("kl", "reverse_kl")
#: Two intervals of gains that miss each other by less than this (rounding) are taken to touch.
TOUCH = 1e-9
_NODES, _REACH = 801, 10.0  # trapezoid rule: nodes, and standard deviations beyond the means


@dataclass(frozen=True)
class GaussianToy:
    """Two Gaussian classes, Gaussian noise, restorations X^ = aY and a threshold classifier.

    ``prior``: probability of class 1, in (0, 1). ``means``: of the two classes, increasing.
    ``sigma`` > 0 and ``noise`` >= 0: standard deviations. ``threshold``: class 1 is decided
    where x < threshold; None is the Bayes threshold of X. Raises :class:`InputError` outside these
    ranges.
    """

    prior: float = 0.7
    means: tuple[float, float] = (-1.0, 1.0)
    sigma: float = 1.0
    noise: float = 1.0
    threshold: float | None = None

    def __post_init__(self) -> None:
        if not 0 < _number("prior", self.prior) < 1:
            raise InputError(f"prior {self.prior!r}: expected a probability strictly inside (0, 1)")
        try:
            low, high = (_number("means", mean) for mean in self.means)
        except (TypeError, ValueError) as error:
            raise InputError(f"means {self.means!r}: expected two increasing numbers") from error
        if not low < high:
            raise InputError(f"means {self.means!r}: expected two increasing numbers")
        if _number("sigma", self.sigma) <= 0:
            raise InputError(f"sigma {self.sigma!r}: expected a positive number")
        if _number("noise", self.noise) < 0:
            raise InputError(f"noise {self.noise!r}: expected a number of at least 0")
        if self.threshold is not None:
            _number("threshold", self.threshold)
        object.__setattr__(self, "means", (low, high))

    # -- the model -----------------------------------------------------------------------------

    @property
    def priors(self) -> tuple[float, float]:
        """Probabilities of class 1 and class 2."""
        return self.prior, 1 - self.prior

    @property
    def spread(self) -> float:
        """Standard deviation S of Y given its class."""
        return math.hypot(self.sigma, self.noise)

    @property
    def power(self) -> float:
        """M = E[X^2]."""
        return self.sigma**2 + sum(
            w * mean**2 for w, mean in zip(self.priors, self.means, strict=True)
        )

    def bayes_threshold(self, signal: str = "x") -> float:
        """Where the posterior of the two classes is even, of the signal ``"x"`` or ``"y"``."""
        if signal not in ("x", "y"):
            raise unknown("signal", signal, ("x", "y"))
        variance = self.sigma**2 if signal == "x" else self.spread**2
        low, high = self.means
        return (low + high) / 2 + variance / (high - low) * math.log(self.prior / (1 - self.prior))

    @property
    def boundary(self) -> float:
        """The threshold in force: the one given, or the Bayes threshold of X."""
        return self.bayes_threshold("x") if self.threshold is None else float(self.threshold)

    def share(self, x: ArrayLike, signal: str = "x") -> Array:
        """The probability that the signal ``"x"`` or ``"y"`` is below ``x``, any shape."""
        scale = self._spread_of(signal)
        x = np.asarray(x, dtype=float)
        parts = [w * ndtr((x - mean) / scale) for w, mean in self._classes()]
        return np.asarray(parts[0] + parts[1])

    def quantile(self, share: ArrayLike, signal: str = "x") -> Array:
        """Where :meth:`share` is ``share``, in (0, 1), any shape: to the last digits, by bisection.

        Shares of 1e-16 and less are 0 to a double; 0 is given as -inf, 1 as inf.
        """
        share = np.asarray(share, dtype=float)
        reach = 40 * self._spread_of(signal)
        low, high = (
            np.full(share.shape, self.means[0] - reach),
            np.full(share.shape, self.means[1] + reach),
        )
        for _ in range(80):
            middle = 0.5 * (low + high)
            below = self.share(middle, signal) < share
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        found = np.where(share > 0, 0.5 * (low + high), -np.inf)
        return np.asarray(np.where(share < 1, found, np.inf))

    def rule_error(self, cut: ArrayLike) -> Array:
        """The error rate of deciding class 1 where Y < ``cut``, any shape."""
        cut = np.asarray(cut, dtype=float)
        z1, z2 = ((cut - mean) / self.spread for mean in self.means)
        return np.asarray(self.prior * ndtr(-z1) + (1 - self.prior) * ndtr(z2))

    def _classes(self) -> zip[tuple[float, float]]:
        return zip(self.priors, self.means, strict=True)

    def _spread_of(self, signal: str) -> float:
        if signal not in ("x", "y"):
            raise unknown("signal", signal, ("x", "y"))
        return self.sigma if signal == "x" else self.spread

    def density(self, x: ArrayLike, gain: float | None = None) -> Array:
        """Densities times priors, shape ``(2, *x.shape)``, of X (``gain`` None) or of gain * Y."""
        return np.exp(_log_parts(self, np.asarray(x, dtype=float), gain))

    def posterior_mean(self, y: ArrayLike) -> Array:
        """E[X | Y = y]: the restoration of least MSE among *all*; it increases with y."""
        y = np.asarray(y, dtype=float)
        log_parts = _log_parts(self, y, 1.0)
        weights = np.exp(log_parts - np.logaddexp(*log_parts))
        shrink = self.sigma**2 / self.spread**2
        within = np.stack([mean + shrink * (y - mean) for mean in self.means])
        return np.asarray((weights * within).sum(axis=0))

    def least_mse(self) -> float:
        """The MSE of :meth:`posterior_mean`: the least of any restoration, linear or not."""
        y = _nodes(self, self.spread)
        moment = np.sum(self.density(y, 1.0).sum(axis=0) * self.posterior_mean(y) ** 2)
        return float(self.power - moment * (y[1] - y[0]))

    # -- the three measures, as functions of the gain ------------------------------------------

    def mse(self, a: ArrayLike) -> Array:
        """E[(X - aY)^2] (Eq. 1 with the squared difference); any shape of gains."""
        a = _gains(a)
        return np.asarray((1 - a) ** 2 * self.power + a**2 * self.noise**2)

    def error_rate(self, a: ArrayLike) -> Array:
        """Probability in [0, 1] that the classifier errs on aY (Eq. 6); any shape of gains."""
        a = _gains(a)
        return self._error_of_rule(self.boundary, a)

    def _error_of_rule(self, threshold: float, a: Array) -> Array:
        scale = np.abs(a) * self.spread
        first, second = (threshold - a * mean for mean in self.means)
        with np.errstate(divide="ignore", invalid="ignore"):
            # A gain of 0 puts all mass on 0, which is class 1 only if it is below the threshold.
            z1 = np.where(scale > 0, first / scale, np.inf if threshold > 0 else -np.inf)
            z2 = np.where(scale > 0, second / scale, np.inf if threshold > 0 else -np.inf)
        return np.asarray(self.prior * ndtr(-z1) + (1 - self.prior) * ndtr(z2))

    def bayes_error(self, signal: str = "y") -> float:
        """The least error of any classifier of the signal ``"x"`` or ``"y"``."""
        threshold = self.bayes_threshold(signal)
        ratio = self.spread if signal == "y" else self.sigma
        z1, z2 = ((threshold - mean) / ratio for mean in self.means)
        return float(self.prior * ndtr(-z1) + (1 - self.prior) * ndtr(z2))

    def divergence(self, a: ArrayLike, kind: str = "kl") -> Array:
        """KL(p_X || p_aY) in nats, or the other direction (``"reverse_kl"``); inf at a = 0.

        By the trapezoid rule on a smooth integrand that vanishes at both ends, which converges
        geometrically: good to 1e-9 for gains between 0.1 and 10 times sigma / S.
        """
        if kind not in KINDS:
            raise unknown("divergence of the toy", kind, KINDS)
        a = _gains(a)
        flat = a.reshape(-1)
        out = np.full(flat.shape, np.inf)
        for index in np.flatnonzero(flat):
            out[index] = self._divergence(float(flat[index]), kind)
        return out.reshape(a.shape)

    def _divergence(self, a: float, kind: str) -> float:
        nodes, log_p, weight = _reference(self, kind)
        if kind == "kl":
            log_q = np.logaddexp(*_log_parts(self, nodes, a))
        else:  # of Y from X / a, which is the same
            log_q = np.logaddexp(*_log_parts(self, a * nodes, None)) + math.log(abs(a))
        return max(0.0, float(weight @ (log_p - log_q)))

    # -- the CDP function of the family --------------------------------------------------------

    @property
    def best_gain(self) -> float:
        """The gain a > 0 of least error; inf where the error only falls as a grows."""
        ours, ideal = self.boundary, self.bayes_threshold("y")
        if ours == 0:
            return 1.0  # the sign of aY is the sign of Y: every gain errs alike
        return ours / ideal if ours * ideal > 0 else math.inf

    @property
    def least_mse_gain(self) -> float:
        """The gain of least MSE."""
        return self.power / (self.power + self.noise**2)

    def least_divergence_gain(self, kind: str = "kl") -> float:
        """The gain of least divergence."""
        turns = [a for a in _turning_points(self, kind) if 0 < a < math.inf]
        return min(turns, key=lambda a: self._divergence(a, kind))

    def gains_within_mse(self, D: float) -> list[Interval]:
        """The gains a >= 0 with MSE(a) <= D: no or one closed interval."""
        _budget("D", D)
        if math.isinf(D):
            return [(0.0, math.inf)] if D > 0 else []
        total = self.power + self.noise**2
        square = self.power**2 - total * (self.power - D)
        if square < -1e-14 * self.power**2:
            return []
        root = math.sqrt(max(0.0, square))
        return [(max(0.0, (self.power - root) / total), (self.power + root) / total)]

    def gains_within_divergence(self, P: float, kind: str = "kl") -> list[Interval]:
        """The gains a > 0 with a divergence of at most P: intervals, in increasing order."""
        _budget("P", P)
        if kind not in KINDS:
            raise unknown("divergence of the toy", kind, KINDS)
        return list(_level_set(self, P, kind))

    def feasible_gains(self, D: float, P: float, kind: str = "kl") -> list[Interval]:
        """The gains that keep both budgets: intervals, in increasing order."""
        both: list[Interval] = []
        for low, high in self.gains_within_mse(D):
            for left, right in self.gains_within_divergence(P, kind):
                a, b = max(low, left), min(high, right)
                if a <= b + TOUCH:
                    both.append((a, max(a, b)))
        return both

    def gain(self, D: float, P: float, kind: str = "kl") -> float:
        """The gain of least error that keeps both budgets; nan where none does."""
        best = self.best_gain
        candidates = [min(max(best, low), high) for low, high in self.feasible_gains(D, P, kind)]
        if len(candidates) < 2:
            return candidates[0] if candidates else math.nan
        return min(candidates, key=self._error_at)

    def _error_at(self, a: float) -> float:
        if math.isinf(a):  # the infimum: the threshold on Y goes to 0
            return float(self._error_of_rule(0.0, np.asarray(1.0)))
        return float(self.error_rate(a))

    def cdp(self, D: ArrayLike, P: ArrayLike, kind: str = "kl") -> Array:
        """C(D, P) of Eq. 7 with the restorations limited to X^ = aY, a >= 0; inf where infeasible.

        ``D`` and ``P`` broadcast; either may be inf. Raises :class:`InputError` for nan or an
        unknown kind.
        """
        if kind not in KINDS:
            raise unknown("divergence of the toy", kind, KINDS)
        Ds, Ps = np.broadcast_arrays(_array("D", D), _array("P", P))
        out = np.full(Ds.shape, np.inf)
        for index in np.ndindex(Ds.shape):
            gain = self.gain(float(Ds[index]), float(Ps[index]), kind)
            if not math.isnan(gain):
                out[index] = self._error_at(gain)
        return out


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} {value!r}: expected a number") from error
    if not math.isfinite(number):
        raise InputError(f"{name} {value!r}: expected a finite number")
    return number


def _array(name: str, value: ArrayLike) -> Array:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} {value!r}: expected numbers") from error
    if np.isnan(array).any():
        raise InputError(f"{name} holds nan: expected numbers (inf for no limit)")
    return array


def _gains(value: ArrayLike) -> Array:
    array = _array("gain a", value)
    if not np.isfinite(array).all():
        raise InputError("gain a holds inf: expected finite numbers")
    return array


def _budget(name: str, value: float) -> None:
    if math.isnan(value):
        raise InputError(f"{name} is nan: expected a number (inf for no limit)")


def _log_parts(toy: GaussianToy, x: Array, gain: float | None) -> Array:
    """log(P_i p_i(x)) of X, or of gain * Y: shape (2, *x.shape)."""
    scale = toy.sigma if gain is None else abs(gain) * toy.spread
    shift = 1.0 if gain is None else gain
    norm = math.log(scale) + 0.5 * math.log(2 * math.pi)
    return np.stack(
        [
            math.log(weight) - 0.5 * ((x - shift * mean) / scale) ** 2 - norm
            for weight, mean in zip(toy.priors, toy.means, strict=True)
        ]
    )


def _nodes(toy: GaussianToy, scale: float) -> Array:
    low, high = toy.means
    return np.linspace(low - _REACH * scale, high + _REACH * scale, _NODES)


@functools.lru_cache(maxsize=64)
def _reference(toy: GaussianToy, kind: str) -> tuple[Array, Array, Array]:
    """Nodes of the first argument's law, its log-density there, and the weights of its mean."""
    nodes = _nodes(toy, toy.sigma if kind == "kl" else toy.spread)
    log_p = np.logaddexp(*_log_parts(toy, nodes, None if kind == "kl" else 1.0))
    return nodes, log_p, np.exp(log_p) * (nodes[1] - nodes[0])


@functools.lru_cache(maxsize=64)
def _turning_points(toy: GaussianToy, kind: str) -> tuple[float, ...]:
    """Where the divergence turns, between 0 and inf."""
    if kind not in KINDS:
        raise unknown("divergence of the toy", kind, KINDS)
    return level_sets.turning_points(lambda a: toy._divergence(a, kind))


@functools.lru_cache(maxsize=8192)
def _level_set(toy: GaussianToy, P: float, kind: str) -> tuple[Interval, ...]:
    """The gains with a divergence of at most P; a surface asks for each P many times."""
    turns = _turning_points(toy, kind)
    return level_sets.level_set(lambda a: toy._divergence(a, kind), turns, P)
