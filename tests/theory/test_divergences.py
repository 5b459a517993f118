"""Values against definitions, support functions against cvxpy and against the definition."""

from __future__ import annotations

import math

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdplib.errors import InputError
from cdplib.theory import divergences

ALL = ("tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2", "renyi:0.3", "renyi:2", "renyi:3.5")
EVERY = (*ALL, "renyi:inf", "renyi:1")


def some_law(rng, n, zeros=0):
    p = rng.dirichlet(np.ones(n))
    p[rng.permutation(n)[:zeros]] = 0
    return p / p.sum()


def as_cvxpy(name, p, r, P):
    """The set {r : d(p, r) <= P} in cvxpy's own words, independent of the library."""
    on = p > 0
    if name == "tv":
        return [cp.norm1(p - r) <= 2 * P]
    if name == "w1":
        return [cp.norm1(cp.cumsum(p - r)[:-1]) <= P]
    if name == "kl":
        return [cp.sum(cp.kl_div(p[on], r[on])) + cp.sum(p[on]) - cp.sum(r[on]) <= P]
    if name == "reverse_kl":
        return [
            r[~on] == 0,
            -cp.sum(cp.entr(r[on])) - cp.sum(cp.multiply(r[on], np.log(p[on]))) <= P,
        ]
    if name == "hellinger2":
        return [cp.sum(cp.multiply(np.sqrt(p), cp.sqrt(r))) >= 1 - P]
    if name == "chi2":
        return [cp.sum(cp.multiply(p[on] ** 2, cp.power(r[on], -1))) <= 1 + P]
    order = float(name.split(":")[1])
    ratio = cp.multiply(r[on], 1 / p[on])
    terms = cp.sum(cp.multiply(p[on], cp.power(ratio, 1 - order, approx=False)))
    bound = math.exp((order - 1) * P)
    return [terms <= bound] if order > 1 else [terms >= bound]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("zeros", [0, 2])
@pytest.mark.parametrize("P", [0.002, 0.07, 0.45, 2.5])
def test_support_function_is_the_minimum_that_cvxpy_finds(name, zeros, P):
    rng = np.random.default_rng([zeros, int(1000 * P)])
    n = 5
    p, u = some_law(rng, n, zeros), rng.normal(size=n)
    r = cp.Variable(n, nonneg=True)
    budget = min(P, 0.9) if name == "hellinger2" else P
    problem = cp.Problem(cp.Minimize(u @ r), [cp.sum(r) == 1, *as_cvxpy(name, p, r, budget)])
    problem.solve(solver=cp.CLARABEL)
    assert divergences.get(name).support(u, p, budget) == pytest.approx(problem.value, abs=2e-6)


@pytest.mark.parametrize("name", EVERY)
@given(seed=st.integers(0, 10**6), zeros=st.integers(0, 3), share=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_support_function_never_exceeds_a_law_inside_the_ball(name, seed, zeros, share):
    rng = np.random.default_rng(seed)
    divergence = divergences.get(name)
    p, u = some_law(rng, 6, zeros), rng.normal(size=6) * 10 ** rng.uniform(-3, 3)
    q = (1 - share) * p + share * some_law(rng, 6)
    if divergence.value(p, q) == math.inf:  # reverse_kl off the support
        q = np.where(p > 0, q, 0) / q[p > 0].sum()
    h = divergence.support(u, p, divergence.value(p, q) + 1e-15)  # its own rounding
    assert h <= u @ q + 1e-10 * np.abs(u).max()
    assert h >= u.min() - 1e-12 * np.abs(u).max()


@pytest.mark.parametrize("name", EVERY)
def test_price_is_minus_the_slope_in_the_budget(name):
    rng = np.random.default_rng(4)
    divergence = divergences.get(name)
    p, u = some_law(rng, 7), rng.normal(size=7)
    for P in (0.03, 0.2):
        h, step = divergence.support, 1e-6
        slope = (h(u, p, P - step) - h(u, p, P + step)) / (2 * step)
        assert divergence.dual(u, p, P)[1] == pytest.approx(slope, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", EVERY)
def test_support_function_moves_with_its_argument(name):
    rng = np.random.default_rng(5)
    h = divergences.get(name).support
    p, u = some_law(rng, 6, zeros=1), rng.normal(size=6)
    for P in (0.0, 1e-9, 0.05, 0.4):
        assert h(u - 3.0, p, P) == pytest.approx(h(u, p, P) - 3.0, abs=1e-12)
        assert h(4 * u, p, P) == pytest.approx(4 * h(u, p, P), abs=1e-12)
        assert h(np.full(6, -2.5), p, P) == -2.5
    assert h(u, p, 0.0) == pytest.approx(p @ u, abs=1e-15)
    assert h(u, p, math.inf) == u.min()


@pytest.mark.parametrize("name", EVERY)
@given(seed=st.integers(0, 10**6), weight=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_value_is_zero_at_home_and_convex_in_its_second_argument(name, seed, weight):
    rng = np.random.default_rng(seed)
    d = divergences.get(name).value
    p, q, r = some_law(rng, 5, zeros=1), some_law(rng, 5), some_law(rng, 5)
    assert d(p, p) <= 1e-15
    mixed = weight * q + (1 - weight) * r
    chord = d(p, q) if weight == 1 else d(p, r) if weight == 0 else None
    chord = weight * d(p, q) + (1 - weight) * d(p, r) if chord is None else chord
    assert d(p, mixed / mixed.sum()) <= chord * (1 + 1e-12) + 1e-13


def test_values_by_hand():
    p, q = [0.5, 0.5], [0.25, 0.75]
    d = {name: divergences.get(name).value(p, q) for name in (*ALL, "renyi:inf")}
    assert d["tv"] == 0.25
    assert d["w1"] == 0.25
    assert d["kl"] == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert d["reverse_kl"] == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5))
    assert d["hellinger2"] == pytest.approx(1 - math.sqrt(0.125) - math.sqrt(0.375))
    assert d["chi2"] == pytest.approx(1 / 3)
    assert d["renyi:2"] == pytest.approx(math.log(4 / 3))
    assert d["renyi:0.3"] == pytest.approx(
        math.log(0.5**0.3 * 0.25**0.7 + 0.5**0.3 * 0.75**0.7) / -0.7
    )
    assert d["renyi:inf"] == pytest.approx(math.log(2))


def test_zeros_follow_the_definitions():
    half, left = [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]
    value = {name: divergences.get(name).value for name in EVERY}
    for name in ("kl", "chi2", "renyi:2", "renyi:inf", "renyi:1"):
        assert value[name](half, left) == math.inf, name
        assert value[name](left, half) < math.inf, name
    assert value["kl"](left, half) == pytest.approx(math.log(2))
    assert value["chi2"](left, half) == pytest.approx(1)
    assert value["reverse_kl"](left, half) == math.inf
    assert value["reverse_kl"](half, left) == pytest.approx(math.log(2))
    apart = [0.0, 0.0, 1.0]
    assert value["hellinger2"](half, apart) == 1
    assert value["tv"](half, apart) == 1
    assert value["renyi:0.3"](half, apart) == math.inf
    assert value["renyi:0.3"](half, left) == pytest.approx(-math.log(0.5**0.3) / 0.7)


def test_letters_without_mass_may_be_given_some_except_for_reverse_kl():
    p, u = np.array([0.6, 0.4, 0.0]), np.array([1.0, 2.0, -5.0])
    assert divergences.get("kl").support(u, p, 50.0) == pytest.approx(-5, abs=1e-12)
    assert divergences.get("reverse_kl").support(u, p, 50.0) == 1.0
    assert divergences.get("reverse_kl").support(u, p, math.inf) == -5.0


def test_lipschitz_formula_for_w1_is_only_a_bound():
    p, u, P = np.array([1.0, 0.0, 0.0]), np.array([0.0, -1.0, -4.0]), 0.5
    lipschitz = p @ u - P * 3
    assert divergences.get("w1").support(u, p, P) == pytest.approx(-1.0)  # half a mass, two steps
    assert lipschitz == -1.5


def test_w1_uses_positions_in_any_order():
    d = divergences.get("w1", x=[2.0, -1.0, 0.5])
    assert d.value([1, 0, 0], [0, 1, 0]) == 3.0
    assert divergences.get("w1").value([1, 0, 0], [0, 0, 1]) == 2.0
    assert divergences.get(d, x=[0, 1, 2]) is d


def test_shannon_order_agrees_with_kl_and_names_are_kept():
    p, q = [0.2, 0.8], [0.5, 0.5]
    assert divergences.get("renyi:1").value(p, q) == divergences.get("kl").value(p, q)
    assert divergences.get("renyi:0.5").name == "renyi:0.5"
    assert not divergences.get("renyi:2").jointly_convex
    assert divergences.get("renyi:0.5").jointly_convex


@pytest.mark.parametrize("name", ["total", "renyi:", "renyi:-1", "renyi:0", "renyi:nan", 3])
def test_unknown_names_are_refused_in_one_line(name):
    with pytest.raises(InputError) as caught:
        divergences.get(name)
    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match="chi2, hellinger2, kl, renyi:A, reverse_kl, tv, w1"):
        divergences.get("kullback")


@pytest.mark.parametrize(
    ("p", "q"),
    [([0.5, 0.4], [0.5, 0.5]), ([1.5, -0.5], [0.5, 0.5]), ([1.0], [0.5, 0.5]), ([], []),
     ([math.nan, 1.0], [0.5, 0.5])],
)  # fmt: skip
def test_what_is_no_law_is_refused(p, q):
    with pytest.raises(InputError):
        divergences.get("tv").value(p, q)


@pytest.mark.parametrize("P", [-0.1, math.nan])
def test_negative_budgets_are_refused(P):
    with pytest.raises(InputError, match=r"\[0, inf\]"):
        divergences.get("kl").support([0.0, 1.0], [0.5, 0.5], P)


@pytest.mark.parametrize("name", ["kl", "hellinger2", "renyi:3", "renyi:inf"])
def test_a_denormal_mass_gives_a_value_and_no_warning(name):
    p, q = np.array([0.5, 0.5]), np.array([5e-324, 1.0])
    value = divergences.get(name).value(p, q)
    assert value > divergences.get(name).value(p, np.array([1e-3, 0.999]))
    assert np.isfinite(value)


def test_who_obeys_data_processing_and_who_is_convex_in_the_pair():
    coarse = {name: divergences.get(name).data_processing for name in EVERY}
    assert [name for name, obeys in coarse.items() if not obeys] == ["w1"]
    joint = {name: divergences.get(name).jointly_convex for name in EVERY}
    assert [name for name, convex in joint.items() if not convex] == [
        *("renyi:2", "renyi:3.5", "renyi:inf"),
    ]
    p, q = np.array([0.5, 0.2, 0.3]), np.array([0.2, 0.5, 0.3])
    of = [[0, 1], [2]]  # letters that are merged
    small = [np.array([v[part].sum() for part in of]) for v in (p, q)]
    for name, obeys in coarse.items():
        d = divergences.get(name)
        assert not obeys or d.value(*small) <= d.value(p, q) + 1e-12


@pytest.mark.parametrize("n", [1, 3])
def test_w1_wants_a_position_for_every_letter(n):
    d = divergences.get("w1", np.arange(2.0))
    with pytest.raises(InputError, match=f"w1 has 2 positions for {n} letters: expected {n}"):
        d.value(np.full(n, 1 / n), np.full(n, 1 / n))
    with pytest.raises(InputError, match="w1 has 2 positions"):
        d.positions(n)


def test_the_price_of_total_variation_is_twice_the_share_that_moves():
    d, p = divergences.get("tv"), np.array([0.5, 0.3, 0.2])
    u = np.array([0.0, 1.0, 4.0])
    # The dearest mass moves first: 0.2 at 4, then 0.3 at 1.
    for P, value, price in ((0.1, 1.1 - 0.4, 4.0), (0.3, 1.1 - 0.8 - 0.1, 1.0), (0.6, 0.0, 0.0)):
        assert d.dual(u, p, P) == (pytest.approx(value), pytest.approx(price))


def test_budgets_that_hold_every_law_are_known():
    p = np.array([0.5, 0.3, 0.2])
    assert divergences.get("tv").full(p) == divergences.get("hellinger2").full(p) == 1.0
    assert divergences.get("w1", [0.0, 1.0, 5.0]).full(p) == 5.0
    assert divergences.get("reverse_kl").full(p) == pytest.approx(-math.log(0.2))
    assert divergences.get("reverse_kl").full(p) > -math.log(0.2)
    assert divergences.get("kl").full(p) == math.inf


def test_letters_that_share_a_position_share_its_mass():
    d = divergences.get("w1", [0.0, 1.0, 1.0, 2.0])
    p, r = np.array([0.4, 0.2, 0.2, 0.2]), np.array([0.5, 0.1, 0.3, 0.1])
    np.testing.assert_allclose(d.nearest(p, r), [0.4, 0.1, 0.3, 0.2])
    assert d.value(p, d.nearest(p, r)) == pytest.approx(0, abs=1e-16)
    np.testing.assert_allclose(divergences.get("tv").nearest(p, r), p)


@pytest.mark.parametrize("u", [[0.0, 1.0, 2.0], [0.0, math.nan], [0.0, math.inf], [[0.0, 1.0]]])
def test_a_support_function_wants_a_finite_number_for_every_letter(u):
    with pytest.raises(InputError, match=r"u has shape .*: expected 2 finite numbers"):
        divergences.get("tv").support(u, [0.5, 0.5], 0.1)


@pytest.mark.parametrize("name", EVERY)
def test_laws_that_agree_up_to_rounding_are_within_it(name):
    rng = np.random.default_rng(9)
    d = divergences.get(name)
    for _ in range(20):
        p = some_law(rng, 6)
        q = p * (1 + rng.uniform(-2, 2, 6) * 2.0**-52)
        assert 0 <= d.value(p, q / q.sum()) <= d.rounding() <= 2.0**-40


def test_rounding_is_of_second_order_but_where_d_moves_as_the_masses_do():
    rounding = {name: divergences.get(name).rounding() for name in EVERY}
    for name in ("tv", "w1", "renyi:inf"):
        assert rounding[name] == 2.0**-48
    assert rounding["kl"] == rounding["reverse_kl"] == rounding["hellinger2"] == 2.0**-72
    assert rounding["renyi:3.5"] == 3.5 * 2.0**-72
    assert divergences.get("renyi:1e12").rounding() == 2.0**-40
    assert divergences.get("w1", [0.0, 5.0]).rounding() == 5 * 2.0**-48
