"""Verdicts as a picture: statements by experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cdpbook import text
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE
from cdpbook.figures import style
from cdplib.errors import InputError

#: Marks that are told apart without colour.
_MARKS: dict[str, dict[str, Any]] = {
    REPRODUCED: {"fillstyle": "full", "color": style.COLOURS[0]},
    PARTLY: {"fillstyle": "left", "color": style.COLOURS[4], "markerfacecoloralt": "white"},
    NOT: {"fillstyle": "none", "color": style.COLOURS[1]},
    UNDECIDED: {"marker": "$?$", "color": "0.25", "markeredgewidth": 0.6},
    UNTESTABLE: {"marker": "_", "color": "0.4"},
}


def matrix(
    cells: Mapping[str, Mapping[str, str]], second: Mapping[str, Mapping[str, str]] | None = None
) -> Figure:
    """A grid of marks: ``cells`` is statement number -> experiment -> verdict.

    ``second``: the same by another measure of P, to the right of each mark. Raises
    :class:`InputError` for an unknown verdict.
    """
    shift = 0.2 if second else 0.0
    names = list(dict.fromkeys(name for row in cells.values() for name in row))
    numbers = list(cells)
    figure = style.canvas(height=1.2 + 0.36 * max(len(numbers), 1))
    axes = figure.axes[0]
    for side, shown in ((-shift, cells), (shift, second or {})):
        for y, number in enumerate(numbers):
            for name, verdict in shown.get(number, {}).items():
                if verdict not in _MARKS:
                    raise InputError(f"verdict {verdict!r}: expected one of {', '.join(_MARKS)}")
                look = {"marker": "o", "markersize": 13, "markeredgewidth": 2.2, **_MARKS[verdict]}
                axes.plot(names.index(name) + side, y, linestyle="none", **look)
    axes.set_xticks(range(len(names)), [text.title(name) for name in names])
    axes.set_yticks(range(len(numbers)), numbers)
    axes.set(xlim=(-0.6, max(len(names), 1) - 0.4), ylim=(max(len(numbers), 1) - 0.4, -0.6))
    axes.xaxis.tick_top()
    axes.grid(alpha=0.2)
    handles = [
        Line2D([], [], linestyle="none", label=word,
                   **{"marker": "o", "markersize": 11, "markeredgewidth": 2, **look})
        for word, look in _MARKS.items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=10, frameon=False)
    return figure
