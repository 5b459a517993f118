"""Divergences to their digits: values, supports and prices against mpmath and linear programs."""

from __future__ import annotations

import math
import warnings
from functools import cache

import numpy as np
import pytest
from mpmath import inf, log, mp, mpf, sqrt
from scipy.optimize import linprog

from cdplib.errors import InputError
from cdplib.theory import divergences

ORDERS = (0.3, 0.999, 1.5, 3.5, 40.0, math.inf)
RENYI = ("kl", "hellinger2", "chi2", *(f"renyi:{order:g}" for order in ORDERS))
EVERY = ("tv", "w1", "reverse_kl", *RENYI)


@pytest.fixture(autouse=True)
def digits():
    """40 digits, and no floating-point warning on the way."""
    with mp.workdps(40), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def exact(name, p, q):
    """d(p, q) as its definition says, in mpmath."""
    pairs = [(mpf(a), mpf(b)) for a, b in zip(p, q, strict=True)]
    on = [(a, b) for a, b in pairs if a > 0]
    if name == "tv":
        return sum(abs(a - b) for a, b in pairs) / 2
    if name == "w1":
        return sum(abs(sum(a - b for a, b in pairs[: k + 1])) for k in range(len(pairs)))
    if name == "reverse_kl":
        return exact("kl", q, p)
    if name == "hellinger2":
        return 1 - sum(sqrt(a * b) for a, b in pairs)
    if name == "chi2":
        return inf if any(b == 0 for _, b in on) else sum((a - b) ** 2 / b for a, b in pairs if b)
    order = 1.0 if name == "kl" else float(name.split(":")[1])
    if order >= 1 and any(b == 0 for _, b in on):
        return inf
    if order == 1:
        return sum(a * log(a / b) for a, b in on)
    if order == math.inf:
        return max(log(a / b) for a, b in on)
    total = sum(a * (b / a) ** (1 - mpf(order)) for a, b in on)
    return log(total) / (mpf(order) - 1) if total else inf


# Laws in whole shares of a power of two, so that their sums are exactly 1.
PAIRS = {
    "far apart": ([0.125, 0.25, 0.625], [0.625, 0.125, 0.25]),
    "a third apart": ([0.1875, 0.3125, 0.5], [0.25, 0.3125, 0.4375]),
    "some letters near, some far": ([0.0625, 0.4375, 0.5], [0.25, 0.3125, 0.4375]),
    "a millionth apart": ([0.1875, 0.3125, 0.5], [0.1875 + 2.0**-20, 0.3125 - 2.0**-20, 0.5]),
    "12 digits agree": ([0.25, 0.5, 0.25], [0.25 + 2.0**-40, 0.5 - 2.0**-39, 0.25 + 2.0**-40]),
    "p misses a letter": ([0.0, 0.5, 0.5], [0.1875, 0.3125, 0.5]),
    "q misses a letter": ([0.1875, 0.3125, 0.5], [0.0, 0.5, 0.5]),
    "both miss one": ([0.0, 0.25, 0.75], [0.0, 0.5, 0.5]),
    "each misses another": ([0.0, 0.25, 0.75], [0.5, 0.0, 0.5]),
    "nothing shared": ([0.0, 0.5, 0.5], [1.0, 0.0, 0.0]),
    "hardly anything shared": ([1.0, 2.0**-500, 0.0], [2.0**-500, 1.0, 0.0]),
    "one letter missed, one hardly shared": ([0.5, 0.5, 0.0], [0.0, 2.0**-500, 1.0]),
    "little shared": ([1 - 2.0**-40, 2.0**-40, 0.0], [2.0**-40, 1 - 2.0**-40, 0.0]),
    "a tiny mass of q": ([0.5, 0.5, 0.0], [2.0**-600, 1.0, 0.0]),
    "a denormal mass of q": ([0.5, 0.5, 0.0], [2.0**-1070, 1.0, 0.0]),
    "a denormal mass of p": ([3 * 2.0**-1074, 1.0, 0.0], [0.875, 0.125, 0.0]),
    "two tiny masses": ([3 * 2.0**-600, 0.5, 0.5], [2.0**-600, 0.5, 0.5]),
}


@pytest.mark.parametrize("name", EVERY)
def test_values_have_the_digits_of_the_definition(name):
    d = divergences.get(name)
    for pair, (p, q) in PAIRS.items():
        found, true = d.value(p, q), exact(name, p, q)
        if true > 1e308:
            assert found == math.inf, pair
        else:
            assert abs(found - true) <= 1e-12 * true + d.rounding() / 4, pair


@pytest.mark.parametrize("power", [0, 0.001, 0.5, 0.999, 1, 2.5, -0.5, -1, -2.5, -39])
def test_what_a_generator_has_beyond_its_tangent_is_right_to_12_digits(power):
    sizes = [1e-150, 1e-12, 1e-5, 1e-4, 2e-4, 3e-4, 0.0098, 0.0102, 0.05, 0.3, 0.49, 0.9, 0.999]
    xs = [*sizes, *(-x for x in sizes), 0.0, 1.5, 7.0, 1e6]
    found = divergences.bend(np.array(xs), power)
    for x, value in zip(map(mpf, xs), found, strict=True):
        with mp.workdps(340 if abs(x) < 1e-100 else 60):
            one = 1 + x
            true = x - log(one) if power == 0 else one ** mpf(power) - 1 - mpf(power) * x
            # at power 1 nothing is beyond; at a tiny power the tangent's own rounding shows
            slack = 4e-16 * abs(power) * abs(x) if abs(x) > 0.009 / max(1, abs(power)) else 0
            assert abs(mpf(value) - true) <= 1e-12 * abs(true) + slack, float(x)


def test_a_generator_at_the_end_of_its_range():
    ends = [float(divergences.bend(np.array([-1.0]), power)[0]) for power in (0, -1, 0.25)]
    assert ends == [math.inf, math.inf, -0.75]


def test_power_means_count_zeros():
    p, w = np.array([0.5, 0.5]), np.array([0.0, 4.0])
    means = [divergences._power_mean(p, w, power) for power in (-1, 0, 0.5, 1)]
    assert means == pytest.approx([0, 0, 1, 2], rel=1e-14)
    means = [divergences._power_mean(p, w + 1, power) for power in (-1, 0, 0.5, 1)]
    assert means == pytest.approx([5 / 3, 5**0.5, (0.5 + 5**0.5 / 2) ** 2, 3], rel=1e-14)


@cache
def cheapest(name, share, P):
    """(h, price) of u = (0, 1) and p = (1 - share, share): the least mass left on letter 2.

    d rises as that mass falls, so that halving finds where the budget P is spent.
    """
    with mp.workdps(40):
        p = (1 - mpf(share), mpf(share))
        low, high = mpf(0), mpf(share)
        if exact(name, p, (1, 0)) <= P:
            return mpf(0), mpf(0)
        for _ in range(110):
            middle = (low + high) / 2
            inside = exact(name, p, (1 - middle, middle)) <= P
            low, high = (low, middle) if inside else (middle, high)
        return high, -1 / mp.diff(
            lambda s: exact(name, p, (1 - s, s)), high, h=high * mpf(10) ** -15
        )


@pytest.mark.parametrize("P", [1e-9, 0.0625, 0.5, 0.9375, 4.0])
@pytest.mark.parametrize("name", EVERY)
def test_two_letters_are_priced_as_their_closed_form_says(name, P):
    # one thousandth from order 1 the powers amplify rounding, which is paid for
    loose = 4e-12 if name == "renyi:0.999" else 1e-13
    for share in (0.0625, 0.375, 0.875):
        true, price = cheapest(name, share, P)
        d = divergences.get(name)
        for u, sign in (([0.0, 1.0], 1), ([1.0, 0.0], -1)):
            p = [1 - share, share][::sign]
            found, slope = d.dual(u, p, P)
            assert -loose <= found - true <= 2.0**-53, (share, float(true))
            assert slope == pytest.approx(float(price), rel=1e-5, abs=1e-13)
        below = d.dual([-3.0, -2.0], [1 - share, share], P)[0]
        assert below == pytest.approx(float(true - 3), abs=loose)


# Everything on one letter, and a free letter at cost 0: what must stay is in closed form.
STAYS = {
    **{name: (lambda P: math.exp(-P), lambda P: math.exp(-P)) for name in RENYI},
    "hellinger2": (lambda P: (1 - P) ** 2, lambda P: 2 * (1 - P)),
    "chi2": (lambda P: 1 / (1 + P), lambda P: (1 + P) ** -2),
    "tv": (lambda P: 1 - P, lambda P: 1.0),
    "reverse_kl": (lambda P: 1.0, lambda P: 0.0),
}


@pytest.mark.parametrize("P", [0.001, 0.25, 0.75])
@pytest.mark.parametrize("name", STAYS)
def test_what_must_stay_on_a_constant_support(name, P):
    d, (stays, price) = divergences.get(name), STAYS[name]
    for p, u in (([1.0, 0.0], [1.0, 0.0]), ([0.25, 0.75, 0.0], [1.0, 1.0, 0.0])):
        found = d.dual(u, p, P)
        assert found == (pytest.approx(stays(P), rel=1e-13), pytest.approx(price(P), rel=1e-6))


@pytest.mark.parametrize("name", EVERY)
def test_a_constant_and_a_free_budget_cost_nothing(name):
    d, p = divergences.get(name), [0.25, 0.75, 0.0]
    for P in (0.0, 0.3, math.inf):
        assert d.dual([2.5, 2.5, 2.5], p, P) == (2.5, 0.0)
    assert d.dual([3.0, 1.0, 2.0], p, math.inf) == (1.0, 0.0)
    found = d.dual([0.0, 0.0, 1.0], p, 0.3)  # p has its mass where it is cheapest already
    assert found[0] == 0
    assert found[1] == 0 or name == "w1"  # a kink at P = 0.3 is none, but w1 may not see it
    value, price = d.dual([3.0, 1.0, 2.0], p, 0.0)
    assert value == 1.5
    assert price > 0


@pytest.mark.parametrize("name", ["tv", "hellinger2"])
@pytest.mark.parametrize("P", [1.0, 1.5, 3.0])
def test_budgets_of_one_and_above_hold_every_law(name, P):
    d = divergences.get(name)
    assert d.dual([1.0, 7.0, 2.0, 9.0], [0.25, 0.25, 0.25, 0.25], P) == (1.0, 0.0)


@pytest.mark.parametrize("P", [2.0, 9.0])
@pytest.mark.parametrize("x", [(0.0, 2.0), (1.0, -1.0), (0.0, 0.0)])
def test_w1_has_a_budget_from_which_on_all_may_move(x, P):
    assert divergences.get("w1", x).dual([4.0, 1.0], [0.5, 0.5], P) == (1.0, 0.0)


@pytest.mark.parametrize("below", [0, 1e-16, 3e-16, 1e-15, 1e-12, 1e-6])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.7, 0.99])
def test_reverse_kl_just_below_its_largest_useful_budget(share, below):
    d, p = divergences.get("reverse_kl"), [1 - share, share]
    P = -math.log1p(-share) * (1 - below)
    value, price = d.dual([0.0, 1.0], p, P)
    assert 0 <= value <= 2 * below + 1e-15
    assert 0 <= price < 1


def test_reverse_kl_one_digit_below_its_largest_useful_budget():
    rng, d = np.random.default_rng(2), divergences.get("reverse_kl")
    for _ in range(60):
        p = rng.dirichlet(np.ones(6))
        for digits in (1, 2):
            P = -math.log(float(p[:3].sum())) * (1 - digits * 2.0**-53)
            value, price = d.dual([0.0, 0.0, 0.0, 0.5, 0.75, 1.0], p, P)
            assert 0 <= value <= 1e-14
            assert 0 <= price < 1


def test_a_letter_that_reverse_kl_does_not_allow_changes_nothing():
    d = divergences.get("reverse_kl")
    for P in (0.01, 0.3, 1.2):
        two, three = (
            d.dual([0.0, 1.0], [0.25, 0.75], P),
            d.dual([0.0, 1.0, -5.0], [0.25, 0.75, 0], P),
        )
        assert two == three


@pytest.mark.parametrize("name", ["kl", "reverse_kl", "hellinger2", "chi2", "renyi:0.3", "renyi:9"])
@pytest.mark.parametrize("P", [1e-8, 1e-20, 1e-32, 1e-60, 1e-310])
def test_tiny_budgets_buy_what_the_second_order_says(name, P):
    # d = a/2 sum (q - p)^2 / p near p: the mean falls by the spread times sqrt(2 P / a)
    a = {"kl": 1, "reverse_kl": 1, "hellinger2": 0.25, "chi2": 2}.get(name) or float(name[6:])
    rng = np.random.default_rng(3)
    for _ in range(4):
        p, u = rng.dirichlet(np.ones(4)), np.append(rng.random(2), [0.0, 1.0])
        spread = math.sqrt(p @ (u - p @ u) ** 2)
        value, price = divergences.get(name).dual(u, p, P)
        fall = spread * math.sqrt(2 * P / a)
        assert value == pytest.approx(p @ u - fall, abs=0.01 * fall + 2e-14)
        assert price == pytest.approx(fall / (2 * P), rel=0.01 if P > 1e-30 else 1e-9)


def test_a_mass_that_the_budget_cannot_move_away_is_priced():
    # u is cheapest off the support of p; a budget this large moves nearly all mass there
    p, u = np.array([0.6, 0.4, 0.0]), np.array([1.0, 2.0, 0.0])
    for name in ("chi2", "renyi:1.5", "renyi:3.5", "renyi:inf"):
        d = divergences.get(name)
        for P in (0.25, 2.0, 6.0):
            slope = (d.support(u, p, P * 0.9999) - d.support(u, p, P * 1.0001)) / (P * 0.0002)
            assert d.dual(u, p, P)[1] == pytest.approx(slope, rel=1e-6)
    # all on letter 3 but what must stay, shared as is cheapest: order inf keeps p exp(-P)
    assert divergences.get("renyi:inf").support(u, p, 2.0) == pytest.approx(1.4 * math.exp(-2))


def plan_of_least_cost(p, q, x):
    """W1 as the linear program over couplings."""
    n = len(p)
    rows = np.vstack([np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))])
    cost = np.abs(np.subtract.outer(x, x)).ravel()
    return linprog(cost, A_eq=rows, b_eq=np.concatenate([p, q]), method="highs").fun


def best_move(u, p, move, P):
    """(h, price) where moving mass from letter i to j costs ``move[i, j]``: a linear program."""
    n = len(p)
    found = linprog(
        np.tile(u, n), A_ub=[move.ravel()], b_ub=[P], A_eq=np.kron(np.eye(n), np.ones(n)), b_eq=p,
        method="highs",
    )  # fmt: skip
    return found.fun, -found.ineqlin.marginals[0]


LINES = {
    "in order": [0.0, 1.0, 2.0, 3.0, 4.0],
    "unsorted": [2.0, -1.5, 0.25, 8.0, 3.0],
    "with repeats": [1.0, 0.0, 1.0, 4.0, 0.0],
    "two places": [0.0, 3.0, 3.0, 0.0, 3.0],
    "uneven": [0.0, 1e-3, 1.0, 1.0 + 1e-6, 50.0],
    "falling": [5.0, 4.0, 2.0, 1.0, 0.0],
}


@pytest.mark.parametrize("line", LINES)
def test_w1_agrees_with_the_linear_program_over_couplings(line):
    rng, x = np.random.default_rng(7), np.array(LINES[line])
    d, move = divergences.get("w1", x), np.abs(np.subtract.outer(x, x))
    for P in np.ptp(x) * np.array([0.003, 0.05, 0.12, 0.3, 0.55, 0.8]):
        p, q, u = rng.dirichlet(np.ones(5)), rng.dirichlet(np.ones(5)), rng.normal(size=5)
        assert d.value(p, q) == pytest.approx(plan_of_least_cost(p, q, x), abs=1e-12)
        value, price = best_move(u, p, move, P)
        found = d.dual(u, p, P)
        assert found == (pytest.approx(value, abs=1e-9), pytest.approx(price, rel=1e-9, abs=1e-9))
    assert d.support(u, p, 0.0) == pytest.approx(best_move(u, p, move, 0.0)[0], abs=1e-9)


def test_total_variation_agrees_with_the_linear_program():
    rng, move = np.random.default_rng(8), 1 - np.eye(5)
    for P in (0.01, 0.2, 0.4, 0.6, 0.95):
        p, u = rng.dirichlet(np.ones(5)), rng.normal(size=5)
        found = divergences.get("tv").dual(u, p, P)
        assert found == pytest.approx(best_move(u, p, move, P), abs=1e-9)


def test_w1_at_ties_and_kinks_has_the_value_and_a_price_between_both_slopes():
    x, u = np.array([0.0, 1.0, 2.0, 4.0]), np.array([1.0, 0.0, 1.0, 2.0])
    p = np.array([0.25, 0.25, 0.25, 0.25])
    d = divergences.get("w1", x)
    # 0.25 at 0 or 2 moves one step for a gain of 1 a step, then 0.25 at 4 at 2/3 a step
    for P, value, prices in (
        (0.25, 0.75, (1, 1)), (0.5, 0.5, (2 / 3, 1)), (0.875, 0.25, (2 / 3, 2 / 3)),
        (1.0, 1 / 6, (2 / 3, 2 / 3)), (1.25, 0.0, (0, 2 / 3)), (1.5, 0.0, (0, 0)),
    ):  # fmt: skip
        found, price = d.dual(u, p, P)
        assert found == pytest.approx(value, abs=1e-13)
        assert prices[0] - 1e-9 <= price <= prices[1] + 1e-9


@pytest.mark.parametrize(
    ("lines", "top", "highest"),
    [
        ([(0, -1)], 5.0, 0.0), ([(0, 0)], 5.0, 0.0), ([(0, 1)], 2.0, 2.0), ([(0, 0.5)], 2.0, 2.0),
        ([(0, 1)], 0.0, 0.0), ([(0, 4), (3, 1), (9, -1)], 10.0, 3.0),
        ([(0, 8), (1, 4), (3, 2), (5, 1), (20, -2)], 12.0, 5.0),
        ([(0, 3), (4, -1)], 4.0, 1.0), ([(0, 1000), (999, 1), (1500, -500)], 3.0, 1.0),
    ],
)  # fmt: skip
def test_the_summit_of_a_concave_broken_line_is_found(lines, top, highest):
    def curve(t):
        value, slope = min((base + slope * t, slope) for base, slope in lines)
        return float(value), float(slope)

    assert divergences.summit(curve, top) == pytest.approx(highest, rel=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_rounding_a_law_moves_the_value_by_no_more_than_its_blur(name):
    rng = np.random.default_rng(11)
    d = divergences.get(name)
    for _ in range(12):
        p, q = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
        q = p + (q - p) * 10 ** rng.uniform(-6, -0.5)
        other = [
            mpf(v) * (1 + mpf(e) * mpf(2) ** -52)
            for v, e in zip(q, rng.uniform(-1, 1, 4), strict=True)
        ]
        p, q, other = ([mpf(v) / sum(map(mpf, law)) for v in law] for law in (p, q, other))
        before, after = exact(name, p, q), exact(name, p, other)
        assert abs(after - before) <= d.blur(float(before))
    for P in (0.5, 1e-5, 1e-10):
        assert d.blur(P) < 1e-3 * P  # a budget is never eaten up by it
        if name in ("tv", "w1"):  # where d moves as the masses do
            assert d.blur(P) <= d.rounding()


@pytest.mark.parametrize("name", EVERY)
def test_laws_that_agree_to_the_last_digit_are_truly_within_the_rounding(name):
    rng, d = np.random.default_rng(12), divergences.get(name)
    for _ in range(12):
        p = [mpf(v) for v in rng.dirichlet(np.ones(5))]
        q = [
            v * (1 + mpf(e) * mpf(2) ** -52) for v, e in zip(p, rng.uniform(-2, 2, 5), strict=True)
        ]
        p, q = ([v / sum(law) for v in law] for law in (p, q))
        assert 0 < exact(name, p, q) <= d.rounding() <= 1e-10


@pytest.mark.parametrize("order", [0.3, 1.0, 3.5, 50.0])
def test_larger_orders_blur_more(order):
    d = divergences.get(f"renyi:{order}")
    assert d.blur(0.04) == pytest.approx(2 * d.blur(0.01), rel=1e-12, abs=0)
    larger = max(1, order) ** 0.5 * divergences.get("kl").blur(0.01)
    assert d.blur(0.01) == pytest.approx(larger, rel=1e-12, abs=0)


@pytest.mark.parametrize("p", [[1.0], [1.0, 0.0], [0.25, 0.75, 0.0], [0.5, 0.5]])
def test_a_full_budget_reaches_every_law_that_is_allowed(p):
    for name in EVERY:
        d = divergences.get(name)
        for letter in np.flatnonzero(d.reach(np.array(p))):
            assert d.value(p, np.eye(len(p))[letter]) <= d.full(np.array(p))


def test_a_place_without_mass_takes_what_p_has_there():
    d = divergences.get("w1", [0.0, 1.0, 1.0])
    nearest = d.nearest(np.array([0.5, 0.25, 0.25]), np.array([1.0, 0.0, 0.0]))
    assert nearest.tolist() == [0.5, 0.25, 0.25]
    nearest = d.nearest(np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.5, 0.5]))
    assert nearest.tolist() == [1.0, 0.0, 0.0]


def test_vectors_too_long_for_a_double_are_given_up_and_not_guessed():
    assert divergences.get("kl").dual([-1.5e308, 1.5e308], [0.5, 0.5], 0.5) == (-math.inf, math.inf)


@pytest.mark.parametrize("values", [[], [[0.5, 0.5]], [[1.0]], 1.0])
def test_only_a_vector_is_a_law(values):
    with pytest.raises(InputError, match=r"^p has shape .*: expected a non-empty vector$"):
        divergences.law(values)


def test_a_divergence_has_to_say_what_it_is():
    bare = divergences.Divergence("bare")
    with pytest.raises(NotImplementedError):
        bare.value([1.0], [1.0])
    with pytest.raises(NotImplementedError):
        bare.support([0.0, 1.0], [0.5, 0.5], 0.1)
