"""Near the bound: what is reached in the plane of D and C, and the one network's surface."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator

from cdpbook import text
from cdpbook.figures import style
from cdpbook.figures.panels import WIDTH, Panels
from cdpbook.studies.attainable import Beside
from cdpbook.studies.near import AIM, Surface


def plane(points: pd.DataFrame, network: pd.DataFrame, beside: Beside) -> Figure:
    """C against D: published ``points``, the ``network`` near the bound, no training (letters).

    Lines join points of the network (means over seeds) with equal beta, in the order of gamma; a
    cross is at the end.
    """
    network = network.groupby(["beta", "gamma"], as_index=False).mean(numeric_only=True)
    figure = style.canvas(height=5.4)
    axes = figure.axes[0]
    d, c = text.quantity("mse"), text.quantity("error_rate")
    axes.scatter(points["mse"], 100 * points["error_rate"], s=28, color="0.6",
                 label="published networks")  # fmt: skip
    for colour, (beta, rows) in zip(style.COLOURS, network.groupby("beta"), strict=False):
        rows = rows.sort_values("gamma")
        axes.plot(rows["mse"], 100 * rows["error_rate"], marker="o", color=colour,
                  label=f"near the bound, β = {text.number(beta, 2)}")  # fmt: skip
        most = rows.iloc[[-1]]
        axes.scatter(most["mse"], 100 * most["error_rate"], marker="X", s=90, color=colour,
                     zorder=4)  # fmt: skip
    shown = beside.within("mse", "error_rate")
    axes.scatter(shown["mse"], 100 * shown["error_rate"], marker="D", s=40, color="black",
                 label="no training")  # fmt: skip
    for row in shown.itertuples():
        axes.annotate(str(row.letter), (row.mse, 100 * row.error_rate), xytext=(6, 4),
                      textcoords="offset points")  # fmt: skip
    axes.axhline(100 * AIM["error_rate"], color="0.5", linestyle=":", linewidth=1.2)
    axes.axvline(AIM["mse"], color="0.5", linestyle=":", linewidth=1.2)
    if np.isfinite(beside.error):
        axes.axhline(100 * beside.error, color="#D55E00", linestyle="-.", linewidth=1.6,
                     label=f"read from Y: {100 * beside.error:.1f} %")  # fmt: skip
    axes.set(xlabel=d.name, ylabel=c.name)
    axes.margins(x=0.08)
    axes.legend(
        fontsize=11, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False,
        columnspacing=1.0,
    )  # fmt: skip
    return figure


def maps(found: Surface) -> Panels:
    """D, C and P of the one network over its two weights, on logarithmic steps with 0 first."""
    figures = {}
    for column, name in (("mse", "D"), ("error_rate", "C (%)"), ("p_critic", "P: own critic")):
        values = found.values[column] * text.quantity(column).factor
        figure = style.canvas(width=WIDTH, height=3.3)
        axes = figure.axes[0]
        drawn = axes.imshow(values, origin="lower", aspect="auto")
        axes.contour(values, levels=8, colors="white", linewidths=0.7)
        for axis, weights in ((axes.xaxis, found.gammas), (axes.yaxis, found.betas)):
            at = [0, len(weights) // 2, len(weights) - 1]
            axis.set_major_locator(FixedLocator(at))
            axis.set_major_formatter(FixedFormatter([f"{weights[k]:.2g}" for k in at]))
        axes.set(xlabel="γ (log steps)", ylabel="β (log steps)")
        axes.set_title(name, fontsize=12)
        axes.grid(False)
        figure.colorbar(drawn, ax=axes)
        low, high = np.nanmin(values), np.nanmax(values)
        figures[f"{name} over γ (across) and β (upwards), from {low:.3g} to {high:.3g}"] = figure
    return Panels(figures)


def learning(curve: pd.DataFrame) -> Panels:
    """Validation D, C and gap of the one network while it trains, at the watched weights."""
    figures = {}
    for column, name in (("mse", "D"), ("error_rate", "C (%)"), ("p_critic", "P: own critic")):
        figure = style.canvas(width=WIDTH, height=3.2)
        axes = figure.axes[0]
        lines = curve.groupby(["beta", "gamma"], sort=False)
        for k, ((beta, gamma), rows) in enumerate(lines):
            axes.plot(rows["step"] / 1000, rows[column] * text.quantity(column).factor,
                      color=style.COLOURS[k], linestyle=style.DASHES[k % len(style.DASHES)],
                      label=f"β {beta:g}, γ {gamma:g}")  # fmt: skip
        axes.set(xlabel="thousand steps", ylabel=name)
        if column == "mse":
            axes.legend(fontsize=9)
        figures[f"{name} on validation images against steps, a line a pair of weights"] = figure
    return Panels(figures)
