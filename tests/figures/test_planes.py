"""The planes of Fig. 3 show the table's own numbers; their level curves lie where they should."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cdpbook.figures import maps, planes
from cdplib.errors import InputError


@pytest.fixture
def frame():
    rows = []
    for seed in (0, 1):
        for beta in (0.0, 0.003, 0.01):
            for gamma in (0.0, 0.01, 0.03):
                rows.append(
                    {
                        "alpha": 1.0,
                        "beta": beta,
                        "gamma": gamma,
                        "seed": seed,
                        "mse": 0.025 + 0.2 * beta + 0.05 * gamma + 1e-5 * seed,
                        "error_rate": 0.18 - gamma + 0.1 * beta + 0.001 * seed,
                        "error_rate_cnn2": 0.18 + gamma,
                        "p_judge": 2 - 150 * beta + 20 * gamma,
                    }
                )
    return pd.DataFrame(rows)


def test_the_three_planes_show_d_p_and_c(frame):
    panels = planes.three_planes(frame, floor=0.05)
    shown = [figure.axes[0] for figure in panels.figures.values()]
    assert [ax.get_xlabel()[0] + ax.get_ylabel()[0] for ax in shown] == ["DP", "PC", "DC"]
    assert [text[:13] for text in panels.figures] == [
        f"({a}) colour: {b}" for a, b in ("aC", "bD", "cP")
    ]
    assert [text.partition(",")[0] for text in panels.legend] == ["γ = 0", "β = 0"]


def test_each_panel_is_a_picture_of_its_own_with_its_text(frame):
    html = planes.three_planes(frame)._repr_html_()
    pictures = re.findall(r'<img alt="([^"]+)"[^>]* src="data:image/png;base64,[^"]+">', html)
    assert [text.partition(" ")[0] for text in pictures] == ["Legend:"] * 2 + ["(a)", "(b)", "(c)"]
    assert html == planes.three_planes(frame)._repr_html_()


def test_every_point_is_drawn_at_its_mean_over_seeds(frame):
    *_, figure = planes.three_planes(frame).figures.values()
    dots = np.vstack([c.get_offsets() for c in figure.axes[0].collections if len(c.get_offsets())])
    means = frame.groupby(["beta", "gamma"])[["mse", "error_rate"]].mean().to_numpy() * [1, 100]
    assert len(means) == 9
    for mean in means:
        assert np.isclose(dots, mean).all(axis=1).any()


def test_colours_change_at_readable_bounds_that_all_have_points_between():
    values = np.array([0.061, 0.062, 0.063, 0.21, 0.22, 0.43, 0.44, 0.85, 0.86, 1.73])
    bounds = planes.steps(values).boundaries
    assert np.allclose(bounds, [0.061, 0.1, 0.4, 0.9, 1.73])
    assert np.histogram(values, bounds)[0].min() > 0
    assert np.allclose(planes.steps(np.array([2.0, 2.0])).boundaries, [1.5, 2.5])


def test_a_level_curve_keeps_its_level_even_on_a_folded_sheet():
    beta, gamma = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 4), indexing="ij")
    z = beta + gamma
    curves = planes.level_curves(beta, 3 * gamma, z, np.array([0.7]))
    assert len(curves) == 1
    level, points = curves[0]
    assert level == 0.7
    assert np.allclose(points[:, 0] + points[:, 1] / 3, 0.7)
    folded = planes.level_curves(np.abs(beta - 0.5), gamma, z, np.array([0.7]))
    assert len(folded) == 1


def test_a_level_curve_that_ends_on_the_edge_of_the_grid_stays_on_it():
    """Rounding puts the end of this one a hair outside, where interpolation would give zero."""
    z = np.array([[0, 0, 0, 0.1], [1, 1, 1, 1.9000000000000008]])
    [(_, points)] = planes.level_curves(z + 1, z + 1, z, np.array([0.5]))
    assert np.allclose(points, 1.5)


def test_a_missing_point_leaves_a_hole_and_no_false_curve():
    beta, gamma = np.meshgrid(np.arange(3.0), np.arange(3.0), indexing="ij")
    z = beta + gamma
    z[0, 0] = np.nan
    assert planes.level_curves(beta, gamma, z, np.array([0.5])) == []
    for _, points in planes.level_curves(beta, gamma, z, np.array([2.5])):
        assert np.isfinite(points).all()


def test_a_grid_of_one_row_is_drawn_without_curves(frame):
    assert "<img" in planes.three_planes(frame[frame["beta"] == 0])._repr_html_()


def test_the_achieved_error_is_the_least_within_both_bounds(frame):
    least = maps.achieved_error(
        frame, np.array([0.0, 0.02501, 1.0]), np.array([0.0, 10.0]), "p_judge"
    )
    assert np.isinf(least[0]).all()
    assert np.isinf(least[:, 0]).all()
    assert least[1, 1] == pytest.approx(0.1805)
    assert least[2, 1] == pytest.approx(0.1505)
    assert (np.diff(least[1:, 1]) <= 0).all()


def test_the_maps_are_drawn(frame):
    panels = maps.weights_map(frame, ("error_rate", "mse", "p_judge"))
    assert [text[0] for text in panels.figures] == ["C", "D", "P"]
    texts = [text.get_text() for text in next(iter(panels.figures.values())).axes[0].texts]
    assert len(texts) == 9
    assert texts[0] == "18.1"
    decimals = [len(text.partition(".")[2]) for text in texts]
    assert set(decimals) == {1}  # one number of decimals for a whole map
    assert isinstance(maps.achieved_map(frame, floor=0.05), Figure)
    assert isinstance(maps.gaming(frame, ("cnn2",), "CNN-1"), Figure)


def test_what_is_not_in_the_table_is_refused(frame):
    with pytest.raises(InputError, match="measure of perception 'mse'"):
        planes.three_planes(frame, perception="mse")
    with pytest.raises(InputError, match="'frechet' is not in"):
        planes.three_planes(frame, perception="frechet")
    with pytest.raises(InputError, match="error_rate_cnn9"):
        maps.gaming(frame, ("cnn9",), "CNN-1")
    with pytest.raises(InputError, match="one alpha"):
        maps.weights_map(pd.concat([frame, frame.assign(alpha=0.5)]))
