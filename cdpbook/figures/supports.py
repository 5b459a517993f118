"""Theory laid over trained points: supporting lines, distances from the hull, surfaces compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cdpbook import text
from cdpbook.figures import beside as drawn
from cdpbook.figures import style
from cdpbook.statistics import trends
from cdpbook.studies.attainable import Beside
from cdpbook.studies.landscapes import Landscape
from cdplib.errors import InputError

BLUE, RED, GREEN, PINK, ORANGE, SKY, BLACK = style.COLOURS[:7]
#: Colour and shape of each gamma, from the least.
_LOOKS = tuple(zip((BLACK, SKY, BLUE, RED, GREEN, PINK, ORANGE), "osD^vP*", strict=True))
_LEVELS = (0.05, 0.25, 0.5)


def lines(frame: pd.DataFrame, perception: str = "p_critic", error: str = "ce") -> Figure:
    """The supporting lines of the weights, a panel for each beta: alpha D + beta P against C.

    In a panel the loss of every triple with that beta is x + gamma y, so its plane is a line of
    slope -1/gamma (gamma = 0: upright) through its own point. Solid where no point of the cloud
    lies below it, else dotted. Grey: points trained with other betas, seen in the same axes.
    """
    alphas, betas, gammas = (sorted(frame[n].unique()) for n in ("alpha", "beta", "gamma"))
    if len(alphas) != 1:
        raise InputError("a figure over beta and gamma needs one alpha; filter the table first")
    figure = style.canvas(len(betas), height=2.3 * len(betas))
    for axes, beta in zip(figure.axes, betas, strict=True):
        columns = {"x": alphas[0] * frame["mse"] + beta * frame[perception], "y": frame[error]}
        points = trends.over_seeds(frame.assign(**columns))
        supporting, own = _support_panel(axes, points, beta, gammas)
        axes.set_title(
            f"β = {beta:.3g}: {supporting} of {own} lines support the cloud", fontsize=12
        )
        axes.set(xlabel="αD + βP", ylabel=text.quantity(error).name)
    handles = [
        Line2D(
            [], [], color=colour, marker=marker, markeredgecolor="black", label=f"γ = {gamma:.3g}"
        )
        for gamma, (colour, marker) in zip(gammas, _LOOKS * len(gammas), strict=False)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=11)
    return figure


def _support_panel(
    axes: Axes, points: pd.DataFrame, beta: float, gammas: Sequence[float]
) -> tuple[int, int]:
    x, y = points["x"].to_numpy(float), points["y"].to_numpy(float)
    axes.errorbar(x, y, points["y_bar"], points["x_bar"], fmt="none", ecolor="0.6", elinewidth=1)
    mine = (points["beta"] == beta).to_numpy()
    axes.scatter(x[~mine], y[~mine], s=28, color="0.75", edgecolors="0.5", zorder=2)
    supporting = 0
    for px, py, gamma in zip(x[mine], y[mine], points["gamma"][mine], strict=True):
        colour, marker = _LOOKS[list(gammas).index(gamma) % len(_LOOKS)]
        axes.scatter(px, py, marker=marker, s=80, color=colour, edgecolors="black",
                     linewidths=0.9, zorder=4)  # fmt: skip
        value, own = x + gamma * y, px + gamma * py
        supports = own <= value.min() + 1e-12 * np.abs(value).max()
        supporting += int(supports)
        axes.axline(
            (px, py), slope=-1 / gamma if gamma > 0 else np.inf, color=colour, zorder=3,
            linewidth=1.8 if supports else 1.4, linestyle="-" if supports else ":",
        )  # fmt: skip
    extra = np.ptp(y) or abs(y[0]) or 1.0
    axes.set_ylim(y.min() - 0.12 * extra, y.max() + 0.12 * extra)
    width = 3 * (x[mine].max() - x.min()) or np.ptp(x) or abs(x[0]) or 1.0
    right = min(x.max(), x.min() + width) + 0.08 * width
    axes.set_xlim(x.min() - 0.08 * width, right)
    if hidden := int((x > right).sum()):
        said = f"{text.count(hidden, 'point')} further right →"
        axes.annotate(said, (0.98, 0.95), xycoords="axes fraction", ha="right", va="top")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    return supporting, int(mine.sum())


def distances(excess: pd.DataFrame, beside: Beside | None = None) -> Figure:
    """Each point's error rate and the hull below it, from :func:`.hulls.convex_excess`.

    ``beside``: also the level of C that is read from Y.
    """
    points = excess.sort_values("error_rate", ascending=False).reset_index(drop=True)
    figure = style.canvas(1, height=1.2 + 0.24 * len(points))
    (axes,), at = figure.axes, np.arange(len(points))
    measured, hull = 100 * points["error_rate"], 100 * points["hull"]
    axes.hlines(at, hull, measured, color=RED, linewidth=4, zorder=1)
    axes.errorbar(measured, at, xerr=100 * points["error_rate_bar"], fmt="o", color=BLUE,
                  ecolor="0.55", elinewidth=1.2, label="measured", zorder=2)  # fmt: skip
    axes.scatter(hull, at, marker="|", s=140, linewidths=2.5, color=RED, label="hull", zorder=3)
    names = [f"β {b:g}, γ {g:g}" for b, g in points[["beta", "gamma"]].to_numpy()]
    if beside is not None:
        drawn.level(axes, beside, "x")
    if beside is not None and len(beside.points):
        apart = 100 * beside.points["error_rate"]
        above = len(points) + np.arange(len(apart))
        axes.scatter(apart, above, color="black", marker="D", s=30, label="no training")
        names += [f"no training: {letter}" for letter in beside.points["letter"]]
        figure.set_figheight(1.2 + 0.24 * len(names))
        at = np.arange(len(names))
    axes.set_yticks(at, names, fontsize=11)
    axes.set_xlabel(text.quantity("error_rate").name)
    axes.legend(loc="best", fontsize=11)
    return figure


def landscapes(shown: Sequence[Landscape]) -> Figure:
    """Surfaces C(D,P) of any origin, two a row, every axis scaled to its own range.

    Colour and level lines: C as a share of its range, 0 the least. Hatched: out of reach.
    """
    if not shown:
        raise InputError("no surface to draw: expected at least one")
    rows = (len(shown) + 1) // 2
    figure = style.canvas(rows, 2, width=7.2, height=2.9 * rows + 0.6, sharex=True, sharey=True)
    for axes in figure.axes[len(shown) :]:
        axes.set_axis_off()
    for axes, landscape in zip(figure.axes, shown, strict=False):
        unit = np.linspace(0, 1, len(landscape.Ds))
        drawn = np.ma.masked_invalid(landscape.scaled().T)
        axes.set_facecolor("0.93")
        axes.patch.set(hatch="//", edgecolor="0.75")
        image = axes.pcolormesh(
            unit, unit, drawn, cmap=style.MAP, vmin=0, vmax=1, shading="nearest", rasterized=True
        )
        if drawn.max() > 0:
            levels = axes.contour(unit, unit, drawn, levels=_LEVELS, colors="white", linewidths=1.3)
            for label in axes.clabel(levels, fmt="%g", fontsize=10):
                label.set_path_effects([patheffects.withStroke(linewidth=2.5, foreground=BLACK)])
        finite = 100 * landscape.C[np.isfinite(landscape.C)]
        ends = f"C {finite.min():.1f} to {finite.max():.1f} %"
        axes.set_title(f"{landscape.name}\n{ends}", fontsize=11)
        axes.grid(False)
    figure.supxlabel("D, scaled", fontsize=12)
    figure.supylabel("P, scaled", fontsize=12)
    figure.colorbar(
        image, ax=figure.axes, location="bottom", aspect=40, pad=0.01,
        label="C, scaled: 0 its least, 1 its greatest",
    )  # fmt: skip
    return figure
