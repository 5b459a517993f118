"""Verdicts follow the numbers, and nothing is asserted that the table cannot show."""

from __future__ import annotations

import pandas as pd
import pytest

from cdpbook import claims


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


def beta_alone(frame):
    test = lambda: claims.directed(frame, "beta", "error_rate", "lowers", {"gamma": 0.0})  # noqa: E731
    return claims.tested(frame, [("β alone lowers C", test)])[0]


def test_a_direction_is_reproduced_opposite_or_undecided():
    lowers = claims.directed(table(), "gamma", "error_rate", "lowers")
    assert lowers[1] == claims.REPRODUCED
    assert "−3.00\u00a0points" in lowers[0]
    assert claims.directed(table(), "gamma", "error_rate", "raises")[1] == claims.NOT
    for sign in (1.0, -1.0):
        within = claims.directed(table(sign=sign, se=0.05), "gamma", "error_rate", "lowers")
        assert within[1] == claims.UNDECIDED


def test_rows_are_counted_and_named():
    frame = table()
    frame.loc[frame["beta"] == 0.03, "error_rate"] += 2 * frame["gamma"]
    text, verdict = claims.directed_in_rows(frame, "gamma", "error_rate", "lowers")
    assert verdict == claims.PARTLY
    assert "so at 2 of 3 β, the opposite at 1 (β = 0.03)" in text
    assert claims.directed_in_rows(frame, "beta", "p_judge", "lowers")[1] == claims.REPRODUCED
    assert claims.directed_in_rows(table(), "gamma", "error_rate", "raises")[1] == claims.NOT
    wide = table(se=0.05)
    assert claims.directed_in_rows(wide, "gamma", "error_rate", "lowers")[1] == claims.UNDECIDED


def test_a_turn_along_a_weight_is_said_and_decides_nothing():
    assert claims.turning(table(), "beta", "p_judge") == ""
    frame = table()
    frame.loc[frame["beta"] == 0.03, "p_judge"] += 0.5  # down to 0.01, up from there
    text, verdict = claims.directed_in_rows(frame, "beta", "p_judge", "lowers")
    assert text.endswith("clearly down at β = 0 to 0.01, clearly up at 0.01 to 0.03")
    assert verdict == claims.directed(frame, "beta", "p_judge", "lowers")[1] == claims.REPRODUCED
    frame["p_judge_se"] = 1.0  # within the noise nothing turns
    assert claims.turning(frame, "beta", "p_judge") == ""
    gap = frame[(frame["beta"] != 0.01) | (frame["gamma"] == 1)]
    assert claims.turning(gap, "beta", "p_judge") == ""


@pytest.mark.parametrize("frame", [table(steps=100), table(weights=(0.0,)), table().iloc[:2]])
def test_a_smoke_run_or_a_single_point_is_not_testable(frame):
    assert claims.untestable(frame)
    assert beta_alone(frame).verdict == claims.UNTESTABLE


def test_classifiers_that_took_no_part_are_found_by_their_columns():
    assert claims.others(table()) == ["cnn2"]
    assert claims.others(table().drop(columns="error_rate_cnn2")) == []


def test_a_test_that_cannot_run_on_the_table_says_why():
    assert beta_alone(table()).verdict == claims.UNDECIDED  # no change at all
    without = beta_alone(table().drop(columns="error_rate"))
    assert (without.verdict, "error_rate" in without.found) == (claims.UNTESTABLE, True)


def test_the_table_and_the_box_say_every_verdict():
    found = [
        claims.Claim("E1: one thing (Fig. 3)", "1", claims.REPRODUCED),
        claims.Claim("E2: another", "2", claims.NOT),
        claims.Claim("E3: a third", "3", claims.UNDECIDED),
    ]
    assert claims.markdown(found).count("**reproduced**") == 1
    box = claims.admonition(found, "Exp-9")
    assert "Exp-9: 1 reproduced, 1 not reproduced, 1 undecided\n:class: warning" in box
    assert "| **not reproduced** | E2: another |\n| **undecided** | E3: a third |" in box
    assert "one thing" not in box
    assert ":class: tip" in claims.admonition(found[:1])
    bare = [claims.Claim("T1", "", claims.REPRODUCED), *found[1:]]
    assert "Not reproduced: E2.\nUndecided: E3." in claims.admonition(bare)
    assert claims.numbered(found)[claims.NOT] == ["E2"]


def test_one_seed_without_a_standard_error_gives_no_interval_and_no_verdict():
    frame = table().drop(columns="p_judge_se")
    text, verdict = claims.directed(frame, "gamma", "p_judge", "raises")
    assert "[unknown]" in text
    assert verdict == claims.UNDECIDED
