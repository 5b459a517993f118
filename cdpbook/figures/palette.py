"""Figures as PNG with a palette of 256 colours: a third of the bytes, where it cannot be seen."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

#: The mean difference, of 255 levels, up to which a palette is taken; photographs have more.
UNSEEN = 1.0


def smaller(png: bytes) -> bytes:
    """The picture ``png`` with a palette; ``png`` itself if that is no smaller or can be seen.

    What is transparent becomes white, on which the book's figures are drawn.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    plain = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    drawn = plain.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    off = np.abs(np.asarray(drawn.convert("RGB"), float) - np.asarray(plain, float)).mean()
    with io.BytesIO() as stream:
        drawn.save(stream, format="PNG", optimize=True)
        found = stream.getvalue()
    return found if off <= UNSEEN and len(found) < len(png) else png
