"""What trained points are held against, drawn beside them: letters in circles, a line at a level.

They show :class:`cdpbook.studies.attainable.Beside`; captions say what each letter stands for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cdpbook import text
from cdpbook.studies.attainable import Beside

_LINE: dict[str, Any] = {"color": "#D55E00", "linestyle": "-.", "linewidth": 1.6}
#: Drawn over the points, whose order is 3.
_ABOVE = 4


def letters(axes: Axes, beside: Beside, x: str, y: str) -> int:
    """Mark the restorers without training in the plane of two columns; how many there are.

    Blends are joined with their two ends.
    """
    shown = beside.within(x, y)
    if shown.empty:
        return 0
    across, up = (shown[name] * text.quantity(name).factor for name in (x, y))
    line = [name for name in ("mean", "blend_33", "blend_67", "sample") if name in shown.index]
    axes.plot(across[line], up[line], color="0.35", linewidth=1, zorder=_ABOVE)
    for at, letter in shown["letter"].items():
        where = across[at], up[at]
        axes.scatter(*where, s=110, color="white", edgecolors="black", zorder=_ABOVE)
        axes.annotate(
            letter, where, ha="center", va="center_baseline", fontsize=9, zorder=_ABOVE + 1
        )
    return len(shown)


def level(axes: Axes, beside: Beside, along: str) -> None:
    """A line at the error of the best classifier of Y: ``along`` is the axis of C, x or y."""
    if np.isfinite(beside.error):
        (axes.axvline if along == "x" else axes.axhline)(100 * beside.error, **_LINE)


def keys(beside: Beside | None) -> list[Line2D]:
    """What a legend says of the letters and of the line, where they are."""
    found = []
    if beside is not None and len(beside.points):
        found.append(
            Line2D([], [], linestyle="none", marker="o", markersize=10, color="black",
                   markerfacecolor="white", label="no training")
        )  # fmt: skip
    if beside is not None and np.isfinite(beside.error):
        found.append(Line2D([], [], label=f"read from Y: {100 * beside.error:.1f} %", **_LINE))
    return found
