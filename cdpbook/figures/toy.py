"""Figures of the theory chapters: the toy's densities, measures, surface and profiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from cdpbook.figures import style
from cdplib.theory.toy import GaussianToy

Array = NDArray[np.float64]
DASHES = style.DASHES
BLUE, RED, GREEN, PINK, ORANGE, SKY, BLACK = style.COLOURS[:7]
DIRECTIONS = {
    "kl": r"KL($p_X\,\|\,p_{\hat X}$)", "reverse_kl": r"KL($p_{\hat X}\,\|\,p_X$)",
}  # fmt: skip


def densities(toy: GaussianToy, gain: float, span: float = 5.0) -> Figure:
    """Fig. 1 (a), (b): class-weighted densities of X and of X^ = gain * Y, and what is mistaken."""
    figure = style.canvas(2, 1, height=6.0)
    x = np.linspace(-span, span, 801)
    t = toy.boundary
    panels = ((None, "original signal X"), (gain, rf"restored signal $\hat X = {gain:g}\,Y$"))
    for axes, (scale, title) in zip(figure.axes, panels, strict=True):
        parts = toy.density(x, scale)
        for part, colour, dash, name in zip(
            parts, (BLUE, RED), DASHES, ("class 1", "class 2"), strict=False
        ):
            axes.plot(x, part, color=colour, linestyle=dash, label=name)
        axes.plot(x, parts.sum(axis=0), color=BLACK, linewidth=1, label="mixture")
        axes.fill_between(x, parts[0], where=x >= t, color=BLUE, alpha=0.3, linewidth=0)
        axes.fill_between(x, parts[1], where=x < t, color=RED, alpha=0.3, linewidth=0)
        axes.axvline(t, color="grey", linestyle=":")
        axes.annotate(
            "$t^*$" if toy.threshold is None else "$t$", (t, axes.get_ylim()[1] * 0.9),
            xytext=(4, 0), textcoords="offset points",
        )  # fmt: skip
        axes.set(title=title, xlabel="value of the signal", ylabel="density")
    figure.axes[1].sharey(figure.axes[0])
    figure.axes[0].legend(loc="upper right", fontsize=10)
    return figure


def measures(gains: Array, mse: Array, kl: dict[str, Array], error: Array) -> Figure:
    """Fig. 1 (c): MSE, divergence and error rate against the gain; a dot marks each minimum."""
    figure = style.canvas(3, 1, height=7.5)
    top, middle, bottom = figure.axes
    _curve(top, gains, mse, BLUE, "-", None)
    for (kind, values), colour, dash in zip(kl.items(), (GREEN, ORANGE), ("-", "--"), strict=False):
        _curve(middle, gains, values, colour, dash, DIRECTIONS[kind])
    _curve(bottom, gains, error, RED, "-", None)
    top.set(ylabel="MSE")
    middle.set(ylabel="divergence (nats)", yscale="log")
    middle.legend(fontsize=10)
    bottom.set(ylabel="error rate", xlabel=r"gain $a$ of the restoration $\hat X = aY$")
    for axes in (middle, bottom):
        axes.sharex(top)
    return figure


def _curve(axes: Axes, x: Array, y: Array, colour: str, dash: str, label: str | None) -> None:
    axes.plot(x, y, color=colour, linestyle=dash, label=label)
    least = int(np.argmin(y))
    axes.plot(x[least], y[least], "o", color=colour)
    axes.axvline(float(x[least]), color=colour, linewidth=0.8, linestyle=":")


def surface(Ds: Array, Ps: Array, values: Array) -> Figure:
    """Fig. 2 (a): C(D, P) as a surface; nothing is drawn where no restoration is feasible."""
    figure = style.canvas(height=5.2, subplot_kw={"projection": "3d"})
    axes: Any = figure.axes[0]
    shown = np.where(np.isfinite(values), values, np.nan)
    grid = np.meshgrid(Ds, Ps, indexing="ij")
    axes.plot_surface(*grid, shown, cmap=style.MAP, rcount=80, ccount=80, linewidth=0)
    axes.set(xlabel="D (MSE)", ylabel="P (nats)", zlabel="C (error rate)")
    style.perspective(axes, 28, 38)
    return figure


def profiles(
    budgets: tuple[Array, Array],
    curves: tuple[dict[float, Array], dict[float, Array]],
    *,
    unit: str = "P (nats)",
) -> Figure:
    """Fig. 2 (b): C against D at fixed values of P, and against P at fixed values of D.

    ``budgets`` are the horizontal axes (Ds, Ps); ``curves`` map the value held fixed to C along
    the axis, first at fixed P, then at fixed D.
    """
    figure = style.canvas(2, 1, height=7.0)
    names = (("D (MSE)", "P"), (unit, "D"))
    for axes, x, family, (label, fixed) in zip(figure.axes, budgets, curves, names, strict=True):
        for k, (value, y) in enumerate(family.items()):
            finite = np.isfinite(y)
            axes.plot(
                x[finite], y[finite], color=style.COLOURS[k % 8], linestyle=DASHES[k % 4],
                label=f"{fixed} = {value:g}",
            )  # fmt: skip
        axes.set(xlabel=label, ylabel="C (error rate)")
        style.legend_above(axes)
    figure.axes[1].sharey(figure.axes[0])
    return figure


def band(Ps: Array, curve: Array, edges: tuple[float, float], D: float) -> Figure:
    """C against P at one small D; the shaded band is where it depends on P."""
    figure = style.canvas(height=3.6)
    (axes,) = figure.axes
    finite = np.isfinite(curve)
    axes.axvspan(*edges, color=ORANGE, alpha=0.25, linewidth=0, label="C varies with P")
    axes.axvspan(edges[1], float(Ps[-1]), color=SKY, alpha=0.2, linewidth=0, label="C is constant")
    axes.plot(Ps[finite], curve[finite], color=BLUE)
    axes.set(xlabel="P (nats)", ylabel="C (error rate)", title=f"D = {D:g}", xlim=(0, Ps[-1]))
    axes.legend()
    return figure


def cloud(points: Array, corners: Array, edge: Array) -> Figure:
    """Restorations in the (D, P) plane, coloured by error rate.

    ``points``, ``corners``: rows (D, P, C) of random and of deterministic restorations.
    ``edge``: rows (D, P), the least P at each D.
    """
    figure = style.canvas(height=4.6)
    (axes,) = figure.axes
    low = min(points[:, 2].min(), corners[:, 2].min())
    high = max(points[:, 2].max(), corners[:, 2].max())
    colours = {"cmap": style.MAP, "vmin": low, "vmax": high}
    drawn = axes.scatter(points[:, 0], points[:, 1], c=points[:, 2], s=7, **colours)
    axes.scatter(
        corners[:, 0], corners[:, 1], c=corners[:, 2], s=70, marker="s", edgecolors=BLACK, **colours
    )
    axes.plot(edge[:, 0], edge[:, 1], color=RED)
    axes.set(xlabel="D (mean squared error)", ylabel="P (total variation)")
    axes.legend(
        handles=[
            Line2D([], [], marker="o", linestyle="", color="grey", label="random"),
            Line2D([], [], marker="s", linestyle="", color="grey", label="deterministic"),
            Line2D([], [], color=RED, label="least P at D"),
        ],
        fontsize=10,
    )
    figure.colorbar(drawn, ax=axes, label="C (error rate)")
    return figure


def against_exact(
    x: Array,
    family: dict[str, Array],
    exact: dict[str, Array],
    xlabel: str,
    name: str = r"only $\hat X = aY$",
) -> Figure:
    """C of a family of restorations, ``name`` (dashed), over that of all of them (solid).

    ``family`` and ``exact`` have the same keys, the labels of the curves, told apart by colour.
    """
    figure = style.canvas(height=4.2)
    (axes,) = figure.axes
    for k, label in enumerate(family):
        colour = style.COLOURS[k]
        for values, dash in ((family[label], "--"), (exact[label], "-")):
            finite = np.isfinite(values)
            # Later curves are thinner, so that those they run along with remain visible.
            axes.plot(x[finite], values[finite], dash, color=colour, linewidth=max(2, 5 - 2.5 * k))
    handles: list[Line2D | Patch] = [
        Patch(color=style.COLOURS[k], label=label) for k, label in enumerate(family)
    ]
    handles += [
        Line2D([], [], color="grey", linestyle="--", label=name),
        Line2D([], [], color="grey", label="all restorations"),
    ]
    axes.legend(handles=handles, fontsize=10)
    axes.set(xlabel=xlabel, ylabel="C (error rate)")
    return figure


def chain(weights: Array, curves: dict[str, Array]) -> Figure:
    """The sides of the proof's inequalities against the weight of the mixture, highest first."""
    figure = style.canvas(height=4.2)
    (axes,) = figure.axes
    for k, (name, values) in enumerate(curves.items()):
        axes.plot(
            weights, values, DASHES[k % 4], color=style.COLOURS[k], label=name,
            linewidth=max(2, 5 - 2.5 * k),
        )  # fmt: skip
    axes.set(xlabel="weight λ of the first restoration", ylabel="error rate")
    axes.legend(fontsize=10)
    return figure
