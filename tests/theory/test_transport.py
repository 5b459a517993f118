"""Couplings on the line, against linear programs and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from cdplib.theory import exact, transport, w2


def test_monotone_coupling_has_its_marginals_and_is_the_cheapest():
    rng = np.random.default_rng(0)
    for _ in range(10):
        p, q = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(6))
        x, z = rng.normal(size=4), rng.normal(size=6)
        plan = transport.monotone(p, q, x, z)
        np.testing.assert_allclose(plan.sum(axis=1), p, atol=1e-14)
        np.testing.assert_allclose(plan.sum(axis=0), q, atol=1e-14)
        cost = np.subtract.outer(x, z) ** 2
        rows = np.concatenate([np.kron(np.eye(4), np.ones(6)), np.kron(np.ones(4), np.eye(6))])
        best = linprog(cost.ravel(), A_eq=rows, b_eq=np.concatenate([p, q])).fun
        assert transport.w2(p, q, x, z) ** 2 == pytest.approx(best, abs=1e-9)


def test_rearranging_a_plan_lowers_distortion_and_error_together():
    rng = np.random.default_rng(1)
    problem = exact.gaussian_mixture_problem(20, threshold=1.2)
    estimate = problem.delta.argmin(axis=1)  # increases with y, as E[X|y] does
    for _ in range(10):
        plan = problem.plan(rng.dirichlet(np.ones(20), size=20))
        better = transport.rearranged(problem, plan, estimate)
        np.testing.assert_allclose(better.sum(axis=0), plan.sum(axis=0), atol=1e-12)
        assert problem.distortion(better) <= problem.distortion(plan) + 1e-12
        assert problem.error_rate(better) <= problem.error_rate(plan) + 1e-12


def test_w2_edge_is_met_by_a_linear_program_on_a_fine_alphabet():
    x = np.array([-1.0, 0.0, 2.0])
    law = np.array([[0.3, 0.1, 0.1], [0.1, 0.2, 0.2]])
    channel = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]])
    z = np.linspace(-1, 2, 301)
    px = np.zeros(301)
    px[[0, 100, 300]] = law.sum(axis=0)
    problem = exact.make_problem(
        law, channel, np.subtract.outer(x, z) ** 2, np.zeros(301, dtype=int), x=z, px=px
    )
    xy = law.sum(axis=0)[:, None] * channel
    m = (x @ xy) / xy.sum(axis=0)
    least = float(np.vdot(xy, np.subtract.outer(x, m) ** 2))
    span = transport.w2(law.sum(axis=0), problem.py, x, m)
    for P in (0.0, 0.1, 0.3, span, 2.0):
        numeric = w2.least_distortion(problem, P)
        closed = transport.w2_edge(least, span, P)
        assert closed - 1e-9 <= numeric <= closed + 2e-4


def test_spread_is_the_conditional_standard_deviation():
    assert transport.spread(np.diag([0.3, 0.7]), [0.0, 5.0]) == 0.0
    assert transport.spread(np.array([[0.5, 0.5], [0.0, 0.0]]), [-1.0, 1.0]) == pytest.approx(1.0)
