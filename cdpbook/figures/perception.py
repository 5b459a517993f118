"""The measures of P against one another: published points, spoilt images, sample sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cdpbook import text
from cdpbook.figures import style
from cdpbook.runs import Run
from cdpbook.studies.yardsticks import MEASURES
from cdplib.errors import InputError
from cdplib.experiments import datasets

MARKERS = "osD^vP*X"
LABELS = {
    "p_judge": "judge's gap (pixel distance)",
    "p_critic": "run's own critic's gap",
    "sliced_w2": "sliced W2 (pixel range)",
    "frechet": "Fréchet (features²)",
}
#: Line of each data set's floor, in the order in which the data sets appear.
FLOORS = (":", (0, (5, 2)), "-.")
_BARS: dict[str, Any] = {"elinewidth": 1, "linestyle": "none", "markeredgecolor": "black"}


def against_judge(runs: Mapping[str, Run]) -> Figure:
    """Every measure against the judge, a panel each, below one another; an experiment a colour.

    Points are means over seeds and bars those of the results table (:func:`.trends.over_seeds`).
    Level lines, in the colour of the data set's first experiment: the measure's floor. An axis is
    logarithmic if all its values are positive: data sets differ in scale, and the best points
    lie close together. Order is not changed by that.
    """
    shown = [name for name in MEASURES if name != "p_judge"]
    figure, axes = plt.subplots(
        len(shown), 1, figsize=(6.4, 3.6 * len(shown)), sharex=True, layout="constrained"
    )
    plt.close(figure)  # pyplot must not draw it too, whatever happens below
    if not runs:
        axes[0].set_title("nothing is published yet", fontsize=12)
    for ax, measure in zip(axes, shown, strict=True):
        _points(ax, runs, measure)
        ax.set_ylabel(LABELS[measure])
    axes[-1].set_xlabel("P: " + LABELS["p_judge"])
    if _least(runs, "p_judge") > 0:
        _logarithmic(axes[-1], "x")
    handles = [
        Line2D([], [], marker=MARKERS[k], color=style.COLOURS[k], linestyle="none",
               markeredgecolor="black", label=text.title(name))
        for k, name in enumerate(runs)
    ]  # fmt: skip
    if handles:
        handles += [
            Line2D([], [], label=f"floor, {datasets.get(dataset).title}", **look)
            for dataset, look in _floors(runs).items()
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _floors(runs: Mapping[str, Run]) -> dict[str, dict[str, Any]]:
    """Colour, that of its first experiment, and dashes of each data set's floor."""
    first: dict[str, str] = {}
    for colour, run in zip(style.COLOURS, runs.values(), strict=False):
        first.setdefault(run.settings.dataset, colour)
    return {
        dataset: {"color": colour, "linestyle": dashes}
        for (dataset, colour), dashes in zip(first.items(), FLOORS, strict=False)
    }


def _points(ax: Axes, runs: Mapping[str, Run], measure: str) -> None:
    lowest, floors = _least(runs, measure), _floors(runs)
    for k, run in enumerate(runs.values()):
        points, colour = run.points(), style.COLOURS[k]
        ax.errorbar(
            points["p_judge"], points[measure], points[f"{measure}_bar"], points["p_judge_bar"],
            marker=MARKERS[k], color=colour, ecolor="0.45", markersize=8, **_BARS,
        )  # fmt: skip
        floor = run.floor(measure)
        if floor is not None and (look := floors.pop(run.settings.dataset, None)):
            ax.axhline(floor, linewidth=2, **look)
            lowest = min(lowest, floor)
    if lowest > 0:
        _logarithmic(ax, "y")


def _least(runs: Mapping[str, Run], column: str) -> float:
    """The lower end of the lowest error bar; -inf without points."""
    tables = [run.points() for run in runs.values()]
    ends = [float((points[column] - points[f"{column}_bar"]).min()) for points in tables]
    return min(ends, default=-np.inf)


def _logarithmic(ax: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5 times the powers of ten."""
    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def saturation(judged: Mapping[str, float], gaps: Mapping[str, Mapping[str, float]],
               bound: float) -> Figure:  # fmt: skip
    """Gaps of clipped critics, in per cent of their bound, against the judge; a kind a shape.

    ``judged``: the judge's value of each kind of image; ``gaps``: for each critic's description
    the gap it shows for each kind; the first is filled, a second drawn as a ring around.

    Raises:
        InputError: more than two critics.
    """
    if len(gaps) > 2:
        raise InputError(f"{len(gaps)} critics: expected one or two")
    figure, ax = plt.subplots(figsize=(6.4, 5.0), layout="constrained")
    plt.close(figure)
    ax.axhline(100, color="0.3", linestyle=":", linewidth=1.5)
    fills = (style.COLOURS[0], "white")
    for order, (values, fill) in enumerate(zip(gaps.values(), fills, strict=False)):
        for k, (kind, value) in enumerate(values.items()):
            ax.plot(judged[kind], 100 * value / bound, MARKERS[k], color=fill,
                    markersize=10 + 6 * order, markeredgecolor="black", markeredgewidth=1.3,
                    zorder=3 - order)  # fmt: skip
    kinds = list(next(iter(gaps.values())))
    grey: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "black", "markersize": 9}
    handles = [Line2D([], [], marker=MARKERS[k], color="0.75", label=kind, **grey)
               for k, kind in enumerate(kinds)]  # fmt: skip
    handles += [Line2D([], [], marker="o", color=fill, label=name, **grey)
                for name, fill in zip(gaps, fills, strict=False)]  # fmt: skip
    handles.append(Line2D([], [], color="0.3", linestyle=":", label="the bound"))
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False, fontsize=11)
    ax.set(xlabel="P: " + LABELS["p_judge"], ylabel="clipped critic's gap (% of its bound)")
    return figure


def by_samples(found: pd.DataFrame) -> Figure:
    """Exact W1 between samples against their size, a line a kind (``kind, n, value, sd``)."""
    figure, ax = plt.subplots(figsize=(6.4, 4.8), layout="constrained")
    plt.close(figure)
    for k, (kind, rows) in enumerate(found.groupby("kind", sort=False)):
        ax.errorbar(rows["n"], rows["value"], rows["sd"], marker=MARKERS[k], label=kind,
                    color=style.COLOURS[k], linestyle="-" if kind == "real" else "--",
                    elinewidth=1, markersize=7)  # fmt: skip
    ax.set_xscale("log")
    sizes = sorted(found["n"].unique())
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="images in each sample", ylabel="exact W1 of the samples (pixel distance)")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure
