"""The second method for f-divergences: a linear program whose ball is cut out by tangents.

With f the generator less its tangent at 1, d <= P exactly where sum_j p_j f(r_j / p_j) plus kappa
times the mass off the support is at most a level; each term as a share of that level is a variable
t_j in [0, 1], and every tangent of f a row.  The variables s_j = (r_j - p_j) / size_j are of about
1 however small P is.  Each round adds the tangents at the laws that the last one led to; it is
a relaxation, so its value only rises, and the certificate says when to stop.  It shares no code
path with the interior point method and does not mind where that one stalls (budgets near the edge
or nearly 0, high orders, letters with hardly any mass).
"""

from __future__ import annotations

import math

import highspy
import numpy as np
from numpy.typing import NDArray

from cdplib.theory.divergences import Divergence, Renyi, ReverseKL, bend
from cdplib.theory.problem import Problem
from cdplib.theory.solver.answer import LARGEST, Answer
from cdplib.theory.solver.columns import Mask

Array = NDArray[np.float64]

#: Where every letter has a tangent from the start, in units of size_j from p_j.
_FIRST = (-1.4, -1.0, -0.6, -0.3, -0.1, 0.0, 0.1, 0.3, 0.6, 1.0, 1.4)

#: Lighter letters have no tangents, but for reverse_kl: a repair gives them what they need.
_LIGHT = 1e-9


class CuttingModel:
    """One HiGHS model over fixed columns and a growing set of tangents, for one P and any D."""

    def __init__(
        self, problem: Problem, divergence: Divergence, cost: Array, mask: Mask, P: float
    ) -> None:
        self.problem, self.divergence = problem, divergence
        self.order = divergence.order if isinstance(divergence, Renyi) else 0.0
        own = isinstance(divergence, ReverseKL)
        self.letters = np.flatnonzero(problem.px > (0.0 if own else _LIGHT))
        rate = divergence.rate(P) if isinstance(divergence, Renyi) else P
        bent = (self.order - 1) * rate
        if own or self.order == 1:
            self.log_level = math.log(P)
        elif bent > 1:
            self.log_level = bent + math.log1p(-math.exp(-bent))
        else:
            self.log_level = math.log(abs(math.expm1(bent)))
        p, level = problem.px[self.letters], math.exp(min(self.log_level, 700.0))
        self.size = np.clip(np.maximum(np.sqrt(2 * p * level), level / 40 if own else 0), None, 1.0)
        # a letter with less than this has t > 1, which a tangent there already says
        with np.errstate(over="ignore"):
            share = level / p
            least = np.zeros(p.size)
            if self.order == 1:
                least = np.exp(-share - 1)
            elif self.order > 1:
                least = np.power(share + self.order, 1 / (1 - self.order))
        self.least = np.maximum(0.9 * p * least, 1e-8 * np.minimum(p, self.size))
        self.columns = np.argwhere(mask)
        self._start(cost)
        for step in _FIRST:
            self.cut(problem.px[self.letters] + step * self.size)
        for times in (0.01, 0.1, 0.5, 2.0, 10.0):
            self.cut(times * p)

    def _start(self, cost: Array) -> None:
        """Columns: W, then s and t on the support; rows: Y, link, D, budget, then tangents."""
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
        self.linked = linked = np.isin(np.arange(n), on)
        low = np.concatenate([problem.py, np.where(linked, problem.px, 0.0), [-inf, -inf]])
        high = np.concatenate([problem.py, np.where(linked, problem.px, inf), [inf, 1.0]])
        none = np.zeros(0, dtype=np.int32)
        self.highs.addRows(m + n + 2, low, high, 0, none, none, np.zeros(0))
        y, x = self.columns.T
        index = np.stack([y, m + x, np.full(count, m + n), np.full(count, m + n + 1)], axis=1)
        kappa = 1.0 if self.order == 1 else abs(self.order - 1)
        self.off = kappa * math.exp(min(-self.log_level, math.log(LARGEST)))
        weight = np.stack(
            [np.ones(count), np.ones(count), np.minimum(problem.delta[y, x], LARGEST),
             np.where(linked[x], 0.0, self.off)], axis=1,
        )  # fmt: skip
        self._add(cost[y, x], np.zeros(count), index, weight)
        self._add(np.zeros(t), np.full(t, -inf), (m + on)[:, None], -self.size[:, None])
        self._add(np.zeros(t), np.zeros(t), np.full((t, 1), m + n + 1), np.ones((t, 1)))

    def _add(self, cost: Array, low: Array, index: NDArray[np.int64], value: Array) -> None:
        count, entries = index.shape
        self.highs.addCols(
            count, cost, low, np.full(count, highspy.kHighsInf), count * entries,
            np.arange(0, count * entries, entries, dtype=np.int32),
            index.ravel().astype(np.int32), value.ravel(),
        )  # fmt: skip

    def _tangent(self, r: Array) -> tuple[Array, Array]:
        """p f(r/p) / level and its slope in r, for the letters' masses ``r`` > 0."""
        p, small = self.problem.px[self.letters], math.exp(min(-self.log_level, 700.0))
        x, logs = (r - p) / p, np.log(r) - np.log(p)
        near = np.where(np.abs(x) < 0.5, np.log1p(np.clip(x, -0.5, 0.5)), logs)
        if isinstance(self.divergence, ReverseKL):
            value = np.where(np.abs(x) < 0.5, p * (x**2 - (1 + x) * bend(x, 0.0)), r * logs - r + p)
            return value * small, near * small
        a = self.order
        if a == 1:
            value = p * np.where(np.abs(x) < 0.5, bend(x, 0.0), x - logs)
            return value * small, -small * np.expm1(-near)
        if self.log_level < 30:
            sign = 1.0 if a > 1 else -1.0
            slope = sign * (1 - a) * np.expm1(-a * near) * small
            return sign * p * bend(x, 1 - a) * small, slope
        steep = np.exp((1 - a) * logs - self.log_level)
        return p * steep, (1 - a) * steep * p / r

    def cut(self, r: Array) -> None:
        """Add every letter's tangent at the masses ``r`` of the letters on the support."""
        p, count = self.problem.px[self.letters], len(self.letters)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            at = np.maximum(r, self.least)
            value, slope = self._tangent(at)
            low, lean = value + slope * (p - at), slope * self.size
        # a steep tangent says the same when divided by its largest coefficient
        unit = np.maximum(1.0, np.abs(lean))
        good = np.isfinite(low / unit) & np.isfinite(lean / unit) & (np.abs(lean) < 1e12)
        keep = np.flatnonzero(good)
        index = len(self.columns) + np.stack([keep, keep + count], axis=1)
        weight = np.stack([-lean[keep] / unit[keep], 1 / unit[keep]], axis=1)
        self.highs.addRows(
            len(keep), low[keep] / unit[keep], np.full(len(keep), highspy.kHighsInf), 2 * len(keep),
            np.arange(0, 2 * len(keep), 2, dtype=np.int32), index.ravel().astype(np.int32),
            weight.ravel(),
        )  # fmt: skip

    def solve(self, D: float) -> tuple[Answer, Array] | None:
        """The optimum at the tangents so far, and the law there; None where HiGHS finds none."""
        (m, n), inf, highs = self.problem.shape, highspy.kHighsInf, self.highs
        highs.changeRowBounds(m + n, -inf, inf if D == math.inf else D)
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = highs.getSolution()
        dual, y, x = np.asarray(solution.row_dual), *self.columns.T
        value = np.asarray(solution.col_value)
        plan = np.zeros((m, n))
        plan[y, x] = value[: len(y)]
        step = value[len(y) : len(y) + len(self.letters)]
        law = self.problem.px[self.letters] + step * self.size
        u = dual[m : m + n] + np.where(self.linked, 0.0, self.off * float(dual[m + n + 1]))
        return Answer(plan, max(0.0, -float(dual[m + n])), u), law
