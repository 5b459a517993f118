"""The working set of columns (y, x^): where a coupling may put mass, and what pricing adds to it.

Optimal plans are sparse, and on a line they hug monotone maps.  Programs therefore start from the
plans that are optimal for one goal at a time; whatever is missing shows up in the certificate,
whose row minima run over *all* columns, and is added.  Where a problem has no structure this adds
columns until nothing is missing, in the worst case all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cdplib.theory.problem import Problem

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Columns that pricing may add to one row (one y) at a time.
PER_ROW = 3


def northwest(problem: Problem) -> Array:
    """The north-west corner coupling (m, n) of p_Y and p_X: perfect perception, no solver."""
    plan = np.zeros(problem.shape)
    for y, letter, mass in _steps(problem):
        plan[y, letter] += mass
    return plan


def staircase(problem: Problem) -> Mask:
    """The steps (m, n) of the north-west coupling, empty ones included: any r = p_X is in reach."""
    mask = np.zeros(problem.shape, dtype=bool)
    for y, letter, _ in _steps(problem):
        mask[y, letter] = True
    return mask


def _steps(problem: Problem) -> Iterator[tuple[int, int, float]]:
    """(y, letter, mass) along the staircase; letters are taken in the order of ``x``.

    On a line that is the monotone (quantile) coupling. Masses are moved as whole numbers, so that
    letters of hardly any mass get theirs to all digits.
    """
    m, n = problem.shape
    order = np.argsort(problem.x, kind="stable").tolist()
    have, need = _whole(problem.py), _whole(problem.px[order])
    total_have, total_need = sum(have), sum(need)
    have, need = [v * total_need for v in have], [v * total_have for v in need]
    i = j = 0
    while True:
        moved = min(have[i], need[j])
        yield i, order[j], moved / (total_have * total_need)
        have[i] -= moved
        need[j] -= moved
        if i < m - 1 and (have[i] <= need[j] or j == n - 1):
            i += 1
        elif j < n - 1:
            j += 1
        else:
            return


def _whole(law: Array) -> list[int]:
    """The entries of ``law`` as multiples of the smallest double."""
    ratios = [value.as_integer_ratio() for value in law.tolist()]
    largest = max(below for _, below in ratios)
    return [above * (largest // below) for above, below in ratios]


def initial(problem: Problem, allowed: Mask) -> Mask:
    """Those of the north-west coupling and the best ``allowed`` letters for D and for C alone."""
    mask = staircase(problem) & allowed
    rows = np.arange(problem.py.size)
    delta, err = (np.where(allowed, cost, np.inf) for cost in (problem.delta, problem.err))
    mask[rows, delta.argmin(axis=1)] = True
    least = err <= err.min(axis=1, keepdims=True) + 1e-12
    mask[rows, np.where(least, delta, np.inf).argmin(axis=1)] = True
    return mask & allowed


def missing(problem: Problem, reduced: Array, mask: Mask, worth: float) -> Mask:
    """The columns (m, n) to add: outside ``mask`` and better than the best one of their row.

    ``reduced`` (m, n) is cost + lam delta - u.  A row counts only if what its best missing column
    costs the certificate, py times the difference, is above ``worth`` / m.
    """
    inside = np.where(mask, reduced, np.inf).min(axis=1)
    better = np.full_like(reduced, np.inf)  # and so where no plan may have mass
    np.subtract(reduced, inside[:, None], out=better, where=~mask & (reduced < np.inf))
    top = np.argpartition(better, min(PER_ROW, better.shape[1]) - 1, axis=1)[:, :PER_ROW]
    chosen = np.zeros_like(mask)
    np.put_along_axis(chosen, top, True, axis=1)
    gain = np.where(mask, 0.0, np.maximum(-better, 0.0))
    return np.asarray(chosen & (gain * problem.py[:, None] > worth / problem.py.size))
