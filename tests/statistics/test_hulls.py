"""Lower convex hulls, on clouds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from clouds import optimal
from scipy.optimize import linprog

from cdpbook.statistics import hulls
from cdpbook.statistics.hulls import Hull
from cdplib.errors import InputError


def test_a_mixture_of_two_points_by_hand():
    hull = Hull.of([0.0, 1.0], [2.0, 2.0], [1.0, 0.0])
    assert hull.value([0.0, 0.25, 1.0, 5.0], 2.0) == pytest.approx([1, 0.75, 0, 0])
    assert hull.value(0.25, 9.0) == pytest.approx(0.75)
    assert np.isinf(hull.value([-0.1, 0.5], [2.0, 1.9])).all()


def test_the_planes_lie_below_the_cloud_and_touch_it():
    rng = np.random.default_rng(0)
    d, p, c = rng.random((3, 25))
    hull = Hull.of(d, p, c)
    lam, mu, height = hull.planes.T
    room = c - (height[:, None] - np.outer(lam, d) - np.outer(mu, p))
    assert (room >= -1e-9).all()
    assert room.min(axis=1) == pytest.approx(0, abs=1e-9)
    assert (hull.planes[:, :2] >= 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_hull_is_that_of_the_linear_program(seed):
    rng = np.random.default_rng(seed)
    frame = optimal()
    frame["error_rate"] += rng.exponential(0.1, len(frame))
    frame["mse"] *= rng.uniform(0.001, 0.002, len(frame))
    points = hulls.convex_excess(frame)
    d, p, c = (points[name].to_numpy() for name in ("mse", "p_judge", "error_rate"))
    assert points["hull"].to_numpy() == pytest.approx(lots(d, p, c), abs=1e-7)
    assert points["excess"].min() >= 0
    assert (points["excess"] > 1e-4).any()


def lots(d, p, c):
    """min <w, c> over probability vectors w with <w, d> <= d_j and <w, p> <= p_j, for each j."""
    one = np.ones((1, len(c)))
    within = np.vstack([d / np.ptp(d), p / np.ptp(p)])
    found = [
        linprog(c, A_ub=within, b_ub=within[:, j], A_eq=one, b_eq=[1], method="highs").fun
        for j in range(len(c))
    ]
    return np.array(found)


def test_the_hull_is_convex_and_non_increasing_where_it_is_finite():
    rng = np.random.default_rng(3)
    d, p, c = rng.random((3, 30))
    grid = np.linspace(0, 1, 31)
    value = Hull.of(d, p, c).value(grid[:, None], grid)
    inside = np.isfinite(value)
    assert inside.any()
    assert not inside.all()
    with np.errstate(invalid="ignore"):
        assert np.nanmax(np.diff(value, axis=0)) <= 1e-9
        bend = value[2:] + value[:-2] - 2 * value[1:-1]
    assert bend[np.isfinite(bend)].min() >= -1e-9


def test_one_point_and_equal_points_have_a_hull():
    for copies in (1, 3):
        hull = Hull.of([1.0] * copies, [2.0] * copies, [3.0] * copies)
        assert hull.value(1.0, 2.0) == pytest.approx(3)
        assert np.isinf(hull.value(0.9, 2.0))


@pytest.mark.parametrize(
    "cloud", [([], [], []), ([1.0], [1.0, 2.0], [1.0]), ([1.0], [np.nan], [1.0])]
)
def test_what_is_no_cloud_is_refused(cloud):
    with pytest.raises(InputError, match="equal lists of finite numbers"):
        Hull.of(*cloud)


def test_the_convex_excess_vanishes_on_a_convex_surface_and_shows_a_bump():
    convex = optimal()  # C = 1/D + 1/P
    assert hulls.convex_excess(convex)["excess"].max() == pytest.approx(0, abs=1e-9)
    raised = (convex["beta"] == 1.1) & (convex["gamma"] == 0.9)
    points = hulls.convex_excess(convex.assign(error_rate=convex["error_rate"] + 0.5 * raised))
    worst = points.loc[points["excess"].idxmax()]
    assert (worst["beta"], worst["gamma"]) == (1.1, 0.9)
    assert 0 < worst["excess"] <= 0.5
