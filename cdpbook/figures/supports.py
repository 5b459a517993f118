"""Theory laid over trained points: supporting lines, ranks, distances from the hull, prices, maps.

They take the results table (one row per alpha, beta, gamma and seed) or what
:mod:`cdpbook.studies.supports` made of it, and return a Figure. Panels stand below one another,
to be legible on a phone.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from cdpbook.figures import maps, planes, style
from cdpbook.statistics import trends
from cdpbook.statistics.hulls import Hull
from cdpbook.studies.landscapes import Landscape
from cdpbook.studies.supports import Revealed
from cdplib.errors import InputError

Array = NDArray[np.float64]
BLUE, RED, GREEN, PINK, ORANGE, SKY, BLACK = style.COLOURS[:7]
LABELS = {"ce": "cross entropy (nats)", "error_rate": "C: error rate"}
_LEVELS = (0.05, 0.25, 0.5)


def _panels(count: int, height: float) -> Figure:
    figure, _ = plt.subplots(count, 1, figsize=(6.4, height * count), layout="constrained")
    plt.close(figure)  # pyplot must not draw it too, whatever happens below
    return figure


def _one_alpha(points: pd.DataFrame) -> float:
    if points["alpha"].nunique() != 1:
        raise InputError("a figure over beta and gamma needs one alpha; filter the table first")
    return float(points["alpha"].iloc[0])


def lines(frame: pd.DataFrame, perception: str = "p_critic", error: str = "ce") -> Figure:
    """The supporting lines of the weights, a panel for each beta: alpha D + beta P against C.

    In a panel the loss of every triple with that beta is x + gamma y, so its plane is a line of
    slope -1/gamma (gamma = 0: upright) through its own point. Solid where no point of the cloud
    lies below it, else dotted. Grey: points trained with other betas, seen in the same axes.
    """
    alpha = _one_alpha(trends.over_seeds(frame))
    betas = sorted(frame["beta"].unique())
    figure = _panels(len(betas), 3.7)
    for axes, beta in zip(figure.axes, betas, strict=True):
        columns = {"x": alpha * frame["mse"] + beta * frame[perception], "y": frame[error]}
        points = trends.over_seeds(frame.assign(**columns))
        supporting = _support_panel(axes, points, beta)
        own = int((points["beta"] == beta).sum())
        axes.set(
            title=f"β = {beta:.3g}: {supporting} of {own} lines support the cloud",
            xlabel="αD + βP", ylabel=LABELS.get(error, error),
        )  # fmt: skip
    gammas = sorted(frame["gamma"].unique())
    handles = [
        Line2D([], [], color=_colour(k), marker=planes.MARKERS[k % len(planes.MARKERS)],
               markeredgecolor="black", label=f"γ = {gamma:.3g}")
        for k, gamma in enumerate(gammas)
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=11)
    return figure


def _colour(k: int) -> str:
    order = (BLACK, SKY, BLUE, RED, GREEN, PINK, ORANGE)
    return order[k % len(order)]


def _support_panel(axes: Axes, points: pd.DataFrame, beta: float) -> int:
    x, y = points["x"].to_numpy(float), points["y"].to_numpy(float)
    gammas = sorted(points["gamma"].unique())
    supporting = 0
    axes.errorbar(x, y, points["y_bar"], points["x_bar"], fmt="none", ecolor="0.6", elinewidth=1)
    for row, point in points.iterrows():
        k = gammas.index(point["gamma"])
        mine = point["beta"] == beta
        axes.scatter(
            x[row], y[row], marker=planes.MARKERS[k % len(planes.MARKERS)], s=80 if mine else 28,
            color=_colour(k) if mine else "0.75", edgecolors="black" if mine else "0.5",
            linewidths=0.9, zorder=4 if mine else 2,
        )  # fmt: skip
        if not mine:
            continue
        value = x + point["gamma"] * y
        supports = value[row] <= value.min() + 1e-12 * np.abs(value).max()
        supporting += int(supports)
        slope = -1 / point["gamma"] if point["gamma"] > 0 else np.inf
        axes.axline(
            (x[row], y[row]), slope=slope, color=_colour(k), linewidth=1.8 if supports else 1.4,
            linestyle="-" if supports else ":", zorder=3,
        )  # fmt: skip
    own = x[points["beta"] == beta]
    extra = np.ptp(y) or abs(y[0]) or 1.0
    axes.set_ylim(y.min() - 0.12 * extra, y.max() + 0.12 * extra)
    width = 3 * (own.max() - x.min()) or np.ptp(x) or abs(x[0]) or 1.0
    right = min(x.max(), x.min() + width) + 0.08 * width
    axes.set_xlim(x.min() - 0.08 * width, right)
    if hidden := int((x > right).sum()):
        text = f"{hidden} point{'s' * (hidden > 1)} further right →"
        axes.text(0.98, 0.95, text, transform=axes.transAxes, ha="right", va="top", fontsize=11,
                  color="0.35")  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(5))
    return supporting


def ranks(found: Revealed) -> Figure:
    """The rank of each triple's own point in its own loss, over the two weights; 1 is the least.

    A cross marks triples that one and the same rival beats in every seed.
    """
    table = found.table
    _one_alpha(table)
    gammas, betas = sorted(table["gamma"].unique()), sorted(table["beta"].unique())
    rank, beaten = (planes.sheet(table, column) for column in ("rank", "beaten"))
    figure = _panels(1, 1.3 + 0.55 * len(betas))
    axes = figure.axes[0]
    most = max(float(table["rank"].max()), 4.0)
    image = axes.imshow(rank, origin="lower", aspect="auto", cmap=style.MAP, vmin=1, vmax=most)
    form = ".0f" if (rank % 1 == 0)[np.isfinite(rank)].all() else ".1f"
    for (i, j), value in np.ndenumerate(rank):
        if np.isfinite(value):
            ink = "black" if value > (1 + most) / 2 else "white"
            mark = " ×" if beaten[i, j] == 1 else ""
            axes.text(
                j, i, f"{value:{form}}{mark}", ha="center", va="center", color=ink, fontsize=12
            )
    axes.set_xticks(range(len(gammas)), [f"{g:g}" for g in gammas])
    axes.set_yticks(range(len(betas)), [f"{b:g}" for b in betas])
    axes.set(xlabel="γ (weight of the cross entropy)", ylabel="β (of the critic)")
    axes.grid(False)
    figure.colorbar(image, ax=axes, label=f"rank among {len(table)} points", pad=0.02)
    return figure


def distances(excess: pd.DataFrame, perception: str = "p_judge") -> Figure:
    """Each point's error rate and the hull below it (dumbbells), and the points in the plane (D, P)
    coloured by the distance. ``excess``: of :func:`.hulls.convex_excess`.
    """
    shown = planes.quantity(perception, excess)
    points = excess.sort_values("error_rate", ascending=False).reset_index(drop=True)
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.4, 1.6 + 0.34 * len(points) + 4.4), layout="constrained",
        height_ratios=[1.2 + 0.34 * len(points), 4.8],
    )  # fmt: skip
    plt.close(figure)
    at = np.arange(len(points))
    measured, hull = 100 * points["error_rate"], 100 * points["hull"]
    top.hlines(at, hull, measured, color=RED, linewidth=4, zorder=1)
    top.errorbar(measured, at, xerr=100 * points["error_rate_bar"], fmt="o", color=BLUE,
                 ecolor="0.55", elinewidth=1.2, label="measured", zorder=2)  # fmt: skip
    top.scatter(hull, at, marker="|", s=170, linewidths=2.5, color=RED, label="hull", zorder=3)
    names = [f"β {b:g}, γ {g:g}" for b, g in points[["beta", "gamma"]].to_numpy()]
    top.set_yticks(at, names, fontsize=11)
    top.set_xlabel(planes.QUANTITIES["error_rate"].label)
    top.legend(loc="best", fontsize=11)
    norm = mpl.colors.Normalize(0, max(100 * float(points["excess"].max()), 1e-9))
    bottom.errorbar(
        points["mse"], points[perception], points[f"{perception}_bar"], points["mse_bar"],
        fmt="none", ecolor="0.45", elinewidth=1, zorder=1,
    )  # fmt: skip
    shapes, sizes = planes.marks(points)
    for row in np.argsort(points["excess"]):  # the farthest last, so that nothing covers them
        bottom.scatter(points["mse"][row], points[perception][row], marker=shapes[row],
                       s=sizes[row], norm=norm,
                       c=[100 * points["excess"][row]], cmap=style.MAP, edgecolors="black",
                       linewidths=0.9, zorder=2)  # fmt: skip
    bottom.set(xlabel=planes.QUANTITIES["mse"].label, ylabel=shown.label)
    bottom.xaxis.set_major_locator(MaxNLocator(6))
    figure.colorbar(
        mpl.cm.ScalarMappable(norm, style.MAP), ax=bottom, pad=0.02,
        label="C above the hull (percentage points)",
    )  # fmt: skip
    return figure


def prices(table: pd.DataFrame) -> Figure:
    """The price that weights ask against the range that the hull implies, on logarithmic axes.

    ``table``: of :func:`cdpbook.statistics.hulls.prices`. Bars are ranges, dots their middles,
    hollow for points above the hull; on the dotted diagonal both agree. Implied zero and infinity
    are drawn at the frame, an asked price of zero in a grey strip beside the logarithmic axis.
    """
    figure = _panels(2, 4.3)
    titles = {
        "lam": ("λ: price of distortion", "α/γ"),
        "mu": ("μ: price of perceptual difference", "β/γ"),
    }
    for axes, (name, (title, asked)) in zip(figure.axes, titles.items(), strict=True):
        _price_panel(axes, table, name)
        axes.set(title=title, xlabel=f"asked by the weights: {asked}", ylabel="implied by the hull")
    gammas = sorted(table["gamma"].unique())
    handles = [
        Line2D([], [], color="0.4", marker=planes.MARKERS[k % len(planes.MARKERS)],
               linestyle="none", label=f"γ = {gamma:.3g}")
        for k, gamma in enumerate(gammas)
    ]  # fmt: skip
    handles.append(Line2D([], [], color="0.3", linestyle=":", label="equal"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, frameon=False, fontsize=11)
    return figure


def _price_panel(axes: Axes, table: pd.DataFrame, name: str) -> None:
    asked, low, middle, high = (
        table[f"{name}{part}"].to_numpy(float) for part in ("_asked", "_low", "", "_high")
    )
    positive = asked[asked > 0]
    every = np.concatenate([asked, low, middle, high])
    usual = every[np.isfinite(every) & (every > 0)]
    bottom, top = (usual.min() / 3, usual.max() * 3) if usual.size else (0.1, 10.0)
    zero = (positive.min() if positive.size else 1.0) / 5  # where an asked price of 0 is drawn
    gammas = sorted(table["gamma"].unique())
    shift = 1.1 ** (np.arange(len(table)) % 5 - 2.0)  # equal prices stand beside one another
    x = np.where(asked > 0, asked, zero) * shift
    for k, on_hull in enumerate(table["excess"] <= 1e-9):
        shape = planes.MARKERS[gammas.index(table["gamma"].iloc[k]) % len(planes.MARKERS)]
        colour = BLUE if on_hull else RED
        axes.plot([x[k]] * 2, np.clip([low[k], high[k]], bottom, top), color=colour, linewidth=2)
        axes.plot(x[k], np.clip(middle[k], bottom, top), marker=shape, color=colour, markersize=8,
                  markerfacecolor=colour if on_hull else "white", zorder=3)  # fmt: skip
    axes.set(xscale="log", yscale="log", ylim=(bottom, top), xlim=(x.min() / 1.4, x.max() * 1.4))
    decades = 10.0 ** np.arange(-12, 13)
    first = positive.min() if positive.size else 1.0
    ticks = [t for t in decades if first <= t <= x.max() * 1.4]
    labels = [f"{t:g}" for t in ticks]
    if len(ticks) < 2:  # less than two decades: the prices themselves
        ticks = sorted(set(positive.tolist()))
        labels = [f"{t:.3g}" for t in ticks]
    start = min(bottom, x.min())  # of the diagonal
    if (asked <= 0).any():  # zero has no place on the axis: a strip of its own
        ticks, labels = [zero, *ticks], ["0", *labels]
        start = zero * 5**0.5
        axes.axvspan(axes.get_xlim()[0], start, color="0.9", linewidth=0, zorder=0)
    axes.set_xticks(ticks, labels)
    axes.minorticks_off()
    ends = (start, max(top, x.max()))
    axes.plot(ends, ends, color="0.3", linestyle=":", scalex=False, scaley=False)


def hull_maps(frame: pd.DataFrame, perception: str = "p_judge") -> Figure:
    """The least error rate within budgets, above by single restorers, below by their mixtures.

    One scale of colours. Dots: the trained restorers; hatched: no restorer, or no mixture, meets
    both budgets. Lines in the lower map are those of equal error rate.
    """
    shown = planes.quantity(perception, frame)
    points = trends.over_seeds(frame)
    columns = [points[name].to_numpy(float) for name in ("mse", perception, "error_rate")]
    d, p, c = columns
    limits: list[Array] = []
    for values in (d, p):
        pad = 0.06 * (np.ptp(values) or abs(values.max()) or 1.0)
        limits.append(np.linspace(values.min() - pad, values.max() + pad, 201))
    single = maps.achieved_error(frame, limits[0], limits[1], perception)
    mixed = Hull.of(d, p, c).value(limits[0][:, None], limits[1])
    figure = _panels(2, 4.5)
    norm = mpl.colors.Normalize(100 * c.min(), 100 * c.max())
    for axes, values, title in zip(
        figure.axes, (single, mixed), ("one restorer", "a mixture of restorers"), strict=True
    ):
        axes.set_facecolor("0.93")
        axes.patch.set(hatch="//", edgecolor="0.75")
        drawn = np.ma.masked_invalid(100 * values.T)
        image = axes.pcolormesh(
            *limits, drawn, cmap=style.MAP, norm=norm, shading="nearest", rasterized=True
        )
        axes.scatter(d, p, c=100 * c, norm=norm, cmap=style.MAP, s=55, edgecolors="white",
                     linewidths=1.3, zorder=3)  # fmt: skip
        axes.set(title=title, xlabel=planes.QUANTITIES["mse"].label + " ≤",
                 ylabel=shown.label + " ≤")  # fmt: skip
        axes.grid(False)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        if title != "one restorer" and drawn.max() > drawn.min():
            levels = MaxNLocator(4).tick_values(float(drawn.min()), float(drawn.max()))
            _level_lines(axes, limits[0], limits[1], drawn, levels, "%g")
    figure.colorbar(
        image, ax=figure.axes, label="least " + planes.QUANTITIES["error_rate"].label, pad=0.02,
        location="bottom", aspect=40,
    )  # fmt: skip
    return figure


def landscapes(shown: Sequence[Landscape]) -> Figure:
    """Surfaces C(D,P) of any origin below one another, every axis scaled to its own range.

    Colour and level lines: C as a share of its range, 0 the least. Hatched: out of reach.
    """
    if not shown:
        raise InputError("no surface to draw: expected at least one")
    figure = _panels(len(shown), 3.3)
    for axes, landscape in zip(figure.axes, shown, strict=True):
        unit = np.linspace(0, 1, len(landscape.Ds))
        drawn = np.ma.masked_invalid(landscape.scaled().T)
        axes.set_facecolor("0.93")
        axes.patch.set(hatch="//", edgecolor="0.75")
        image = axes.pcolormesh(
            unit, unit, drawn, cmap=style.MAP, vmin=0, vmax=1, shading="nearest", rasterized=True
        )
        if drawn.max() > 0:
            _level_lines(axes, unit, unit, drawn, _LEVELS, "%g")
        finite = landscape.C[np.isfinite(landscape.C)]
        ends = f"C {100 * finite.min():.1f} to {100 * finite.max():.1f} %"
        axes.set_title(f"{landscape.name}: {ends}", fontsize=12)
        axes.set(xlabel="D, scaled", ylabel="P, scaled")
        axes.grid(False)
    figure.colorbar(
        image, ax=figure.axes, location="bottom", aspect=40, pad=0.01,
        label="C, scaled: 0 its least, 1 its greatest",
    )  # fmt: skip
    return figure


def _level_lines(
    axes: Axes, x: Array, y: Array, values: Array, levels: Sequence[float] | Array, form: str
) -> None:
    drawn = axes.contour(x, y, values, levels=levels, colors="white", linewidths=1.3)
    outline: list[patheffects.AbstractPathEffect] = [
        patheffects.withStroke(linewidth=2.5, foreground=BLACK)
    ]
    for label in axes.clabel(drawn, fmt=form, fontsize=11):
        label.set_path_effects(outline)
