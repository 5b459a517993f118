"""The figures about who benefits show the computed numbers, and are drawn from any table."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from cdpbook.figures import transfer
from cdpbook.statistics.trends import Effect
from cdpbook.studies import readings


def effect(change, half=0.001):
    return Effect("gamma", "error_rate", 0.0, 0.03, change, change - half, change + half, 3)


def test_the_forest_puts_the_change_in_points_and_the_predefined_in_bold():
    figure = transfer.forest(
        {"Exp-2": {"cnn1": effect(-0.012), "mlp": effect(0.03), "cnn2": effect(0.0)}}, "points"
    )
    (axes,) = figure.axes
    labels = axes.get_yticklabels()
    assert [label.get_text() for label in labels] == ["CNN-1", "perceptron", "CNN-2"]
    assert [label.get_fontweight() for label in labels] == ["bold", "normal", "normal"]
    dots = {
        line.get_marker(): line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1
    }
    assert dots["v"] == pytest.approx(-1.2)
    assert dots["^"] == pytest.approx(3)
    assert dots["o"] == pytest.approx(0)
    low, high = axes.get_xlim()
    assert low == -high


def test_panels_have_their_own_scale_unless_it_is_shared():
    groups = {"Exp-2": {"cnn1": effect(-0.01)}, "Exp-5": {"cnn2c": effect(-0.3)}}
    limits = [ax.get_xlim()[1] for ax in transfer.forest(groups, "points").axes]
    assert limits[0] < 2 < 30 < limits[1]
    limits = [ax.get_xlim()[1] for ax in transfer.forest(groups, "points", shared=True).axes]
    assert limits[0] == limits[1]


def test_an_interval_without_end_is_cut_with_arrow_heads():
    endless = Effect("gamma", "error_rate", 0.0, 0.03, 0.01, -np.inf, np.inf, 1)
    figure = transfer.forest({"Exp-2": {"cnn1": endless, "mlp": effect(0.02)}}, "points")
    markers = [line.get_marker() for line in figure.axes[0].lines]
    assert markers.count("<") == markers.count(">") == 1
    assert np.isfinite(figure.axes[0].get_xlim()).all()


def test_without_rows_a_figure_says_so():
    for figure in (transfer.forest({}, "points"), transfer.strips([])):
        assert isinstance(figure, Figure)
        assert len(figure.axes[0].texts) == 1
    assert (
        transfer.forest({}, "x", missing="no such rows").axes[0].texts[0].get_text()
        == "no such rows"
    )


def test_classes_that_are_no_digits_have_names():
    images = np.zeros((1, 3, 8, 8))
    found = readings.Readings(
        "exp5", (0.0, 0.03), np.array([6]), images, images, images, images,
        {"cnn2c": (np.array([3]), np.array([6]))}, "cifar10",
    )  # fmt: skip
    axes = transfer.strips([readings.Example(found, 0, "won by one alone", "cnn2c")]).axes
    assert "class frog" in axes[0].get_xlabel()
    assert axes[2].get_xlabel().startswith("CNN-2': cat ✗")


@pytest.mark.parametrize("channels", [1, 3])
def test_an_example_shows_four_images_and_who_reads_what(channels):
    images = np.random.default_rng(0).random((2, channels, 8, 8))
    found = readings.Readings(
        "exp2", (0.0, 0.03), np.array([7, 4]), images, images, images, images,
        {"cnn1": (np.array([1, 4]), np.array([7, 4])), "mlp": (np.array([7, 4]), np.array([9, 4]))},
    )  # fmt: skip
    figure = transfer.strips([readings.Example(found, 0, "won by one alone", "mlp")])
    assert len(figure.axes) == 4
    assert "class 7" in figure.axes[0].get_xlabel()
    assert figure.axes[2].get_xlabel() == "CNN-1: 1 ✗\nperceptron: 7 ✓"
    assert figure.axes[3].get_xlabel() == "CNN-1: 7 ✓\nperceptron: 9 ✗"
    figure.canvas.draw()
