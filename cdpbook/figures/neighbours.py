"""Grids of weights beside one another in the planes of Fig. 3: one colour and shape a grid."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cdpbook import text
from cdpbook.figures import beside, style
from cdpbook.figures.panels import WIDTH, Panels
from cdpbook.statistics.trends import over_seeds
from cdpbook.studies.attainable import Beside

_PLANES = (("mse", "p_judge"), ("p_judge", "error_rate"), ("mse", "error_rate"))


def planes(tables: Mapping[str, pd.DataFrame], floor: float | None, held: Beside) -> Panels:
    """The means over seeds of each table's points; ``held`` is what they are held against, and
    ``floor`` P of real digits (dotted)."""
    figures = {}
    for x, y in _PLANES:
        figure = style.canvas(width=WIDTH, height=3.6)
        axes = figure.axes[0]
        across, up = text.quantity(x), text.quantity(y)
        for number, (title, table) in enumerate(tables.items()):
            points = over_seeds(table)
            axes.scatter(
                across.factor * points[x], up.factor * points[y], s=26, marker="osD"[number],
                facecolors="none" if number else style.COLOURS[0], label=title, zorder=3,
                edgecolors=style.COLOURS[number], linewidths=1.4,
            )  # fmt: skip
        if floor is not None and "p_judge" in (x, y):
            (axes.axvline if x == "p_judge" else axes.axhline)(floor, color="0.3", linestyle=":")
        if y == "error_rate":
            beside.level(axes, held, "y")
        axes.set(xlabel=across.name, ylabel=up.name)
        if (x, y) == _PLANES[0]:
            axes.legend(fontsize=9, frameon=False)
        figures[f"{up.name} over {across.name}: {text.listed(tables)}"] = figure
    return Panels(figures)
