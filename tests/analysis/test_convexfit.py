"""Fits of a monotone or convex surface against what is known in closed form."""

import numpy as np
import pytest
from scipy import optimize

from cdplib.analysis import convexfit
from cdplib.errors import InputError

RNG = np.random.default_rng(0)
D, P = (v.ravel() for v in np.meshgrid(np.linspace(0.1, 1, 5), np.linspace(0.2, 2, 4)))
CONVEX = 1 / D + 1 / P


@pytest.mark.parametrize("shape", [convexfit.monotone, convexfit.convex])
def test_a_convex_decreasing_surface_is_its_own_fit(shape):
    assert convexfit.fit(CONVEX, shape(D, P)) == pytest.approx(CONVEX, abs=1e-4)


def test_on_a_line_the_monotone_fit_is_isotonic_regression():
    d, c = np.arange(12.0), RNG.normal(size=12)
    expected = optimize.isotonic_regression(c, increasing=False).x
    assert convexfit.fit(c, convexfit.monotone(d, np.zeros(12))) == pytest.approx(
        expected, abs=1e-5
    )


def test_a_concave_surface_is_monotone_but_not_convex():
    c = -(D**2) - P**2
    assert convexfit.residual(c, convexfit.monotone(D, P)) < 1e-5
    assert convexfit.residual(c, convexfit.convex(D, P)) > 0.05


def test_an_increasing_surface_is_fitted_by_its_mean():
    c = D + P
    fitted = convexfit.fit(c, convexfit.monotone(D, P))
    assert fitted == pytest.approx(np.full_like(c, c.mean()), abs=0.25)
    assert convexfit.residual(c, convexfit.convex(D, P)) > 0.1


def test_points_that_cannot_be_compared_are_left_alone():
    d, p, c = np.arange(4.0), -np.arange(4.0), RNG.normal(size=4)
    assert convexfit.fit(c, convexfit.monotone(d, p)) == pytest.approx(c)


def test_no_triple_contradicts_a_convex_decreasing_surface():
    violated, compared = convexfit.convex_triples(D, P, CONVEX)
    assert violated == 0
    assert compared > 100


def test_triples_find_the_one_point_that_lots_would_beat():
    d, p = np.array([0.0, 1.0, 2.0]), np.zeros(3)
    assert convexfit.convex_triples(d, p, np.array([1.0, 0.6, 0.0])) == (1, 2)
    assert convexfit.convex_triples(d, p, np.array([1.0, 0.4, 0.0])) == (0, 2)


def test_random_error_rates_contradict_often():
    violated, compared = convexfit.convex_triples(D, P, RNG.permutation(CONVEX))
    assert violated > 0.3 * compared


def test_wrong_shapes_and_missing_values_are_refused():
    with pytest.raises(InputError, match="shapes"):
        convexfit.monotone(D, P[:-1])
    with pytest.raises(InputError, match="not finite"):
        convexfit.fit(np.where(D > 0.5, np.nan, CONVEX), convexfit.convex(D, P))
