"""Figures become smaller where nobody sees it, and stay as they are where it would be seen."""

import io

import numpy as np
from PIL import Image

from cdpbook.figures import palette, style


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


def test_a_figure_loses_half_its_bytes_and_nothing_that_is_seen():
    figure = style.canvas(1, 2, width=8)
    x = np.linspace(0, 6, 200)
    figure.axes[0].plot(x, np.sin(x), label="sine")
    figure.axes[0].legend()
    figure.axes[1].imshow(np.outer(x, x))
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    before, after = stream.getvalue(), palette.smaller(stream.getvalue())
    assert len(after) < len(before) / 2
    assert pixels(after).shape == pixels(before).shape
    assert np.abs(pixels(after) - pixels(before)).mean() < palette.UNSEEN
    assert palette.smaller(after) == palette.smaller(after)


def test_grey_images_of_256_levels_are_kept_to_the_bit():
    grey = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    assert np.array_equal(pixels(palette.smaller(png(grey))), pixels(png(grey)))


def test_a_picture_of_many_colours_is_left_alone():
    many = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    assert palette.smaller(png(many)) == png(many)


def test_what_is_transparent_becomes_white():
    clear = np.zeros((64, 64, 4), dtype=np.uint8)
    clear[:8, :8] = (0, 114, 178, 255)
    found = pixels(palette.smaller(png(clear)))
    assert found[-1, -1].tolist() == [255, 255, 255]
    assert found[0, 0].tolist() == [0, 114, 178]
