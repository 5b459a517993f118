"""W1 with a ground cost: against the line, against linprog, and its certificate alone."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cdplib.errors import InputError
from cdplib.theory import divergences, exact
from cdplib.theory.ground import Transport, euclidean


def some_problem(seed, k=6, m=5, classes=3, zeros=0):
    """A random problem on letters in the plane, and the letters (k, 2)."""
    rng = np.random.default_rng(seed)
    letters = rng.normal(size=(k, 2))
    law = rng.dirichlet(np.ones(classes * k)).reshape(classes, k)
    law[:, :zeros] = 0
    cost = ((letters[:, None] - letters) ** 2).sum(axis=2)
    channel = rng.dirichlet(np.ones(m), size=k)
    return exact.make_problem(law / law.sum(), channel, cost, rng.integers(0, classes, k)), letters


def by_linprog(problem, cost, D, P):
    """The textbook program: W and the whole coupling of p_X and r."""
    m, n = problem.shape
    rows = np.kron(np.eye(m), np.ones(n))
    marginal = np.kron(np.ones(m), np.eye(n))
    out, into = np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))
    none = np.zeros
    got = linprog(
        np.concatenate([problem.err.ravel(), none(n * n)]),
        A_ub=[
            np.concatenate([problem.delta.ravel(), none(n * n)]),
            np.concatenate([none(m * n), cost.ravel()]),
        ],
        b_ub=[D, P],
        A_eq=np.block([[rows, none((m, n * n))], [none((n, m * n)), out], [marginal, -into]]),
        b_eq=np.concatenate([problem.py, problem.px, none(n)]),
    )
    return got.fun if got.status == 0 else math.inf


@pytest.mark.parametrize("kind", ["metric", "any cost"])
@pytest.mark.parametrize("seed", range(6))
def test_random_problems_agree_with_linprog_and_close_their_certificate(kind, seed):
    problem, letters = some_problem(seed, zeros=seed % 3)
    d = euclidean(letters)
    if kind != "metric":
        table = np.random.default_rng(seed).random((6, 6)) * (1 - np.eye(6))
        d = Transport(cost=table)
    for P in (0.0, 0.05, 0.3, 1.0):
        edge = exact.least_distortion(problem, d, P)
        assert edge.status == "optimal"
        for D in (0.97 * edge, 1.03 * edge, 1.3 * edge, math.inf):
            found = exact.solve(problem, d, D, P)
            expected = by_linprog(problem, d.cost, D if D < math.inf else 1e6, P)
            assert found.value == pytest.approx(expected, abs=1e-8)
            if math.isfinite(expected):
                assert found.status == "optimal"
                assert exact.feasible(problem, d, D, P, found.plan)
                assert problem.error_rate(found.plan) == pytest.approx(found.upper, abs=1e-14)
                lower = exact.certify(problem, d, D, P, found.lam, found.u)
                assert found.upper - 1e-9 <= lower <= expected + 1e-8
            else:
                assert found.status == "infeasible"
                assert exact.certify_infeasible(problem, d, D, P, found.lam, found.u) > 0


@pytest.mark.parametrize("seed", range(3))
def test_flows_beyond_the_nearest_letters_are_found_where_a_budget_needs_them(seed):
    problem, letters = some_problem(seed, k=24, m=8)
    d = euclidean(letters)
    tight = d.value(problem.px, problem.plan(np.eye(24)[problem.delta.argmin(axis=1)]).sum(axis=0))
    for P in (0.3 * tight, tight * (1 - 1e-6)):
        D = 1.001 * float(exact.least_distortion(problem, d, P))
        found = exact.solve(problem, d, D, P)
        assert found.status == "optimal"
        assert found.value == pytest.approx(by_linprog(problem, d.cost, D, P), abs=1e-7)


def on_a_line(seed, n=7):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    x[1] = x[0]  # letters that share a position
    return rng, x, divergences.get("w1", x), Transport(cost=np.abs(x[:, None] - x))


@given(seed=st.integers(0, 10**6), P=st.floats(0, 3))
@settings(deadline=None, max_examples=60)
def test_distances_on_the_line_give_what_w1_gives(seed, P):
    rng, _, line, ground = on_a_line(seed)
    p, q = rng.dirichlet(np.ones(7), size=2)
    p[2:4] = 0
    p /= p.sum()
    assert ground.value(p, q) == pytest.approx(line.value(p, q), abs=1e-9)
    u = rng.normal(size=7)
    assert ground.support(u, p, P) == pytest.approx(line.support(u, p, P), abs=1e-12)


def test_on_the_line_c_of_d_and_p_is_that_of_w1():
    _, x, line, ground = on_a_line(3)
    problem = dataclasses.replace(some_problem(3, k=7)[0], x=x)
    for P in (0.02, 0.4):
        edge = float(exact.least_distortion(problem, ground, P))
        assert edge == pytest.approx(float(exact.least_distortion(problem, line, P)), abs=1e-9)
        for D in (1.05 * edge, 1.5 * edge):
            one, other = (exact.solve(problem, d, D, P) for d in (ground, line))
            assert one.value == pytest.approx(other.value, abs=2e-9)
    D = 1.2 * float(exact.least_distortion(problem, line, math.inf))
    edges = [float(exact.least_divergence(problem, d, D)) for d in (ground, line)]
    assert edges[0] == pytest.approx(edges[1], abs=1e-8)


@given(seed=st.integers(0, 10**6), size=st.sampled_from([1e-9, 1e-3, 1.0, 1e6, 1e15]))
@settings(deadline=None, max_examples=40)
def test_broken_multipliers_still_bound_from_below(seed, size):
    rng = np.random.default_rng(seed)
    problem, letters = some_problem(seed % 5)
    d, P = euclidean(letters), float(rng.choice([0.0, 0.1, 1.0]))
    D = 1.1 * float(exact.least_distortion(problem, d, P))
    value = exact.solve(problem, d, D, P).value
    u, lam = size * rng.normal(size=6) + rng.choice([0, size]), abs(size * rng.normal())
    assert exact.certify(problem, d, D, P, lam, u) <= value + 1e-10
    assert exact.certify_infeasible(problem, d, D, P, lam, u) <= 0


@given(seed=st.integers(0, 10**6), share=st.floats(0, 1))
@settings(deadline=None, max_examples=40)
def test_no_law_in_the_ball_is_below_the_support_function(seed, share):
    rng = np.random.default_rng(seed)
    d = Transport(cost=rng.random((6, 6)) * (1 - np.eye(6)))
    p, q = rng.dirichlet(np.ones(6), size=2)
    r, u = (1 - share) * p + share * q, rng.normal(size=6)
    assert d.support(u, p, d.value(p, r)) <= u @ r + 1e-9


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1e6])
def test_the_unit_of_the_cost_is_the_unit_of_the_budget(scale):
    problem, letters = some_problem(1)
    P = 0.2
    D = 1.1 * float(exact.least_distortion(problem, euclidean(letters), P))
    one = exact.solve(problem, euclidean(letters), D, P)
    other = exact.solve(problem, euclidean(scale * letters), D, scale * P)
    assert other.status == one.status == "optimal"
    assert other.value == pytest.approx(one.value, abs=1e-9)
    assert scale * other.mu == pytest.approx(one.mu, rel=1e-6)


def test_a_cost_of_one_everywhere_is_total_variation():
    problem, _ = some_problem(2, zeros=1)
    d = Transport(cost=1 - np.eye(6))
    D = 1.05 * float(exact.least_distortion(problem, "tv", 0.1))
    expected = exact.solve(problem, "tv", D, 0.1)
    assert exact.solve(problem, d, D, 0.1).value == pytest.approx(expected.value, abs=1e-9)
    surface = exact.surface(problem, d, [D, 2 * D], [0.1, math.inf])
    assert (surface.status == "optimal").all()
    assert surface.value[0, 0] == pytest.approx(expected.value, abs=1e-9)


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (np.zeros((2, 3)), "shape (2, 3): expected a square table"),
        ([[0, 1], [1]], "no table"),
        ([[0, -1], [1, 0]], "entry -1.0"),
        ([[0, np.inf], [1, 0]], "entry inf"),
        ([[0, 1], [1, 0.5]], "cost[1, 1] is 0.5: expected 0"),
    ],
)
def test_what_is_no_ground_cost_is_refused(cost, said):
    with pytest.raises(InputError) as error:
        Transport(cost=cost)
    assert said in str(error.value)


def test_a_cost_for_other_letters_is_refused():
    problem, letters = some_problem(0)
    with pytest.raises(InputError, match="4 letters: expected 6"):
        exact.solve(problem, euclidean(letters[:4]), 1.0, 0.1)
    with pytest.raises(InputError, match="letters has shape"):
        euclidean(np.zeros(3))
