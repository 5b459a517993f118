"""Never falsely sure: units, ties, rounding, edges, and certificates that are not fooled."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from cdplib.errors import InputError
from cdplib.theory import certificate, divergences, exact, units
from cdplib.theory.solver import core
from tests.theory import fuzz

inf = math.inf


def squares(n):
    return np.subtract.outer(np.arange(n), np.arange(n)) ** 2.0


def binary(scale=1.0, **more):
    return exact.make_problem(
        np.diag([0.7, 0.3]), [[0.8, 0.2], [0.2, 0.8]], scale * (1 - np.eye(2)), [1, 0], **more
    )


def random_problem(seed, n=5, x=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n) if x is None else x
    return exact.make_problem(
        rng.dirichlet(np.ones(2 * n)).reshape(2, n), rng.dirichlet(np.ones(n), size=n),
        rng.random((n, n)), rng.integers(0, 2, n), x=x,
    )  # fmt: skip


# -- units -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-30, 1e-13, 1e-6, 1e9, 1e16, 1e30])
@pytest.mark.parametrize("name", ["tv", "w1", "kl", "chi2", "renyi:3"])
def test_the_unit_of_distortion_changes_its_price_only(name, scale):
    problem = random_problem(1)
    D = 1.05 * exact.least_distortion(problem, name, 0.03)
    at = exact.solve(problem, name, D, 0.03)
    scaled = dataclasses.replace(problem, delta=scale * problem.delta)
    other = exact.solve(scaled, name, scale * D, 0.03)
    assert (at.status, other.status) == ("optimal", "optimal")
    gap = exact.LINEAR_GAP if name in ("tv", "w1") else exact.CONIC_GAP
    assert other.value == pytest.approx(at.value, abs=gap)
    assert other.lam * scale == pytest.approx(at.lam, rel=1e-3)
    assert exact.certify(scaled, name, scale * D, 0.03, other.lam, other.u) >= other.lower - 1e-15
    assert exact.least_distortion(scaled, name, 0.03) == pytest.approx(
        scale * exact.least_distortion(problem, name, 0.03), rel=1e-6
    )


def test_a_budget_that_is_small_in_its_unit_is_kept():
    small = exact.solve(binary(1e-13), "tv", 0.3e-13, 0.1)
    one = exact.solve(binary(), "tv", 0.3, 0.1)
    assert small.value == pytest.approx(0.7, abs=1e-9)
    assert one.value == pytest.approx(0.7, abs=1e-9)
    tiny = exact.solve(binary(), "chi2", 0.4, 1e-13)
    assert tiny.status == "optimal"
    assert tiny.lower <= tiny.value == pytest.approx(0.6, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_no_distortion_is_infeasible_in_every_unit(scale):
    assert exact.solve(binary(scale), "tv", 0.0, 0.1).status == "infeasible"
    noiseless = exact.make_problem(np.diag([0.5, 0.5]), np.eye(2), scale * (1 - np.eye(2)), [0, 1])
    for name in ("tv", "kl", "renyi:3"):
        at = exact.solve(noiseless, name, 0.0, 0.0)
        assert (at.status, at.value) == ("optimal", 0.0)
        assert exact.solve(noiseless, name, -1e-13 * scale, inf).status == "infeasible"


@pytest.mark.parametrize(("scale", "offset"), [(1e-12, 0), (1e20, 0), (1e300, 0), (1.0, 4096.0)])
def test_positions_have_no_unit_and_no_origin(scale, offset):
    x = np.array([0.0, 0.5, 0.75, 2.0, 3.25])
    problem = random_problem(2, x=x)
    moved = dataclasses.replace(problem, x=scale * x + offset)
    D = 1.1 * exact.least_distortion(problem, "w1", 0.2)
    at, other = exact.solve(problem, "w1", D, 0.2), exact.solve(moved, "w1", D, scale * 0.2)
    assert (at.status, other.status) == ("optimal", "optimal")
    assert other.value == pytest.approx(at.value, abs=1e-9)
    assert other.mu * scale == pytest.approx(at.mu, rel=1e-6, abs=1e-9)
    edge = exact.least_divergence(moved, "w1", D)
    assert edge == pytest.approx(scale * exact.least_divergence(problem, "w1", D), rel=1e-6)


def test_extreme_positions_and_distortions_are_answered():
    wide = binary(1e300, x=[-1e308, 1e308])
    assert exact.solve(wide, "w1", 0.3e300, 1e307).status == "optimal"
    with pytest.raises(InputError, match="not finite"):
        exact.make_problem(np.diag([0.7, 0.3]), np.eye(2), [[0, inf], [1, 0]], [0, 1])


# -- bounds that contradict each other ---------------------------------------------------------


@pytest.mark.parametrize("name", ["hellinger2", "kl", "tv", "renyi:3", "reverse_kl"])
@pytest.mark.parametrize("step", [-1e-6, -1e-9, -1e-13, 0.0, 1e-13, 1e-6])
def test_at_the_edge_no_answer_is_contradicted_by_a_certificate(name, step):
    rng = np.random.default_rng(3)
    problem = exact.make_problem(
        rng.dirichlet(np.ones(8)).reshape(2, 4), rng.dirichlet(np.ones(4), size=4), squares(4),
        rng.integers(0, 2, 4),
    )  # fmt: skip
    edge = exact.least_distortion(problem, name, 1e-3)
    D = float(edge) * (1 + step)
    at = exact.solve(problem, name, D, 1e-3)
    assert fuzz.verdict(problem, name, D, 1e-3, at, edge) == ""
    assert at.lower <= at.value
    if step <= -1e-6:
        assert at.status == "infeasible"
        assert exact.certify_infeasible(problem, name, D, 1e-3, at.lam, at.u) > 0


# -- certificates ------------------------------------------------------------------------------


def test_letters_that_share_a_position_exchange_mass_for_nothing():
    problem = exact.make_problem(
        np.diag([0.5, 0.5]), [[0.6, 0.4], [0, 1]], 1 - np.eye(2), [0, 1], x=[0, 0]
    )
    assert exact.solve(problem, "w1", inf, 0).value == pytest.approx(0.2)
    assert exact.certify(problem, "w1", inf, 0, 0, [0.3, 0]) <= 0.2
    assert divergences.get("w1", x=[0, 0, 1]).support([3.0, 1.0, 0.0], [0.5, 0.3, 0.2], 0) == 0.8


@pytest.mark.parametrize("name", fuzz.DIVERGENCES)
@given(
    seed=st.integers(0, 10**6),
    shift=st.sampled_from([0.0, 1.0, 1e8, 1e15, -1e15, 1e18]),
    size=st.floats(-3, 20),
    price=st.floats(-3, 25),
    P=st.sampled_from([0.0, 1e-13, 1e-4, 0.1, 2.0]),
)
@settings(max_examples=15, deadline=None)
def test_certificates_bound_from_below_at_any_size_of_multipliers(
    name, seed, shift, size, price, P
):
    problem = random_problem(seed, n=4)
    rng = np.random.default_rng(seed)
    u = rng.normal(size=4) * 10**size + shift
    lam = 10**price * rng.random()
    r = problem.px[:, None].T * problem.py[:, None]  # no divergence at all: inside every ball
    D = problem.distortion(r)
    bound = exact.certify(problem, name, D, P, lam, u)
    assert bound <= problem.error_rate(r) + 1e-14 + 4e-15 * lam
    judge = fuzz.Judge(problem, name)
    centred = u - (0.5 * u.max() + 0.5 * u.min())  # the vector that is looked at, and as good
    exactly = judge.lower(D, P, lam, centred, True)
    assert mpf(bound) <= exactly + mpf(1e-18) * lam + mpf(1e-15)


def test_a_plan_that_is_no_coupling_is_not_feasible():
    problem = random_problem(4)
    good = problem.py[:, None] * problem.px
    assert exact.feasible(problem, "kl", inf, 1.0, good)
    negative = good.copy()
    negative[0, 0] -= 2 * good[0, 0]
    negative[0, 1] += 2 * good[0, 0]
    assert not exact.feasible(problem, "kl", inf, inf, negative)
    wrong_rows = good.copy()
    wrong_rows[0], wrong_rows[1] = 0.99 * good[0], good[1] + 0.01 * good[0]
    assert not exact.feasible(problem, "kl", inf, inf, wrong_rows)
    assert not exact.feasible(problem, "kl", inf, inf, good[:, :3])
    assert not exact.feasible(problem, "kl", inf, inf, np.full_like(good, np.nan))
    E = problem.distortion(good)
    assert exact.feasible(problem, "kl", E, 0.0, good)
    assert not exact.feasible(problem, "kl", E * (1 - 1e-12), 0.0, good)
    far = problem.plan(np.full(problem.shape, 0.2))
    d = divergences.get("kl").value(problem.px, np.full(5, 0.2))
    assert exact.feasible(problem, "kl", inf, d, far)
    assert not exact.feasible(problem, "kl", inf, d * (1 - 1e-12), far)


def test_what_is_no_coupling_is_answered_with_false_and_nothing_else():
    problem = binary(x=[0.0, 0.0])
    good = problem.py[:, None] * problem.px
    assert exact.feasible(problem, "tv", 0.5, 0.0, -good) is False
    assert exact.feasible(problem, "tv", 0.5, 0.0, 2 * good) is False
    # One place for all letters: no law is away from another, and no budget for it is too small.
    far = problem.deterministic([0, 0])
    assert exact.feasible(problem, "w1", inf, 0.0, far)
    assert not exact.feasible(problem, "tv", inf, 0.0, far)
    noiseless = exact.make_problem(np.diag([0.5, 0.5]), np.eye(2), 1 - np.eye(2), [0, 1])
    assert exact.feasible(noiseless, "tv", 0.0, 0.0, np.diag([0.5, 0.5]))  # a budget of nothing


def test_a_plan_is_made_tidy_row_by_row():
    problem = binary()  # p_Y = (.62, .38)
    spare = np.array([[0.3, 0.32], [0.1, 0.28]])
    found = certificate.tidy(problem, np.array([[0.5, -0.1], [0.0, -1e-9]]), spare)
    np.testing.assert_allclose(found, [[0.62, 0.0], [0.1, 0.28]], atol=1e-15)
    found = certificate.tidy(problem, np.array([[0.1, 0.3], [0.19, 0.19]]), spare)
    np.testing.assert_allclose(found, [[0.155, 0.465], [0.19, 0.19]], atol=1e-15)


def test_a_letter_that_never_comes_has_a_row_of_zeros():
    problem = exact.make_problem(np.diag([0.7, 0.3]), [[1, 0], [1, 0]], 1 - np.eye(2), [0, 1])
    plan = np.array([[0.5, 0.5], [0.0, 0.0]])
    np.testing.assert_array_equal(certificate.tidy(problem, plan, plan), plan)


def test_a_plan_is_matched_to_a_law_by_cutting_and_filling():
    problem = binary()
    plan, target = np.array([[0.5, 0.12], [0.1, 0.28]]), np.array([0.7, 0.3])
    # Column 0 lacks mass and is kept, column 1 is cut by 3/4; a tenth is given away.
    cut = 0.9 * plan * np.array([1, 0.75])
    filled = cut + np.outer([0.62 - 0.531, 0.38 - 0.279], [0.7 - 0.54, 0.3 - 0.27]) / 0.19
    found = certificate.matched(problem, plan, target, 0.1)
    np.testing.assert_allclose(found, filled, atol=1e-15)
    np.testing.assert_allclose(found.sum(axis=0), target)
    np.testing.assert_allclose(found.sum(axis=1), problem.py)
    # A column without mass takes what its target asks for; what fits already stays.
    plan = np.array([[0.62, 0.0], [0.38, 0.0]])
    found = certificate.matched(problem, plan, target, 0.0)
    np.testing.assert_allclose(found, np.outer(problem.py, target), atol=1e-15)
    np.testing.assert_array_equal(certificate.matched(problem, plan, plan.sum(axis=0), 0.0), plan)


def test_w1_wants_as_many_positions_as_letters():
    d = divergences.get("w1", x=[0.0, 1.0])
    with pytest.raises(InputError, match="w1 has 2 positions for 3 letters"):
        d.value([0.2, 0.3, 0.5], [0.2, 0.3, 0.5])
    with pytest.raises(InputError, match="w1 has 2 positions"):
        exact.solve(random_problem(0), d, 1.0, 0.1)


def test_the_least_distortion_is_subtracted_exactly():
    problem = dataclasses.replace(random_problem(5), delta=random_problem(5).delta + 1e6)
    unit = units.scaled(problem, divergences.get("tv"))
    assert (unit.problem.delta.min(axis=1) == 0).all()
    assert unit.distortion(unit.original(0.25)) == pytest.approx(0.25, rel=1e-9)
    assert units.scaled(random_problem(5), divergences.get("tv")).distortion(inf) == inf


# -- answers where there were none -------------------------------------------------------------


def test_reverse_kl_where_a_letter_has_no_mass():
    problem = exact.make_problem(
        [[1 / 3, 0, 1 / 3], [1 / 6, 0, 1 / 6]], [[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]], squares(3),
        [0, 0, 1],
    )  # fmt: skip
    at = exact.solve(problem, "reverse_kl", 0.8, 0.2)
    assert at.status == "optimal"
    assert at.value == pytest.approx(0.461905, abs=5e-7)
    assert exact.solve(problem, "reverse_kl", 0.8, 3.0).status == "optimal"


def test_reverse_kl_where_a_letter_has_hardly_any():
    d = divergences.get("reverse_kl")
    bound = d.support([0, 1.0], [1e-17, 1 - 1e-17], 0.1)
    r = np.linspace(0, 1, 2001)[1:-1]
    inside = [1 - a for a in r if d.value([1e-17, 1 - 1e-17], [a, 1 - a]) <= 0.1]
    assert bound == pytest.approx(min(inside), abs=1e-3)


@pytest.mark.parametrize("width", [18, 24])
@pytest.mark.parametrize("name", ["kl", "chi2", "renyi:inf", "reverse_kl", "renyi:3"])
def test_letters_of_hardly_any_mass_do_not_stand_in_the_way(name, width):
    problem = exact.gaussian_mixture_problem(64, width=width)
    assert exact.solve(problem, name, 1.1, 0.02).status == "optimal"


@pytest.mark.parametrize("name", ["renyi:0.3", "renyi:0.9", "renyi:3", "renyi:20", "renyi:inf"])
@pytest.mark.parametrize("P", [1e-6, 1e-3, 1.0, 3.0])
def test_orders_of_renyi_two_percent_above_the_edge(name, P):
    problem = random_problem(6)
    edge = exact.least_distortion(problem, name, P)
    D = 1.02 * float(edge)
    at = exact.solve(problem, name, D, P)
    assert at.status == "optimal"
    assert fuzz.verdict(problem, name, D, P, at, edge) == ""


@pytest.mark.parametrize(
    "name", ["renyi:2", "renyi:10", "renyi:3", "kl", "tv", "reverse_kl", "chi2"]
)
@pytest.mark.parametrize("P", [100.0, 400.0, 1000.0, 1e20])
def test_budgets_beyond_any_exponential_are_answered(name, P):
    problem = binary()
    free = exact.solve(problem, name, 0.45, inf)
    at = exact.solve(problem, name, 0.45, P)
    assert at.status == "optimal"
    assert at.value == pytest.approx(free.value, abs=1e-9)


def test_without_any_distortion_only_the_sign_of_the_budget_counts():
    problem = exact.make_problem(np.diag([0.5, 0.5]), np.eye(2), np.zeros((2, 2)), [0, 1])
    assert exact.solve(problem, "kl", -1e-13, 0.01).status == "infeasible"
    assert exact.solve(problem, "kl", 0.0, 0.01).status == "optimal"


def test_rows_may_miss_one_by_the_rounding_that_they_state():
    channel = [[0.333333, 0.666666], [0.25, 0.75]]
    problem = exact.make_problem(np.diag([0.7, 0.3]), channel, 1 - np.eye(2), [0, 1])
    assert problem.py.sum() == pytest.approx(1, abs=1e-15)
    for row in ([0.33, 0.66], [0.333333, 0.666664], [0.3333333, 0.6666646]):
        with pytest.raises(InputError, match="channel row 0"):
            exact.make_problem(np.diag([0.7, 0.3]), [row, [0.5, 0.5]], 1 - np.eye(2), [0, 1])


def test_random_problems_are_answered_as_60_digits_would():
    table = fuzz.run(44, seed=14, points=2)
    total = sum(table.values(), fuzz.Counter())
    assert total["points"] == 88
    assert (total["wrong"], total["exception"]) == (0, 0)
    assert total["optimal"] > 50
    assert total["fair uncertified"] <= 1


def test_the_judge_sees_what_is_wrong():
    problem = random_problem(7)
    edge = exact.least_distortion(problem, "kl", 0.05)
    D = 1.05 * float(edge)
    at = exact.solve(problem, "kl", D, 0.05)

    def said(**changes):
        other = dataclasses.replace(at, **changes)
        return fuzz.verdict(problem, "kl", D, 0.05, other, edge)

    assert said() == ""
    assert "lower bound too high" in said(lower=at.lower + 1e-6)
    assert "certificate" in said(u=at.u + np.eye(5)[0] / 2, lower=0.0)
    assert "value" in said(value=at.value - 1e-9)
    assert "negative" in said(plan=-at.plan)
    assert "rows" in said(plan=at.plan * 1.1)
    assert "distortion" in said(plan=problem.py[:, None] * problem.px)
    assert "perception" in said(plan=problem.deterministic(problem.delta.argmin(axis=1)))
    assert "proof" in said(status="infeasible")


def test_an_edge_below_its_own_bound_is_not_called_optimal(monkeypatch):
    wrong = core.Found(lower=0.3, upper=0.2, lam=1.0, u=np.zeros(2))
    assert not wrong.closed(1e-7)
    monkeypatch.setattr(core.Core, "edge", lambda self, P: wrong)
    monkeypatch.setattr(core.Core, "lower_edge", lambda self, D, noise: wrong)
    assert exact.least_distortion(binary(), "kl", 0.1).status == "uncertified"
    assert exact.least_divergence(binary(), "kl", 0.5).status == "uncertified"


# -- the parts of a bound, by hand -------------------------------------------------------------


def test_a_lower_bound_is_its_definition_term_by_term():
    problem = binary()
    u, lam, D, P = np.array([0.3, -0.1]), 0.5, 0.25, 0.1
    reduced = problem.err + lam * problem.delta - u
    least = float(problem.py @ reduced.min(axis=1))
    support = divergences.get("tv").support(u, problem.px, P)
    expected = least - lam * D + support
    found = exact.certify(problem, "tv", D, P, lam, u)
    assert expected - 1e-13 < found < expected
    infeasible = float(problem.py @ (lam * problem.delta - u).min(axis=1)) - lam * D + support
    assert infeasible - 1e-13 < exact.certify_infeasible(problem, "tv", D, P, lam, u) < infeasible
    # The rounding is paid for even where everything is zero, and by no more than is said.
    none = exact.certify(problem, "tv", D, P, 0.0, np.zeros(2))
    exactly = float(problem.py @ problem.err.min(axis=1))
    assert exactly - 200 * 2.0**-52 < none < exactly


@pytest.mark.parametrize(
    ("D", "lam", "u", "bound"),
    [
        (inf, 1.0, [0.0, 0.0], -inf),
        (0.5, inf, [0.0, 0.0], -inf),
        (0.5, 1.0, [inf, 0.0], -inf),
        (0.5, 1.0, [math.nan, 0.0], -inf),
        (-inf, 1.0, [0.0, 0.0], inf),
        (-inf, 0.0, [0.0, 0.0], -inf),
        (0.5, 1.0, [1e308, -1e308], -inf),
    ],
)
def test_a_bound_without_digits_is_infinite(D, lam, u, bound):
    assert exact.certify(binary(), "tv", D, 0.1, lam, u) == bound


def test_a_price_beyond_any_number_in_the_problem_s_unit_bounds_nothing():
    assert exact.certify(binary(1e10), "tv", 0.5e10, 0.1, 1e308, [0.0, 0.0]) == -inf


def test_two_infinities_that_cancel_bound_nothing():
    far, unit = np.array([-1.5e308, 1.5e308]), binary()
    d = divergences.get("tv")
    assert certificate.lower_bound(unit, None, d, -1e308, 0.1, 1e10, far) == -inf


def test_the_mass_that_rounding_leaves_a_plan_does_not_count_as_a_divergence():
    problem, d = binary(), divergences.get("tv")
    plan = np.outer(problem.py, problem.px)
    for mass in (1 - 1e-9, 1 + 1e-9, 2.0):
        assert certificate.perception(problem, d, mass * plan) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("shift", [-(2.0**30), 2.0**30])
def test_a_shift_of_all_multipliers_costs_no_digit(shift):
    u = np.array([0.375, -0.125])  # the sum with the shift is exact
    bound, shifted = (exact.certify(binary(), "kl", 0.3, 0.1, 0.5, v) for v in (u, u + shift))
    assert shifted == pytest.approx(bound, abs=1e-13)


def test_an_unbounded_budget_needs_no_price():
    bound = exact.certify(binary(), "tv", inf, 0.1, 0.0, np.zeros(2))
    assert 0 < bound <= 0.3


@pytest.mark.parametrize(
    ("D", "P", "lam", "u", "said"),
    [
        (0.5, 0.1, -1e-9, [0, 0], "lam is -1e-09: expected a number >= 0"),
        (0.5, 0.1, math.nan, [0, 0], "lam is nan"),
        (math.nan, 0.1, 1.0, [0, 0], "D is nan"),
        (0.5, -0.1, 1.0, [0, 0], "P is -0.1"),
        (0.5, 0.1, 1.0, [0, 0, 0], r"u has shape \(3,\): expected 2 numbers"),
    ],
)
def test_multipliers_that_are_none_are_refused(D, P, lam, u, said):
    for bound in (exact.certify, exact.certify_infeasible):
        with pytest.raises(InputError, match=said):
            bound(binary(), "tv", D, P, lam, u)


def test_a_plan_may_exceed_a_budget_by_its_rounding_and_no_more():
    unit = units.scaled(binary(), divergences.get("tv"))
    problem, d = unit.problem, unit.divergence
    plan = problem.py[:, None] * problem.px
    E, P = certificate.distortion(problem, plan), 0.05
    assert E == pytest.approx(problem.distortion(plan))
    one = 2.0**-46
    for D, noise, right in (
        (E, 0.0, True), (E / (1 + 0.9 * one), 0.0, True), (E / (1 + 1.2 * one), 0.0, False),
        (E - 1e-6, 1.1e-6, True), (E - 1e-6, 0.9e-6, False), (inf, 0.0, True),
    ):  # fmt: skip
        assert certificate.inside(problem, d, D, inf, noise, plan) == right
    moved = problem.py[:, None] * np.array([problem.px[0] - P, problem.px[1] + P])
    over = certificate.perception(problem, d, moved)
    assert over == pytest.approx(P)
    open_ = P * one + d.rounding()
    for budget, right in (
        (over, True), (over - 0.8 * open_, True), (over - 1.3 * open_, False), (0.9 * P, False),
        (inf, True),
    ):  # fmt: skip
        assert certificate.inside(problem, d, inf, budget, 0.0, moved) == right


def test_a_plan_is_tidied_to_a_coupling():
    problem = random_problem(7)
    spare = problem.py[:, None] * problem.px
    raw = np.abs(np.random.default_rng(0).normal(size=problem.shape))
    raw[0, 1], raw[2] = -0.5, 0.0
    found = certificate.tidy(problem, raw, spare)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), problem.py, rtol=1e-14)
    assert found[0, 1] == 0
    np.testing.assert_allclose(found[2], spare[2])
    kept = np.maximum(raw[1], 0)
    np.testing.assert_allclose(found[1], problem.py[1] * kept / kept.sum())


@pytest.mark.parametrize("mixed", [0.0, 0.25])
def test_a_plan_is_matched_to_a_marginal_with_as_little_change_as_needed(mixed):
    problem = random_problem(8)
    rng = np.random.default_rng(1)
    plan = problem.py[:, None] * rng.dirichlet(np.ones(5), size=5)
    target = problem.px
    found = certificate.matched(problem, plan, target, mixed)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), problem.py, rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=0), target, rtol=1e-12)
    short = plan.sum(axis=0) < target
    cut = (1 - mixed) * plan * np.minimum(1, target / plan.sum(axis=0))
    assert (found >= cut - 1e-15).all()
    assert short.any()
    same = certificate.matched(problem, plan, plan.sum(axis=0), 0.0)
    np.testing.assert_allclose(same, plan, atol=1e-15)
