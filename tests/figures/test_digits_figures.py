"""Figures of real digits draw what they are given, and something where there is nothing."""

import numpy as np
import pandas as pd
import pytest

from cdpbook.figures import digits as draw

IMAGE = np.zeros((28, 28))


def test_a_gallery_leaves_the_places_of_a_short_row_empty_and_says_where_it_has_none():
    figure = draw.gallery([[IMAGE] * 3, [IMAGE]], ["a", "b", "c"], [["x", "y", "z"], ["w"]])
    assert [len(axes.images) for axes in figure.axes] == [1, 1, 1, 1, 0, 0]
    assert [axes.axison for axes in figure.axes] == [True] * 4 + [False] * 2
    assert figure.axes[3].get_xlabel() == "w"
    assert "no image" in draw.gallery([], ["a"]).axes[0].texts[0].get_text()


def test_rims_have_a_line_for_each_p_in_points():
    table = pd.DataFrame({"P": [0, 0, 1, 1], "share": [0.1, 1] * 2, "excess": [0.02, 0, 0.01, 0]})
    figure = draw.rims({"one": table, "two": table})
    lines = figure.axes[1].get_lines()
    assert len(lines) == 2
    assert lines[0].get_ydata().tolist() == pytest.approx([2.0, 0.0])


def test_the_plane_shows_its_edge_and_every_restorer():
    points = pd.DataFrame({"name": ["a", "b"], "D": [1.0, 2.0], "P": [0.5, 0.1]})
    figure = draw.plane((np.array([0.5, 1.0]), np.array([1.0, 0.0])), points)
    assert [line.get_label() for line in figure.axes[0].get_lines()][1:] == ["a", "b"]


def test_a_ladder_has_two_curves_and_the_network_where_there_is_one():
    table = pd.DataFrame(
        {"digits": [10, 100], "mse": [0.01, 0.02], "fresh_mse": [0.06, 0.05], "mse_se": [0.001] * 2,
         "fresh_mse_se": [0.001] * 2}
    )  # fmt: skip
    figure = draw.ladder({"one": table, "two": table}, {"two": 0.04})
    dotted = [
        [line for line in axes.get_lines() if line.get_linestyle() == ":"] for axes in figure.axes
    ]
    assert [len(lines) for lines in dotted] == [0, 1]
    assert len(figure.axes[0].get_yticks()) >= 2
