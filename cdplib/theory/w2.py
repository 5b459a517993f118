"""C(D,P) for d = W2 on a line: a linear program with the transport plan as columns, certified.

The budget W2(p_X, p_X^) <= P is one of W2^2, which is convex in p_X^ (W2 itself is not), and linear
in a transport plan T of p_X to the law of X^:

    min <err, W>  s.t.  W 1 = p_Y,  <delta, W> <= D,  T 1 = p_X,  W' 1 = T' 1,  <cost, T> <= P^2.

The support function of the ball is Kantorovich's, h(u) = max over t >= 0 of
sum_i p_i min_j (u_j + t |x_i - x_j|^2) - t P^2, so that the certificate is that of every other
divergence: ``exact.certify(problem, Squared(x=...), D, P**2, lam, u)``.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog

from cdplib.errors import InputError
from cdplib.theory import divergences, exact, transport
from cdplib.theory.divergences import Divergence
from cdplib.theory.ground import kantorovich
from cdplib.theory.problem import Problem

Array = NDArray[np.float64]

_OPTIONS: dict[str, Any] = {
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}


@dataclasses.dataclass(frozen=True)
class Squared(Divergence):
    """W2(p, q)^2 of laws on the positions ``x`` (n,): the cost of the monotone coupling."""

    name: str = "w2_squared"
    x: tuple[float, ...] = ()
    data_processing: ClassVar[bool] = False

    @property
    def cost(self) -> Array:
        """|x_i - x_j|^2 (n, n)."""
        return np.subtract.outer(self.x, self.x) ** 2

    def rounding(self) -> float:  # in the unit of the square, which the positions bring
        return 2.0**-48 * float(self.cost.max())

    def _value(self, p: Array, q: Array) -> float:
        return transport.w2_squared(p, q, self.x, self.x)

    def _dual(self, u: Array, p: Array, P: float) -> tuple[float, float]:
        """Kantorovich's, with the square of the distance as the cost."""
        return kantorovich(self.cost, u, p, P)


def solve(problem: Problem, D: float, P: float) -> exact.Solution:
    """C(D,P) with W2(p_X, p_X^) <= P on the positions ``problem.x``; ``P`` in their unit.

    ``D`` in (-inf, inf], ``P`` in [0, inf]. ``lam``, ``mu`` are -dC/dD and -dC/dP. "optimal" where
    a plan within both budgets and the certificate meet to 1e-9. About m n + n^2 columns: for
    alphabets up to about 100 letters.
    """
    square = divergences.budget(P) ** 2
    if _as_w1(problem, P):
        return exact.solve(problem, "w1", D, P)
    d = Squared(x=tuple(problem.x.tolist()))
    inner_D, inner_P = D, square
    lower, lam, u = -math.inf, 0.0, np.zeros(problem.px.size)
    plan: Array | None = None
    for attempt in range(4):
        found = _program(problem, problem.err, d, inner_D, inner_P)
        if found is None and attempt == 0:
            return _infeasible(problem, d, D, square)
        if found is None:
            break
        plan, lam_now, u_now = found
        bound = exact.certify(problem, d, D, square, lam_now, u_now)
        if bound > lower:
            lower, lam, u = bound, lam_now, u_now
        if exact.feasible(problem, d, D, square, plan):
            break
        # tolerances of the linear program: ask for a little more than is wanted
        over_D = max(0.0, problem.distortion(plan) - D) if D < math.inf else 0.0
        inner_D -= 2 * over_D
        inner_P = max(0.0, inner_P - 2 * max(0.0, _used(problem, d, plan) - square))
    assert plan is not None
    if not exact.feasible(problem, d, D, square, plan):
        plan = _mixed(problem, d, D, square, plan)
    mu = 2 * P * d.dual(u, problem.px, square)[1]
    if plan is None:
        return exact.Solution("uncertified", math.inf, lower, math.inf, lam, mu, None, u)
    upper = problem.error_rate(plan)
    status = "optimal" if upper - lower <= exact.LINEAR_GAP else "uncertified"
    return exact.Solution(status, upper, min(lower, upper), upper, lam, mu, plan, u)


def _as_w1(problem: Problem, P: float) -> bool:
    """Whether the ball is every law, or p_X alone (positions differ), as it is for W1."""
    return P == math.inf or (P == 0 and np.unique(problem.x).size == problem.x.size)


def _used(problem: Problem, d: Squared, plan: Array) -> float:
    r = plan.sum(axis=0)
    return d.value(problem.px, r / r.sum())


def _mixed(problem: Problem, d: Squared, D: float, square: float, plan: Array) -> Array | None:
    """``plan`` with as much of the best one at P = 0 as brings it within the ball, or None."""
    perfect = exact.solve(problem, "w1", D, 0.0).plan
    if perfect is None:
        return None
    share = max(0.0, 1 - square / max(_used(problem, d, plan), 1e-300)) * (1 + 1e-9) + 1e-12
    mixed = (1 - share) * plan + share * perfect if share < 1 else perfect
    return mixed if exact.feasible(problem, d, D, square, mixed) else None


def least_distortion(problem: Problem, P: float) -> float:
    """The least E[Delta] of any restoration with W2(p_X, p_X^) <= P, as the program finds it.

    Raises :class:`InputError` if no law on the letters of X^ is within ``P``.
    """
    square = divergences.budget(P) ** 2
    if _as_w1(problem, P):
        return float(exact.least_distortion(problem, "w1", P))
    d = Squared(x=tuple(problem.x.tolist()))
    found = _program(problem, problem.delta, d, math.inf, square)
    if found is None:
        raise InputError(f"P is {P}: no law on the letters of X^ is within it")
    return problem.distortion(found[0])


def _infeasible(problem: Problem, d: Squared, D: float, square: float) -> exact.Solution:
    """What the multipliers of the least distortion prove of a point that the program refused."""
    found = _program(problem, problem.delta, d, math.inf, square)
    none = np.zeros(problem.px.size)
    if found is not None and exact.certify_infeasible(problem, d, D, square, 1.0, found[2]) > 0:
        return exact.Solution(
            "infeasible", math.inf, math.inf, math.inf, 1.0, math.nan, None, found[2]
        )
    return exact.Solution("uncertified", math.inf, -math.inf, math.inf, 0.0, 0.0, None, none)


def _program(
    problem: Problem, objective: Array, d: Squared, D: float, square: float
) -> tuple[Array, float, Array] | None:
    """The plan (m, n), lam and u (n,) of the linear program, or None where it is refused."""
    (m, n), on = problem.shape, problem.px > 0
    k = int(on.sum())
    rows = [sparse.kron(sparse.identity(size), np.ones((1, n))) for size in (m, k)]
    links = [sparse.kron(np.ones((1, size)), sparse.identity(n)) for size in (m, k)]
    size, far, worth = (
        2.0 ** math.frexp(float(np.abs(table).max()) or 1.0)[1]
        for table in (problem.delta, d.cost, objective)
    )
    budgets = [[problem.delta.ravel() / size, np.zeros(k * n)]] if D < math.inf else []
    budgets.append([np.zeros(m * n), d.cost[on].ravel() / far])
    found: OptimizeResult = linprog(
        np.concatenate([objective.ravel() / worth, np.zeros(k * n)]),
        A_ub=sparse.csr_matrix(np.array([np.concatenate(row) for row in budgets])),
        b_ub=np.array([D / size, square / far][-len(budgets) :]),
        A_eq=sparse.bmat([[rows[0], None], [None, rows[1]], [links[0], -links[1]]], format="csc"),
        b_eq=np.concatenate([problem.py, problem.px[on] / problem.px[on].sum(), np.zeros(n)]),
        method="highs-ds",
        options=_OPTIONS,
    )
    if found.status != 0:
        return None
    plan = np.maximum(found.x[: m * n].reshape(m, n), 0.0)
    mass = plan.sum(axis=1)
    plan *= np.divide(problem.py, mass, where=mass > 0, out=np.zeros(m))[:, None]
    lam = max(0.0, -float(found.ineqlin.marginals[0]) * worth / size) if D < math.inf else 0.0
    return plan, lam, np.asarray(found.eqlin.marginals[m + k :] * worth)
