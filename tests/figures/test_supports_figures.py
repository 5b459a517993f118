"""Figures of theory over experiment show the numbers that they are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cdpbook.figures import supports as figures
from cdpbook.statistics import hulls
from cdpbook.studies import landscapes
from cdplib.errors import InputError
from cdplib.theory.toy import GaussianToy


@pytest.fixture
def frame():
    """On C = 1/D + 1/P each point is the minimiser for its own weights."""
    rows = []
    for seed in (0, 1):
        for beta in (0.5, 1.0):
            for gamma in (0.5, 1.0, 2.0):
                d, p = np.sqrt(gamma), np.sqrt(gamma / beta)
                c = 1 / d + 1 / p
                rows.append({"alpha": 1.0, "beta": beta, "gamma": gamma, "seed": seed, "mse": d,
                             "p_critic": p, "p_judge": p, "ce": c, "error_rate": c})  # fmt: skip
    return pd.DataFrame(rows)


def drawn_lines(axes, style):
    return [line for line in axes.lines if line.get_linestyle() == style]


def test_each_line_of_an_optimal_cloud_is_solid_and_of_a_spoiled_one_dotted(frame):
    figure = figures.lines(frame)
    assert [ax.get_title() for ax in figure.axes] == [
        "β = 0.5: 3 of 3 lines support the cloud",
        "β = 1: 3 of 3 lines support the cloud",
    ]
    frame.loc[(frame["beta"] == 1.0) & (frame["gamma"] == 1.0), "ce"] += 5
    below = figures.lines(frame).axes[1]
    assert below.get_title() == "β = 1: 2 of 3 lines support the cloud"
    assert len(drawn_lines(below, ":")) == 1


def test_a_line_has_the_slope_of_its_weights(frame):
    slopes = [line.get_slope() for line in figures.lines(frame).axes[0].lines if line.get_xy1()]
    assert slopes == pytest.approx([-2, -1, -0.5])


def test_without_cross_entropy_the_line_is_upright(frame):
    frame.loc[frame["gamma"] == 0.5, "gamma"] = 0.0
    slopes = [line.get_slope() for line in figures.lines(frame).axes[0].lines]
    assert np.isinf(slopes[0])


def test_distances_are_drawn_between_measured_and_hull(frame):
    frame.loc[(frame["beta"] == 1.0) & (frame["gamma"] == 1.0), "error_rate"] += 0.5
    excess = hulls.convex_excess(frame)
    figure = figures.distances(excess)
    top = figure.axes[0]
    lengths = [np.ptp(segment[:, 0]) for segment in top.collections[0].get_segments()]
    assert sorted(lengths) == pytest.approx(sorted(100 * excess["excess"]))
    assert max(lengths) > 1
    assert len(top.get_yticklabels()) == 6


def test_landscapes_share_one_scale_and_are_named(frame):
    shown = [
        landscapes.toy_landscape(GaussianToy()),
        landscapes.trained_landscape(frame, name="mine"),
    ]
    figure = figures.landscapes(shown)
    assert isinstance(figure, Figure)
    assert "mine" in figure.axes[1].get_title()
    for ax in figure.axes[:2]:
        assert ax.collections[0].get_clim() == (0, 1)


def test_what_cannot_be_drawn_is_refused(frame):
    two = pd.concat([frame, frame.assign(alpha=0.5)])
    with pytest.raises(InputError, match="one alpha"):
        figures.lines(two)
    with pytest.raises(InputError, match="at least one"):
        figures.landscapes([])


def test_clouds_of_one_seed_or_one_beta_are_drawn(frame):
    few = frame[(frame["seed"] == 0) & (frame["beta"] == 1.0)]
    for figure in (
        figures.lines(few), figures.distances(hulls.convex_excess(few)),
    ):  # fmt: skip
        figure.draw_without_rendering()
