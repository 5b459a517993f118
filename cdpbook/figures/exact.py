"""Figures of the chapter on the exact C(D,P): curves with dots, plans, and the growth of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cdpbook.figures import style
from cdplib.theory.exact import Problem

Array = NDArray[np.float64]
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")


def _canvas(rows: int = 1, height: float = 4.0) -> Figure:
    figure, _ = plt.subplots(rows, 1, figsize=(6.4, height), sharex=True, layout="constrained")
    plt.close(figure)
    return figure


def curves(
    lines: Mapping[str, tuple[Array, Array]],
    labels: tuple[str, str],
    dots: Mapping[str, tuple[Array, Array]] | None = None,
) -> Figure:
    """Named ``lines`` (x, y), and ``dots`` (x, y) in the colour of the line of the same name."""
    figure = _canvas()
    axes = figure.axes[0]
    for k, (name, (x, y)) in enumerate(lines.items()):
        colour = style.COLOURS[k % len(style.COLOURS)]
        axes.plot(x, y, color=colour, linestyle=DASHES[k % len(DASHES)], label=name)
        if dots and name in dots:
            axes.plot(*dots[name], MARKERS[k % len(MARKERS)], color=colour, markersize=5)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.legend()
    return figure


def plans(problem: Problem, shown: Mapping[str, Array], threshold: float) -> Figure:
    """Restorers p(x̂|y) below one another; the dotted line is the classifier's threshold."""
    figure = _canvas(len(shown), height=2.7 * len(shown) + 1)
    mass = problem.py[:, None]
    for axes, (name, plan) in zip(figure.axes, shown.items(), strict=True):
        restorer = np.clip(plan / mass, 1e-3, 1.0)
        mesh = axes.pcolormesh(
            problem.x,
            problem.x,
            restorer.T,
            cmap="cividis",
            norm=LogNorm(1e-3, 1),
            shading="nearest",
        )
        axes.axhline(threshold, color="white", linestyle=":")
        axes.set(title=name, ylabel=r"restored $\hat x$", xlim=(-4, 5), ylim=(-3.5, 4))
        axes.grid(visible=False)
    figure.axes[-1].set_xlabel("received y")
    label = r"$p(\hat x\mid y)$, at least 0.001"
    figure.colorbar(mesh, ax=figure.axes, label=label, location="bottom", aspect=40, pad=0.01)
    return figure


def growth(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Seconds of a surface against n, on logarithmic axes: a power law is a straight line."""
    figure = _canvas()
    axes = figure.axes[0]
    groups = sorted({(row["divergence"], row["toy"]) for row in rows})
    for k, (divergence, toy) in enumerate(groups):
        mine = [row for row in rows if (row["divergence"], row["toy"]) == (divergence, toy)]
        axes.loglog(
            [row["n"] for row in mine], [row["seconds"] for row in mine],
            marker=MARKERS[k], linestyle=DASHES[k], label=f"{divergence}, toy {toy}",
        )  # fmt: skip
    sizes = sorted({int(row["n"]) for row in rows})
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set(xlabel="n, letters of each alphabet", ylabel="seconds for 400 points")
    axes.legend()
    return figure
