"""W1 with a ground cost between letters that lie on no line: optimal transport as a divergence.

With the Euclidean distance between images as the cost this is what a Wasserstein critic estimates.
The distance itself is a linear program over flows, a few of them at first; those that its
multipliers ask for are added, so that n^2 columns are looked at and few are in the program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import highspy
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from cdplib.errors import InputError
from cdplib.theory.divergences import Divergence, summit

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Flows that a program starts with: from each letter to this many of its nearest.
NEAREST = 6


@dataclass(frozen=True, eq=False)
class Transport(Divergence):
    """The least mean of ``cost[i, j]`` over couplings (i, j) of p and q, in the cost's own unit.

    ``cost`` (n, n): finite, at least 0 and 0 on the diagonal; W1 where it is a metric.  Convex in
    (p, q) whatever the cost.  Raises :class:`InputError` for any other table.
    """

    name: str = "ot"
    cost: Array = field(default_factory=lambda: np.zeros((1, 1)))
    data_processing: ClassVar[bool] = False

    def __post_init__(self) -> None:
        try:
            cost = np.array(self.cost, dtype=float)
        except (TypeError, ValueError):
            raise InputError("cost is no table of numbers") from None
        if cost.ndim != 2 or cost.shape[0] != cost.shape[1] or cost.size == 0:
            raise InputError(f"cost has shape {cost.shape}: expected a square table")
        if not np.isfinite(cost).all() or (cost < 0).any():
            wrong = cost[~(cost >= 0) | ~np.isfinite(cost)][0]
            raise InputError(f"cost has the entry {wrong}: expected finite numbers >= 0")
        if np.diag(cost).any():
            first = np.flatnonzero(np.diag(cost))[0]
            raise InputError(f"cost[{first}, {first}] is {cost[first, first]}: expected 0")
        cost.setflags(write=False)
        object.__setattr__(self, "cost", cost)

    def costs(self, n: int) -> Array:
        """The cost (n, n), or an :class:`InputError` if it is for other alphabets."""
        if len(self.cost) != n:
            raise InputError(f"ot has a cost for {len(self.cost)} letters: expected {n}")
        return self.cost

    def full(self, p: Array) -> float:
        return float((p @ self.costs(p.size)).max()) * (1 + 2.0**-48)

    def rounding(self) -> float:
        return float(self.cost.max()) * 2.0**-48

    def near(self, on: Mask) -> Mask:
        """The flows (n, n) from the letters ``on`` to those nearest to each, and back."""
        n = len(self.cost)
        rank = np.argsort(self.cost, axis=1, kind="stable")[:, : min(n, NEAREST)]
        flows = np.zeros((n, n), dtype=bool)
        np.put_along_axis(flows, rank, True, axis=1)
        return (flows | flows.T) & on[:, None]

    @cached_property
    def asked(self) -> Mask:
        """Flows (n, n) that programs have asked for so far: what one has found the next one has."""
        return np.zeros(self.cost.shape, dtype=bool)

    def _value(self, p: Array, q: Array) -> float:
        self.costs(p.size)
        return self._program.value(p, q)

    @cached_property
    def _program(self) -> _Program:
        return _Program(self)

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """max over t >= 0 of sum_i p_i min_j (u_j + t c_ij) - t P (Kantorovich).

        Any t is valid: a coupling of p and r has <u, r> = sum f_ij u_j >= sum f_ij (u_j + t c_ij)
        - t P.  The curve is concave and piecewise linear, and sharp at its top.
        """
        on = p > 0
        cost, w = self.costs(p.size)[on], p[on]
        if P == 0:
            return float(w @ np.where(cost == 0, u, np.inf).min(axis=1)), math.inf
        if P >= self.full(p):
            return 0.0, 0.0

        return kantorovich(self.cost, u, p, P)


def kantorovich(cost: Array, u: Array, p: Array, P: float) -> tuple[float, float]:
    """max over t >= 0 of sum_i p_i min_j (u_j + t cost_ij) - t P, and the t that was used.

    ``cost`` (n, n) >= 0 with a zero diagonal, ``u`` (n,), ``p`` (n,) a law.  Never above the least
    <u, r> over the laws r that are within the transport cost P of p, and sharp at its top.
    """
    on = p > 0
    cost, w = cost[on], p[on]

    def curve(t: float) -> tuple[float, float]:
        total = u + t * cost
        to = total.argmin(axis=1)[:, None]
        slope = float(w @ np.take_along_axis(cost, to, axis=1)[:, 0]) - P
        return float(w @ np.take_along_axis(total, to, axis=1)[:, 0]) - t * P, slope

    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        steep = np.where(cost > 0, (u[on][:, None] - u) / cost, 0.0)
    t = summit(curve, min(float(steep.max()) * (1 + 1e-12), 1e300))
    return curve(t)[0] - t * P * 2.0**-50, t


def euclidean(letters: ArrayLike) -> Transport:
    """W1 between laws on the images ``letters`` (n, ...), under the Euclidean distance."""
    rows = np.asarray(letters, dtype=float)
    if rows.ndim < 2 or 0 in rows.shape or not np.isfinite(rows).all():
        raise InputError(f"letters has shape {rows.shape}: expected finite images (n, ...)")
    rows = rows.reshape(len(rows), -1)
    return Transport(cost=cdist(rows, rows))


class _Program:
    """The transport program over a growing set of flows, warm from one pair of laws to the next."""

    def __init__(self, transport: Transport) -> None:
        self.unit = float(transport.cost.max()) or 1.0
        self.cost = transport.cost / self.unit
        n = len(self.cost)
        self.flows = np.zeros((n, n), dtype=bool)
        self.index: NDArray[np.int64] = np.zeros((0, 2), dtype=np.int64)
        self.highs = highspy.Highs()
        self.highs.silent()
        for option, value in (
            ("presolve", "off"),  # it would throw the basis away
            ("threads", 1),
            ("primal_feasibility_tolerance", 1e-10),
            ("dual_feasibility_tolerance", 1e-10),
        ):
            self.highs.setOptionValue(option, value)
        none, zero = np.zeros(0, dtype=np.int32), np.zeros(2 * n)
        self.highs.addRows(2 * n, zero, zero, 0, none, none, np.zeros(0))
        self._add(transport.near(np.ones(n, dtype=bool)))

    def _add(self, flows: Mask) -> None:
        new = np.argwhere(flows & ~self.flows)
        n, count = len(self.cost), len(new)
        self.highs.addCols(
            count, self.cost[new[:, 0], new[:, 1]], np.zeros(count),
            np.full(count, highspy.kHighsInf), 2 * count,
            np.arange(0, 2 * count, 2, dtype=np.int32),
            (new + np.array([0, n])).ravel().astype(np.int32), np.ones(2 * count),
        )  # fmt: skip
        self.flows = self.flows | flows
        self.index = np.concatenate([self.index, new])

    def value(self, p: Array, q: Array) -> float:
        """The cost of the best coupling found: at least the distance, and by 1e-10 at most more."""
        n = len(p)
        corner = np.zeros((n, n), dtype=bool)
        corner[_staircase(p, q)] = True  # whatever p and q are, there is a coupling
        self._add(corner)
        for row, mass in enumerate([*p.tolist(), *q.tolist()]):
            self.highs.changeRowBounds(row, mass, mass)
        for _ in range(100):
            self.highs.run()
            if self.highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break  # what there is of a flow is completed below
            dual = np.asarray(self.highs.getSolution().row_dual)
            reduced = np.where(self.flows, 0.0, self.cost - dual[:n, None] - dual[n:])
            best = np.argpartition(reduced, min(2, n - 1), axis=1)[:, :3]
            asked = np.zeros((n, n), dtype=bool)
            np.put_along_axis(asked, best, True, axis=1)
            asked &= reduced < -1e-12
            if not asked.any():
                break
            self._add(asked)
        flow = np.zeros(len(self.index))
        found = np.asarray(self.highs.getSolution().col_value)
        if found.size == flow.size:
            flow = np.maximum(np.nan_to_num(found, posinf=0.0), 0.0)
        return self.unit * self._cost_of(flow, p, q)

    def _cost_of(self, flow: Array, p: Array, q: Array) -> float:
        """The cost of ``flow`` made an exact coupling: cut down to both laws, the rest at random.

        So a tolerance of the solver can make the distance too large and never too small.
        """
        i, j = self.index.T
        n = len(p)
        for end, law in ((i, p), (j, q)):
            sums = np.bincount(end, flow, n)
            share = np.divide(law, sums, out=np.ones(n), where=sums > law)
            flow = flow * share[end]
        lack_p = np.maximum(p - np.bincount(i, flow, n), 0.0)
        lack_q = np.maximum(q - np.bincount(j, flow, n), 0.0)
        rest = float(lack_p @ self.cost @ lack_q) / max(lack_q.sum(), 1e-300)
        return float(flow @ self.cost[i, j]) + rest


def _staircase(p: Array, q: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the north-west corner coupling of p and q, empty steps included."""
    ends = np.concatenate([np.cumsum(p), np.cumsum(q)])
    along = np.argsort(ends, kind="stable")
    ends_p = along < p.size
    i: NDArray[np.int64] = np.cumsum(ends_p) - ends_p
    j: NDArray[np.int64] = np.cumsum(~ends_p) - ~ends_p
    return i.clip(max=p.size - 1), j.clip(max=q.size - 1)
