"""Counts and fits of the shape of a cloud, on surfaces whose shape is known."""

import numpy as np
import pandas as pd
import pytest

from cdpbook.statistics import shapes
from cdplib.errors import InputError

RNG = np.random.default_rng(0)
D, P = (v.ravel() for v in np.meshgrid(np.linspace(0.1, 1, 5), np.linspace(0.2, 2, 4)))
CONVEX = 1 / D + 1 / P


def test_a_convex_decreasing_surface_is_its_own_fit():
    assert shapes.fit(CONVEX, shapes.convex(D, P)) == pytest.approx(CONVEX, abs=1e-4)
    assert shapes.fit(-CONVEX[::-1], shapes.concave(D, P)) == pytest.approx(-CONVEX[::-1], abs=1e-4)


def test_a_concave_surface_is_not_convex_nor_the_reverse():
    c = -(D**2) - P**2
    assert shapes.residual(c, shapes.concave(D, P)) < 1e-4
    assert shapes.residual(c, shapes.convex(D, P)) > 0.05
    assert shapes.residual(CONVEX, shapes.concave(D, P)) > 0.05


def test_an_increasing_surface_is_fitted_by_its_mean():
    c = D + P
    fitted = shapes.fit(c, shapes.convex(D, P))
    assert fitted == pytest.approx(np.full_like(c, c.mean()), abs=0.25)
    assert shapes.residual(c, shapes.convex(D, P)) > 0.1


def test_on_a_line_the_fit_is_the_greatest_convex_minorant_s_least_squares():
    d, c = np.arange(3.0), np.array([1.0, 1.0, 0.0])
    # Convex and falling: the chord through the means of least squares, known by symmetry.
    fitted = shapes.fit(c, shapes.convex(d, np.zeros(3)))
    slope, level = np.polyfit(d, c, 1)
    assert fitted == pytest.approx(level + slope * d, abs=1e-4)


def cloud(c, noise=0.0, seeds=3, d=D, p=P):
    """Three seeds of a surface whose C moves by ``noise``; each seed has a level of its own."""
    rng = np.random.default_rng(1)
    level = 0.5 * np.arange(seeds)[:, None]
    moved = c + level + noise * rng.normal(size=(seeds, len(c)))
    rows = [
        {"alpha": 1.0, "beta": float(i), "gamma": 0.0, "seed": s, "mse": d[i], "p_judge": p[i],
         "error_rate": moved[s, i]}
        for s in range(seeds) for i in range(len(c))
    ]  # fmt: skip
    return shapes.cloud(pd.DataFrame(rows))


def test_the_noise_of_a_cloud_is_what_neither_weights_nor_seed_explain():
    found = cloud(CONVEX, noise=0.1)
    # 20 points, 3 seeds: the mean of three draws has standard deviation .1 / sqrt(3)
    assert found.noise[2] == pytest.approx(0.1 / np.sqrt(3), rel=0.2)
    assert found.noise[:2] == pytest.approx((0, 0), abs=1e-12)
    assert found.freedom == 38
    assert cloud(CONVEX).noise[2] == pytest.approx(0, abs=1e-12)


def test_a_point_that_a_seed_lacks_is_left_out_and_two_points_are_refused():
    frame = pd.DataFrame(
        {"alpha": 1.0, "beta": b, "gamma": 0.0, "seed": s, "mse": b, "p_judge": -b,
         "error_rate": b, "error_rate_se": 0.1}
        for s in (0, 1) for b in (0.0, 1.0, 2.0, 3.0) if s or b
    )  # fmt: skip
    assert shapes.cloud(frame).d.shape == (2, 3)
    with pytest.raises(InputError, match="expected at least 3"):
        shapes.cloud(frame[frame["beta"] > 1])
    with pytest.raises(InputError, match="'frechet'"):
        shapes.cloud(frame, "frechet")
    one = shapes.cloud(frame[frame["seed"] == 1])
    assert one.noise == pytest.approx((0, 0, 0.1))
    assert one.freedom == np.inf


@pytest.mark.parametrize("kind", [shapes.pairs, shapes.triples])
def test_nothing_contradicts_a_convex_decreasing_surface(kind):
    found = shapes.count(cloud(CONVEX), kind, draws=99)
    assert (found.contradict, found.clear) == (0, 0)
    assert found.by_seed == (0, 0, 0)
    assert found.compared >= 20
    assert found.p_value == found.perfect <= 0.02


def test_triples_find_the_one_point_that_lots_would_beat_and_no_pair_again():
    d, p = np.array([0.0, 1.0, 2.0]), np.array([2.0, 1.0, 0.0])
    assert len(shapes.pairs(d, p).j) == 0
    found = shapes.triples(d, p)
    assert (found.i, found.k, found.j) == ([0], [2], [1])
    gain, weight = found.gain(np.array([1.0, 0.6, 0.0]))
    assert gain == pytest.approx([0.1])
    assert weight == pytest.approx([0.5])
    assert found.gain(np.array([1.0, 0.4, 0.0]))[0] == pytest.approx([-0.1])
    # A point that one of the two alone beats is a pair, and no triple.
    assert len(shapes.triples(np.array([0.0, 2.0, 2.0]), np.array([2.0, 0.0, 2.0])).j) == 0


def test_a_contradiction_is_clear_only_beyond_the_noise():
    bump = CONVEX.copy()
    bump[-1] = CONVEX[0] + 1  # the point of most D and P has the greatest C
    clear = shapes.count(cloud(bump, noise=0.01), shapes.pairs, draws=99)
    assert clear.contradict == clear.clear == len(D) - 1
    hidden = shapes.count(cloud(bump, noise=30.0), shapes.pairs, draws=99)
    assert hidden.contradict > 0
    assert hidden.clear == 0


def test_without_draws_the_count_is_the_same_and_chance_unknown():
    drawn, plain = (shapes.count(cloud(1 - CONVEX), shapes.pairs, draws=n) for n in (99, 0))
    assert plain.contradict > 0
    assert plain.short == drawn.short
    assert np.isnan([plain.chance, plain.p_value, plain.perfect]).all()


def test_error_rates_dealt_out_at_random_contradict_as_often_as_chance():
    found = shapes.count(cloud(RNG.permutation(CONVEX)), shapes.triples, draws=99)
    assert found.contradict > 0.3 * found.compared
    assert found.p_value > 0.05


def test_noise_explains_the_distance_from_the_own_shape_and_not_from_the_other():
    bowl, dome = cloud(CONVEX, noise=0.1), cloud(-(D**2) - P**2, noise=0.05)
    for points, own, other in (
        (bowl, shapes.convex, shapes.concave),
        (dome, shapes.concave, shapes.convex),
    ):
        assert shapes.distance(points, own).p_value > 0.05
        excluded = shapes.distance(points, other)
        assert excluded.p_value <= 0.05
        assert excluded.residual > 2 * excluded.noise


def test_a_plane_is_convex_and_concave():
    plane = cloud(-D - P, noise=0.02)
    for shape in (shapes.convex, shapes.concave):
        assert shapes.distance(plane, shape).p_value > 0.05


def test_wrong_shapes_and_missing_values_are_refused():
    with pytest.raises(InputError, match="shapes"):
        shapes.pairs(D, P[:-1])
    with pytest.raises(InputError, match="not finite"):
        shapes.fit(np.where(D > 0.5, np.nan, CONVEX), shapes.convex(D, P))
