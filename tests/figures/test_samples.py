"""The grid of Fig. 4: every pair of weights has its place, every changed label its frame."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cdpbook.figures import samples
from cdplib.errors import InputError

CLEAN = np.random.default_rng(0).random((6, 1, 8, 8))


def restored(betas=(0.0, 0.1), gammas=(0.0, 0.01)):
    return {(beta, gamma): CLEAN for beta in betas for gamma in gammas}


def frames(axes):
    return [p for p in axes.patches if isinstance(p, Rectangle)]


def test_a_mosaic_keeps_every_pixel_and_fills_up_with_white():
    images = np.arange(5 * 4).reshape(5, 1, 2, 2) / 20
    whole = samples.mosaic(images, 3)
    assert whole.shape == (4, 6)
    assert np.array_equal(whole[:2, 2:4], images[1, 0])
    assert np.array_equal(whole[2:, 2:4], images[4, 0])
    assert (whole[2:, 4:] == 1).all()


def test_noisy_images_are_clipped_and_colours_kept():
    assert samples.mosaic(np.full((1, 3, 2, 2), -3.0), 1).min() == 0
    assert samples.mosaic(np.zeros((4, 3, 2, 2)), 2).shape == (4, 4, 3)
    with pytest.raises(InputError, match="shape"):
        samples.mosaic(np.zeros((2, 2)), 1)


def test_rows_are_betas_and_columns_gammas():
    figure = samples.weights_grid(CLEAN, CLEAN, restored())
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:2] == ["original", "degraded"]
    assert titles[2:] == [f"β = {b:g}, γ = {g:g}" for b in (0.0, 0.1) for g in (0.0, 0.01)]


def test_changed_labels_are_marked_by_what_they_became():
    labels = np.arange(6)
    predicted = {key: labels.copy() for key in restored()}
    predicted[0.0, 0.0][:2] = 9  # wrong at gamma 0
    predicted[0.0, 0.01][1] = 8  # one wrong class in place of another
    predicted[0.0, 0.01][5] = 0  # right, then wrong
    figure = samples.weights_grid(CLEAN, CLEAN, restored(), predicted, labels)
    at = {ax.get_title(): ax for ax in figure.axes}
    assert not frames(at["β = 0, γ = 0"])
    assert not frames(at["β = 0.1, γ = 0.01"])
    colours = [to_hex(frame.get_edgecolor()).upper() for frame in frames(at["β = 0, γ = 0.01"])]
    assert colours == [samples.BETTER, samples.CHANGED, samples.WORSE]


def test_a_missing_point_leaves_its_place_empty():
    some = restored()
    del some[0.1, 0.01]
    assert isinstance(samples.weights_grid(CLEAN, CLEAN, some), Figure)


def test_nothing_to_draw_is_refused():
    with pytest.raises(InputError, match="no restored"):
        samples.weights_grid(CLEAN, CLEAN, {})
    with pytest.raises(InputError, match="both or none"):
        samples.weights_grid(CLEAN, CLEAN, restored(), labels=np.arange(6))
    with pytest.raises(InputError, match="no images"):
        samples.strips({})


def test_strips_have_one_row_a_name():
    figure = samples.strips({"original": CLEAN, "noisy": CLEAN - 1})
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["original", "noisy"]
