"""The surface of measured points: the planes of Fig. 3, curves of equal third quantity.

They take the results table (one row per alpha, beta, gamma, seed).
Colour is the third quantity, a marker's shape is its gamma, its size its beta.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import contourpy
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from scipy import ndimage

from cdpbook import claims, text
from cdpbook.figures import beside as drawn
from cdpbook.figures import style
from cdpbook.figures.panels import WIDTH, Panels
from cdpbook.statistics import trends
from cdpbook.studies.attainable import Beside
from cdplib.errors import InputError, unknown

MARKERS = "osD^vP*Xph<>"


PERCEPTION = ("p_judge", "p_critic", "sliced_w2", "frechet")


def quantity(name: str, frame: pd.DataFrame) -> text.Quantity:
    """How the column ``name`` of ``frame`` is shown; :class:`InputError` if it is not there."""
    shown = text.quantity(name)
    if name not in frame or frame[name].isna().all():
        raise InputError(f"quantity {name!r} is not in the results table")
    if name.startswith("error_rate_"):
        other = name.removeprefix("error_rate_")
        return replace(shown, name=f"error rate of {claims.NAMES.get(other, other)} (%)")
    return shown


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
    frame: pd.DataFrame,
    x: str,
    y: str,
    colour: str,
    floor: float | None = None,
    title: str = "",
    beside: Beside | None = None,
) -> Figure:
    """One plane: points with their bars, curves where ``colour`` changes, the floor of P.

    ``beside``: also the restorers without training, and the level of C that is read from Y.
    """
    figure = style.canvas(width=WIDTH, height=1.1 * WIDTH)
    axes = figure.axes[0]
    quantities = {name: quantity(name, frame) for name in (x, y, colour)}
    points = trends.over_seeds(frame)
    scaled = {n: points[n].to_numpy(float) * q.factor for n, q in quantities.items()}
    bars = {n: points[f"{n}_bar"].to_numpy(float) * q.factor for n, q in quantities.items()}
    norm = steps(scaled[colour])
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
    if beside is not None:
        drawn.letters(axes, beside, x, y)
        for name, along in ((x, "x"), (y, "y")):
            if quantities[name].letter == "C":
                drawn.level(axes, beside, along)
    axes.set(xlabel=quantities[x].name, ylabel=quantities[y].name)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if points["alpha"].nunique() == 1:
        edge = [patheffects.withStroke(linewidth=3.5, foreground="0.4")]  # yellow is pale on white
        sheets = {n: sheet(points, n) * q.factor for n, q in quantities.items()}
        for level, curve in level_curves(
            sheets[x], sheets[y], sheets[colour], norm.boundaries[1:-1]
        ):
            shade = mpl.colormaps[style.MAP](norm(level))
            axes.plot(*curve.T, color=shade, linewidth=2.5, zorder=1, path_effects=edge)
    figure.colorbar(
        mpl.cm.ScalarMappable(norm, style.MAP), ax=axes, location="top", aspect=25, pad=0.03,
        ticks=norm.boundaries[1:-1], format=lambda value, _: style.number(value),
    )  # fmt: skip
    figure.suptitle(f"{title}colour: {quantities[colour].name}", x=0.02, ha="left")
    return figure


def steps(values: np.ndarray, groups: int = 5) -> mpl.colors.BoundaryNorm:
    """Colours in at most five steps, each for about as many of ``values``, at readable bounds.

    Most points lie close together and few far away: an even scale would give the many one colour.
    """
    low, *inner, high = np.quantile(values, np.linspace(0, 1, groups + 1))
    if not low < high:
        low, high = low - 0.5, high + 0.5
    digits = 1 - int(np.floor(np.log10(high - low)))
    bounds = [low]
    for bound in np.unique(np.round(inner, digits)):
        if bound < high and ((bounds[-1] <= values) & (values < bound)).any():
            bounds.append(bound)
    return mpl.colors.BoundaryNorm([*bounds, high], mpl.colormaps[style.MAP].N)


def near(floor: float, values: pd.Series) -> bool:
    """Whether a line at ``floor`` leaves the points at least half of the axis."""
    return abs(floor - values.min()) <= np.ptp(values.to_numpy(float))


def marks(points: pd.DataFrame) -> tuple[list[str], list[float]]:
    """A marker's shape for each point's gamma, its size for its beta."""
    gammas, betas = sorted(points["gamma"].unique()), sorted(points["beta"].unique())
    shapes = [MARKERS[gammas.index(g) % len(MARKERS)] for g in points["gamma"]]
    return shapes, [_size(betas.index(b), len(betas)) for b in points["beta"]]


def _size(rank: int, count: int) -> float:
    return 30.0 + 120.0 * rank / max(count - 1, 1)


def _keys(
    frame: pd.DataFrame, floor: float | None, beside: Beside | None = None
) -> list[list[Line2D]]:
    """What stands for each gamma and for the floor; for each beta; for what is ``beside``."""
    points = trends.over_seeds(frame)
    gammas, betas = sorted(points["gamma"].unique()), sorted(points["beta"].unique())
    common: dict[str, Any] = {"linestyle": "none", "markerfacecolor": "0.8", "color": "black"}
    shapes = [
        Line2D([], [], marker=MARKERS[k % len(MARKERS)], markersize=8, label=f"γ = {g:g}", **common)
        for k, g in enumerate(gammas)
    ]
    if floor is not None:
        label = f"real images: {style.number(floor, '.2g')}"
        shapes.append(Line2D([], [], color="0.3", linestyle=":", label=label))
    sizes = [np.sqrt(_size(k, len(betas))) for k in range(len(betas))]
    keys = [
        Line2D([], [], marker="o", markersize=size, label=f"β = {b:g}", **common)
        for size, b in zip(sizes, betas, strict=True)
    ]
    return [row for row in (shapes, keys, drawn.keys(beside)) if row]


def _write(figure: Figure, handles: list[Line2D], columns: int) -> Legend:
    return figure.legend(
        handles=handles, loc="outside upper center", ncols=columns, fontsize=10, frameon=False,
        handletextpad=0.2, columnspacing=0.8, handlelength=1.5,
    )  # fmt: skip


def legend(
    figure: Figure, frame: pd.DataFrame, floor: float | None, beside: Beside | None = None
) -> None:
    """Above ``figure``: what shapes, sizes and the dotted line of the floor stand for."""
    blank = Line2D([], [], linestyle="none", label=" ")
    pairs = list(itertools.zip_longest(*_keys(frame, floor, beside), fillvalue=blank))
    _write(figure, [key for pair in pairs for key in pair], len(pairs))  # columns are filled first


def three_planes(
    frame: pd.DataFrame,
    perception: str = "p_judge",
    floor: float | None = None,
    beside: Beside | None = None,
) -> Panels:
    """Fig. 3: (a) P against D coloured by C, (b) C against P by D, (c) C against D by P.

    ``perception`` is the column measuring P; ``floor`` is what it gives for real images against
    other real images (dotted); ``beside`` is what the points are held against.
    """
    if perception not in PERCEPTION:
        raise unknown("measure of perception", perception, PERCEPTION)
    figures = {}
    for letter, x, y, colour in (
        ("a", "mse", perception, "error_rate"),
        ("b", perception, "error_rate", "mse"),
        ("c", "mse", "error_rate", perception),
    ):
        with mpl.rc_context({"font.size": 10, "figure.titlesize": 10}):
            figure = plane(frame, x, y, colour, floor, f"({letter}) ", beside)
        axes = figure.axes[0]
        said = f"{figure.get_suptitle()}; points of {axes.get_ylabel()} over {axes.get_xlabel()}"
        figures[said] = figure
    rows = {}
    for keys in _keys(frame, floor, beside):
        row = style.canvas(height=0.3)
        row.axes[0].remove()
        written = _write(row, keys, len(keys))
        row.draw_without_rendering()
        row.set_figwidth(written.get_window_extent().width / row.dpi + 0.1)
        rows[", ".join(str(key.get_label()) for key in keys)] = row
    return Panels(figures, rows)
