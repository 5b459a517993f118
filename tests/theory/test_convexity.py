"""(13) as a property of every divergence that the theorem allows; roots of them are refuted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdplib.errors import InputError
from cdplib.theory import convexity

CONVEX = ["tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2", "js", "w2_squared"]
CONVEX += ["renyi:0.3", "renyi:2", "renyi:10", "renyi:inf"]


@st.composite
def triples(draw):
    """Three laws on 2 to 5 letters, zeros included, and a weight."""
    n = draw(st.integers(2, 5))
    rows = st.lists(st.integers(0, 9), min_size=n, max_size=n).filter(any)
    laws = [np.array(draw(rows), dtype=float) for _ in range(3)]
    return [law / law.sum() for law in laws], draw(st.integers(0, 64)) / 64


@pytest.mark.parametrize("name", CONVEX)
@settings(max_examples=60, deadline=None)
@given(case=triples())
def test_eq_13_holds_for_every_divergence_that_the_theorem_allows(name, case):
    (p, first, second), weight = case
    d = convexity.distance(name)
    ends = [d(p, first), d(p, second)]
    if np.isfinite(ends).all():
        middle = d(p, weight * first + (1 - weight) * second)
        assert middle <= weight * ends[0] + (1 - weight) * ends[1] + 1e-9 * (1 + max(ends))


@pytest.mark.parametrize("name", ["w2", "hellinger", "sqrt_tv"])
def test_the_search_finds_that_a_root_is_not_convex(name):
    worst = convexity.worst_slack(name, np.random.default_rng(5), trials=200)
    assert worst.value < -0.01
    d, w = convexity.distance(name), worst.weight
    middle = d(worst.fixed, w * worst.first + (1 - w) * worst.second)
    ends = w * d(worst.fixed, worst.first) + (1 - w) * d(worst.fixed, worst.second)
    assert ends - middle == pytest.approx(worst.value)  # the witness is one


def test_renyi_above_order_one_is_not_convex_in_its_first_argument():
    slack = {
        name: convexity.worst_slack(name, np.random.default_rng(5), trials=200, argument=1).value
        for name in ("renyi:0.5", "kl", "renyi:2")
    }
    assert slack["renyi:0.5"] > -1e-12
    assert slack["kl"] > -1e-12
    assert slack["renyi:2"] < -0.01
    with pytest.raises(InputError, match="expected 1 or 2"):
        convexity.worst_slack("kl", np.random.default_rng(5), argument=0)


@settings(max_examples=60, deadline=None)
@given(triples())
def test_w2_squared_is_the_optimal_transport_cost(case):
    from scipy.optimize import linprog

    (p, q, _), _ = case
    n = len(p)
    cost = (np.arange(n)[:, None] - np.arange(n)) ** 2.0
    rows = np.vstack([np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))])
    best = linprog(cost.ravel(), A_eq=rows, b_eq=np.concatenate([p, q])).fun
    assert convexity.w2_squared(p, q) == pytest.approx(best, abs=1e-8)


def test_js_lies_between_zero_and_log_two():
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert convexity.js(p, p) == 0
    assert convexity.js(p, q) == pytest.approx(np.log(2))
