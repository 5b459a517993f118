"""C(D,P) for TV, W1 and Rényi's order inf: a linear program, kept warm in HiGHS.

Rows: the marginal of Y (m), the link between the marginal r of X^ and p_X (n), <delta, W> <= D,
and the perceptual budget.  Extra columns say what r may lack or carry along the line:

    tv         r_j + s_j >= p_j,  s >= 0,  sum s <= P
    w1         r_j - inflow_j + outflow_j = p_j,  sum |x_j+1 - x_j| |flow_j| <= P
    ot         r_j - inflow_j + outflow_j = p_j,  outflow <= p,  sum c_ij flow_ij <= P
    renyi:inf  r_j >= exp(-P) p_j

Moving (D, P) changes right-hand sides only, so the last basis stays dual feasible and the dual
simplex method needs a few pivots per point.
"""

from __future__ import annotations

import math

import highspy
import numpy as np
from numpy.typing import NDArray

from cdplib.theory.divergences import Divergence, Renyi, TotalVariation, Wasserstein1
from cdplib.theory.ground import Transport
from cdplib.theory.problem import Problem
from cdplib.theory.solver.answer import LARGEST, Answer
from cdplib.theory.solver.columns import Mask

Array = NDArray[np.float64]

#: The smallest tolerance HiGHS takes; what is left is repaired and certified outside.
_TOLERANCE = 1e-10

#: Rounds in which flows are priced in before an answer is handed over as it is.
_ROUNDS = 100


def handles(divergence: Divergence) -> bool:
    """Whether the ball of ``divergence`` is a polyhedron that this module knows."""
    if isinstance(divergence, TotalVariation | Wasserstein1 | Transport):
        return True
    return isinstance(divergence, Renyi) and divergence.order == math.inf


class LinearModel:
    """One HiGHS model over a growing set of columns; ``solve`` for any (D, P).

    ``cost`` (m, n): what to minimise, err or delta.  With ``least_divergence`` the cost is left
    out and the divergence itself is minimised.
    """

    def __init__(
        self, problem: Problem, divergence: Divergence, cost: Array, least_divergence: bool = False
    ) -> None:
        self.problem, self.divergence, self.cost = problem, divergence, cost
        self.least_divergence = least_divergence
        self.delta = np.minimum(problem.delta, LARGEST)
        # letters that a tolerance would overlook, but that renyi:inf does not
        with np.errstate(divide="ignore"):
            steep = isinstance(divergence, Renyi) and not least_divergence
            self.lens = np.clip(1e-9 / problem.px, 1.0, 1e8 if steep else 1.0)
        self.mask: Mask = np.zeros(problem.shape, dtype=bool)
        self._given = self.mask  # masks grow by replacement: the same object holds the same columns
        self.columns: NDArray[np.int64] = np.zeros((0, 2), dtype=np.int64)
        self.place: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.flows: Mask | None = None  # those of a ground cost that are columns
        self._start()

    def _start(self) -> None:
        self.highs = highspy.Highs()
        self.highs.silent()
        for option, value in (
            ("presolve", "off"),  # it would throw the basis away
            ("threads", 1),
            ("primal_feasibility_tolerance", _TOLERANCE),
            ("dual_feasibility_tolerance", _TOLERANCE),
        ):
            self.highs.setOptionValue(option, value)
        (m, n), inf = self.problem.shape, highspy.kHighsInf
        none = np.zeros(0, dtype=np.int32)
        equal = isinstance(self.divergence, Wasserstein1 | Transport)
        link_top = self.problem.px if equal else np.full(n, inf)
        scaled = isinstance(self.divergence, Renyi) and self.least_divergence
        link = np.zeros(n) if scaled else self.problem.px
        self.highs.addRows(
            m + n + 2,
            np.concatenate([self.problem.py, link, [-inf, -inf]]),
            np.concatenate([self.problem.py, link_top, [inf, inf]]),
            0, none, none, np.zeros(0),
        )  # fmt: skip
        self._add_extra()

    def _add_extra(self) -> None:
        """Add the columns of the perceptual block."""
        (m, n), budget = self.problem.shape, sum(self.problem.shape) + 1
        inf = highspy.kHighsInf
        if isinstance(self.divergence, TotalVariation):
            index = np.stack([m + np.arange(n), np.full(n, budget)], axis=1)
            value = np.ones((n, 2))
        elif isinstance(self.divergence, Wasserstein1):
            x = self.divergence.positions(n)
            order = np.argsort(x, kind="stable")
            left, right = m + order[:-1], m + order[1:]
            gap = np.minimum(np.diff(x[order]), LARGEST)
            forth = np.stack([left, right, np.full(n - 1, budget)], axis=1)
            one = np.ones(n - 1)
            index = np.concatenate([forth, forth])
            value = np.concatenate(
                [np.stack([one, -one, gap], axis=1), np.stack([-one, one, gap], axis=1)]
            )
        elif isinstance(self.divergence, Transport):
            none = np.zeros(0, dtype=np.int32)
            self.highs.addRows(
                n, np.full(n, -inf), self.problem.px, 0, none, none, np.zeros(0)
            )  # fmt: skip
            self.ground = np.minimum(self.divergence.costs(n), LARGEST)
            known = self.divergence.near(self.problem.px > 0) if self.flows is None else self.flows
            self.flows = np.eye(n, dtype=bool)  # staying costs nothing and needs no column
            self._add_flows(known)
            return
        elif self.least_divergence:  # r_j >= v p_j for the largest v = exp(-P)
            self._add(np.array([-1.0]), m + np.arange(n)[None], -self.problem.px[None])
            return
        else:
            return
        cost = value[:, -1] if self.least_divergence else np.zeros(len(value))
        self._add(cost, index, value)

    def _add_flows(self, flows: Mask) -> None:
        """Add the flows (i, j) where ``flows`` (n, n) is true and that are not there yet."""
        m, n = self.problem.shape
        i, j = np.nonzero(flows if self.flows is None else flows & ~self.flows)
        price, one = self.ground[i, j], np.ones(i.size)
        index = np.stack([m + i, m + j, np.full(i.size, m + n + 1), m + n + 2 + i], axis=1)
        cost = price if self.least_divergence else 0 * price
        self._add(cost, index, np.stack([one, -one, price, one], axis=1))
        self.flows = flows if self.flows is None else self.flows | flows

    def _missing_flows(self, dual: Array, price: float, most: int) -> Mask:
        """The best flows (n, n), ``most`` out of each letter, where reduced costs are negative.

        ``price``: what the budget's dual and the objective make of a unit of transport.
        """
        m, n = self.problem.shape
        out = dual[m : m + n] + dual[m + n + 2 :]
        gain = price * self.ground + dual[m : m + n] - out[:, None]
        gain[self.flows] = gain[self.problem.px == 0] = 0.0
        best = np.argpartition(gain, min(most, n) - 1, axis=1)[:, :most]
        chosen = np.zeros((n, n), dtype=bool)
        np.put_along_axis(chosen, best, True, axis=1)
        return np.asarray(chosen & (gain < -_TOLERANCE))

    def _wanted_flows(self, optimal: bool) -> Mask | None:
        """Flows (n, n) that lower the objective, or that a proof of infeasibility has not seen.

        None where no flow can: the answer stands.
        """
        m, n = self.problem.shape
        if not isinstance(self.divergence, Transport):
            return None
        if optimal:
            dual = np.asarray(self.highs.getSolution().row_dual)
            own, most = (1.0 if self.least_divergence else 0.0), 2
        else:  # Farkas: along the ray all columns that there are have one sign, new ones may not
            _, there, ray = self.highs.getDualRay()  # type: ignore[attr-defined]
            if not there:
                return None
            y, x = self.columns.T
            dual, own, most = np.asarray(ray), 0.0, 16
            along = dual[y] + dual[m + x] * self.lens[x] + dual[m + n] * self.delta[y, x]
            dual = dual * -np.copysign(1.0, along.sum()) / max(float(np.abs(dual).max()), 1e-300)
        more = self._missing_flows(dual, own - float(dual[m + n + 1]), most)
        return more if more.any() else None

    def _add(self, cost: Array, index: NDArray[np.int64], value: Array) -> None:
        count, entries = index.shape
        if count:
            self.highs.addCols(
                count, cost, np.zeros(count), np.full(count, highspy.kHighsInf), count * entries,
                np.arange(0, count * entries, entries, dtype=np.int32),
                index.ravel().astype(np.int32), value.ravel(),
            )  # fmt: skip

    def set_columns(self, mask: Mask) -> None:
        """Add the columns (y, x^) where ``mask`` (m, n) is true and that are not there yet."""
        if mask is self._given:
            return
        self._given = mask
        new = np.argwhere(mask & ~self.mask)
        (m, n), (y, x) = self.problem.shape, new.T
        index = np.stack([y, m + x, np.full(len(new), m + n)], axis=1)
        value = np.stack([np.ones(len(new)), self.lens[x], self.delta[y, x]], axis=1)
        cost = np.zeros(len(new)) if self.least_divergence else self.cost[y, x]
        first = self.highs.getNumCol()  # flows may have come in between
        self.place = np.concatenate([self.place, first + np.arange(len(new))])
        self._add(cost, index, value)
        self.mask = self.mask | mask
        self.columns = np.concatenate([self.columns, new])

    def _restart(self) -> None:
        """Build the model anew, without a basis: the way out of numerical trouble."""
        mask, self.mask = self.mask, np.zeros(self.problem.shape, dtype=bool)
        self._given = self.mask
        self.columns, self.place = self.columns[:0], self.place[:0]
        self._start()
        self.set_columns(mask)

    def solve(self, D: float, P: float, fresh: bool = False) -> Answer | None:
        """The optimal basic solution over the columns, or None where HiGHS finds none."""
        if fresh:
            self._restart()
        (m, n), inf, highs = self.problem.shape, highspy.kHighsInf, self.highs
        highs.changeRowBounds(m + n, -inf, inf if D == math.inf else D)
        if isinstance(self.divergence, Renyi) and not self.least_divergence:
            for letter, mass in enumerate(self.problem.px):
                low = math.exp(-P) * mass * self.lens[letter]
                highs.changeRowBounds(m + letter, low, inf)
        else:
            highs.changeRowBounds(m + n + 1, -inf, inf if P == math.inf else P)
        if isinstance(self.divergence, Transport):  # those of the least D make its budgets feasible
            self._add_flows(self.divergence.asked)
        for _ in range(_ROUNDS):
            highs.run()
            optimal = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
            more = self._wanted_flows(optimal)
            if more is None or not isinstance(self.divergence, Transport):
                break
            self.divergence.asked[more] = True
            self._add_flows(more)
        if not optimal:
            return None if fresh else self.solve(D, P, fresh=True)
        solution = highs.getSolution()
        dual = np.asarray(solution.row_dual)
        plan = np.zeros(self.problem.shape)
        y, x = self.columns.T
        plan[y, x] = np.asarray(solution.col_value)[self.place]
        return Answer(plan, max(0.0, -float(dual[m + n])), dual[m : m + n] * self.lens)
