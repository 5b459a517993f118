"""Revealed optimality: clouds trained exactly at their weights pass, shuffled ones do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from clouds import optimal

from cdpbook.statistics.trends import WEIGHTS
from cdpbook.studies import supports
from cdplib.errors import InputError


def given_out(frame, order):
    """The points of a one-seed table in another order, the weights in place."""
    measured = [name for name in frame.columns if name not in {*WEIGHTS, "seed"}]
    return frame.assign(**{name: frame[name].to_numpy()[order] for name in measured})


def test_points_trained_at_their_supporting_weights_all_minimise_and_are_monotone():
    found = supports.revealed(optimal())
    assert found.own.found.value == 1
    assert found.regret.found.value == found.violated.found.value == 0
    assert found.own.p_value == found.violated.p_value == 0.001
    assert not found.table["beaten"].any()
    assert found.pairs == 12 * 11 // 2


def test_chance_is_what_it_is_for_points_given_out_at_random():
    found = supports.revealed(optimal())
    assert found.own.chance == pytest.approx(1 / 12)
    assert found.regret.chance == pytest.approx(1)
    assert found.violated.chance == pytest.approx(1 / 2, abs=0.02)


def test_shuffled_points_look_like_chance():
    p_values, shares = [], []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(12)
        found = supports.revealed(given_out(optimal(), order), permutations=199)
        p_values.append(found.violated.p_value)
        shares.append(found.violated.found.value)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.2


def test_points_in_the_opposite_order_violate_every_pair():
    frame = optimal(betas=(1.0,), gammas=(0.5, 1.0, 2.0, 4.0, 8.0))
    found = supports.revealed(given_out(frame, np.arange(5)[::-1]))
    assert found.violated.found.value == 1
    assert found.violated.p_value > 0.9
    assert found.own.found.value == pytest.approx(1 / 5)  # the one in the middle


def test_one_point_above_the_surface_is_beaten_and_disturbs_no_other():
    frame = optimal()
    frame.loc[5, "ce"] += 10
    found = supports.revealed(frame)
    assert found.own.found.value == pytest.approx(11 / 12)
    assert found.table["beaten"].to_list() == [k == 5 for k in range(12)]


def test_equal_points_are_all_least():
    frame = pd.concat([optimal(gammas=(1.0,)), optimal(gammas=(1.0,)).assign(gamma=1.001)])
    found = supports.revealed(frame)
    assert found.own.found.value == 1
    assert found.own.chance == pytest.approx(1 / 3)


def test_the_interval_over_seeds_is_students_and_one_seed_has_none():
    frame = optimal(seeds=2)
    frame.loc[5, "ce"] += 10  # seed 0
    found = supports.revealed(frame)
    assert found.seeds == 2
    assert found.own.found.value == pytest.approx(23 / 24)
    # 11/12 and 1: standard error 1/24, Student's 97.5 % point with one degree 12.7062
    assert found.own.found.value - found.own.found.lower == pytest.approx(12.7062 / 24, rel=1e-4)
    assert found.own.found.upper == 1  # cut at what is possible
    assert not found.table["beaten"].any()  # not in seed 1
    alone = supports.revealed(optimal())
    assert not alone.own.found.known


def test_triples_that_a_seed_lacks_are_left_out():
    frame = optimal(seeds=2).drop(index=3)
    found = supports.revealed(frame)
    assert len(found.table) == 11
    assert found.own.found.value == 1


@pytest.mark.parametrize("column", ["frechet", "ce"])
def test_a_column_that_was_not_measured_is_refused(column):
    frame = optimal().assign(ce=np.nan)
    with pytest.raises(InputError, match=column):
        supports.revealed(frame, error=column)


def test_one_triple_is_no_cloud():
    with pytest.raises(InputError, match="1 points in every seed"):
        supports.revealed(optimal().head(1))
