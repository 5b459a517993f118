"""Intervals that hold C(D,P) whatever the solver said: closed forms, broken proposals, any unit."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from cdplib.errors import InputError
from cdplib.theory import balls, divergences, enclose, exact
from tests.theory import fuzz

inf = math.inf


def binary(prior=0.7, flip=0.2, scale=1.0):
    channel = [[1 - flip, flip], [flip, 1 - flip]]
    cost = scale * (1 - np.eye(2))
    return exact.make_problem(np.diag([prior, 1 - prior]), channel, cost, [0, 1])


def some_problem(seed, n=5):
    rng = np.random.default_rng(seed)
    return exact.make_problem(
        rng.dirichlet(np.ones(2 * n)).reshape(2, n), rng.dirichlet(np.ones(n), size=n),
        rng.random((n, n)), rng.integers(0, 2, n), x=rng.normal(size=n),
    )  # fmt: skip


def judge_of(problem, name):
    """The judge in 60 digits, for the order of Rényi that the float is."""
    judge = fuzz.Judge(problem, name)
    judge.order = None if judge.order is None else mpf(float(judge.order))
    return judge


def digits(number):
    return mpf(number.numerator) / mpf(number.denominator)


# -- closed forms ------------------------------------------------------------------------------


def by_hand(problem, b):
    """The least error of calling Y the bit 1 with probability ``b``: a knapsack of two items."""
    py = [mpf(v) / mpmath.fsum(map(mpf, problem.py.tolist())) for v in problem.py.tolist()]
    e = [[mpf(v) for v in row] for row in problem.err.tolist()]
    if b <= py[1]:  # y = 0 is called 0, some of y = 1 is called 1
        return py[0] * e[0][0] + b * e[1][1] + (py[1] - b) * e[1][0]
    return py[1] * e[1][1] + (b - py[1]) * e[0][1] + (1 - b) * e[0][0]


@pytest.mark.parametrize("name", [*fuzz.DIVERGENCES[:8], "renyi:0.5", "renyi:inf"])
@pytest.mark.parametrize("P", [0.0, 1e-9, 1e-3, 0.01, 0.05, 2.0, inf])
def test_the_binary_channel_is_enclosed(name, P):
    """C(inf, P): X has the law (.7, .3), Y (.62, .38), and 1 is said as often as allowed."""
    problem = binary()
    judge = judge_of(problem, name)
    b = judge.py[1]
    if P == 0:
        b = judge.px[1]
    elif P < inf and judge.value([1 - b, b]) > P:
        over = lambda b: judge.value([1 - b, b]) - mpf(P)  # noqa: E731
        b = mpmath.findroot(over, (judge.px[1], b), solver="anderson", tol=1e-50)
    at = exact.solve(problem, name, inf, P)
    low, high = exact.enclose(problem, name, inf, P, at)
    assert digits(low) <= by_hand(problem, b) + mpf(1e-45)
    assert by_hand(problem, b) <= digits(high) + mpf(1e-45)
    assert 0 <= high - low <= at.gap + 1e-15


def test_where_all_is_exact_the_interval_is_a_point():
    """Halves, quarters and eighths are floats, so that nothing is rounded anywhere."""
    problem = exact.make_problem(np.eye(2) / 2, [[0.75, 0.25], [0.25, 0.75]], 1 - np.eye(2), [0, 1])
    for name in fuzz.DIVERGENCES:
        assert exact.enclose(problem, name, 0.25, 0.0) == (Fraction(1, 4), Fraction(1, 4))
        assert exact.enclose(problem, name, inf, inf) == (Fraction(1, 4), Fraction(1, 4))
    with pytest.raises(InputError, match="infeasible"):
        exact.enclose(problem, "tv", np.nextafter(0.25, 0), 0.5)


def test_laws_are_divided_by_their_exact_sums():
    """(.25, .25) and (1, 3) are the laws (1/2, 1/2) and (1/4, 3/4)."""
    problem = dataclasses.replace(
        binary(), py=np.array([0.25, 0.25]), px=np.array([1.0, 3.0]), err=np.array([[0, 1], [1, 0]])
    )
    normalised = dataclasses.replace(problem, py=problem.py * 2, px=problem.px / 4)
    at = exact.solve(normalised, "tv", inf, 0)
    assert exact.enclose(problem, "tv", inf, 0.0, at) == (Fraction(1, 4), Fraction(1, 4))


@pytest.mark.parametrize("name", fuzz.DIVERGENCES)
@pytest.mark.parametrize(
    ("p", "r"),
    [([0.5, 0.25, 0.25], [0.125, 0.75, 0.125]), ([0.5, 0.5, 0], [0.5, 0.25, 0.25]),
     ([1, 0, 0], [0, 0.5, 0.5]), ([0.5, 0.25, 0.25], [1, 0, 0]), ([0.5, 0.5, 0], [0, 0.5, 0.5])],
)  # fmt: skip
def test_a_divergence_is_just_below_what_is_said(name, p, r):
    judge = judge_of(dataclasses.replace(some_problem(0, n=3), px=np.array(p, dtype=float)), name)
    laws = [[Fraction(v) for v in law] for law in (p, r)]
    said = balls.value(divergences.get(name, [float(v) for v in judge.x]), *laws, 0.1)
    true = judge.value([mpf(v) for v in r])
    assert true <= (mpf(said) if said == inf else digits(said)) + mpf(1e-50)
    assert said == inf or digits(said) - true < mpf(1e-40)
    assert (said == inf) == (true == inf)


@pytest.mark.parametrize("name", fuzz.DIVERGENCES)
@pytest.mark.parametrize("P", [0.0, 1e-6, 0.1, 1.5, inf])
def test_a_support_function_is_just_above_what_is_said(name, P):
    problem = some_problem(4)
    d, judge = divergences.get(name, problem.x), judge_of(problem, name)
    total = sum(map(Fraction, problem.px.tolist()))
    p = [Fraction(v) / total for v in problem.px.tolist()]
    for u in (np.random.default_rng(5).normal(size=5) * 8 - 3, np.arange(5.0) + 1, np.ones(5)):
        said = digits(balls.support(d, [Fraction(v) for v in u.tolist()], p, P))
        assert abs(said - judge.support([mpf(v) for v in u.tolist()], P)) < 1e-11
        # no law in the ball is below: those between p and the letter that is cheapest
        cheapest = [mpf(j == int(u.argmin())) for j in range(5)]
        for share in (mpf(k) / 64 for k in range(65)):
            r = [(1 - share) * a + share * b for a, b in zip(judge.px, cheapest, strict=True)]
            if P == inf or judge.value(r) <= P:
                mean = mpmath.fsum(a * mpf(v) for a, v in zip(r, u.tolist(), strict=True))
                assert said <= mean + mpf(1e-50)  # the judge rounds


# -- the solver, and whoever else proposes -----------------------------------------------------


@pytest.mark.slow
def test_the_ends_hold_what_60_digits_say_of_random_problems():
    enclosed = 0
    for number in range(22):
        rng = np.random.default_rng([9, number])
        name = fuzz.DIVERGENCES[number % len(fuzz.DIVERGENCES)]
        problem, _ = fuzz.some_problem(rng)
        D, P, edge, _ = fuzz.some_budgets(rng, problem, name)
        at = exact.solve(problem, name, D, P)
        try:
            low, high = exact.enclose(problem, name, D, P, at)
        except InputError:
            # refused where the solver refuses, where it has no plan, or at the edge
            assert at.status != "optimal" or D <= float(edge) * (1 + 1e-9)
            continue
        enclosed += 1
        judged = judge_of(problem, name).lower(D, P, at.lam, at.u, True)
        assert low <= high
        assert max(judged, 0) <= digits(high)
        assert digits(low) >= judged - mpf(1e-20) * (1 + np.abs(at.u).max())
        assert at.lower <= float(low) + 1e-15
        if D > float(edge) * (1 + 1e-9):
            assert high - low <= at.gap + 1e-13
            assert float(low) - 1e-12 <= at.value <= float(high) + 1e-12
    assert enclosed > 12


@pytest.mark.parametrize("name", fuzz.DIVERGENCES)
@given(seed=st.integers(0, 10**6), P=st.sampled_from([0.0, 1e-6, 0.02, 0.3, inf]))
@settings(max_examples=3, deadline=None)
def test_broken_proposals_widen_the_interval_and_never_move_it_off(name, seed, P):
    problem, rng = some_problem(seed), np.random.default_rng(seed)
    D = 1.1 * float(exact.least_distortion(problem, name, P))
    good = exact.solve(problem, name, D, P)
    low, high = exact.enclose(problem, name, D, P, good)
    for broken in (
        {"u": good.u + rng.normal(size=5)},
        {"u": 1e12 * rng.normal(size=5), "lam": 1e20 * rng.random()},
        {"u": np.full(5, np.nan)},
        {"lam": 0.0, "status": "infeasible"},
        {"plan": None},
        {"plan": rng.random(problem.shape)},
        {"plan": -good.plan},
        {"plan": good.plan * np.nan},
        {"plan": np.roll(good.plan, 1, axis=1), "status": "uncertified"},
    ):
        other = exact.enclose(problem, name, D, P, dataclasses.replace(good, **broken))
        assert other[0] <= high, broken
        assert low <= other[1], broken
        if "plan" not in broken:
            assert other[1] == high
        elif "u" not in broken:
            assert other[0] == low


def test_a_wrong_plan_would_be_seen():
    """The last check knows nothing of how the plan was made."""
    problem = some_problem(1)
    d = divergences.get("kl")
    whole = enclose._Whole.of(problem, d)
    natural = np.outer(whole.py, whole.px)
    D = float(whole.mean(whole.delta, natural))
    assert whole.keeps(1.01 * D, 0.0, natural)
    assert not whole.keeps(0.99 * D, 0.0, natural)
    assert not whole.keeps(inf, 0.0, natural + (np.arange(25) == 0).reshape(5, 5))
    nearest = whole.coupling(None)
    assert whole.keeps(inf, inf, nearest)
    assert not whole.keeps(inf, 0.01, nearest)
    moved = natural.copy()
    moved[0, 0], moved[0, 1] = -natural[0, 0], natural[0, 1] + 2 * natural[0, 0]
    assert not whole.keeps(inf, inf, moved)


# -- refusals ----------------------------------------------------------------------------------


def test_infeasible_points_and_wrong_input_raise_one_line():
    problem = binary()
    for D, P, said in (
        (0.1, 0.5, "infeasible"),
        (math.nan, 0.1, "D is nan"),
        ("much", 0.1, "'much'"),
        (0.3, -1.0, "P is"),
    ):
        with pytest.raises(InputError, match=said) as refused:
            exact.enclose(problem, "tv", D, P)
        assert "\n" not in str(refused.value)
    at = exact.solve(problem, "tv", 0.3, 0.1)
    with pytest.raises(InputError, match="lam -1"):
        exact.enclose(problem, "tv", 0.3, 0.1, dataclasses.replace(at, lam=-1.0))

    class Own(divergences.Divergence):
        pass

    with pytest.raises(InputError, match="own"):
        balls.value(Own("own"), [Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)], 0.1)


def test_a_budget_below_the_edge_by_its_rounding_alone_is_refused_with_the_proof():
    """0.1 + 0.2 is above 3/10 in floats; a budget of 0.3 is short of what the letters need."""
    problem = dataclasses.replace(
        binary(), delta=np.array([[0.1 + 0.2, 1.0], [1.0, 0.1 + 0.2]]), py=np.array([0.5, 0.5])
    )
    assert exact.solve(problem, "tv", 0.3, inf).status == "optimal"
    with pytest.raises(InputError, match="by the rounding"):
        exact.enclose(problem, "tv", 0.3, inf)
    low, high = exact.enclose(problem, "tv", 0.1 + 0.2, inf)
    assert low <= high


# -- units -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2.0**-100, 2.0**-40, 2.0**60, 2.0**100])
@pytest.mark.parametrize("name", ["tv", "w1", "kl", "chi2"])
def test_the_unit_of_distortion_does_not_matter(name, scale):
    problem = some_problem(3)
    D = 1.05 * float(exact.least_distortion(problem, name, 0.03))
    at = exact.solve(problem, name, D, 0.03)
    scaled = dataclasses.replace(problem, delta=scale * problem.delta)
    other = dataclasses.replace(at, lam=at.lam / scale)
    ends = exact.enclose(problem, name, D, 0.03, at)
    assert (
        exact.enclose(scaled, name, scale * D, 0.03, other) == ends
    )  # powers of two round nothing
    low, high = exact.enclose(scaled, name, scale * D, 0.03)
    assert low <= ends[1]
    assert ends[0] <= high
    assert high - low < (1e-13 if name in ("tv", "w1") else 1e-7)


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**66])
def test_the_unit_and_the_origin_of_positions_do_not_matter(scale):
    x = np.array([0.0, 0.5, 0.75, 0.75, 3.25])
    problem = dataclasses.replace(some_problem(2), x=x)
    moved = dataclasses.replace(problem, x=scale * (x - 4.0))
    at = exact.solve(problem, "w1", inf, 0.125)
    ends = exact.enclose(problem, "w1", inf, 0.125, at)
    assert exact.enclose(moved, "w1", inf, scale * 0.125, at) == ends
    assert ends[1] - ends[0] < 1e-13


def test_letters_that_share_a_position_exchange_mass_for_nothing():
    problem = dataclasses.replace(binary(0.5, 0.25), x=np.zeros(2), px=np.array([0.9, 0.1]))
    assert exact.enclose(problem, "w1", inf, 0.0) == (Fraction(1, 4), Fraction(1, 4))
    low, _ = exact.enclose(problem, "tv", inf, 0.0)
    assert low > 0.25


def test_the_toy_of_64_letters_has_its_digits_proved():
    toy = exact.gaussian_mixture_problem(64, threshold=1.2)
    for name, width in (("tv", 5e-17), ("w1", 2e-14), ("kl", 1e-7)):
        at = exact.solve(toy, name, 0.7, 0.02)
        low, high = exact.enclose(toy, name, 0.7, 0.02, at)
        assert 0 <= high - low <= width
        assert float(low) - 1e-13 <= at.value <= float(high) + 1e-13


def test_importing_the_theory_does_not_import_flint():
    code = "import sys; from cdplib.theory import exact; print('flint' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
