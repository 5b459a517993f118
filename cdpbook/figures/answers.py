"""Figures that answer: the place in a page where a script of ``book/_static`` draws, and its data.

The site loads those scripts on every page. Elsewhere, on paper, and where no script runs, the
sentence ``still`` is left, which says where the same is shown without moving.
"""

from __future__ import annotations

import base64
import json
import math
import re
from html import escape
from typing import Any

import numpy as np

#: The scripts that draw a figure: ``book/_static/NAME.js``.
NAMES = ("playground", "planes", "toy", "budget", "letters")


def moving(name: str, data: Any, label: str, still: str) -> str:
    """HTML of the figure ``name`` (of :data:`NAMES`) with its ``data``, read out as ``label``.

    ``data`` is anything that JSON can say, arrays of numpy too; what is not finite becomes null.
    """
    assert name in NAMES
    # No text in the data can end the script that holds it.
    kept = json.dumps(_plain(data), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return (
        f'<div class="answers" data-figure="{name}" role="group" aria-label="{escape(label)}">\n'
        f'<p class="answers-still">{escape(still)}</p>\n'
        f'<script type="application/json">{kept}</script>\n</div>'
    )


def pixels(images: np.ndarray) -> str:
    """Grey images, uint8, as the scripts read them: base64 of bytes in which each 0 is followed by
    how many 0s there are."""
    counted = re.sub(b"\0{1,255}", lambda run: bytes([0, len(run[0])]), images.tobytes())
    return base64.b64encode(counted).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
