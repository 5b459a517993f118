"""The statistics of the claims, on tables whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cdpbook.statistics import trends
from cdplib.errors import InputError


def table(error_rate, perception=None, seeds=1, noise=0.0, se=0.001, weights=(0.0, 0.01, 0.03)):
    """A made results table: error_rate(beta, gamma), perception(beta, gamma), D from both."""
    rng = np.random.default_rng(0)
    perception = perception or (lambda beta, gamma: 1 - 20 * beta + 10 * gamma)
    rows = []
    for seed in range(seeds):
        for beta in weights:
            for gamma in weights:
                rows.append(
                    {
                        "alpha": 1.0,
                        "beta": beta,
                        "gamma": gamma,
                        "seed": seed,
                        "mse": 0.025 + 0.2 * beta + 0.1 * gamma,
                        "mse_se": 1e-5,
                        "error_rate": error_rate(beta, gamma) + noise * rng.standard_normal(),
                        "error_rate_se": se,
                        "p_judge": perception(beta, gamma),
                        "p_judge_se": 0.01,
                    }
                )
    return pd.DataFrame(rows)


def falling(beta, gamma):
    return 0.18 - gamma


def test_bars_are_the_spread_of_seeds_or_the_error_on_the_test_images():
    one = trends.over_seeds(table(falling))
    assert np.allclose(one["error_rate_bar"], 0.001)
    assert (one["seeds"] == 1).all()
    frame = table(falling, seeds=2, weights=(0.0, 0.1))
    frame.loc[frame["seed"] == 1, "error_rate"] += 0.02
    two = trends.over_seeds(frame)
    assert np.allclose(two["error_rate_bar"], 0.02 / np.sqrt(2))
    assert (two["seeds"] == 2).all()


def test_failed_points_are_left_out_and_an_empty_table_is_refused():
    frame = table(falling)
    frame.loc[0, "error_rate"] = np.nan
    assert len(trends.over_seeds(frame)) == 8
    with pytest.raises(InputError, match="no measured point"):
        trends.over_seeds(frame.assign(error_rate=np.nan))


def test_an_effect_is_seen_beyond_the_bars_and_not_within_them():
    clear = trends.effect(table(falling), "gamma", "error_rate")
    assert clear.direction == "lowers"
    assert clear.change == pytest.approx(-0.03)
    assert (clear.low, clear.high) == (0.0, 0.03)
    assert trends.effect(table(falling, se=0.02), "gamma", "error_rate").direction == "unclear"
    assert trends.effect(table(falling), "gamma", "p_judge").direction == "raises"
    assert trends.effect(table(falling), "beta", "p_judge").direction == "lowers"


def test_the_interval_over_seeds_is_students():
    frame = table(falling, seeds=2, weights=(0.0, 0.1))
    frame.loc[(frame["seed"] == 1) & (frame["gamma"] > 0), "error_rate"] += 0.01
    answer = trends.effect(frame, "gamma", "error_rate")
    assert answer.change == pytest.approx(-0.095)
    # differences -.1 and -.09: standard error .005, Student's 97.5 % point with one degree 12.7062
    assert answer.upper - answer.change == pytest.approx(0.005 * 12.7062, rel=1e-4)


def test_an_effect_may_be_asked_for_in_one_row():
    frame = table(lambda beta, gamma: 0.18 - gamma * (beta == 0))
    assert trends.effect(frame, "gamma", "error_rate", {"beta": 0}).change == pytest.approx(-0.03)
    assert trends.effect(frame, "gamma", "error_rate", {"beta": 0.03}).change == pytest.approx(0)


@pytest.mark.parametrize(
    ("weight", "column", "message"),
    [("alpha", "error_rate", "beta or gamma"), ("gamma", "nothing", "'nothing'")],
)
def test_an_effect_that_is_not_there_is_refused(weight, column, message):
    with pytest.raises(InputError, match=message):
        trends.effect(table(falling), weight, column)
    with pytest.raises(InputError, match="two values"):
        trends.effect(table(falling, weights=(0.0,)), "gamma", "error_rate")
