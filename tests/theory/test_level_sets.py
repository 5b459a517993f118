"""Level sets of functions whose level sets are known."""

import math

import pytest

from cdplib.theory.level_sets import level_set, turning_points


def bowl(a):
    return math.log(a) ** 2


def wells(a):
    """Two wells at log a = -1 and 1, a hump of 1 between them."""
    return (math.log(a) ** 2 - 1) ** 2


def test_turning_points_are_found():
    assert turning_points(bowl) == pytest.approx((0, 1, math.inf), abs=1e-6)
    assert turning_points(wells) == pytest.approx(
        (0, math.exp(-1), 1, math.exp(1), math.inf), abs=1e-6
    )


@pytest.mark.parametrize("level", [0.04, 1.0, 30.0, 1e4])
def test_a_bowl_has_one_interval(level):
    ((low, high),) = level_set(bowl, turning_points(bowl), level)
    assert math.log(low) == pytest.approx(-math.sqrt(level))
    assert math.log(high) == pytest.approx(math.sqrt(level))


def test_two_wells_have_two_intervals_until_the_hump_is_under_water():
    turns = turning_points(wells)
    two = level_set(wells, turns, 0.25)
    ends = [math.log(end) for interval in two for end in interval]
    assert ends == pytest.approx([-(1.5**0.5), -(0.5**0.5), 0.5**0.5, 1.5**0.5])
    assert len(level_set(wells, turns, 1.1)) == 1


def test_levels_below_the_least_and_without_limit():
    turns = turning_points(bowl)
    assert level_set(bowl, turns, -0.1) == ()
    assert level_set(bowl, turns, -math.inf) == ()
    assert level_set(bowl, turns, math.inf) == ((0.0, math.inf),)
    assert level_set(bowl, turns, 1e9) == ((0.0, math.inf),)  # beyond exp(300)
    (touched,) = level_set(lambda a: abs(math.log(a)), (0.0, 1.0, math.inf), 0.0)
    assert touched == pytest.approx((1, 1))
