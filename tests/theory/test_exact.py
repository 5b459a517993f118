"""C(D,P): against scipy's linprog, against cvxpy, against closed forms, and certificates alone."""

from __future__ import annotations

import dataclasses
import doctest
import math
import subprocess
import sys

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cdplib.errors import InputError
from cdplib.theory import divergences, exact

LINEAR = ("tv", "w1", "renyi:inf")
CONIC = ("kl", "reverse_kl", "hellinger2", "chi2", "renyi:0.3", "renyi:3")
ALL = LINEAR + CONIC


def some_problem(seed, classes=2, k=5, m=6, structured=False):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.normal(size=k))
    cost = (x[:, None] - x[None]) ** 2 if structured else rng.random((k, k))
    return exact.make_problem(
        rng.dirichlet(np.ones(classes * k)).reshape(classes, k),
        rng.dirichlet(np.ones(m), size=k),
        cost,
        rng.integers(0, classes, k),
        x=x,
    )


def binary(flip, prior=0.5):
    return exact.make_problem(
        np.diag([prior, 1 - prior]),
        [[1 - flip, flip], [flip, 1 - flip]],
        1 - np.eye(2),
        [0, 1],
    )


def by_linprog(problem, name, D, P):
    """The textbook program: W, and for TV the two parts of r - p, for W1 those of its sums."""
    m, n = problem.shape
    rows = np.kron(np.eye(m), np.ones(n))
    marginal = np.kron(np.ones(m), np.eye(n))
    order = np.argsort(problem.x)
    if name == "tv":
        difference, weight = marginal, np.full(n, 0.5)
        level = problem.px
    else:
        sums = np.tril(np.ones((n, n)))[: n - 1]
        difference, level = sums @ marginal[order], sums @ problem.px[order]
        weight = np.diff(problem.x[order])
    parts = len(level)
    a_eq = np.block([[rows, np.zeros((m, 2 * parts))], [difference, -np.eye(parts), np.eye(parts)]])
    a_ub = np.block(
        [[problem.delta.ravel(), np.zeros(2 * parts)], [np.zeros(m * n), weight, weight]]
    )
    got = linprog(
        np.concatenate([problem.err.ravel(), np.zeros(2 * parts)]),
        A_ub=a_ub, b_ub=[D, P], A_eq=a_eq, b_eq=np.concatenate([problem.py, level]),
    )  # fmt: skip
    return got.fun if got.status == 0 else math.inf


def by_cvxpy(problem, name, D, P):
    W = cp.Variable(problem.shape, nonneg=True)
    r, p = cp.sum(W, axis=0), problem.px
    ball = {
        "kl": lambda: cp.sum(cp.kl_div(p, r)) <= P,
        "reverse_kl": lambda: cp.sum(cp.kl_div(r, p)) <= P,
        "hellinger2": lambda: cp.sum(cp.multiply(np.sqrt(p), cp.sqrt(r))) >= 1 - P,
        "chi2": lambda: cp.sum(cp.multiply(p**2, cp.inv_pos(r))) <= 1 + P,
        "renyi:0.3": lambda: (
            cp.sum(cp.multiply(p, cp.power(cp.multiply(r, 1 / p), 0.7, approx=False)))
            >= math.exp(-0.7 * P)
        ),
        "renyi:3": lambda: (
            cp.sum(cp.multiply(p, cp.power(cp.multiply(r, 1 / p), -2, approx=False)))
            <= math.exp(2 * P)
        ),
        "renyi:inf": lambda: r >= math.exp(-P) * p,
    }[name]()
    rows = cp.sum(W, axis=1) == problem.py
    goal = cp.Minimize(cp.sum(cp.multiply(problem.err, W)))
    program = cp.Problem(goal, [rows, cp.sum(cp.multiply(problem.delta, W)) <= D, ball])
    program.solve(solver=cp.CLARABEL)
    return program.value


def verify(problem, name, D, P, solution):
    """Everything that a solution claims, from the definitions."""
    W = solution.plan
    assert (W >= 0).all()
    np.testing.assert_allclose(W.sum(axis=1), problem.py, atol=1e-13)
    assert np.vdot(problem.delta, W) <= D + 1e-11
    d = divergences.get(name, problem.x)
    assert d.value(problem.px, W.sum(axis=0) / W.sum()) <= P + 1e-11
    assert np.vdot(problem.err, W) == pytest.approx(solution.upper, abs=1e-15)
    lower = exact.certify(problem, name, D, P, solution.lam, solution.u)
    assert lower >= solution.lower - 1e-15
    assert solution.status == "optimal"
    tolerance = exact.LINEAR_GAP if name in LINEAR else exact.CONIC_GAP
    assert solution.upper - lower <= tolerance
    assert solution.lower <= solution.value <= solution.upper


@pytest.mark.parametrize("name", ["tv", "w1"])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("structured", [False, True])
def test_linear_programs_agree_with_linprog(name, seed, structured):
    problem = some_problem(seed, classes=2 + seed % 2, structured=structured)
    for P in (0.0, 0.04, 0.2):
        edge = exact.least_distortion(problem, name, P)
        for D in (0.97 * edge, 1.03 * edge, 1.3 * edge):
            solution = exact.solve(problem, name, D, P)
            expected = by_linprog(problem, name, D, P)
            assert solution.value == pytest.approx(expected, abs=1e-8)
            if math.isfinite(expected):
                verify(problem, name, D, P, solution)


@pytest.mark.parametrize("name", [*CONIC, "renyi:inf"])
@pytest.mark.parametrize("seed", range(3))
def test_cone_programs_agree_with_cvxpy(name, seed):
    problem = some_problem(seed, structured=seed == 2)
    for P in (0.02, 0.3):
        D = 1.1 * exact.least_distortion(problem, name, P)
        solution = exact.solve(problem, name, D, P)
        verify(problem, name, D, P, solution)
        assert solution.value == pytest.approx(by_cvxpy(problem, name, D, P), abs=2e-6)


@pytest.mark.parametrize("name", ALL)
def test_certificate_is_a_bound_for_any_multipliers(name):
    rng = np.random.default_rng(3)
    problem = some_problem(3)
    for _ in range(40):
        q = rng.dirichlet(np.ones(problem.shape[1]) * 0.4, size=problem.shape[0])
        W = problem.plan(q)
        d = divergences.get(name, problem.x)
        D, P = problem.distortion(W), d.value(problem.px, W.sum(axis=0) / W.sum())
        lam, u = rng.exponential(), rng.normal(size=problem.shape[1])
        assert exact.certify(problem, name, D, P, lam, u) <= problem.error_rate(W) + 1e-12
        assert exact.certify_infeasible(problem, name, D, P, lam, u) <= 1e-12


@pytest.mark.parametrize("name", ALL)
def test_infeasible_points_carry_a_proof(name):
    problem = some_problem(1)
    edge = exact.least_distortion(problem, name, 0.05)
    solution = exact.solve(problem, name, 0.99 * edge, 0.05)
    assert (solution.status, solution.value, solution.plan) == ("infeasible", math.inf, None)
    proof = exact.certify_infeasible(problem, name, 0.99 * edge, 0.05, solution.lam, solution.u)
    assert proof == pytest.approx(0.01 * edge, rel=1e-3)


@pytest.mark.parametrize("name", ALL)
def test_edges_are_inverse_to_each_other_and_attained(name):
    problem = some_problem(8, structured=True)
    P = 0.06
    D = exact.least_distortion(problem, name, P)
    assert (D.status, D.value) == ("optimal", float(D))
    back = exact.least_divergence(problem, name, D)
    assert back.status == "optimal"
    assert back == pytest.approx(P, abs=1e-5)
    assert exact.least_distortion(problem, name, math.inf) == pytest.approx(
        float(problem.py @ problem.delta.min(axis=1)), abs=1e-12
    )
    assert exact.least_divergence(problem, name, 1e3) == 0.0
    below = exact.least_divergence(problem, name, 0.5 * D)
    assert (float(below), below.status) == (math.inf, "infeasible")


@pytest.mark.parametrize("name", ALL)
def test_multipliers_are_the_slopes_of_the_surface(name):
    problem = exact.gaussian_mixture_problem(24, threshold=1.2)
    P, D, step = 0.03, 0.74, 2e-4
    at = exact.solve(problem, name, D, P)
    for price, move in ((at.lam, (step, 0)), (at.mu, (0, step))):
        ahead = exact.solve(problem, name, D + move[0], P + move[1]).value - at.value
        behind = at.value - exact.solve(problem, name, D - move[0], P - move[1]).value
        assert behind / step - 1e-3 <= -price <= ahead / step + 1e-3


@pytest.mark.parametrize("name", ALL)
def test_surface_is_monotone_convex_and_equal_to_single_points(name):
    problem = some_problem(5, structured=True)
    Ps = [0.02, 0.09, 0.16, math.inf]
    low = exact.least_distortion(problem, name, 0.02)
    Ds = [0.8 * low, 1.02 * low, 1.1 * low, 1.18 * low, math.inf]
    surface = exact.surface(problem, name, Ds, Ps)
    assert surface.value.shape == (5, 4)
    inside = surface.status != "infeasible"
    assert (surface.status[inside] == "optimal").all()
    assert np.isinf(surface.value[~inside]).all()
    assert np.isnan(surface.lam[~inside]).all()
    value = surface.value
    later = value[1:]
    assert (later <= value[:-1] + 1e-7).all()
    assert (value[:, 1:] <= value[:, :-1] + 1e-7).all()
    assert (2 * value[2, :] <= value[1, :] + value[3, :] + 4e-7).all()  # equally spaced in D
    assert (2 * value[1:, 1] <= value[1:, 0] + value[1:, 2] + 4e-7).all()  # and in P
    for i, j in ((0, 0), (1, 0), (3, 2), (4, 3)):
        single = exact.solve(problem, name, Ds[i], Ps[j])
        assert single.status == surface.status[i, j]
        assert single.value == pytest.approx(value[i, j], abs=2e-7)


@pytest.mark.parametrize("name", [n for n in ALL if n != "w1"])
@pytest.mark.parametrize("classes", [2, 3])
def test_unlimited_distortion_has_the_closed_form(name, classes):
    problem = some_problem(11, classes=classes, k=7)
    for P in (0.0, 0.01, 0.08, 0.5, math.inf):
        closed = exact.least_error(problem, name, P)
        solved = exact.solve(problem, name, math.inf, P)
        assert solved.status == "optimal"
        assert closed == pytest.approx(solved.value, abs=2e-7)
    bayes = problem.py @ problem.err.min(axis=1)
    assert exact.least_error(problem, name, math.inf) == pytest.approx(bayes, abs=1e-12)


def test_closed_form_is_refused_where_positions_matter():
    with pytest.raises(InputError, match="w1"):
        exact.least_error(some_problem(0), "w1", 0.1)


# -- metamorphic -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tv", "w1", "kl", "hellinger2"])
@given(seed=st.integers(0, 10**4))
@settings(max_examples=6, deadline=None)
def test_names_of_letters_do_not_matter(name, seed):
    problem = some_problem(seed)
    rng = np.random.default_rng(seed)
    rows, cols = rng.permutation(problem.shape[0]), rng.permutation(problem.shape[1])
    shuffled = exact.Problem(
        px=problem.px[cols], py=problem.py[rows], delta=problem.delta[rows][:, cols],
        err=problem.err[rows][:, cols], x=problem.x[cols], labels=problem.labels[cols],
    )  # fmt: skip
    D = 1.1 * exact.least_distortion(problem, name, 0.05)
    one, other = (exact.solve(p, name, D, 0.05) for p in (problem, shuffled))
    assert one.value == pytest.approx(other.value, abs=2e-7)


@pytest.mark.parametrize("name", ["tv", "w1", "kl", "reverse_kl", "chi2"])
def test_duplicated_letters_and_scaled_distortion_change_nothing(name):
    problem = some_problem(6)
    D = 1.1 * exact.least_distortion(problem, name, 0.05)
    value = exact.solve(problem, name, D, 0.05).value
    twice = exact.Problem(
        px=np.repeat(problem.px, 2) / 2, py=problem.py,
        delta=np.repeat(problem.delta, 2, axis=1), err=np.repeat(problem.err, 2, axis=1),
        x=np.repeat(problem.x, 2), labels=np.repeat(problem.labels, 2),
    )  # fmt: skip
    assert exact.solve(twice, name, D, 0.05).value == pytest.approx(value, abs=2e-7)
    split = exact.Problem(
        problem.px, np.repeat(problem.py, 2) / 2, np.repeat(problem.delta, 2, axis=0),
        np.repeat(problem.err, 2, axis=0), problem.x, problem.labels,
    )  # fmt: skip
    assert exact.solve(split, name, D, 0.05).value == pytest.approx(value, abs=2e-7)
    for factor in (1e-3, 7.0, 1e3):
        scaled = dataclasses.replace(problem, delta=factor * problem.delta)
        at = exact.solve(scaled, name, factor * D, 0.05)
        assert at.value == pytest.approx(value, abs=2e-7)


# -- closed forms and degenerate input ---------------------------------------------------------


def test_binary_symmetric_channel_has_all_three_minima_at_once():
    problem = binary(0.2)
    for name in ALL:
        at = exact.solve(problem, name, 0.2, 0.0)
        assert at.value == pytest.approx(0.2, abs=1e-12)
        assert exact.least_distortion(problem, name, math.inf) == pytest.approx(0.2)


def test_randomness_is_needed_where_the_prior_is_skewed():
    problem = binary(0.2, prior=0.7)
    at = exact.solve(problem, "tv", math.inf, 0.0)
    deterministic = [
        problem.deterministic([a, b]) for a in (0, 1) for b in (0, 1)
    ]  # fmt: skip
    laws = [plan.sum(axis=0) for plan in deterministic]
    assert not any(np.allclose(law, problem.px) for law in laws)
    # y = 0 keeps its mass .62; of y = 1 a share .08 / .38 has to be sent to 0, at random
    by_hand = 0.06 + (0.08 * 0.24 + 0.30 * 0.14) / 0.38
    assert at.value == pytest.approx(by_hand, abs=1e-12)
    assert at.status == "optimal"
    assert at.plan.sum(axis=0) == pytest.approx(problem.px)


def test_gaussian_mixture_is_the_grid_that_was_promised():
    problem = exact.gaussian_mixture_problem(8, width=4.0)
    t = 0.5 * math.log(7 / 3)
    x = t + (np.arange(8) - 3.5) * 0.5
    np.testing.assert_allclose(problem.x, x)
    first, second = np.exp(-((x + 1) ** 2) / 2), np.exp(-((x - 1) ** 2) / 2)
    joint = np.array([0.7 * first / first.sum(), 0.3 * second / second.sum()])
    np.testing.assert_allclose(problem.px, joint.sum(axis=0))
    channel = np.exp(-((x[None] - x[:, None]) ** 2) / 2)
    channel /= channel.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(problem.py, joint.sum(axis=0) @ channel)
    W = np.full(problem.shape, 1 / 8) * problem.py[:, None]
    direct = sum(
        joint[c, i] * channel[i, j] / 8 * (x[i] - x[k]) ** 2
        for c in range(2) for i in range(8) for j in range(8) for k in range(8)
    )  # fmt: skip
    assert problem.distortion(W) == pytest.approx(direct)
    errors = sum(
        joint[c, i] * channel[i, j] / 8 * (c != (0 if x[k] < t else 1))
        for c in range(2) for i in range(8) for j in range(8) for k in range(8)
    )  # fmt: skip
    assert problem.error_rate(W) == pytest.approx(errors)
    assert (problem.labels == np.where(x < t, 0, 1)).all()


def test_toy_on_a_grid_tends_to_the_continuous_values():
    problem = exact.gaussian_mixture_problem(256)
    assert exact.solve(problem, "tv", math.inf, math.inf).value == pytest.approx(
        0.2041173, abs=1e-3
    )
    assert exact.least_distortion(problem, "tv", math.inf) == pytest.approx(0.64168888, abs=2e-3)


@pytest.mark.parametrize("name", ALL)
def test_zero_mass_letters_are_harmless(name):
    joint = np.array([[0.3, 0.0, 0.2, 0.0], [0.1, 0.0, 0.4, 0.0]])
    channel = np.array([[0.5, 0.5, 0, 0], [1, 0, 0, 0], [0.25, 0, 0.75, 0], [0, 0, 1, 0]])
    cost = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0)))
    problem = exact.make_problem(joint, channel, cost, [0, 1, 1, 0])
    assert problem.py[3] == 0
    P = 0.03
    D = 1.1 * exact.least_distortion(problem, name, P)
    verify(problem, name, D, P, exact.solve(problem, name, D, P))
    assert exact.solve(problem, name, math.inf, math.inf).value <= 0.5


@pytest.mark.parametrize("name", ALL)
def test_extreme_budgets(name):
    problem = some_problem(9)
    free = exact.solve(problem, name, math.inf, math.inf)
    assert free.value == pytest.approx(problem.py @ problem.err.min(axis=1), abs=1e-12)
    assert (free.lam, free.mu) == (0.0, 0.0)
    perfect = exact.solve(problem, name, math.inf, 0.0)
    np.testing.assert_allclose(perfect.plan.sum(axis=0), problem.px, atol=1e-9)
    assert exact.solve(problem, name, -1.0, math.inf).status == "infeasible"
    assert exact.solve(problem, name, 0.0, 0.1).status == "infeasible"
    tightest = exact.least_distortion(problem, name, math.inf)
    assert exact.solve(problem, name, tightest, math.inf).status == "optimal"


@pytest.mark.parametrize("name", ALL)
def test_one_letter_everywhere(name):
    problem = exact.make_problem([[0.4], [0.6]], [[1.0]], [[0.5]], [1])
    at = exact.solve(problem, name, 0.5, 0.0)
    assert (at.status, at.value) == ("optimal", pytest.approx(0.4))
    assert exact.solve(problem, name, 0.49, 0.0).status == "infeasible"
    assert exact.solve(problem, name, 1.0, 0.3).value == pytest.approx(0.4)


def test_alphabets_of_different_sizes_need_a_law_to_compare_with():
    joint, channel = [[0.3, 0.1], [0.2, 0.4]], [[0.9, 0.1], [0.2, 0.8]]
    cost = [[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]]
    with pytest.raises(InputError, match="X has 2 letters and X\\^ has 3: expected px"):
        exact.make_problem(joint, channel, cost, [0, 0, 1])
    problem = exact.make_problem(joint, channel, cost, [0, 0, 1], px=[0.5, 0.0, 0.5])
    verify(problem, "kl", 0.4, 0.1, exact.solve(problem, "kl", 0.4, 0.1))


GOOD = {
    "joint": [[0.3, 0.1], [0.2, 0.4]],
    "channel": [[0.9, 0.1], [0.2, 0.8]],
    "distortion": [[0.0, 1.0], [1.0, 0.0]],
    "labels": [0, 1],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"joint": [[0.3, 0.1], [0.2, 0.3]]}, "joint sums to 0.9"),
        ({"joint": [[0.5, -0.1], [0.2, 0.4]]}, "expected a law"),
        ({"joint": [0.5, 0.5]}, "joint has shape"),
        ({"joint": [[0.5], [0.1, 0.4]]}, "joint is no rectangular table"),
        ({"channel": [[0.9, 0.2], [0.2, 0.8]]}, "channel row 0 sums to 1.1"),
        ({"channel": [[0.9, 0.1]]}, "channel has 1 rows: expected 2"),
        ({"distortion": [[0.0, math.nan], [1, 0]]}, "distortion has an entry that is not finite"),
        ({"labels": [0, 2]}, "labels has the class 2: expected 0 to 1"),
        ({"labels": [0]}, "labels has shape"),
        ({"labels": ["a", "b"]}, "expected 2 class numbers"),
        ({"x": [0.0]}, "x has shape"),
    ],
)
def test_wrong_problems_are_refused_in_one_line(change, words):
    with pytest.raises(InputError) as caught:
        exact.make_problem(**(GOOD | change))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("D", "P"), [(math.nan, 0.1), (0.3, -1), (0.3, math.nan), ("a", 0.1)])
def test_wrong_budgets_are_refused(D, P):
    with pytest.raises(InputError):
        exact.solve(exact.make_problem(**GOOD), "tv", D, P)


def test_wrong_multipliers_are_refused():
    problem = exact.make_problem(**GOOD)
    with pytest.raises(InputError, match="lam is -1"):
        exact.certify(problem, "tv", 1, 1, -1, [0, 0])
    with pytest.raises(InputError, match="expected 2 numbers"):
        exact.certify(problem, "tv", 1, 1, 1, [0, 0, 0])
    assert exact.certify(problem, "tv", math.inf, 1, 1.0, [0, 0]) == -math.inf


def test_theory_imports_no_torch():
    code = (
        "import sys, cdplib.theory.exact, cdplib.theory.divergences; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_example_that_help_shows_is_true():
    found = doctest.testmod(exact)
    assert (found.failed, found.attempted) == (0, 4)
    for name in divergences.NAMES:
        assert f"``{name}``" in exact.solve.__doc__


def test_a_surface_repeats_bit_for_bit_in_another_process():
    code = (
        "import hashlib, numpy as np; from cdplib.theory import exact\n"
        "problem = exact.gaussian_mixture_problem(12)\n"
        "for name in ('tv', 'w1', 'kl'):\n"
        "    s = exact.surface(problem, name, [0.5, 0.7, 1.0], [0.0, 0.05, 0.2])\n"
        "    print(*(hashlib.sha256(np.ascontiguousarray(v).tobytes()).hexdigest()\n"
        "            for v in (s.value, s.lower, s.upper, s.lam, s.mu)))"
    )
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert said[0].stdout == said[1].stdout
    assert len(said[0].stdout.split()) == 15


@pytest.mark.parametrize("name", ["tv", "w1", "kl"])
def test_nothing_is_written_on_the_way_to_an_answer(name, capfd):
    """A line of a solver's, such as its name, would be in the JSON that `cdp exact` prints."""
    exact.solve(exact.gaussian_mixture_problem(16, threshold=1.2), name, D=0.7, P=0.02)
    assert capfd.readouterr() == ("", "")
