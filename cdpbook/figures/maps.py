"""Maps of the measured points: over the weights, over the budgets D and P, and gaming.

They take the results table (one row per alpha, beta, gamma, seed). Shapes and sizes of markers are
those of :mod:`.planes`.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cdpbook import text
from cdpbook.figures import beside as drawn
from cdpbook.figures import planes, style
from cdpbook.figures.panels import WIDTH, Panels
from cdpbook.statistics import trends
from cdpbook.studies.attainable import Beside
from cdplib.errors import InputError

_EDGE = [patheffects.withStroke(linewidth=2, foreground="black")]


def weights_map(frame: pd.DataFrame, columns: tuple[str, ...] = ("error_rate",)) -> Panels:
    """A heat map over the two weights for each of ``columns``, its values written in the cells."""
    points = trends.over_seeds(frame)
    if points["alpha"].nunique() != 1:
        raise InputError("a map over (beta, gamma) needs one alpha; filter the table first")
    gammas, betas = (
        [f"{w:g}" for w in sorted(points[name].unique())] for name in ("gamma", "beta")
    )
    figures = {}
    for column in columns:
        shown = planes.quantity(column, frame)
        values = planes.sheet(points, column) * shown.factor
        figure = style.canvas(width=WIDTH, height=1.2 + 0.42 * len(betas))
        axes = figure.axes[0]
        axes.imshow(values, origin="lower", aspect="auto", cmap=style.MAP)
        form = f".{style.decimals(values)}f"
        middle = (np.nanmin(values) + np.nanmax(values)) / 2
        for (i, j), value in np.ndenumerate(values):
            if np.isfinite(value):
                ink = "black" if value > middle else "white"
                axes.text(j, i, style.number(value, form), ha="center", va="center", color=ink)
        axes.set_xticks(range(len(gammas)), gammas)
        axes.set_yticks(range(len(betas)), betas)
        axes.set(xlabel="γ (weight of the cross entropy)", ylabel="β (of the critic)")
        axes.set_title(shown.name, fontsize=11)
        axes.grid(False)
        low, high = (style.number(v, form) for v in (np.nanmin(values), np.nanmax(values)))
        figures[f"{shown.name}, from {low} to {high}, over γ (across) and β (upwards)"] = figure
    return Panels(figures)


def achieved_error(
    frame: pd.DataFrame, distortions: np.ndarray, perceptions: np.ndarray, perception: str
) -> np.ndarray:
    """The least measured error rate among the points with D and P within the bounds, (nD, nP).

    An upper bound on C(D, P) of Definition 1 by the restorers that were trained: non-increasing
    by construction, inf where no point satisfies both bounds.
    """
    points = trends.over_seeds(frame)
    d, p, c = (points[name].to_numpy(float) for name in ("mse", perception, "error_rate"))
    within = (d <= distortions[:, None, None]) & (p <= perceptions[None, :, None])
    return np.where(within, c, np.inf).min(axis=2)


def achieved_map(
    frame: pd.DataFrame,
    perception: str = "p_judge",
    floor: float | None = None,
    beside: Beside | None = None,
) -> Figure:
    """C over its two constraints: the least error rate among points with MSE <= D and P <= P.

    Hatched: no trained restorer satisfies both constraints. Restorers without training that are
    ``beside`` them are squares with a letter, in the colour of their own error; the ground is of
    trained ones alone.
    """
    shown = planes.quantity(perception, frame)
    points = trends.over_seeds(frame)
    limits: list[np.ndarray] = []
    apart = (beside or Beside.none()).within("mse", perception)
    for name in ("mse", perception):
        both = pd.concat([points[name], apart[name]] if len(apart) else [points[name]])
        low, high = both.min(), both.max()
        pad = 0.06 * (high - low or abs(high) or 1.0)
        limits.append(np.linspace(low - pad, high + pad, 401))
    values = achieved_error(frame, limits[0], limits[1], perception)
    figure = style.canvas(height=5.2)
    axes = figure.axes[0]
    axes.set_facecolor("0.93")
    axes.patch.set(hatch="//", edgecolor="0.75")
    error = 100 * points["error_rate"].to_numpy(float)
    level = [] if beside is None or not np.isfinite(beside.error) else [100 * beside.error]
    every = np.concatenate([error, 100 * apart["error_rate"].to_numpy(float), level])
    norm = mpl.colors.Normalize(every.min(), every.max())
    image = axes.pcolormesh(
        *limits, 100 * np.where(np.isfinite(values), values, np.nan).T, cmap=style.MAP,
        norm=norm, shading="nearest", rasterized=True,
    )  # fmt: skip
    for row, (shape, size) in enumerate(zip(*planes.marks(points), strict=True)):
        axes.scatter(
            points["mse"][row], points[perception][row], c=[error[row]], norm=norm,
            cmap=style.MAP, marker=shape, s=size, edgecolors="white", linewidths=1.2,
        )  # fmt: skip
    for _, row in apart.iterrows():
        where = row["mse"], row[perception]
        axes.scatter(*where, c=[100 * row["error_rate"]], norm=norm, cmap=style.MAP, marker="s",
                     s=170, edgecolors="black", linewidths=1.2)  # fmt: skip
        axes.annotate(row["letter"], where, color="white", ha="center", va="center_baseline",
                      fontsize=9, path_effects=_EDGE)  # fmt: skip
    if floor is not None and planes.near(floor, points[perception]):
        axes.axhline(floor, color="0.3", linestyle=":", linewidth=1.5)
    axes.set(xlabel=text.quantity("mse").name + " ≤", ylabel=shown.name + " ≤")
    axes.grid(False)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    figure.colorbar(image, ax=axes, label="least " + text.quantity("error_rate").name, pad=0.02)
    planes.legend(figure, frame, floor)
    for at in level:
        figure.axes[-1].axhline(at, color="#D55E00", linewidth=3)
    return figure


def gaming(
    frame: pd.DataFrame,
    others: tuple[str, ...],
    trained_against: str,
    beside: Beside | None = None,
) -> Figure:
    """The error of other classifiers against that of the one trained against, point by point.

    ``others``: names of classifiers with a column ``error_rate_<name>``. Lines join the points
    of one beta in the order of gamma; a line that goes up to the left is a gain that the other
    classifier does not share. ``beside``: also restorers without training, and the level of C that
    is read from Y.
    """
    points = trends.over_seeds(frame)
    betas = sorted(points["beta"].unique())
    figure = style.canvas(len(others), height=4.6 * len(others))
    shapes, sizes = planes.marks(points)
    for ax, other in zip(figure.axes, others, strict=True):
        column = f"error_rate_{other}"
        shown = planes.quantity(column, frame)
        for beta in betas:
            row = points[points["beta"] == beta].sort_values("gamma")
            ax.plot(100 * row["error_rate"], 100 * row[column], color="0.7", linewidth=1, zorder=1)
        ax.errorbar(
            100 * points["error_rate"], 100 * points[column], 100 * points[f"{column}_bar"],
            100 * points["error_rate_bar"], fmt="none", ecolor="0.55", elinewidth=1, zorder=2,
        )  # fmt: skip
        norm = mpl.colors.Normalize(0, max(len(betas) - 1, 1))
        for at, point in points.iterrows():
            ax.scatter(100 * point["error_rate"], 100 * point[column], marker=shapes[at],
                       s=sizes[at], c=[betas.index(point["beta"])], norm=norm, cmap=style.MAP,
                       edgecolors="black", linewidths=0.9, zorder=3)  # fmt: skip
        if beside is not None:
            drawn.letters(ax, beside, "error_rate", column)
            drawn.level(ax, beside, "x")
            drawn.level(ax, beside, "y")
        ends = np.array(ax.get_xlim())
        ax.plot(ends, ends, color="0.3", linestyle=":", linewidth=1.2, scalex=False, scaley=False)
        ax.set(xlabel=f"error rate of {trained_against} (trained against, %)",
               ylabel=shown.name)  # fmt: skip
    planes.legend(figure, frame, None, beside)
    return figure
