"""The measures of P against one another, at every published point."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cdpbook import text
from cdpbook.figures import style
from cdpbook.runs import Run
from cdpbook.studies.yardsticks import MEASURES
from cdplib.experiments import datasets

MARKERS = "osD^vP*X"
LABELS = {
    "p_judge": "judge's gap (pixel distance)",
    "p_critic": "run's own critic's gap",
    "sliced_w2": "sliced W2 (pixel range)",
    "frechet": "Fréchet (features²)",
}
#: Line of each data set's floor, in the order in which the data sets appear.
FLOORS = (":", "--", "-.")
_POINT: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "black"}


def against_judge(runs: Mapping[str, Run]) -> Figure:
    """Every measure against the judge, a panel each, below one another; an experiment a colour.

    Points are means over seeds and bars those of the results table (:func:`.trends.over_seeds`).
    Level lines, in the colour of the data set's first experiment: the measure's floor. An axis is
    logarithmic if all its values are positive: data sets differ in scale, and the best points
    lie close together. Order is not changed by that.
    """
    shown = [name for name in MEASURES if name != "p_judge"]
    figure = style.canvas(len(shown), height=2.7 * len(shown), sharex=True)
    axes = figure.axes
    handles = [
        Line2D([], [], marker=MARKERS[k], color=style.COLOURS[k], label=text.title(name), **_POINT)
        for k, name in enumerate(runs)
    ]
    first = {run.settings.dataset: k for k, run in reversed([*enumerate(runs.values())])}
    for (dataset, k), line in zip(
        sorted(first.items(), key=lambda item: item[1]), cycle(FLOORS), strict=False
    ):
        look: dict[str, Any] = {"color": style.COLOURS[k], "linestyle": line}
        handles.append(Line2D([], [], label=f"floor, {datasets.get(dataset).title}", **look))
        for ax, measure in zip(axes, shown, strict=True):
            if (floor := [*runs.values()][k].floor(measure)) is not None:
                ax.axhline(floor, linewidth=2, **look)
    lowest: dict[str, float] = {}
    for ax, measure in zip(axes, shown, strict=True):
        for k, run in enumerate(runs.values()):
            points = run.points()
            ax.errorbar(
                points["p_judge"], points[measure], points[f"{measure}_bar"], points["p_judge_bar"],
                marker=MARKERS[k], color=style.COLOURS[k], ecolor="0.45", markersize=8,
                elinewidth=1, **_POINT,
            )  # fmt: skip
            for name in (measure, "p_judge"):
                low = float((points[name] - points[f"{name}_bar"]).min())
                lowest[name] = min(low, lowest.get(name, np.inf))
        if lowest.get(measure, 0) > 0:
            _logarithmic(ax, "y")
        ax.set_ylabel(LABELS[measure])
    if lowest.get("p_judge", 0) > 0:
        _logarithmic(axes[-1], "x")
    axes[-1].set_xlabel("P: " + LABELS["p_judge"])
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    else:
        axes[0].set_title("nothing is published yet", fontsize=12)
    return figure


def _logarithmic(ax: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5 times the powers of ten."""
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
