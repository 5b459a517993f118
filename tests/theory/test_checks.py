"""The checks find what they are for, and pass what is right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdplib.errors import InputError
from cdplib.theory import checks, divergences, exact
from cdplib.theory.toy import GaussianToy

GRID = np.linspace(0, 1, 9)


def test_rise_sees_an_increase_along_either_axis():
    falling = -GRID[:, None] - GRID
    assert checks.rise(falling) == pytest.approx(-0.125)
    for axis in (0, 1):
        bump = falling.copy()
        np.moveaxis(bump, axis, 0)[3, 4] += 0.3
        assert checks.rise(bump) == pytest.approx(0.3 - 0.125)
    assert checks.rise([[np.inf, 0.3], [np.inf, 0.2]]) == pytest.approx(-0.1)
    assert checks.rise([[0.1, 0.1], [0.1, np.inf]]) == np.inf


def test_midpoint_excess_is_that_of_a_loop_over_all_pairs():
    random = np.random.default_rng(3)
    for shape in ((5, 4), (1, 7), (6, 1)):
        values = random.random(shape)
        values[random.random(shape) < 0.1] = np.inf
        points = [p for p in np.ndindex(shape) if np.isfinite(values[p])]
        loop = max(
            values[(a[0] + b[0]) // 2, (a[1] + b[1]) // 2] - 0.5 * (values[a] + values[b])
            for a in points
            for b in points
            if a != b and (a[0] + b[0]) % 2 == 0 and (a[1] + b[1]) % 2 == 0
        )
        excess, first, second = checks.midpoint_excess(values)
        assert excess == pytest.approx(loop)
        middle = ((first[0] + second[0]) // 2, (first[1] + second[1]) // 2)
        if np.isfinite(excess):
            ends = 0.5 * (values[first] + values[second])
            assert excess == pytest.approx(values[middle] - ends)


def test_midpoint_excess_passes_convex_and_refuses_concave_surfaces():
    bowl = (GRID[:, None] - GRID) ** 2 + np.exp(-GRID)
    assert checks.midpoint_excess(bowl)[0] <= 1e-12
    assert checks.midpoint_excess(-bowl)[0] > 0.1
    assert checks.midpoint_excess(GRID[:, None] * GRID)[0] > 0.2  # convex along both axes only


def test_a_hole_in_the_feasible_set_is_a_violation():
    values = np.zeros((3, 3))
    values[1, 1] = np.inf
    assert checks.midpoint_excess(values)[0] == np.inf


def test_the_linear_family_is_convex_for_the_papers_classifier_and_not_for_another():
    Ds, Ps = np.linspace(0.66, 0.8, 29), np.linspace(0.005, 0.5, 29)
    ours = GaussianToy().cdp(Ds[:, None], Ps)
    assert checks.rise(ours) <= 1e-12
    assert checks.midpoint_excess(ours)[0] <= 1e-12
    moved = GaussianToy(threshold=0.1)
    along_D = moved.cdp(np.linspace(0.66, 2.0, 81)[:, None], [np.inf])
    assert checks.rise(along_D) <= 1e-12
    assert checks.midpoint_excess(along_D)[0] == pytest.approx(6.6e-4, abs=2e-5)


def test_a_table_that_is_none_is_refused():
    for wrong in ([1.0, 2.0], [[np.nan]], np.zeros((0, 3))):
        with pytest.raises(InputError, match="expected"):
            checks.rise(wrong)
        with pytest.raises(InputError, match="expected"):
            checks.midpoint_excess(wrong)


CONVEX = ["tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2", "js", "w2_squared"]
CONVEX += ["renyi:0.3", "renyi:2", "renyi:10", "renyi:inf"]


@st.composite
def triples(draw):
    """Three laws on 2 to 5 letters, zeros included, and a weight."""
    n = draw(st.integers(2, 5))
    rows = st.lists(st.integers(0, 9), min_size=n, max_size=n).filter(any)
    laws = [np.array(draw(rows), dtype=float) for _ in range(3)]
    return [law / law.sum() for law in laws], draw(st.floats(0, 1))


@pytest.mark.parametrize("name", CONVEX)
@settings(max_examples=60, deadline=None)
@given(case=triples())
def test_eq_13_holds_for_every_divergence_that_the_theorem_allows(name, case):
    (p, first, second), weight = case
    d = checks.distance(name)
    ends = [d(p, first), d(p, second)]
    if np.isfinite(ends).all():
        middle = d(p, weight * first + (1 - weight) * second)
        assert middle <= weight * ends[0] + (1 - weight) * ends[1] + 1e-9 * (1 + max(ends))


@pytest.mark.parametrize("name", ["w2", "hellinger", "sqrt_tv"])
def test_the_search_finds_that_a_root_is_not_convex(name):
    worst = checks.worst_slack(name, np.random.default_rng(5), trials=200)
    assert worst.value < -0.01
    d, w = checks.distance(name), worst.weight
    middle = d(worst.fixed, w * worst.first + (1 - w) * worst.second)
    ends = w * d(worst.fixed, worst.first) + (1 - w) * d(worst.fixed, worst.second)
    assert ends - middle == pytest.approx(worst.value)  # the witness is one


def test_renyi_above_order_one_is_not_convex_in_its_first_argument():
    slack = {
        name: checks.worst_slack(name, np.random.default_rng(5), trials=200, argument=1).value
        for name in ("renyi:0.5", "kl", "renyi:2")
    }
    assert slack["renyi:0.5"] > -1e-12
    assert slack["kl"] > -1e-12
    assert slack["renyi:2"] < -0.01
    with pytest.raises(InputError, match="expected 1 or 2"):
        checks.worst_slack("kl", np.random.default_rng(5), argument=0)


@settings(max_examples=60, deadline=None)
@given(triples())
def test_w2_squared_is_the_optimal_transport_cost(case):
    from scipy.optimize import linprog

    (p, q, _), _ = case
    n = len(p)
    cost = (np.arange(n)[:, None] - np.arange(n)) ** 2.0
    rows = np.vstack([np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))])
    best = linprog(cost.ravel(), A_eq=rows, b_eq=np.concatenate([p, q])).fun
    assert checks.w2_squared(p, q) == pytest.approx(best, abs=1e-8)


def test_js_lies_between_zero_and_log_two():
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert checks.js(p, p) == 0
    assert checks.js(p, q) == pytest.approx(np.log(2))


def bit(prior, flip):
    channel = [[1 - flip, flip], [flip, 1 - flip]]
    return exact.make_problem([[prior, 0], [0, 1 - prior]], channel, 1 - np.eye(2), [0, 1])


@pytest.mark.parametrize("name", ["tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2"])
def test_the_steps_of_the_proof_hold_on_solved_points(name):
    random = np.random.default_rng(11)
    problem = exact.make_problem(
        random.dirichlet(np.ones(9)).reshape(3, 3),
        random.dirichlet(np.ones(4), size=3),
        random.random((3, 3)),
        [0, 1, 2],
    )
    low = float(exact.least_distortion(problem, name, 0.05))
    slacks = checks.proof_steps(problem, name, (low + 0.01, 0.05), (low + 0.1, 0.2), 0.4)
    assert min(slacks.values()) > -1e-7
    assert slacks["(9)"] <= 0
    assert slacks["(10)"] <= 0


def test_the_steps_of_the_proof_need_feasible_budgets():
    with pytest.raises(InputError, match="two feasible pairs"):
        checks.proof_steps(bit(0.7, 0.2), "tv", (0.0, 0.0), (1.0, 1.0), 0.5)


def test_deterministic_restorations_are_not_enough():
    problem, Ps = bit(0.7, 0.4), np.linspace(0, 0.4, 9)
    stairs = np.array([checks.deterministic(problem, "tv", np.inf, P) for P in Ps])
    line = exact.surface(problem, "tv", [np.inf], Ps).value[0]
    assert (stairs >= line - 1e-9).all()
    assert checks.midpoint_excess(stairs[None])[0] == pytest.approx(0.05)
    assert checks.midpoint_excess(line[None])[0] <= 1e-9
    with pytest.raises(InputError, match="at most"):
        checks.deterministic(exact.gaussian_mixture_problem(16), "tv", 1, 1)


def test_an_adapted_classifier_is_not_convex():
    S, T = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    joint = np.where(T == [[0], [1]], [[0.35], [0.15]], 0.0)
    delta = (S[:, None] != [0, 1]).astype(float)
    values = [
        checks.adapted(joint, np.eye(4), delta, "tv", D, np.inf, px=[0.5, 0.5])
        for D in (0.0, 0.25, 0.5)
    ]
    assert values == pytest.approx([0.3, 0.25, 0.0])
    assert checks.midpoint_excess(np.array(values)[None])[0] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("prior", "flip", "together"),
    [(0.5, 0.2, True), (0.7, 0.0, True), (0.7, 0.3, True), (0.7, 0.2, False), (0.7, 0.4, False)],
)
def test_all_three_minima_meet_where_the_closed_form_says(prior, flip, together):
    found = checks.minima(bit(prior, flip))
    assert found.distortion_and_error
    assert found.all_three is together


def test_the_plan_of_the_minima_attains_them():
    problem = bit(0.7, 0.3)
    plan = checks.minima(problem).plan
    assert problem.distortion(plan) == pytest.approx(0.3)
    assert problem.error_rate(plan) == pytest.approx(0.3)
    assert divergences.get("tv").value(problem.px, plan.sum(axis=0)) == pytest.approx(0, abs=1e-9)


def test_minima_part_where_best_letters_differ():
    problem = exact.gaussian_mixture_problem(24, threshold=1.2)
    found = checks.minima(problem)
    assert not found.distortion_and_error
    assert found.plan is None
    mmse = float(exact.least_distortion(problem, "tv", np.inf))
    at_mmse = exact.solve(problem, "tv", mmse, np.inf).value
    assert at_mmse > exact.solve(problem, "tv", np.inf, np.inf).value + 1e-3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_minima_agrees_with_the_solver(seed):
    random = np.random.default_rng(seed)
    problem = exact.make_problem(
        random.dirichlet(np.ones(6)).reshape(2, 3),
        random.dirichlet(np.ones(3), size=3),
        (np.arange(3)[:, None] - np.arange(3)) ** 2.0,
        random.integers(0, 2, 3),
    )
    least = float(exact.least_distortion(problem, "tv", np.inf))
    together = exact.solve(problem, "tv", least + 1e-12, np.inf).value
    best = exact.solve(problem, "tv", np.inf, np.inf).value
    if abs(together - best) > 1e-7:
        assert not checks.minima(problem).distortion_and_error
    elif checks.minima(problem, tolerance=1e-9).distortion_and_error:
        assert together == pytest.approx(best, abs=1e-7)
