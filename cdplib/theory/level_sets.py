"""Where a function of a gain a > 0 stays below a level: {a : f(a) <= level} as intervals.

For smooth f that grows without bound towards a = 0 and towards a = inf, as divergences of aY do.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, minimize_scalar

Interval = tuple[float, float]

_SCAN = np.linspace(-7.0, 7.0, 351)  # log a, where turning points are looked for
_FARTHEST = 300.0  # |log a| beyond which a level counts as no limit


def turning_points(f: Callable[[float], float]) -> tuple[float, ...]:
    """0, the places where f turns, inf: between two neighbours f is monotone."""
    values = np.array([f(math.exp(s)) for s in _SCAN])
    turns = []
    for k in range(1, len(_SCAN) - 1):
        for sign in (1.0, -1.0):  # a minimum, a maximum
            left, middle, right = sign * values[k - 1 : k + 2]
            if middle < left and middle <= right:
                found = minimize_scalar(
                    lambda s, sign=sign: sign * f(math.exp(s)),
                    bounds=(_SCAN[k - 1], _SCAN[k + 1]),
                    method="bounded",
                    options={"xatol": 1e-9},
                )
                turns.append(math.exp(found.x))
    return (0.0, *turns, math.inf)


def level_set(
    f: Callable[[float], float], turns: tuple[float, ...], level: float
) -> tuple[Interval, ...]:
    """{a > 0 : f(a) <= level} as disjoint intervals in increasing order, perhaps none.

    ``turns`` are the :func:`turning_points` of f. An end beyond exp(+-300) is given as 0 or inf.
    """
    if math.isinf(level):
        return ((0.0, math.inf),) if level > 0 else ()
    crossings = [_crossing(f, level, *pair) for pair in itertools.pairwise(turns)]
    ends = [a for a in crossings if a is not None]
    if not ends:  # unless the level is just touched
        least, a = min((f(a), a) for a in turns if 0 < a < math.inf)
        return ((a, a),) if abs(least - level) <= 1e-15 else ()
    return tuple(zip(ends[::2], ends[1::2], strict=True))


def _crossing(f: Callable[[float], float], level: float, left: float, right: float) -> float | None:
    """Where f, monotone between two places, passes the level; None if it does not."""

    def excess(log_a: float) -> float:
        return f(math.exp(log_a)) - level

    low = math.log(left) if left > 0 else math.log(right) - 1
    high = math.log(right) if right < math.inf else math.log(left) + 1
    while left == 0 and excess(low) < 0:
        low -= max(1.0, abs(low))
        if low < -_FARTHEST:
            return 0.0
    while right == math.inf and excess(high) < 0:
        high += max(1.0, abs(high))
        if high > _FARTHEST:
            return math.inf
    if excess(low) * excess(high) > 0:
        return None
    return math.exp(brentq(excess, low, high, xtol=1e-14, rtol=1e-14))
