"""Surfaces on common axes: traits of shapes known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from clouds import optimal

from cdpbook.studies import landscapes, supports
from cdpbook.studies.landscapes import Landscape
from cdplib.errors import InputError
from cdplib.theory import exact
from cdplib.theory.toy import GaussianToy

UNIT = np.linspace(0, 1, 41)


def landscape(value):
    return Landscape("made", UNIT, UNIT, value(UNIT[:, None], UNIT))


def traits(shown):
    (found,) = landscapes.traits([shown]).itertuples()
    return found


@pytest.fixture(scope="module")
def toy_b():
    problem = exact.gaussian_mixture_problem(16, threshold=1.2)
    return landscapes.exact_landscape(problem, "w1", side=21)


def test_a_plane_falls_evenly_in_both_budgets():
    found = traits(landscape(lambda d, p: 7 - 2 * d - 2 * p))
    assert found.infeasible == 0
    assert found.both == 1
    assert found.flat < 0.01


def test_where_one_budget_binds_at_a_time_both_is_zero():
    found = traits(landscape(lambda d, p: np.maximum(1 - d, 1 - p)))
    assert found.both == 0
    assert traits(landscapes.toy_landscape(GaussianToy())).both == 0


def test_what_is_out_of_reach_is_counted():
    found = traits(landscape(lambda d, p: np.where(d + p < 1, np.inf, 2 - d - p)))
    assert found.infeasible == pytest.approx(0.5, abs=0.02)


def test_a_constant_surface_is_flat():
    found = traits(landscape(lambda d, p: 0.2 + 0 * d * p))
    assert found.flat == 1
    assert np.isnan(found.both)


def test_scaled_errors_run_from_zero_to_one():
    scaled = landscape(lambda d, p: np.where(d > 0, 3 - d - p, np.inf)).scaled()
    assert (np.nanmin(scaled), np.nanmax(scaled)) == (0, 1)
    assert np.isnan(scaled[0]).all()


def test_the_exact_axes_end_where_nothing_is_gained(toy_b):
    found, surface = toy_b
    problem = exact.gaussian_mixture_problem(16, threshold=1.2)
    least = exact.solve(problem, "w1", np.inf, np.inf).value
    assert (surface.status != "uncertified").all()
    assert found.C[-1, -1] == pytest.approx(least, abs=1e-5)
    assert np.isfinite(found.C[-1, 0])  # the last D suffices for P = 0
    assert np.isfinite(found.C[0, -1])  # the last P suffices for the least D
    assert np.isinf(found.C[0, 0])
    assert found.Ps[0] == 0


def test_the_toys_axes_hold_all_three_best_gains():
    toy = GaussianToy()
    found = landscapes.toy_landscape(toy)
    assert found.C[-1, -1] == pytest.approx(toy.bayes_error("y"))
    assert found.Ds[0] == pytest.approx(2 / 3)
    assert np.isinf(found.C[0, 0])
    with pytest.raises(InputError, match="infinite"):
        landscapes.toy_landscape(GaussianToy(threshold=-0.5))


def test_a_trained_landscape_is_the_hull_of_its_points():
    frame = optimal()
    found = landscapes.trained_landscape(frame)
    assert found.C[-1, -1] == pytest.approx(frame["error_rate"].min())
    assert found.Ds[0] == pytest.approx(frame["mse"].min())


def test_exact_points_minimise_their_own_sum_and_noise_spoils_some(toy_b):
    cloud = landscapes.toy_cloud(toy_b[0])
    assert len(cloud) == 12
    assert supports.revealed(cloud).own.found.value == 1
    noise = dict.fromkeys(("mse", "p_critic", "ce"), 0.2)
    noisy = landscapes.toy_cloud(toy_b[0], noise, seeds=3)
    assert noisy["seed"].nunique() == 3
    assert supports.revealed(noisy).own.found.value < 1
    assert np.array_equal(noisy["p_judge"], np.tile(cloud["p_judge"], 3))


def test_every_surface_has_its_row_and_the_ends_of_its_error(toy_b):
    flat = landscape(lambda d, p: 0.2 + 0 * d * p)
    found = landscapes.traits([toy_b[0], flat])
    assert found["surface"].to_list() == ["all restorations (w1)", "made"]
    assert found["least"][1] == found["most"][1] == 0.2
