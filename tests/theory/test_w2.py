"""W2 as d: the program, its certificate, the closed forms, and the snapped geodesic."""

import math

import numpy as np
import pytest

from cdplib.errors import InputError
from cdplib.theory import checks, closed_form, exact, snapped, transport, w2
from cdplib.theory.toy import GaussianToy

B = exact.gaussian_mixture_problem(32, threshold=1.2)
SQUARED = w2.Squared(x=tuple(B.x.tolist()))
TOY = GaussianToy(threshold=1.2)


def test_the_squared_distance_is_that_of_the_monotone_coupling():
    random = np.random.default_rng(0)
    x = np.sort(random.normal(size=5))
    p, q = random.dirichlet(np.ones(5), size=2)
    assert w2.Squared(x=tuple(x)).value(p, q) == pytest.approx(transport.w2(p, q, x, x) ** 2)
    assert w2.Squared(x=tuple(x)).value(p, p) <= 1e-16


def test_the_support_function_is_the_least_over_the_ball():
    """Against a linear program over transport plans, and no law in the ball is below it."""
    from scipy.optimize import linprog

    random = np.random.default_rng(3)
    for trial in range(12):
        n = 5
        x = np.array([-1, -1, 0.3, 1, 2.5]) if trial % 3 == 0 else random.normal(size=n)
        d = w2.Squared(x=tuple(x))
        p, u = random.dirichlet(np.ones(n)), random.normal(size=n)
        if trial % 4 == 0:
            p = np.array([0.5, 0, 0.2, 0.3, 0])
        P = random.choice([0.0, 0.01, 0.3, 2.0])
        rows = np.kron(np.eye(n), np.ones(n))
        best = linprog(np.tile(u, n), [d.cost.ravel()], [P], rows, p).fun
        value, price = d.dual(u, p, P)
        assert value == pytest.approx(best, abs=1e-8)
        assert price >= 0
        assert d.support(u, p, 2 * P) >= value - price * P - 1e-9


def test_points_are_certified_and_keep_their_budgets():
    for D, P in (
        (0.7, 0.3),
        (0.75, 0.1),
        (1.0, 0.0),
        (0.66, 0.5),
        (math.inf, 0.1),
        (0.7, math.inf),
    ):
        at = w2.solve(B, D, P)
        assert at.status == "optimal"
        assert at.gap <= 1e-9
        assert exact.feasible(B, SQUARED, D, P**2, at.plan)
        if P < math.inf:
            assert exact.certify(B, SQUARED, D, P**2, at.lam, at.u) == pytest.approx(
                at.lower, abs=1e-9
            )
    random = np.random.default_rng(0)
    at = w2.solve(B, 0.7, 0.3)
    for _ in range(20):
        u = at.u + 0.1 * random.normal(size=32)
        assert exact.certify(B, SQUARED, 0.7, 0.09, at.lam * random.exponential(), u) <= at.value


def test_two_letters_are_total_variation():
    bit = exact.make_problem(np.diag([0.7, 0.3]), [[0.6, 0.4], [0.4, 0.6]], 1 - np.eye(2), [0, 1])
    for P in (0.0, 0.1, 0.3):
        tv = exact.solve(bit, "tv", math.inf, P)
        assert w2.solve(bit, math.inf, P**0.5).value == pytest.approx(tv.value, abs=1e-9)
    # so C is not convex in P itself, only in P^2
    roots = np.linspace(0, 0.4**0.5, 9)
    values = [w2.solve(bit, math.inf, P).value for P in roots]
    assert checks.midpoint_excess([values])[0] > 0.01


def test_it_is_convex_in_the_budgets_of_distortion_and_of_the_square():
    Ds, squares = np.linspace(0.68, 0.9, 5), np.linspace(0.0, 0.08, 5)
    values = np.array([[w2.solve(B, D, s**0.5).value for s in squares] for D in Ds])
    assert checks.rise(values) <= 1e-9
    assert checks.midpoint_excess(values)[0] <= 1e-9


def test_infeasible_points_are_proved():
    at = w2.solve(B, 0.6, 0.1)
    assert (at.status, at.value, at.plan) == ("infeasible", math.inf, None)
    assert exact.certify_infeasible(B, SQUARED, 0.6, 0.01, at.lam, at.u) > 0
    with pytest.raises(InputError, match="P is"):
        w2.solve(B, 0.7, -1.0)


@pytest.mark.parametrize("shift", [0.75, -0.75])
def test_the_snapped_geodesic_is_the_limit_of_the_program(shift):
    threshold = GaussianToy().boundary + shift  # halfway between two letters of either grid
    toy = GaussianToy(threshold=threshold)
    problems = [exact.gaussian_mixture_problem(n, threshold=threshold) for n in (64, 128)]
    far = toy.least_mse() + 0.25 * w2_span(toy) ** 2
    for D, P in ((far + 0.02, 0.5 * w2_span(toy)), (math.inf, 0.05), (1.5, 0.0)):
        closed = snapped.cdp(toy, D, P)
        off = [abs(w2.solve(problem, D, P).value - closed) for problem in problems]
        assert off[1] < 6e-3
        assert off[1] < 0.7 * off[0]  # X^ may move in steps of the grid only: of first order


def w2_span(toy):
    return snapped.point(toy, 0.0, snapped.crossing(toy, 0.0)).P


def test_the_ends_of_the_geodesic_are_known():
    mean, law = (snapped.point(TOY, s, snapped.crossing(TOY, s)) for s in (0.0, 1.0))
    assert mean.D == pytest.approx(TOY.least_mse(), abs=1e-9)
    assert law.P == pytest.approx(0, abs=1e-8)
    assert law.D == pytest.approx(TOY.least_mse() + mean.P**2, abs=1e-9)
    assert law.C == pytest.approx(closed_form.least_error_on_line(TOY, "kl", 0.0), abs=1e-9)
    middle = snapped.point(TOY, 0.4, snapped.crossing(TOY, 0.4))
    assert middle.P == pytest.approx(0.6 * mean.P, abs=1e-9)
    assert middle.D == pytest.approx(TOY.least_mse() + (0.4 * mean.P) ** 2, abs=1e-9)


def test_snapping_more_buys_error_with_the_sum_of_budgets():
    natural, best = snapped.crossing(TOY, 0.5), TOY.bayes_threshold("y")
    cuts = np.linspace(natural, best, 6)
    points = [snapped.point(TOY, 0.5, cut) for cut in cuts]
    spent = [0.5 * p.D + 0.5 * p.P**2 for p in points]  # what g_s minimises; P alone may fall
    assert (np.diff(spent) > 0).all()
    assert (np.diff([p.C for p in points]) < 0).all()
    y = np.linspace(-6, 6, 501)
    g = snapped.restore(TOY, y, 0.5, cuts[3])
    assert (np.diff(g) >= 0).all()
    assert ((g >= TOY.boundary) == (y >= cuts[3])).all()


def test_the_continuous_function_is_monotone_convex_and_infeasible_below_the_edge():
    span, least = w2_span(TOY), TOY.least_mse()
    for P in (0.0, 0.1, 0.2):
        edge = float(transport.w2_edge(least, span, P))
        assert snapped.cdp(TOY, edge - 1e-6, P) == math.inf
        assert snapped.cdp(TOY, edge + 1e-9, P) < math.inf
    Ds, squares = np.linspace(0.66, 0.72, 3), np.linspace(0.012, 0.05, 3)
    values = np.array([[snapped.cdp(TOY, D, s**0.5) for s in squares] for D in Ds])
    assert checks.rise(values) <= 1e-9
    assert checks.midpoint_excess(values)[0] <= 1e-8
    assert np.ptp(values) > 1e-4
    with pytest.raises(InputError, match="s is 2"):
        snapped.point(TOY, 2, 0)
    with pytest.raises(InputError, match="D is nan"):
        snapped.cdp(TOY, math.nan, 1)


def test_units_do_not_matter_and_small_random_problems_are_answered():
    random = np.random.default_rng(7)
    for trial in range(40):
        m, n = random.integers(1, 6), random.integers(2, 6)
        x = np.sort(random.normal(size=n))
        if trial % 5 == 0:
            x[1] = x[0]
        joint = random.dirichlet(np.full(2 * n, random.choice([0.3, 1.0]))).reshape(2, n)
        channel, cost = random.dirichlet(np.ones(m), size=n), random.random((n, n))
        labels = random.integers(0, 2, n)
        P = random.choice([0.0, 0.01, 0.3, 1.0])
        answers = []
        for unit, length in ((1.0, 1.0), (1e-8, 1e6), (1e8, 1e-6)):
            problem = exact.make_problem(joint, channel, unit * cost, labels, x=length * x)
            edge = w2.least_distortion(problem, length * P)
            assert w2.solve(problem, 0.97 * edge - 0.01 * unit, length * P).status == "infeasible"
            at = w2.solve(problem, 1.02 * edge + 0.01 * unit, length * P)
            assert at.status == "optimal"
            answers.append(at.value)
        assert answers == pytest.approx([answers[0]] * 3, abs=1e-8)


def test_tied_positions_are_one_place():
    law, moved = np.array([[0.3, 0.3, 0.1], [0.1, 0.1, 0.1]]), np.array([0.0, 0.0, 1.0])
    channel = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    problem = exact.make_problem(law, channel, 1 - np.eye(3), [0, 1, 1], x=moved)
    apart = exact.make_problem(law, channel, 1 - np.eye(3), [0, 1, 1], x=[0.0, 0.1, 1.0])
    free, bound = (w2.solve(p, math.inf, 0.0) for p in (problem, apart))
    assert free.status == bound.status == "optimal"
    assert free.value < bound.value - 0.05  # the classifier tells apart what W2 does not
