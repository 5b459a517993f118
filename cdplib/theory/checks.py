"""What "non-increasing" and "convex" mean for a computed surface, and the checks of the proof.

A surface is an array C[i, j] = C(Ds[i], Ps[j]) with inf where nothing is feasible, as the
extended-value convention of convex analysis has it: 0.5 * inf = inf, and a feasible pair whose
midpoint is infeasible is a violation, of infinite size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError

Array = NDArray[np.float64]


def rise(surface: ArrayLike) -> float:
    """The largest increase of C between neighbours as D or P grows: 0 or less if non-increasing.

    ``surface``: shape (nD, nP) with increasing budgets. -inf if no two neighbours are feasible.
    """
    values = _surface(surface)
    worst = -np.inf
    for axis in (0, 1):
        before, after = np.moveaxis(values, axis, 0)[:-1], np.moveaxis(values, axis, 0)[1:]
        known = np.isfinite(before)  # from inf, any value is a decrease
        if known.any():
            worst = max(worst, float((after[known] - before[known]).max()))
    return worst


def midpoint_excess(surface: ArrayLike) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """The worst C(middle) - mean of C(ends) over all pairs of points whose middle is on the grid.

    ``surface``: shape (nD, nP) on *evenly spaced* budgets. Returns the excess, positive where
    Eq. (8) with lambda = 1/2 fails, and the two ends as grid indices. inf if the middle of two
    feasible points is infeasible.
    """
    values = _surface(surface)
    rows, columns = values.shape
    worst: tuple[float, tuple[int, int], tuple[int, int]] = (-np.inf, (0, 0), (0, 0))
    for di in range((rows + 1) // 2):
        for dj in range(-((columns - 1) // 2), (columns + 1) // 2):
            if (di, dj) <= (0, 0):
                continue  # the pair and its mirror image are one pair
            height, width = rows - 2 * di, columns - 2 * abs(dj)
            left, right = (0, 2 * dj) if dj >= 0 else (-2 * dj, 0)
            first = values[:height, left : left + width]
            second = values[2 * di :, right : right + width]
            middle = values[di : di + height, abs(dj) : abs(dj) + width]
            excess = np.full(middle.shape, -np.inf)
            known = np.isfinite(first) & np.isfinite(second)
            excess[known] = middle[known] - 0.5 * (first[known] + second[known])
            if excess.size and excess.max() > worst[0]:
                i, j = (int(k) for k in np.unravel_index(excess.argmax(), excess.shape))
                worst = (float(excess.max()), (i, j + left), (i + 2 * di, j + right))
    return worst


def _surface(values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=float)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"surface of shape {array.shape}: expected a table (nD, nP) of values")
    if np.isnan(array).any():
        raise InputError("surface holds nan: expected numbers, inf where nothing is feasible")
    return array
