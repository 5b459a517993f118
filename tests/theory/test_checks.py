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


def test_the_chain_of_the_proof_descends():
    problem = exact.gaussian_mixture_problem(16, threshold=1.2)
    low = float(exact.least_distortion(problem, "tv", 0.3))
    found = checks.chain(problem, "tv", (low, 0.3), (1.5, 0.0), np.linspace(0, 1, 5))
    at_mixture, at_mean = (
        np.array([point.value for point in points]) for points in (found.at_mixture, found.at_mean)
    )
    assert found.mixture == pytest.approx(found.chord, abs=1e-12)
    assert (found.mixture >= at_mixture - 1e-9).all()
    assert (at_mixture >= at_mean - 1e-9).all()
    assert (found.spare >= -1e-12).all()
    assert at_mean[2] < found.chord[2] - 1e-4  # strictly convex somewhere: not an idle check


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


def test_deterministic_restorations_of_a_split_letter_are_all_tried():
    problem = bit(0.7, 0.2)
    for pieces in (1, 2, 3):  # against a loop over all maps of the pieces
        split = exact.make_problem(
            [[0.7, 0], [0, 0.3]],
            np.repeat([[0.8, 0.2], [0.2, 0.8]], pieces, axis=1) / pieces,
            1 - np.eye(2),
            [0, 1],
        )
        for P in (0.0, 0.03, 0.1):
            counted = checks.deterministic(problem, "tv", 0.5, P, pieces)
            assert counted == pytest.approx(checks.deterministic(split, "tv", 0.5, P))
    with pytest.raises(InputError, match="at least 1"):
        checks.deterministic(problem, "tv", 1, 1, pieces=0)


def test_finer_atoms_close_the_gap_of_deterministic_restorations():
    problem, P = bit(0.7, 0.2), 0.04
    value = exact.solve(problem, "tv", np.inf, P).value
    gaps = [checks.deterministic(problem, "tv", np.inf, P, k) - value for k in (1, 4, 16, 64, 256)]
    assert min(gaps) > -1e-9
    assert gaps[0] == np.inf
    assert gaps[-1] < 1e-3
    assert all(gap <= 0.2 / k for gap, k in zip(gaps[1:], (4, 16, 64, 256), strict=True))


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


def test_few_letters_draw_lots():
    """At P = inf at most one y does, and at most n at a finite P (vertices, where D binds)."""
    random = np.random.default_rng(4)
    drew = set()
    for _ in range(30):
        m, n = random.integers(2, 9), random.integers(2, 5)
        problem = exact.make_problem(
            random.dirichlet(np.ones(2 * n)).reshape(2, n),
            random.dirichlet(np.ones(m), size=n),
            random.random((n, n)),
            random.integers(0, 2, n),
        )
        for P, most in ((np.inf, 1), (0.05, n)):
            D = float(exact.least_distortion(problem, "tv", P)) + 0.01
            at = exact.solve(problem, "tv", D, P)
            if at.lam > 1e-6:
                lots = int(((at.plan > 1e-11).sum(axis=1) > 1).sum())
                assert lots <= most
                drew.add((most == 1, lots))
    assert (True, 1) in drew
    assert max(lots for free, lots in drew if not free) > 1
