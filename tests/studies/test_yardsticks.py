"""Measures of P side by side: order, noise and floors of known tables."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cdpbook.runs import Run
from cdpbook.studies import yardsticks
from cdplib.errors import InputError
from cdplib.experiments import settings


def _frame(seeds=(0, 1), noise=0.01):
    rng = np.random.default_rng(0)
    rows = []
    for seed in seeds:
        for k, (beta, gamma) in enumerate([(b, g) for b in (0.0, 0.1) for g in (0.0, 0.1, 0.2)]):
            judged = 1.0 + k
            rows.append(
                {
                    "alpha": 1.0, "beta": beta, "gamma": gamma, "seed": seed, "mse": 0.02,
                    "error_rate": 0.1, "p_judge": judged + noise * rng.standard_normal(),
                    "p_judge_se": noise, "p_critic": -judged, "sliced_w2": judged**3,
                    "frechet": judged + 0.5 * (-1) ** seed,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


class _Run(Run):
    def floor(self, measure):
        return None if measure == "p_critic" else 0.5


def _run(frame):
    own = settings.resolve("exp2", "quick")
    return _Run("exp2", own, "quick", frame, True)


def test_the_order_is_one_for_a_monotone_measure_and_minus_one_for_a_reversed():
    frame = _frame()
    assert yardsticks.agreement(frame, "sliced_w2").value == pytest.approx(1)
    assert yardsticks.agreement(frame, "p_critic").value == pytest.approx(-1)
    assert yardsticks.agreement(frame, "p_judge") == (1, 1, 1)


def test_the_interval_widens_with_the_judges_error_and_repeats():
    sharp, dull = (yardsticks.agreement(_frame(noise=x), "sliced_w2") for x in (0.001, 1.5))
    assert sharp.lower == pytest.approx(1)
    assert dull.lower < 0.9
    assert dull == yardsticks.agreement(_frame(noise=1.5), "sliced_w2")


def test_an_order_of_two_points_or_of_equal_values_is_not_defined():
    frame = _frame()
    assert math.isnan(yardsticks.agreement(frame[frame["gamma"] == 0], "frechet").value)
    assert math.isnan(yardsticks.agreement(frame.assign(frechet=1.0), "frechet").value)


def test_points_that_a_seed_or_a_measure_misses_are_left_out():
    frame = _frame()
    frame.loc[frame.index[:2], "sliced_w2"] = np.nan
    assert yardsticks.agreement(frame, "sliced_w2").value == pytest.approx(1)
    assert yardsticks.agreement(frame.iloc[:-1], "sliced_w2").value == pytest.approx(1)


def test_seed_noise_is_the_spread_over_seeds_in_units_of_the_range():
    # Two seeds at +-0.5 around points 1 to 6.
    assert yardsticks.seed_noise(_frame(), "frechet") == pytest.approx(math.sqrt(0.5) / 5)
    assert yardsticks.seed_noise(_frame(), "sliced_w2") == 0
    assert math.isnan(yardsticks.seed_noise(_frame(seeds=(0,)), "frechet"))


def test_tables_have_a_row_an_experiment_and_say_so_without_any():
    runs = {"exp2": _run(_frame()), "exp4": _run(_frame(seeds=(0,)))}
    for table in (yardsticks.order_table, yardsticks.noise_table, yardsticks.floor_table):
        lines = table(runs).splitlines()
        assert [line.split(" | ")[0] for line in lines[2:]] == ["| Exp-2", "| Exp-4"]
        assert "No experiment" in table({})
    assert "floor none" in yardsticks.floor_table(runs)
    assert "floor 0.5" in yardsticks.floor_table(runs)
    assert yardsticks.counted(runs).startswith("**18 published rows.**")
    assert "No experiment" in yardsticks.counted({})


def test_what_was_seen_names_the_worst_entry_or_nothing():
    worse = _frame().assign(sliced_w2=[0, 2, 1, 3, 4, 5] * 2)
    runs = {
        "exp2": _run(_frame().drop(columns="p_critic").assign(p_critic=1.0)),
        "exp4": _run(worse),
    }
    runs["exp4"].table["p_critic"] = 1.0
    assert "0.94: sliced W2 in Exp-4" in yardsticks.order_seen(runs)
    assert "Fréchet" in yardsticks.noise_seen(runs)
    assert "14.1 %" in yardsticks.noise_seen(runs)
    assert "sliced W2 in Exp-4: its least value is 0.0 times" in yardsticks.floor_seen(runs)
    for seen in (yardsticks.order_seen, yardsticks.noise_seen, yardsticks.floor_seen):
        assert seen({}) == ""
    assert yardsticks.noise_seen({"exp2": _run(_frame(seeds=(0,)))}) == ""


def test_the_summary_gives_the_worst_over_the_experiments():
    runs = {"exp2": _run(_frame()), "exp4": _run(_frame().assign(sliced_w2=[0, 2, 1, 3, 4, 5] * 2))}
    seconds = dict.fromkeys([*yardsticks.MEASURES, "exact_w1"], 1.234)
    table = yardsticks.summary(runs, seconds).splitlines()
    assert table[2].startswith("| judge | 1.23 | itself |")
    assert table[4].startswith("| sliced W2 | 1.23 | 0.94 |")
    assert table[-1] == "| exact W1, samples | 1.23 | not published | – |"
    assert "not published" in yardsticks.summary({}, seconds).splitlines()[3]


def test_an_unknown_measure_is_refused():
    with pytest.raises(InputError, match="sliced_w2"):
        yardsticks.agreement(_frame(), "sliced_w1")
    with pytest.raises(InputError, match="not in the results table"):
        yardsticks.agreement(_frame().drop(columns="frechet"), "frechet")


def test_the_fooled_critic_is_the_one_that_sees_least_of_what_the_judge_sees():
    frame = _frame(noise=0.0).assign(p_critic=lambda t: t["p_judge"])
    blind = frame.assign(
        p_critic=frame["p_critic"].where((frame["beta"] == 0) | (frame["gamma"] < 0.2), 0.5)
    )
    found = yardsticks.fooled([_run(frame), _run(blind)])
    assert found.run.table is blind
    assert (found.point["beta"], found.point["gamma"]) == (0.1, 0.2)
    assert "its own critic's gap is 0.50 ± 0.00, the judge's 6.00 ± 0.00" in found.said
    assert "At β = 0 and the same γ the own critic says 3.00, the judge 3.00" in found.said
    assert yardsticks.fooled([]) is None
