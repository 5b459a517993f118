"""C(inf, P) in closed form for f-divergences and Rényi's: only the decided classes count."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cdplib.errors import InputError
from cdplib.theory import divergences
from cdplib.theory.divergences import Divergence
from cdplib.theory.problem import Problem
from cdplib.theory.solver.engine import Edge, Engine
from cdplib.theory.toy import GaussianToy

Array = NDArray[np.float64]


def least_error(problem: Problem, divergence: str | Divergence, P: float) -> Edge:
    """C(inf, P) for f-divergences and Rényi's, from the law of the decided class alone.

    Coarse-graining X^ to its label cannot increase d, and spreading each label's mass over its
    letters in proportion to p_X attains that: C(inf, P) = min {eps_Y(b) : d(labels of p_X, b) <= P}
    with eps_Y(b) the least error of classifying Y that decides label l with probability b_l.  With
    two labels eps_Y is a fractional knapsack and b an interval; the general case is a problem on as
    many letters as there are labels.  Raises :class:`InputError` for w1, which knows positions.
    """
    d = divergences.get(divergence, problem.x)
    if not d.data_processing:
        raise InputError(f"{d.name} is not an f-divergence: C(inf, P) needs the exact solver")
    P = divergences.budget(P)
    kinds, first = np.unique(problem.labels, return_index=True)
    of = np.array([problem.px[problem.labels == kind].sum() for kind in kinds])
    err = problem.err[:, first]
    if len(kinds) == 1:
        value = float(problem.py @ err[:, 0])
        return Edge(value, status="optimal", lower=value, upper=value)
    if len(kinds) > 2:
        small = Problem(
            of / of.sum(), problem.py, np.zeros_like(err), err, np.arange(float(len(kinds))), kinds
        )
        at = Engine(small, d).point(math.inf, P)
        return Edge(at.value, status=at.status, lower=at.lower, upper=at.upper)
    low, high = _interval(d, float(of[0] / of.sum()), P)
    b, eps = _knapsack(problem.py, err)
    best = np.clip(b[np.argmin(eps)], low, high)
    found = float(np.interp(best, b, eps))
    return Edge(found, status="optimal", lower=found, upper=found)


def least_error_on_line(toy: GaussianToy, divergence: str | Divergence, P: float) -> float:
    """C(inf, P) of the continuous toy over *all* restorations, as :func:`least_error` says.

    The best rule that decides class 1 with probability b is a threshold on Y, because the
    likelihood ratio of Y increases: its error is ``toy.rule_error`` at Y's quantile of b.
    """
    d = _of_classes(divergence)
    low, high = _interval(d, float(toy.share(toy.boundary)), divergences.budget(P))
    best = float(toy.share(toy.bayes_threshold("y"), "y"))
    return float(toy.rule_error(toy.quantile(min(max(best, low), high), "y")))


def price_free(toy: GaussianToy, divergence: str | Divergence) -> float:
    """The least P at which C(inf, P) of the continuous toy is the Bayes error of Y."""
    a, b = (float(s) for s in (toy.share(toy.boundary), toy.share(toy.bayes_threshold("y"), "y")))
    return _of_classes(divergence).value([a, 1 - a], [b, 1 - b])


def _of_classes(divergence: str | Divergence) -> Divergence:
    d = divergences.get(divergence, np.arange(2.0))
    if not d.data_processing:
        raise InputError(f"{d.name} is not an f-divergence: C(inf, P) needs the exact solver")
    return d


def _interval(d: Divergence, a: float, P: float) -> tuple[float, float]:
    """{b : d((a, 1-a), (b, 1-b)) <= P} by bisection: d is convex in b and 0 at b = a."""

    def inside(b: float) -> bool:
        return d.value([a, 1 - a], [b, 1 - b]) <= P

    ends = []
    for out in (0.0, 1.0):
        if P == math.inf or inside(out):
            ends.append(out)
            continue
        near, far = a, out
        for _ in range(200):
            middle = 0.5 * (near + far)
            near, far = (middle, far) if inside(middle) else (near, middle)
        ends.append(near)
    return ends[0], ends[1]


def _knapsack(py: Array, err: Array) -> tuple[Array, Array]:
    """eps_Y(b) for two labels as the corners (b, value) of its convex graph; b is label 0's share.

    The letters that gain most (or lose least) per unit of mass from being called 0 come first.
    """
    gain = err[:, 0] - err[:, 1]
    order = np.argsort(gain, kind="stable")
    b = np.concatenate([[0.0], np.cumsum(py[order])])
    value = float(py @ err[:, 1]) + np.concatenate([[0.0], np.cumsum((py * gain)[order])])
    return b, value
