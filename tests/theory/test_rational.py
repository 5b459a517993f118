"""The linear steps of the proof are equalities of fractions; controls break."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdplib.errors import InputError
from cdplib.theory import rational


@st.composite
def mixtures(draw):
    """A random problem with two restorations and a weight, all rational."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes, letters, degraded = (draw(st.integers(low, 4)) for low in (2, 1, 1))
    problem = rational.instance(random, classes, letters, degraded)
    mu, nu = (rational.laws(random, degraded, letters) for _ in range(2))
    return problem, mu, nu, draw(st.fractions(0, 1, max_denominator=20))


@settings(max_examples=60, deadline=None)
@given(mixtures())
def test_every_linear_step_holds_exactly(case):
    steps = rational.steps(*case)
    assert steps["(4)"] == steps["(11)"] == steps["(14)"] == 0
    assert min(steps["(13) tv"], steps["(13) w1"], steps["data processing"]) >= 0
    assert steps["adapted classifier"] >= 0  # the wrong direction for (11)
    assert all(isinstance(value, Fraction) for value in steps.values())


def test_the_adapted_classifier_breaks_eq_11():
    half = Fraction(1, 2)
    bit = rational.Instance(
        joint=np.array([[half, Fraction(0)], [Fraction(0), half]]),
        channel=np.array([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]]),
        distortion=np.full((2, 2), Fraction(0)),
        labels=np.array([0, 1]),
    )
    keep, swap = bit.channel, bit.channel[::-1]
    steps = rational.steps(bit, keep, swap, half)
    assert steps["(11)"] == 0
    assert steps["adapted classifier"] == half  # both perfect, their mixture worthless


def test_laws_are_laws_and_distances_are_known():
    laws = rational.laws(np.random.default_rng(0), 50, 4)
    assert all(row.sum() == 1 and min(row) >= 0 for row in laws)
    p = np.array([Fraction(1), Fraction(0), Fraction(0)])
    assert rational.tv(p, p[::-1]) == 1
    assert rational.w1(p, p[::-1]) == 2


def test_a_weight_outside_the_unit_interval_is_refused():
    random = np.random.default_rng(0)
    problem, q = rational.instance(random, 2, 2, 2), rational.laws(random, 2, 2)
    with pytest.raises(InputError, match="expected a number in"):
        rational.steps(problem, q, q, Fraction(3, 2))
