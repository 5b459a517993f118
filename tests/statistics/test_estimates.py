"""Estimates and their intervals, against closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cdpbook.statistics import estimates
from cdpbook.statistics.estimates import Interval
from cdplib.errors import InputError


def test_one_value_has_a_mean_and_no_bounds():
    found = estimates.student([2.0])
    assert found == (2.0, -np.inf, np.inf)
    assert not found.known
    assert found.sign == 0


def test_the_interval_over_seeds_is_students():
    mean, low, high = estimates.student([1.0, 2.0, 3.0])
    assert mean == 2
    assert high - 2 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert low == pytest.approx(4 - high)


def test_of_two_independent_estimates_the_half_widths_add_as_squares():
    found = estimates.apart(Interval(5, 2, 8), Interval(1, -3, 5))
    assert found == (4, -1, 9)
    assert not estimates.apart(Interval(5, 2, 8), estimates.UNKNOWN).known


def test_the_sign_is_known_only_beyond_zero():
    assert [Interval(1, low, 2).sign for low in (0.1, 0, -0.1)] == [1, 0, 0]
    assert Interval(-1, -2, -0.1).sign == -1


def test_the_interval_over_images_is_normal():
    values = np.array([0.0, 0.0, 1.0, 1.0])
    found = estimates.over_images(values)
    assert found.upper - found.value == pytest.approx(1.959964 * np.sqrt(1 / 3) / 2, rel=1e-6)


def of_seed(values):
    keys = pd.MultiIndex.from_tuples(
        [(beta, seed) for seed in range(len(values)) for beta in (0.0, 0.1)],
        names=["beta", "seed"],
    )
    return pd.Series(np.ravel(values), keys, dtype=float)


def test_a_paired_difference_is_taken_within_points_and_averaged_within_seeds():
    one, other = of_seed([[1, 2], [5, 6]]), of_seed([[2, 4], [6, 8]])
    assert estimates.by_seed(one, other).to_list() == [1.5, 1.5]
    assert estimates.paired(one, other) == (1.5, 1.5, 1.5)  # levels of seeds and points cancel
    assert estimates.paired(one, other.drop((0.1, 1))).value == pytest.approx((1.5 + 1) / 2)
    with pytest.raises(InputError, match="in common"):
        estimates.paired(one, other.drop(index=other.index))


def test_correlations_are_averaged_over_seeds_and_constants_are_refused():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"seed": np.repeat([0, 1, 2], 9), "a": rng.random(27)})
    frame["b"], frame["c"] = frame["a"] ** 3, 1.0
    assert estimates.correlation(frame, "a", "b") == (1, 1, 1)
    frame["d"] = rng.random(27)
    each = [stats.spearmanr(r["a"], r["d"]).statistic for _, r in frame.groupby("seed")]
    assert estimates.correlation(frame, "a", "d").value == pytest.approx(np.mean(each))
    for column, message in (("c", "constant"), ("nothing", "not both")):
        with pytest.raises(InputError, match=message):
            estimates.correlation(frame, "a", column)


def test_noise_is_what_neither_point_nor_seed_explains():
    rng = np.random.default_rng(1)
    levels = rng.random((4, 1)) + rng.random((1, 200))
    assert estimates.noise(levels) == pytest.approx(0, abs=1e-12)
    noisy = levels + 0.1 * rng.standard_normal(levels.shape)
    assert estimates.noise(noisy) == pytest.approx(0.1, rel=0.1)
    both = estimates.noise(np.stack([levels, noisy], axis=2))
    assert both == pytest.approx([0, float(estimates.noise(noisy))], abs=1e-12)


def test_seeds_and_images_add_as_independent_and_one_seed_has_those_of_images_alone():
    alone, both = estimates.student([1.0, 2.0, 4.0]), estimates.with_images([1.0, 2.0, 4.0], 0.5)
    images = 0.5 * stats.norm.ppf(0.975)
    assert both.value == alone.value
    assert both.upper - both.value == pytest.approx(np.hypot(alone.upper - alone.value, images))
    assert estimates.with_images([3.0], 0.5) == pytest.approx((3.0, 3.0 - images, 3.0 + images))


def test_image_by_image_takes_the_error_of_the_images_mean_over_seeds():
    each = np.random.default_rng(0).normal(size=(3, 400))
    se = each.mean(axis=0).std(ddof=1) / 20
    assert estimates.image_by_image(each) == estimates.with_images(each.mean(axis=1), se)
    # seeds that agree image by image share the images' error, seeds that do not average it away
    equal = np.tile(each[0], (3, 1))
    assert np.ptp(estimates.image_by_image(equal)) > 1.5 * 2 * 1.96 * se
