"""Measures of P side by side: order, noise and floors of known tables."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from clouds import optimal

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


def _of(frame, measure):
    found = yardsticks.compared({"exp2": _run(frame)}).set_index("measure")
    return found.loc[yardsticks.MEASURES[measure]]


def test_the_order_is_one_for_a_monotone_measure_and_minus_one_for_a_reversed():
    frame = _frame()
    assert _of(frame, "sliced_w2")["order"].value == pytest.approx(1)
    assert _of(frame, "p_critic")["order"].value == pytest.approx(-1)
    assert _of(frame, "p_judge")["order"] == pytest.approx((1, 1, 1))


def test_an_order_of_equal_values_is_not_defined():
    assert math.isnan(_of(_frame().assign(frechet=1.0), "frechet")["order"].value)


def test_noise_is_what_neither_point_nor_seed_explains_in_units_of_the_range():
    # Two seeds at +-0.5 around points 1 to 6: the whole seed moves, which changes no comparison.
    assert _of(_frame(), "frechet")["noise"] == pytest.approx(0, abs=1e-9)
    moved = _frame().assign(frechet=lambda t: t["p_judge"].round() + t["seed"] * (t["gamma"] > 0.1))
    assert 0.05 < _of(moved, "frechet")["noise"] < 0.2
    assert math.isnan(_of(_frame(seeds=(0,)), "frechet")["noise"])


def test_only_noise_that_neither_weights_nor_seeds_explain_counts():
    columns = ["mse", "ce"]
    frame = optimal(seeds=3)
    frame["mse"] += 5.0 * frame["seed"]  # a whole seed moves
    assert yardsticks.noise_shares(frame, columns) == pytest.approx({"mse": 0, "ce": 0}, abs=1e-9)
    assert yardsticks.noise_shares(optimal(), columns) == {}
    rng = np.random.default_rng(0)
    noisy = optimal(betas=np.linspace(0.5, 2, 20), seeds=6)
    noisy["ce"] += 0.1 * np.ptp(optimal()["ce"]) * rng.standard_normal(len(noisy))
    assert yardsticks.noise_shares(noisy, columns)["ce"] == pytest.approx(0.1, rel=0.2)


def test_every_experiment_has_a_row_a_measure_with_its_range_and_floor():
    found = yardsticks.compared({"exp2": _run(_frame()), "exp4": _run(_frame(seeds=(0,)))})
    assert found["experiment"].to_list() == ["Exp-2"] * 4 + ["Exp-4"] * 4
    critic = found.iloc[1]
    assert (critic["least"], critic["most"]) == (-6, -1)
    assert math.isnan(critic["floor"])
    assert found.iloc[2]["floor"] == 0.5
    assert yardsticks.compared({}).empty


def test_a_measure_that_was_not_measured_is_refused():
    with pytest.raises(InputError, match="not in the results table"):
        yardsticks.compared({"exp2": _run(_frame().drop(columns="frechet"))})


def test_the_fooled_critic_is_the_one_that_sees_least_of_what_the_judge_sees():
    frame = _frame(noise=0.0).assign(p_critic=lambda t: t["p_judge"])
    blind = frame.assign(
        p_critic=frame["p_critic"].where((frame["beta"] == 0) | (frame["gamma"] < 0.2), 0.5)
    )
    found = yardsticks.fooled([_run(frame), _run(blind)])
    assert found.run.table is blind
    assert (found.point["beta"], found.point["gamma"]) == (0.1, 0.2)
    assert (found.point["p_critic"], found.point["p_judge"]) == (0.5, 6.0)
    assert (found.start["beta"], found.start["p_critic"], found.start["p_judge"]) == (0, 3, 3)
    assert yardsticks.fooled([]) is None
