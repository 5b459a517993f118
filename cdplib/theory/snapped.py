r"""C(D,P) of the continuous toy for d = W2, over all restorations: a geodesic, snapped to t.

With m(y) = E[X|y] and T the increasing map that sends Y to the law of X, the restorations on the
edge for W2 are g_s = (1 - s) m + s T (Freirich et al.).  With a threshold classifier the optimal
ones are g_s, moved to the threshold t between the cut c of the decision and the place where g_s
crosses t (theorem thm:snapped of the book).  Their error is that of the threshold c on Y, and

    D = D* + E|m(Y) - g(Y)|^2,      W2^2(p_X, p_X^) = E|T(Y) - g(Y)|^2,

because T and g both increase.  Integrals are by Gauss-Legendre between the kinks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from cdplib.errors import InputError
from cdplib.theory import divergences
from cdplib.theory.toy import GaussianToy

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)
_TAIL = 1e-13  # of Y's mass, left out on each side


@dataclass(frozen=True)
class Point:
    """What a snapped geodesic uses: distortion ``D``, ``P`` = W2, and its error rate ``C``."""

    D: float
    P: float
    C: float


def restore(toy: GaussianToy, y: Array, s: float, cut: float) -> Array:
    """The snapped geodesic at ``y``, any shape: at least t from ``cut`` on and at most t below it.

    ``s`` in [0, 1]: 0 is the posterior mean, 1 has the law of X (where nothing is snapped).
    """
    g, t = _mixed(_maps(toy)(y), s), toy.boundary
    return np.where(y >= cut, np.maximum(g, t), np.minimum(g, t))


def crossing(toy: GaussianToy, s: float) -> float:
    """Where the geodesic g_s itself crosses the threshold: the cut at which nothing is snapped."""
    maps, t = _maps(toy), toy.boundary
    at_knots = _mixed(maps(maps.x), s)
    k = int(np.searchsorted(at_knots, t))  # g_s increases
    if k in (0, at_knots.size):
        return float(maps.x[min(k, at_knots.size - 1)])
    ends = float(maps.x[k - 1]), float(maps.x[k])
    return float(brentq(lambda y: _mixed(maps(y), s) - t, *ends, xtol=1e-13))


def point(toy: GaussianToy, s: float, cut: float) -> Point:
    """D, P and C of the snapped geodesic of ``s`` in [0, 1] and the decision threshold ``cut``."""
    if not 0 <= s <= 1:
        raise InputError(f"s is {s}: expected a number in [0, 1]")
    low, high = _reach(toy)
    ends = np.unique(np.clip([low, cut, crossing(toy, s), high], low, high))
    ends = np.sort(np.concatenate([ends, 0.5 * (ends[1:] + ends[:-1])]))
    half, middle = 0.5 * np.diff(ends)[:, None], 0.5 * (ends[1:] + ends[:-1])[:, None]
    y = middle + half * _NODES
    mass = half * _WEIGHTS * toy.density(y, 1.0).sum(axis=0)
    both, t = _maps(toy)(y), toy.boundary
    g = _mixed(both, s)
    g = np.where(y >= cut, np.maximum(g, t), np.minimum(g, t))
    beyond, squared = (mass[..., None] * (both - g[..., None]) ** 2).sum(axis=(0, 1)).tolist()
    return Point(toy.least_mse() + beyond, math.sqrt(squared), float(toy.rule_error(cut)))


def cdp(toy: GaussianToy, D: float, P: float) -> float:
    """C(D,P) over *all* restorations of the toy with W2(p_X, p_X^) <= P; inf where infeasible.

    Among the decision thresholds that the budgets allow, the one nearest to the best one of Y.
    """
    P = divergences.budget(P)
    if math.isnan(D):
        raise InputError("D is nan: expected a number or inf")
    best, span = toy.bayes_threshold("y"), point(toy, 0.0, crossing(toy, 0.0)).P
    s = max(0.0, 1.0 - P / span) if span > 0 else 0.0
    cut = crossing(toy, s)  # of the geodesic itself, which is the cheapest within P
    if point(toy, s, cut).D > D + 1e-12:
        return math.inf
    # first what P allows at any distortion, then what D allows of it
    within_P = _towards(lambda c: point(toy, 1.0, c).P - P, best, crossing(toy, 1.0))
    within = _towards(lambda c: _least_distortion(toy, P, c) - D, within_P, cut)
    return float(toy.rule_error(within))


def _towards(over: Callable[[float], float], wanted: float, sure: float) -> float:
    """The cut nearest to ``wanted`` with over(cut) <= 0, monotone, where ``sure`` has it."""
    if over(wanted) <= 0:
        return wanted
    if over(sure) >= 0:  # on the edge, up to rounding
        return sure
    return float(brentq(over, wanted, sure, xtol=1e-11))


def _least_distortion(toy: GaussianToy, P: float, cut: float) -> float:
    """The least D of restorations that decide by ``cut`` with W2 <= P, for a ``cut`` that can."""

    def over(s: float) -> float:
        return point(toy, s, cut).P - P

    if over(0.0) <= 0:
        return point(toy, 0.0, cut).D
    s = 1.0 if over(1.0) >= 0 else float(brentq(over, 0.0, 1.0, xtol=1e-11))
    return point(toy, s, cut).D


def _mixed(maps: Array, s: float) -> Array:
    """g_s from m and T, (..., 2)."""
    return np.asarray((1 - s) * maps[..., 0] + s * maps[..., 1])


@functools.lru_cache(maxsize=16)
def _maps(toy: GaussianToy) -> CubicSpline:
    """m and T as functions of y, (..., 2), to about 1e-10 where Y has mass."""
    y = np.linspace(*_reach(toy), 6001)
    return CubicSpline(y, np.stack([toy.posterior_mean(y), toy.quantile(toy.share(y, "y"))], -1))


@functools.lru_cache(maxsize=16)
def _reach(toy: GaussianToy) -> tuple[float, float]:
    low, high = toy.quantile(np.array([_TAIL, 1 - _TAIL]), "y")
    return float(low), float(high)
