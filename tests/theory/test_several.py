"""The least worst error of several classifiers, against a linear program and its certificate."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import linprog

from cdplib.errors import InputError
from cdplib.theory import exact, several

TOYS = [exact.gaussian_mixture_problem(32, threshold=t) for t in (-0.3, 1.2)]


def program(problems, D):
    """min t subject to <err_k, W> <= t, <delta, W> <= D, in one linear program (P = inf)."""
    (m, n), K = problems[0].shape, len(problems)
    rows = [np.r_[p.err.ravel(), -1.0] for p in problems] + [np.r_[problems[0].delta.ravel(), 0.0]]
    found = linprog(
        np.r_[np.zeros(m * n), 1.0],
        A_ub=rows,
        b_ub=[0.0] * K + [D],
        A_eq=np.c_[np.kron(np.eye(m), np.ones(n)), np.zeros(m)],
        b_eq=problems[0].py,
    )
    return found.fun


@pytest.mark.parametrize("D", [0.66, 0.7, 0.8])
def test_it_is_what_one_linear_program_says(D):
    found = several.solve_worst(TOYS, "tv", D, np.inf)
    assert found.status == "optimal"
    assert found.value == pytest.approx(program(TOYS, D), abs=1e-8)


@pytest.mark.parametrize(("name", "tolerance"), [("tv", 1e-9), ("w1", 1e-9), ("kl", 2e-7)])
def test_an_interior_weight_has_equal_errors_and_a_certificate(name, tolerance):
    D, P = 0.8, 0.05 if name != "w1" else 0.2
    found = several.solve_worst(TOYS, name, D, P)
    assert found.status == "optimal"
    assert found.gap <= tolerance
    if found.weights.min() > 0.01:
        assert found.errors == pytest.approx(np.full(2, found.value), abs=1e-6)
    again = several.certify(TOYS, name, D, P, found.weights, found.lam, found.u)
    assert again == pytest.approx(found.lower, abs=1e-12)
    assert exact.feasible(TOYS[0], name, D, P, found.plan)
    singles = [exact.solve(toy, name, D, P).value for toy in TOYS]
    assert found.value >= max(singles) - tolerance


def test_the_worst_case_costs_more_than_each_alone():
    found = several.solve_worst(TOYS, "tv", 0.7, np.inf)
    assert 0.05 < found.weights[0] < 0.95
    assert found.value > max(exact.solve(toy, "tv", 0.7, np.inf).value for toy in TOYS) + 1e-3


def test_no_weights_certify_more_than_the_value():
    found = several.solve_worst(TOYS, "tv", 0.7, np.inf)
    random = np.random.default_rng(1)
    for _ in range(30):
        u = found.u + 0.1 * random.normal(size=32)
        lam = found.lam * random.exponential()
        bound = several.certify(TOYS, "tv", 0.7, np.inf, random.dirichlet([1, 1]), lam, u)
        assert bound <= found.value


def test_one_classifier_or_twice_the_same_is_the_old_problem():
    old = exact.solve(TOYS[1], "tv", 0.7, 0.1)
    for problems in (TOYS[1:], [TOYS[1]] * 3):
        found = several.solve_worst(problems, "tv", 0.7, 0.1)
        assert found.value == pytest.approx(old.value, abs=1e-9)


def test_the_worst_case_is_convex_and_not_increasing():
    Ds = np.linspace(0.66, 0.9, 7)
    values = np.array([several.solve_worst(TOYS, "tv", D, np.inf).value for D in Ds])
    assert (np.diff(values) <= 1e-9).all()
    assert (np.diff(values, 2) >= -1e-9).all()
    assert np.ptp(values) > 0.01


def test_three_classifiers_on_random_problems():
    random = np.random.default_rng(2)
    for _ in range(5):
        joint = random.dirichlet(np.ones(8)).reshape(2, 4)
        channel, cost = random.dirichlet(np.ones(4), size=4), random.random((4, 4))
        labels = random.integers(0, 2, size=(3, 4))
        problems = [exact.make_problem(joint, channel, cost, row) for row in labels]
        D = float(exact.least_distortion(problems[0], "tv", np.inf)) + 0.05
        found = several.solve_worst(problems, "tv", D, np.inf)
        assert found.status == "optimal"
        assert found.value == pytest.approx(program(problems, D), abs=1e-8)


def test_infeasible_budgets_are_proved():
    found = several.solve_worst(TOYS, "tv", 0.1, 0.0)
    assert (found.status, found.value, found.plan) == ("infeasible", np.inf, None)
    assert exact.certify_infeasible(TOYS[0], "tv", 0.1, 0.0, found.lam, found.u) > 0


def test_wrong_input_is_quoted():
    other = dataclasses.replace(TOYS[0], delta=TOYS[0].delta + 1)
    with pytest.raises(InputError, match="problem 1 has another delta"):
        several.solve_worst([TOYS[0], other], "tv", 1, 1)
    with pytest.raises(InputError, match="no problems"):
        several.solve_worst([], "tv", 1, 1)
    for weights in ([1.0], [-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0]):
        with pytest.raises(InputError, match="weights"):
            several.average(TOYS, weights)
