"""The flow in the plane of D and P: by steps, with the sheets of Eq. 16 and untrained blends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cdpbook import text
from cdpbook.figures import style
from cdpbook.statistics.hulls import Hull

_MARKS = ("o", "s", "^", "v")


def plane(
    curve: pd.DataFrame, sheets: Mapping[str, pd.DataFrame], free: pd.DataFrame, floor: float
) -> Figure:
    """P by the judge, logarithmic, against D: the flow's ``curve`` with its numbers of steps.

    Of each sheet the means over seeds, a mark a pair of weights; of the first one also the edge
    that mixtures reach. ``free``: blends of posterior mean and sample. ``floor``: of real digits.
    """
    figure = style.canvas(height=5.6)
    axes = figure.axes[0]
    for k, (name, rows) in enumerate(sheets.items()):
        means = rows.groupby(["beta", "gamma"], as_index=False).mean(numeric_only=True)
        first = k == 0
        axes.scatter(means["mse"], means["p_judge"], marker=_MARKS[k], s=46 if first else 26,
                     color=style.COLOURS[0] if first else str(0.35 + 0.15 * k), zorder=3,
                     label=f"Eq. 16, {name}")  # fmt: skip
        if first:
            hull = Hull.of(means["mse"], means["p_judge"], means["error_rate"])
            d = np.linspace(hull.least, float(means["mse"].max()), 200)
            slope, height = hull.edges.T
            axes.plot(d, (height - slope * d[:, None]).max(axis=1), color=style.COLOURS[0],
                      linewidth=1.2)  # fmt: skip
    axes.plot(free["mse"], free["p_judge"], marker="D", linestyle="--", color="black",
              label="mean to sample, no training")  # fmt: skip
    axes.plot(curve["mse"], curve["p_judge"], marker="P", markersize=10, color=style.COLOURS[1],
              label="flow, by steps", zorder=4)  # fmt: skip
    for row in curve.itertuples():
        axes.annotate(str(row.steps), (row.mse, row.p_judge), xytext=(9, 7),
                      textcoords="offset points", color=style.COLOURS[1])  # fmt: skip
    axes.axhline(floor, color="0.5", linestyle=":", linewidth=1.2)
    axes.set_yscale("log")
    ticks = [0.03, 0.1, 0.3, 1.0]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set(xlabel=text.quantity("mse").name, ylabel=text.quantity("p_judge").name)
    axes.legend(fontsize=10.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2,
                frameon=False, columnspacing=1.0)  # fmt: skip
    return figure
