"""The theory figures draw what they are given, label their axes, and are shown once."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cdpbook.figures import toy as figures
from cdplib.theory.toy import GaussianToy

TOY = GaussianToy()
DS, PS = np.linspace(0.66, 0.8, 9), np.linspace(0.0, 0.2, 8)
VALUES = TOY.cdp(DS[:, None], PS)


def draw_measures():
    gains = np.linspace(0.2, 1, 9)
    divergences = {kind: TOY.divergence(gains, kind) for kind in figures.DIRECTIONS}
    return figures.measures(gains, TOY.mse(gains), divergences, TOY.error_rate(gains))


def draw_profiles():
    at_P = {0.05: TOY.cdp(DS, 0.05), 0.1: TOY.cdp(DS, 0.1)}
    return figures.profiles((DS, PS), (at_P, {0.7: TOY.cdp(0.7, PS)}))


DRAWN = {
    "densities": lambda: figures.densities(TOY, 0.8),
    "measures": draw_measures,
    "surface": lambda: figures.surface(DS, PS, VALUES),
    "profiles": draw_profiles,
    "band": lambda: figures.band(PS, TOY.cdp(0.68, PS), (0.02, 0.14), 0.68),
    "cloud": lambda: figures.cloud(np.random.default_rng(0).random((9, 3)), np.eye(3), np.eye(2)),
    "chain": lambda: figures.chain(DS, {"chord": DS, "C": DS**2}),
    "against_exact": lambda: figures.against_exact(DS, {"a": DS}, {"a": DS**2}, "D (MSE)"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_figures_have_labelled_axes_and_are_not_left_open(name):
    figure = DRAWN[name]()
    figure.canvas.draw()
    assert plt.get_fignums() == []
    for axes in figure.axes:
        assert axes.get_ylabel()
        assert axes.get_xlabel() or name == "measures" or axes.get_label() == "<colorbar>"


def test_the_minimum_of_each_measure_is_marked():
    middle = draw_measures().axes[1]
    marked = [line for line in middle.lines if line.get_marker() == "o"]
    assert [float(line.get_xdata()[0]) for line in marked] == pytest.approx([0.8, 0.8])


def test_infeasible_points_are_left_out():
    (axes,) = DRAWN["band"]().axes
    assert len(axes.lines[0].get_xdata()) == np.isfinite(TOY.cdp(0.68, PS)).sum() < len(PS)
