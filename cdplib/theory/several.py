"""Several predefined classifiers: the least *worst* error rate, max_k, within both budgets.

For weights w of the classifiers, C_w(D,P) is the function of one problem whose err is the mean
sum_k w_k err_k (an average over classifiers is linear, so Theorem 1 is about it too).  Restorations
form a convex compact set, errors are linear in them, and so, by minimax,

    min_W max_k <err_k, W>  =  max_w C_w(D,P).

Hence a certificate of C_w for *any* w is one of the worst case, and a mixture of plans bounds it
from above.  The maximum of the concave w -> C_w is found by cutting planes: every solved plan is a
plane, and the weights that the planes give each other are the mixture.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from cdplib.errors import InputError
from cdplib.theory import exact
from cdplib.theory.divergences import Divergence
from cdplib.theory.problem import Problem

Array = NDArray[np.float64]

_MOST_CUTS = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Worst:
    """min over restorations of the largest error rate, at one pair of budgets.

    ``status``, ``value``, ``lower``, ``upper``: as of :class:`exact.Solution`; ``value`` is the
    largest of ``errors`` (K,), those of ``plan`` (m, n). ``weights`` (K,) with ``lam`` and ``u``
    (n,) are the certificate: the arguments of :func:`certify`, or, where ``infeasible``, of
    :func:`exact.certify_infeasible`.
    """

    status: str
    value: float
    lower: float
    upper: float
    weights: Array
    lam: float
    u: Array
    errors: Array
    plan: Array | None

    @property
    def gap(self) -> float:
        """upper - lower; 0 where the point is proved infeasible."""
        return 0.0 if self.status == "infeasible" else self.upper - self.lower


def average(problems: Sequence[Problem], weights: ArrayLike) -> Problem:
    """The problem of the mean error rate; ``weights`` (K,) >= 0 are divided by their sum.

    ``problems`` differ in err (the predefined classifier) only; ``labels`` are those of the first.
    Raises :class:`InputError` if anything else differs, or for wrong weights.
    """
    _same(problems)
    w = np.asarray(weights, dtype=float)
    if w.shape != (len(problems),) or not (w >= 0).all() or not 0 < w.sum() < math.inf:
        raise InputError(
            f"weights {weights!r:.60}: expected {len(problems)} numbers >= 0, not all 0"
        )
    err = np.tensordot(w / w.sum(), np.array([p.err for p in problems]), axes=1)
    return dataclasses.replace(problems[0], err=err)


def certify(
    problems: Sequence[Problem],
    divergence: str | Divergence,
    D: float,
    P: float,
    weights: ArrayLike,
    lam: float,
    u: ArrayLike,
) -> float:
    """A lower bound of the least worst error, valid for *any* weights, lam >= 0 and u (n,).

    The largest error of a restoration is at least the mean one.
    """
    return exact.certify(average(problems, weights), divergence, D, P, lam, u)


def solve_worst(
    problems: Sequence[Problem], divergence: str | Divergence, D: float, P: float
) -> Worst:
    """The least worst error rate of K >= 1 classifiers at (D, P), with its certificate.

    "optimal" where the bounds meet to 1e-9 (TV, W1, and P = 0 or inf) or to 2e-7.  Raises
    :class:`InputError` if the problems differ in more than err.
    """
    _same(problems)
    errs = np.array([p.err for p in problems])
    weights = np.full(len(problems), 1.0 / len(problems))
    plans: list[Array] = []
    lower, upper, evidence, tolerance = -math.inf, math.inf, None, _tolerance(divergence, P)
    for _ in range(_MOST_CUTS):
        at = exact.solve(average(problems, weights), divergence, D, P)
        if at.plan is None:
            none = np.full(len(problems), at.value)
            return Worst(at.status, at.value, at.lower, at.upper, weights, at.lam, at.u, none, None)
        if at.lower > lower:
            lower, evidence = at.lower, (weights, at.lam, at.u)
        plans.append(at.plan)
        planes = np.array([np.tensordot(errs, plan) for plan in plans])  # (cuts, K)
        weights, mixture = _master(planes)
        if (mixture @ planes).max() < upper:
            plan = np.tensordot(mixture, np.array(plans), axes=1)
            errors = np.tensordot(errs, plan)
            upper = float(errors.max())
        if upper - lower <= tolerance:
            break
    assert evidence is not None
    status = "optimal" if upper - lower <= tolerance else "uncertified"
    return Worst(status, upper, min(lower, upper), upper, *evidence, errors, plan)


def _tolerance(divergence: str | Divergence, P: float) -> float:
    """What :func:`exact.solve` closes a point to, twice for the conic ones: two of them meet."""
    name = divergence if isinstance(divergence, str) else divergence.name
    linear = name in ("tv", "w1") or P in (0, math.inf)
    return exact.LINEAR_GAP if linear else 2 * exact.CONIC_GAP


def _master(planes: Array) -> tuple[Array, Array]:
    """max over w of min_j planes[j] . w: the weights (K,), and the mixture (cuts,) of the planes.

    Solved as the matrix game it is, from the side of the mixture: its dual are the weights.
    """
    cuts, size = planes.shape
    found = linprog(
        np.r_[np.zeros(cuts), 1.0],
        A_ub=np.c_[planes.T, -np.ones(size)],
        b_ub=np.zeros(size),
        A_eq=np.r_[np.ones(cuts), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * cuts + [(None, None)],
        method="highs",
    )
    weights = np.maximum(-found.ineqlin.marginals, 0.0)
    mixture = np.maximum(found.x[:cuts], 0.0)
    return weights / weights.sum(), mixture / mixture.sum()


def _same(problems: Sequence[Problem]) -> None:
    if len(problems) == 0:
        raise InputError("no problems: expected one for each classifier")
    first = problems[0]
    for k, other in enumerate(problems):
        for name in ("px", "py", "delta", "x"):
            if not np.array_equal(getattr(first, name), getattr(other, name)):
                raise InputError(
                    f"problem {k} has another {name}: expected the classifiers to differ only"
                )
