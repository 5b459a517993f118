"""Real digits and the exact function: edges, prices of a class, what a prior knows, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from cdpbook.figures import style

Array = NDArray[np.float64]
MARKERS = "osD^vP*X"


def rims(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """C above the Bayes error, over how far D is above the least one of its P; a panel a name.

    Each table has columns ``P``, ``share``, ``excess`` (an error rate); 0 is drawn on the axis.
    """
    figure = style.canvas(len(tables), height=2.9 * len(tables) + 0.6, sharex=True)
    for axes, (title, table) in zip(figure.axes, tables.items(), strict=True):
        for k, (P, line) in enumerate(table.groupby("P")):
            axes.plot(
                100 * line["share"], 100 * line["excess"], marker=MARKERS[k % len(MARKERS)],
                color=style.COLOURS[k % 7], linestyle=style.DASHES[k % 4], label=f"P = {P:g}",
            )  # fmt: skip
        axes.set(xscale="log", title=title, ylabel="C above the\nBayes error (points)")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    lines, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        lines, names, loc="outside upper center", ncols=5, fontsize=10, frameon=False,
        handlelength=1.6, columnspacing=1.0,
    )  # fmt: skip
    figure.axes[-1].set_xlabel("D above the least distortion of this P (%)")
    return figure


def plane(
    edge: tuple[Array, Array], points: pd.DataFrame, labels: tuple[str, str] = ("D", "P")
) -> Figure:
    """The edge (D, P) of the feasible set, and restorers (columns ``name``, ``D``, ``P``)."""
    figure = style.canvas(height=4.6)
    axes = figure.axes[0]
    axes.fill_betweenx(edge[1], 0, edge[0], color="0.85", label="no restoration")
    axes.plot(*edge, color="black")
    for k, row in enumerate(points.itertuples()):
        axes.plot(
            row.D, row.P, MARKERS[k % len(MARKERS)], color=style.COLOURS[k % 7],
            markersize=9, markeredgecolor="black", label=row.name, clip_on=False, zorder=3,
        )  # fmt: skip
    low, high = edge[0].min(), max(edge[0].max(), points["D"].max())
    axes.set(xlabel=labels[0], ylabel=labels[1], ylim=(0, None))
    axes.set_xlim(low - 0.12 * (high - low), high + 0.08 * (high - low))
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=11)
    return figure


def ladder(tables: Mapping[str, pd.DataFrame], networks: Mapping[str, float]) -> Figure:
    """What N digits know: least MSE under the prior and on fresh digits, over N; a panel a name.

    Columns ``digits``, ``mse``, ``mse_se``, ``fresh_mse``, ``fresh_mse_se``; bars are two standard
    errors. ``networks``: the MSE of trained networks on test digits, a level line.
    """
    figure = style.canvas(len(tables), height=3.1 * len(tables), sharex=True)
    for axes, (title, table) in zip(figure.axes, tables.items(), strict=True):
        for k, (name, label) in enumerate(
            (("fresh_mse", "on digits it does not hold"), ("mse", "on its own digits"))
        ):
            axes.errorbar(
                table["digits"], table[name], 2 * table[f"{name}_se"], marker=MARKERS[k],
                color=style.COLOURS[k], linestyle=style.DASHES[k], capsize=3, label=label,
            )  # fmt: skip
        axes.fill_between(table["digits"], table["mse"], table["fresh_mse"], color="0.9", zorder=0)
        if title in networks:
            axes.axhline(networks[title], color="black", linestyle=":", label="trained network")
        axes.set(xscale="log", yscale="log", title=title, ylabel="MSE per pixel")
        low, high = axes.get_ylim()
        steps = [step * 10.0**k for k in range(-5, 0) for step in (1, 2, 3, 5)]
        shown = [step for step in steps if low < step < high]
        axes.set_yticks([s for s in shown if high < 10 * low or f"{s:e}"[0] == "1"])
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
            axis.set_minor_formatter(NullFormatter())
    figure.axes[-1].set_xlabel("N, digits of the prior")
    figure.axes[0].legend(fontsize=10)
    return figure


def gallery(
    rows: Sequence[Sequence[Array]], titles: Sequence[str], notes: Sequence[Sequence[str]] = ()
) -> Figure:
    """Images in rows under the titles of their columns; ``notes`` stand below the images.

    A short row leaves its last places empty; without a row the figure says so.
    """
    if not rows:
        figure = style.canvas(height=0.8)
        figure.axes[0].set_axis_off()
        figure.axes[0].text(0.5, 0.5, "no image of this sample", ha="center", va="center")
        return figure
    figure = style.canvas(
        len(rows), len(titles), height=1.02 * len(rows) * 6.4 / len(titles) + 0.5, squeeze=False
    )
    for axes in figure.axes:
        axes.set_axis_off()
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            axes = figure.axes[i * len(titles) + j]
            axes.set_axis_on()
            axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            if i == 0:
                axes.set_title(titles[j], fontsize=13)
            if notes:
                axes.set_xlabel(notes[i][j], fontsize=13, labelpad=2)
    return figure
