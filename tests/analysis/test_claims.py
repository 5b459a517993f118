"""Verdicts follow the numbers, and nothing is asserted that the table cannot show."""

from __future__ import annotations

import pandas as pd
import pytest

from cdplib.analysis import claims


def table(sign=1.0, steps=500, weights=(0.0, 0.01, 0.03), se=0.0005):
    """A made table with the trade-off of the paper (sign 1) or its opposite (sign -1)."""
    rows = []
    for beta in weights:
        for gamma in weights:
            rows.append(
                {
                    "alpha": 1.0,
                    "beta": beta,
                    "gamma": gamma,
                    "seed": 0,
                    "mse": 0.025 + sign * (0.2 * beta + 0.1 * gamma),
                    "mse_se": 1e-5,
                    "error_rate": 0.18 - sign * gamma,
                    "error_rate_se": se,
                    "error_rate_cnn2": 0.18 + gamma,
                    "error_rate_cnn2_se": 0.0005,
                    "p_judge": 2 - sign * (20 * beta - 10 * gamma),
                    "p_judge_se": 0.01,
                    "steps": steps,
                }
            )
    return pd.DataFrame(rows)


def verdicts(frame):
    return [claim.verdict for claim in claims.tradeoff(frame)]


def test_a_clear_tradeoff_reproduces_every_claim():
    assert set(verdicts(table())) == {claims.REPRODUCED}


def test_the_opposite_reproduces_no_direction():
    assert verdicts(table(sign=-1.0))[:5] == [claims.NOT] * 5


def test_an_effect_within_the_bars_is_at_most_partly_reproduced():
    found = claims.tradeoff(table(se=0.05))[0]
    assert found.verdict == claims.PARTLY
    assert claims.tradeoff(table(sign=-1.0, se=0.05))[0].verdict == claims.NOT


@pytest.mark.parametrize("frame", [table(steps=100), table(weights=(0.0,)), table().iloc[:2]])
def test_a_smoke_run_or_a_single_point_is_not_testable(frame):
    assert set(verdicts(frame)) == {claims.UNTESTABLE}
    assert claims.beta_lowers_error(frame).verdict == claims.UNTESTABLE


def test_a_gain_that_other_classifiers_do_not_share_is_said():
    assert claims.others(table()) == ["cnn2"]
    (found,) = claims.transfer(table())
    assert found.verdict == "not shared"
    assert "+3.00 points" in found.found


def test_beta_alone_is_judged_at_gamma_zero():
    frame = table()
    assert claims.beta_lowers_error(frame).verdict == claims.PARTLY  # no change at all
    frame.loc[frame["gamma"] == 0, "error_rate"] -= 5 * frame["beta"]
    assert claims.beta_lowers_error(frame).verdict == claims.REPRODUCED


def test_the_table_and_the_box_say_every_verdict():
    found = claims.tradeoff(table())
    assert claims.markdown(found).count("**reproduced**") == len(found)
    assert f"{len(found)} reproduced" in claims.admonition(found)


def test_one_seed_without_a_standard_error_gives_no_interval_and_no_verdict_beyond_partly():
    every = claims.tradeoff(table().drop(columns="p_judge_se"))
    (found,) = [claim for claim in every if claim.statement.startswith("γ costs perception")]
    assert "interval unknown" in found.found
    assert found.verdict == claims.PARTLY
