"""C(D,P) for f-divergences and Rényi's: a convex cone program, solved by native Clarabel.

With rho = r / p_X on the letters of p_X, every one of these divergences is sum_j p_j f(rho_j), and
f's epigraph is one small cone per letter:

    kl            -log rho      exponential    (-t, 1, rho)
    reverse_kl    rho log rho   exponential    (-t, rho, 1)
    hellinger2    -sqrt rho     second order   rho >= t^2
    chi2          1 / rho       second order   t rho >= 1
    renyi:A       -+rho^(1-A)   power

Only columns (y, x^) of a working set are in the program; see :mod:`cdplib.theory.solver.columns`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cdplib.theory.divergences import Divergence, Renyi, ReverseKL
from cdplib.theory.problem import Problem
from cdplib.theory.solver.answer import LARGEST, Answer

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Epigraph:
    """One cone per letter: rows ``on_rho`` rho + ``on_t`` t + ``constant``, and sum p t <= level.

    ``level(P)`` is what the budget P allows sum p t to be; inf where no double holds it.
    """

    cone: Any
    on_rho: tuple[float, float, float]
    on_t: tuple[float, float, float]
    constant: tuple[float, float, float]
    divergence: Divergence

    def level(self, P: float) -> float:
        d = self.divergence
        if not isinstance(d, Renyi) or d.order == 1:
            return P
        sign = 1.0 if d.order > 1 else -1.0
        exponent = (d.order - 1) * d.rate(P)
        return sign * math.exp(exponent) if exponent < 700 else math.inf


def epigraph(divergence: Divergence) -> Epigraph | None:
    """The cone of ``divergence``; None for those that a linear program handles."""
    if isinstance(divergence, ReverseKL):
        return Epigraph(clarabel.ExponentialConeT(), (0, 1, 0), (-1, 0, 0), (0, 0, 1), divergence)
    if not isinstance(divergence, Renyi) or divergence.order == math.inf:
        return None
    a = divergence.order
    if a == 1:
        return Epigraph(clarabel.ExponentialConeT(), (0, 0, 1), (-1, 0, 0), (0, 1, 0), divergence)
    if a == 0.5:  # |(rho - 1, 2t)| <= rho + 1
        return Epigraph(clarabel.SecondOrderConeT(3), (1, 1, 0), (0, 0, 2), (1, -1, 0), divergence)
    if a == 2:  # |(t - rho, 2)| <= t + rho
        return Epigraph(clarabel.SecondOrderConeT(3), (1, -1, 0), (1, 1, 0), (0, 0, 2), divergence)
    if a < 1:  # rho^(1-a) 1^a >= -t
        return Epigraph(clarabel.PowerConeT(1 - a), (1, 0, 0), (0, 0, -1), (0, 1, 0), divergence)
    return Epigraph(clarabel.PowerConeT(1 / a), (0, 1, 0), (1, 0, 0), (0, 0, 1), divergence)


#: Letters lighter than this have no cone: they hardly count in the value, a repair serves them.
LIGHT = 1e-11


class ConicModel:
    """The cone program over a set of columns; ``solve`` for any (D, P).

    ``cost`` (m, n): what to minimise, err or delta.  With ``least_divergence`` the cost is left
    out and the divergence itself is minimised.
    """

    def __init__(
        self, problem: Problem, cone: Epigraph, cost: Array, least_divergence: bool = False
    ) -> None:
        self.problem, self.cone, self.cost = problem, cone, cost
        self.least_divergence = least_divergence
        own = isinstance(cone.divergence, ReverseKL)  # there, light letters cannot be left out
        self.letters = np.flatnonzero(problem.px > (0.0 if own else LIGHT))
        self.delta = np.minimum(problem.delta, LARGEST)
        self.columns: NDArray[np.int64] = np.zeros((0, 2), dtype=np.int64)
        self.loose = 1.0 + float(problem.py @ self.delta.max(axis=1))
        self._built: dict[float, tuple[Any, ...]] = {}

    def set_columns(self, mask: NDArray[np.bool_]) -> None:
        """Use the columns (y, x^) where ``mask`` (m, n) is true."""
        columns = np.argwhere(mask)
        if not np.array_equal(columns, self.columns):
            self.columns, self._built = columns, {}

    def _build(self, scaling: float) -> tuple[Any, ...]:
        """Matrix, bounds, cones and objective; each letter's cone is multiplied by p^(1-scaling).

        Scaling 1 leaves rho as it is, huge in the tails of p; scaling 0 has r itself, tiny there.
        Cones do not mind, the solver does: 1/2 balances both and is the quickest by far.
        """
        problem, cone, on = self.problem, self.cone, self.letters
        m, n = problem.shape
        y, x = self.columns.T
        count, t = len(y), len(on)
        one, take = np.ones(count), np.arange(count)
        scale = problem.px[on] ** (1 - scaling)
        marginal = sparse.csr_matrix((one, (x, take)), shape=(n, count))[on]
        marginal = sparse.diags(scale / problem.px[on]) @ marginal  # W -> scaled rho
        blocks = [
            [sparse.csr_matrix((one, (y, take)), shape=(m, count)), None],
            [-sparse.identity(count), None],
            [sparse.csr_matrix(self.delta[y, x][None]), None],
            [None, sparse.csr_matrix((problem.px[on] / scale)[None])],
            [
                -sparse.kron(marginal, np.array(cone.on_rho, dtype=float)[:, None]),
                -sparse.kron(sparse.identity(t), np.array(cone.on_t, dtype=float)[:, None]),
            ],
        ]
        matrix = sparse.csc_matrix(sparse.bmat(blocks))
        matrix.eliminate_zeros()
        constant = np.kron(scale, np.array(cone.constant, dtype=float))
        bound = np.concatenate([problem.py, np.zeros(count + 2), constant])
        cones = [clarabel.ZeroConeT(m), clarabel.NonnegativeConeT(count + 2), *[cone.cone] * t]
        linear = np.zeros(count + t)
        if self.least_divergence:
            linear[count:] = problem.px[on] / scale
        else:
            linear[:count] = self.cost[y, x]
        return matrix, bound, cones, linear, scale

    def solve(self, D: float, P: float, scaling: float = 0.5) -> Answer | None:
        """Clarabel's answer, however it ended; None where it returned no finite numbers."""
        if scaling not in self._built:
            self._built[scaling] = self._build(scaling)
        matrix, bound, cones, linear, scale = self._built[scaling]
        problem, on = self.problem, self.letters
        (m, n), count = problem.shape, len(self.columns)
        bound = bound.copy()
        # Without a budget the row stays, never tight but of its own scale.
        bound[m + count] = self.loose if D == math.inf else D
        bound[m + count + 1] = 1e3 if P == math.inf else self.cone.level(P)
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.max_threads = 1
        settings.presolve_enable = False
        settings.equilibrate_enable = False
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-9
        nothing = sparse.csc_matrix((len(linear), len(linear)))
        got = clarabel.DefaultSolver(nothing, linear, matrix, bound, cones, settings).solve()
        primal, dual = np.array(got.x), np.array(got.z)
        if not (np.isfinite(primal).all() and np.isfinite(dual).all()):
            return None
        y, x = self.columns.T
        plan = np.zeros(problem.shape)
        plan[y, x] = primal[:count]
        lam = max(0.0, float(dual[m + count]))
        blocks = dual[m + count + 2 :].reshape(-1, 3)
        u = np.zeros(n)
        u[on] = blocks @ np.array(self.cone.on_rho, dtype=float) * scale / problem.px[on]
        return Answer(plan, lam, u)
