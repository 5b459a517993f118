"""Neighbours' grids: their rows stand apart, effects and turns that were put in are found."""

from __future__ import annotations

import pandas as pd
import pytest

from cdpbook.figures import neighbours as figures
from cdpbook.studies import neighbours
from cdpbook.studies.attainable import Beside
from cdplib.experiments import results, settings


def table(betas=(0.0, 0.1, 0.2), gammas=(0.0, 0.02), p=(0.9, 0.6, 0.4)) -> pd.DataFrame:
    """D rises by .001 a beta and a gamma, P is ``p``, gamma lowers C by a point; one seed."""
    return pd.DataFrame([
        {"alpha": 1.0, "beta": beta, "gamma": gamma, "seed": 0,
         "mse": 0.02 + 0.001 * (i + j), "mse_se": 1e-4, "error_rate": 0.15 - 0.01 * j,
         "error_rate_se": 0.001, "p_judge": p[i], "p_judge_se": 0.01,
         "config_hash": f"{beta} {gamma}"}
        for i, beta in enumerate(betas) for j, gamma in enumerate(gammas)
    ])  # fmt: skip


def test_effects_of_each_grid_are_those_put_in_and_what_is_not_trained_is_said():
    found = neighbours.summary({"RDPC": table(), "deepinv": table(gammas=(0.0,))})
    assert list(found["points"]) == ["6 of 63", "3 of 13"]
    assert found["γ on C"][0].startswith("−1.00")
    assert found["β on D"][1].startswith("+0.00200")
    assert list(found[["γ on C", "γ on D", "γ on P"]].iloc[1]) == ["–"] * 3
    assert list(found["failed"]) == [0, 0]


def test_a_step_against_the_trade_off_is_found_only_where_it_is_clear():
    assert neighbours.turns(table(), "p_judge", -1).empty
    up = neighbours.turns(table(p=(0.9, 0.4, 0.6)), "p_judge", -1)
    assert up[["beta", "next"]].to_numpy().tolist() == [[0.1, 0.2]]
    assert up["change"].item() == pytest.approx(0.2)
    assert neighbours.turns(table(p=(0.9, 0.4, 0.42)), "p_judge", -1).empty  # within the errors
    assert len(neighbours.turns(table(), "mse", -1)) == 2
    assert neighbours.turns(table(), "mse", 1).empty


def test_the_answer_says_what_is_not_trained_and_counts_turns():
    said = neighbours.answer({"deepinv": table(gammas=(0.0,), p=(0.9, 0.4, 0.6))})
    assert "The grid of RDPC has not been trained yet." in said
    assert "deepinv, 3 of 13 pairs" in said
    assert (
        "Of 2 steps from one β to the next at γ = 0 P clearly rises in 1, and D clearly falls in 0"
        in said
    )


def test_rows_that_another_sweep_has_are_not_passed_off_as_trained_for_a_grid():
    every, own = table(), "(Exp-2's own rows, none was trained for it)"
    assert f"4 of 63 pairs of weights {own}" in neighbours.answer(
        {"Exp-2": every, "RDPC": every[every["beta"] > 0]}
    )
    assert own not in neighbours.answer({"Exp-2": every[every["beta"] > 0], "RDPC": every})


def test_rows_of_a_grid_are_asked_for_by_its_variant(monkeypatch):
    asked = []
    monkeypatch.setattr(results, "load", lambda *_, **given: asked.append(given["variant"]))
    for title in neighbours.GRIDS:
        neighbours.rows(title)
    assert asked == ["grid=rdpc", "grid=deepinv critic_steps=4"]


@pytest.mark.parametrize(("title", "points"), [("RDPC", 63), ("deepinv", 13)])
def test_a_named_grid_has_every_weight_of_its_work(title, points):
    assert neighbours.asked(title) == points
    own = settings.resolve("exp2", "quick", dict(neighbours.GRIDS[title]))
    assert {alpha for alpha, *_ in settings.weights(own, "exp2")} == {1.0}


def test_the_figure_shows_every_grid_in_three_planes():
    found = figures.planes({"RDPC": table(), "deepinv": table()}, 0.01, Beside.none())
    axes = [figure.axes[0] for figure in found.figures.values()]
    assert [len(each.collections) for each in axes] == [2, 2, 2]
    assert axes[1].get_ylabel() == "C: error rate (%)"
    assert [len(each.lines) for each in axes] == [1, 1, 0]  # the floor, where P is an axis
