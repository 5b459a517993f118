"""Figures of the measures of P show every point, the floors and the bound."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cdpbook.figures import perception
from cdpbook.runs import Run
from cdplib.experiments import settings


class _Run(Run):
    def floor(self, measure):
        return None if measure == "p_critic" else 0.25


@pytest.fixture
def run():
    rows = [
        {
            "alpha": 1.0, "beta": beta, "gamma": gamma, "seed": seed, "error_rate": 0.1,
            "p_judge": 1 - beta + gamma, "p_critic": beta - 0.5, "sliced_w2": 1 - beta,
            "frechet": 3.0 + gamma + 0.1 * seed,
        }
        for beta in (0.0, 0.1) for gamma in (0.0, 0.1) for seed in (0, 1)
    ]  # fmt: skip
    return _Run("exp2", settings.resolve("exp2", "quick"), "quick", pd.DataFrame(rows), True)


def test_each_other_measure_is_drawn_against_the_judge_at_every_point(run):
    figure = perception.against_judge({"exp2": run})
    assert isinstance(figure, Figure)
    points = run.points()
    for ax, name in zip(figure.axes, ("p_critic", "sliced_w2", "frechet"), strict=True):
        line = ax.containers[0].lines[0]
        assert np.allclose(np.column_stack(line.get_data()), points[["p_judge", name]])


def test_a_floor_is_drawn_where_there_is_one_and_scales_fit_the_sign(run):
    axes = perception.against_judge({"exp2": run, "exp3": run}).axes
    dotted = [[x for x in ax.lines if x.get_linestyle() == ":"] for ax in axes]
    assert [len(lines) for lines in dotted] == [0, 1, 1]  # one data set, one floor
    assert [ax.get_yscale() for ax in axes] == ["linear", "log", "log"]


def test_floors_of_two_data_sets_differ_in_dashes_and_are_named(run):
    other = _Run("exp5", settings.resolve("exp5", "quick"), "quick", run.table, True)
    figure = perception.against_judge({"exp2": run, "exp5": other})
    assert (
        len({line.get_linestyle() for line in figure.axes[2].lines if len(line.get_xdata()) == 2})
        > 1
    )
    assert len(figure.axes[2].lines) - len(figure.axes[0].lines) == 2
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named[-2:] == ["floor, MNIST", "floor, CIFAR-10"]


def test_without_published_rows_the_figure_says_so():
    figure = perception.against_judge({})
    assert "nothing" in figure.axes[0].get_title()
