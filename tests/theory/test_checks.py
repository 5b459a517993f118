"""The checks find what they are for, and pass what is right."""

import numpy as np
import pytest

from cdplib.errors import InputError
from cdplib.theory import checks
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
