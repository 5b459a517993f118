"""The surface of measured points: the planes of Fig. 3, curves of equal third quantity.

They take the results table (one row per alpha, beta, gamma, seed) and return a Figure.
Colour is the third quantity, a marker's shape is its gamma, its size its beta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import contourpy
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy import ndimage

from cdpbook import claims
from cdpbook.figures import style
from cdpbook.statistics import trends
from cdplib.errors import InputError, unknown

MARKERS = "osD^vP*Xph<>"


@dataclass(frozen=True)
class Quantity:
    """A column of the results table: its letter in the paper, axis label, factor for display."""

    letter: str
    label: str
    factor: float = 1.0


QUANTITIES = {
    "mse": Quantity("D", "D: mean squared error per pixel"),
    "error_rate": Quantity("C", "C: error rate (%)", 100.0),
    "p_judge": Quantity("P", "P: judge's gap (Wasserstein)"),
    "p_critic": Quantity("P", "P: the run's own critic's gap"),
    "sliced_w2": Quantity("P", "P: sliced Wasserstein-2 distance"),
    "frechet": Quantity("P", "P: Fréchet distance of features"),
}
PERCEPTION = ("p_judge", "p_critic", "sliced_w2", "frechet")


def bars_text(frame: pd.DataFrame) -> str:
    """What the error bars are, as a sentence for the caption."""
    seeds = trends.over_seeds(frame)["seeds"]
    if seeds.max() == 1:
        return "Bars: one standard error on the test images (one seed)."
    count = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    return f"Points are means and bars standard deviations over {count} training seeds."


def quantity(name: str, frame: pd.DataFrame) -> Quantity:
    """How the column ``name`` of ``frame`` is shown; :class:`InputError` if it is not there."""
    if name.startswith("error_rate_") and name in frame:
        other = name.removeprefix("error_rate_")
        return Quantity("C", f"error rate of {claims.NAMES.get(other, other)} (%)", 100.0)
    if name not in QUANTITIES:
        raise unknown("quantity", name, QUANTITIES)
    if name not in frame or frame[name].isna().all():
        raise InputError(f"quantity {name!r} is not in the results table")
    return QUANTITIES[name]


def sheet(points: pd.DataFrame, column: str) -> np.ndarray:
    """``column`` as an array over (beta, gamma); nan where there is no such point."""
    return points.pivot(index="beta", columns="gamma", values=column).to_numpy(float)


def level_curves(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, levels: np.ndarray
) -> list[tuple[float, np.ndarray]]:
    """Curves of equal ``z`` on the sheet that the grid of weights spans, seen in the plane (x, y).

    x, y, z: (betas, gammas), nan where a point is missing. The level set is found on the grid of
    weights, where z is one function, and carried into the plane by the same bilinear
    interpolation; a sheet that folds over itself in the plane does no harm, and nothing is
    extrapolated. Returns (level, (points, 2)) pairs.
    """
    if min(z.shape) < 2:
        return []
    hole = ~(np.isfinite(x) & np.isfinite(y) & np.isfinite(z))
    generator = contourpy.contour_generator(
        z=np.ma.masked_array(np.where(hole, 0.0, z), mask=hole), corner_mask=False
    )
    curves = []
    for level in levels:
        for line in generator.lines(float(level)):
            at = np.asarray(line)[:, ::-1].T  # contourpy says (column, row)
            plane = [  # "nearest": rounding may put an end of a line a hair outside the grid
                ndimage.map_coordinates(np.where(hole, 0.0, a), at, order=1, mode="nearest")
                for a in (x, y)
            ]
            curves.append((float(level), np.column_stack(plane)))
    return curves


def plane(
    axes: Axes, frame: pd.DataFrame, x: str, y: str, colour: str, floor: float | None = None
) -> None:
    """Draw one plane: the points with their bars, curves of equal ``colour``, the floor of P."""
    quantities = {name: quantity(name, frame) for name in (x, y, colour)}
    points = trends.over_seeds(frame)
    scaled = {n: points[n].to_numpy(float) * q.factor for n, q in quantities.items()}
    bars = {n: points[f"{n}_bar"].to_numpy(float) * q.factor for n, q in quantities.items()}
    norm = mpl.colors.Normalize(scaled[colour].min(), scaled[colour].max())
    axes.errorbar(
        scaled[x], scaled[y], bars[y], bars[x], fmt="none", ecolor="0.45", elinewidth=1, zorder=2
    )
    for row, (shape, size) in enumerate(zip(*marks(points), strict=True)):
        axes.scatter(
            scaled[x][row], scaled[y][row], c=[scaled[colour][row]], norm=norm, cmap=style.MAP,
            marker=shape, s=size, edgecolors="black", linewidths=0.9, zorder=3,
        )  # fmt: skip
    if floor is not None:
        for name, line in ((x, axes.axvline), (y, axes.axhline)):
            if quantities[name].letter == "P" and near(floor, points[name]):
                line(floor, color="0.3", linestyle=":", linewidth=1.5)
    axes.set(xlabel=quantities[x].label, ylabel=quantities[y].label)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    if points["alpha"].nunique() == 1:
        sheets = [sheet(points, n) * quantities[n].factor for n in (x, y, colour)]
        _draw_levels(axes, sheets, norm, np.column_stack([scaled[x], scaled[y]]))
    mappable = mpl.cm.ScalarMappable(norm, style.MAP)
    axes.figure.colorbar(mappable, ax=axes, label=quantities[colour].label, pad=0.02)


def near(floor: float, values: pd.Series) -> bool:
    """Whether a line at ``floor`` leaves the points at least half of the axis."""
    return abs(floor - values.min()) <= np.ptp(values.to_numpy(float))


def _draw_levels(
    axes: Axes, sheets: list[np.ndarray], norm: mpl.colors.Normalize, markers: np.ndarray
) -> None:
    """Curves of equal third quantity; each level is written once, away from ``markers``."""
    x, y, z = sheets
    low, high = np.nanmin(z), np.nanmax(z)
    ticks = np.asarray(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    levels = ticks[(ticks > low) & (ticks < high)]
    colour_map = mpl.colormaps[style.MAP]
    drawn = {float(level): level_curves(x, y, z, np.array([level])) for level in levels}
    for level, curves in drawn.items():
        for _, curve in curves:
            axes.plot(*curve.T, color=colour_map(norm(level)), linewidth=2.5, zorder=1)
    axes.autoscale_view()  # the limits are final: distances can be compared as they are seen
    taken = axes.transData.transform(markers)
    for level, curves in drawn.items():
        if not curves:
            continue
        places = np.vstack([_filled_in(curve) for _, curve in curves])
        seen = axes.transData.transform(places)
        best, room = freest(seen, taken)
        if room < 8:  # pixels: the text would hide a marker, and the curve's colour says it too
            continue
        taken = np.vstack([taken, seen[best]])
        axes.annotate(
            style.number(level), places[best], ha="center", va="center", fontsize=11, zorder=5,
            path_effects=[patheffects.withStroke(linewidth=3, foreground="white")],
        )  # fmt: skip


def _filled_in(curve: np.ndarray, each: int = 10) -> np.ndarray:
    """``curve`` with further points on its segments, ``each`` a vertex."""
    vertices = np.arange(len(curve))
    at = np.linspace(0, len(curve) - 1, each * len(curve))
    return np.column_stack([np.interp(at, vertices, values) for values in curve.T])


def freest(places: np.ndarray, taken: np.ndarray) -> tuple[int, float]:
    """Which of ``places`` (n, 2) is farthest from all of ``taken`` (m, 2), and how far."""
    apart = (places[:, None] - taken) / (2.0, 1.0)  # a label is twice as wide as it is high
    nearest = np.linalg.norm(apart, axis=-1).min(axis=1)
    return int(nearest.argmax()), float(nearest.max())


def marks(points: pd.DataFrame) -> tuple[list[str], list[float]]:
    """A marker's shape for each point's gamma, its size for its beta."""
    gammas, betas = sorted(points["gamma"].unique()), sorted(points["beta"].unique())
    shapes = [MARKERS[gammas.index(g) % len(MARKERS)] for g in points["gamma"]]
    return shapes, [_size(betas.index(b), len(betas)) for b in points["beta"]]


def _size(rank: int, count: int) -> float:
    return 35.0 + 165.0 * rank / max(count - 1, 1)


def legend(figure: Figure, frame: pd.DataFrame, floor: float | None) -> None:
    """Above ``figure``: what shapes, sizes and the dotted line of the floor stand for."""
    points = trends.over_seeds(frame)
    common: dict[str, Any] = {"linestyle": "none", "markerfacecolor": "0.8", "color": "black"}
    gammas, betas = sorted(points["gamma"].unique()), sorted(points["beta"].unique())
    shapes = [
        Line2D([], [], marker=MARKERS[k % len(MARKERS)], markersize=8, label=f"γ = {g:g}", **common)
        for k, g in enumerate(gammas)
    ]
    sizes = [
        Line2D([], [], marker="o", markersize=np.sqrt(_size(k, len(betas))), label=f"β = {b:g}",
               **common)
        for k, b in enumerate(betas)
    ]  # fmt: skip
    blank = Line2D([], [], linestyle="none", label=" ")
    rows = max(len(shapes), len(sizes))
    columns = [shapes, sizes]
    if floor is not None:
        label = f"real against real: {style.number(floor, '.2g')}"
        columns.append([Line2D([], [], color="0.3", linestyle=":", label=label)])
    handles = [handle for c in columns for handle in [*c, *[blank] * (rows - len(c))]]
    figure.legend(
        handles=handles, loc="outside upper center", ncols=len(columns), fontsize=10, frameon=False
    )


def three_planes(
    frame: pd.DataFrame, perception: str = "p_judge", floor: float | None = None
) -> Figure:
    """Fig. 3: (a) P against D coloured by C, (b) C against P by D, (c) C against D by P.

    ``perception`` is the column measuring P; ``floor`` is what it gives for real images against
    other real images (dotted). The planes stand below one another, to be legible on a phone.
    """
    if perception not in PERCEPTION:
        raise unknown("measure of perception", perception, PERCEPTION)
    quantity(perception, frame)
    figure, axes = plt.subplots(3, 1, figsize=(6.4, 13.5), layout="constrained")
    plt.close(figure)  # pyplot must not draw it too, whatever happens below
    plane(axes[0], frame, "mse", perception, "error_rate", floor)
    plane(axes[1], frame, perception, "error_rate", "mse", floor)
    plane(axes[2], frame, "mse", "error_rate", perception)
    for letter, ax in zip("abc", axes, strict=True):
        ax.set_title(f"({letter})", loc="left", fontsize=12)
    legend(figure, frame, floor)
    return figure
