"""The second method for f-divergences: a linear program whose ball is cut out by tangents.

sum_j p_j f(rho_j) <= level holds exactly when every choice of tangents of the convex f satisfies
it.  Each round adds, letter by letter, the tangents at the law r that the program found and at the
law that answers its multipliers best; the program is a relaxation, so its value only rises, and the
certificate says when to stop.  It shares no code path with the interior point method and does not
mind where that one stalls (budgets near the edge, letters with hardly any mass).
"""

from __future__ import annotations

import math

import highspy
import numpy as np
from numpy.typing import NDArray

from cdplib.theory.divergences import Divergence, Renyi, ReverseKL
from cdplib.theory.problem import Problem
from cdplib.theory.solver.columns import Mask
from cdplib.theory.solver.conic import Answer

Array = NDArray[np.float64]

#: rho at which every letter has a tangent from the start.
_FIRST = (0.05, 0.3, 0.7, 1.0, 1.4, 3.0, 20.0)


def generator(divergence: Divergence, rho: Array) -> tuple[Array, Array]:
    """(f, f') at ``rho`` > 0, with d <= P exactly where sum p f(rho) is at most its level."""
    if isinstance(divergence, ReverseKL):
        return rho * np.log(rho), np.log(rho) + 1
    assert isinstance(divergence, Renyi)
    a = divergence.order
    if a == 1:
        return -np.log(rho), -1 / rho
    sign = 1.0 if a > 1 else -1.0
    return sign * rho ** (1 - a), sign * (1 - a) * rho ** (-a)


class CuttingModel:
    """One HiGHS model over fixed columns and a growing set of tangents, for any (D, P)."""

    def __init__(self, problem: Problem, divergence: Divergence, cost: Array, mask: Mask) -> None:
        self.problem, self.divergence = problem, divergence
        self.letters = np.flatnonzero(problem.px > 0)
        if isinstance(divergence, ReverseKL):
            mask = mask & (problem.px > 0)
        self.columns = np.argwhere(mask)
        self._start(cost)
        for rho in _FIRST:
            self.cut(rho * problem.px)

    def _start(self, cost: Array) -> None:
        """Columns: W, then r on the support, then t = p f; rows: Y, link, D, budget, tangents."""
        problem, on = self.problem, self.letters
        (m, n), count, t, inf = problem.shape, len(self.columns), len(on), highspy.kHighsInf
        self.highs = highspy.Highs()
        self.highs.silent()
        for option, value in (
            ("presolve", "off"),
            ("threads", 1),
            ("primal_feasibility_tolerance", 1e-10),
            ("dual_feasibility_tolerance", 1e-10),
        ):
            self.highs.setOptionValue(option, value)
        link = np.where(problem.px > 0, 0.0, inf)
        low = np.concatenate([problem.py, np.zeros(n), [-inf, -inf]])
        high = np.concatenate([problem.py, link, [inf, inf]])
        none = np.zeros(0, dtype=np.int32)
        self.highs.addRows(m + n + 2, low, high, 0, none, none, np.zeros(0))
        y, x = self.columns.T
        index = np.stack([y, m + x, np.full(count, m + n)], axis=1)
        weight = np.stack([np.ones(count), np.ones(count), problem.delta[y, x]], axis=1)
        self._add(cost[y, x], np.zeros(count), index, weight)
        self._add(np.zeros(t), np.zeros(t), (m + on)[:, None], np.full((t, 1), -1.0))
        self._add(np.zeros(t), np.full(t, -inf), np.full((t, 1), m + n + 1), np.ones((t, 1)))

    def _add(self, cost: Array, low: Array, index: NDArray[np.int64], value: Array) -> None:
        count, entries = index.shape
        self.highs.addCols(
            count, cost, low, np.full(count, highspy.kHighsInf), count * entries,
            np.arange(0, count * entries, entries, dtype=np.int32),
            index.ravel().astype(np.int32), value.ravel(),
        )  # fmt: skip

    def cut(self, r: Array) -> None:
        """Add every letter's tangent at the law (or measure) ``r`` (n,): t >= p f(rho) there."""
        on = self.letters
        p = self.problem.px[on]
        rho = np.clip(r[on] / p, 1e-4, 1e4)
        f, slope = generator(self.divergence, rho)
        count = len(on)
        index = np.stack([len(self.columns) + np.arange(count)] * 2, axis=1)
        index[:, 1] += count
        value = np.stack([-slope, np.ones(count)], axis=1)
        self.highs.addRows(
            count, p * (f - slope * rho), np.full(count, highspy.kHighsInf), 2 * count,
            np.arange(0, 2 * count, 2, dtype=np.int32), index.ravel().astype(np.int32),
            value.ravel(),
        )  # fmt: skip

    def solve(self, D: float, level: float) -> Answer | None:
        """The program's optimum at the tangents so far; None where HiGHS finds none."""
        (m, n), inf, highs = self.problem.shape, highspy.kHighsInf, self.highs
        highs.changeRowBounds(m + n, -inf, inf if D == math.inf else D)
        highs.changeRowBounds(m + n + 1, -inf, level)
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = highs.getSolution()
        dual, y, x = np.asarray(solution.row_dual), *self.columns.T
        plan = np.zeros((m, n))
        plan[y, x] = np.asarray(solution.col_value)[: len(y)]
        u = dual[m : m + n].copy()
        lam = max(0.0, -float(dual[m + n]))
        return Answer(plan, lam, u, float(highs.getInfo().objective_function_value))
