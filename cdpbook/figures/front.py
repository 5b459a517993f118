"""The picture of the front page: digits over the two weights, C, D and P beneath each block."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cdpbook.figures import style
from cdpbook.figures.samples import mosaic
from cdpbook.runs import Run

_DIGITS = 2  # in a block


def trade(run: Run, perception: str = "p_judge") -> Figure:
    """What the restorers of three betas (rows) and three gammas (columns) make of the same digits.

    Means over seeds beneath each block: C of the predefined classifier, D and P. Least weights
    are top left; beta grows downwards, gamma to the right. The first column holds the original
    digits and what the restorers are given. Raises :class:`InputError` without sample images.
    """
    shown = run.images(count=_DIGITS)
    points = run.points().set_index(["beta", "gamma"])
    betas, gammas = (sorted(set(values)) for values in zip(*shown["restored"], strict=True))
    shape = len(betas), len(gammas) + 1
    figure = style.canvas(*shape, width=6.6, height=5.2)
    grid = np.array(figure.axes).reshape(shape)
    for axes, (name, images) in zip(
        grid[:, 0],
        [("original", shown["original"]), ("degraded", shown["degraded"])],
        strict=False,
    ):
        _block(axes, images)
        axes.set_xlabel(name, fontsize=14)
    for axes in grid[2:, 0]:
        axes.axis("off")
    for row, beta in enumerate(betas):
        for column, gamma in enumerate(gammas, start=1):
            axes = grid[row, column]
            if (beta, gamma) not in shown["restored"]:
                axes.axis("off")
                continue
            _block(axes, shown["restored"][beta, gamma])
            at = points.loc[(beta, gamma)]
            c, d, p = 100 * at["error_rate"], at["mse"], at[perception]
            axes.set_xlabel(f"C {c:.1f} %\nD {d:.3f}\nP {p:.2f}", fontsize=14)
            if row == 0:
                axes.set_title(f"γ = {gamma:g}", fontsize=15)
            if column == 1:
                axes.set_ylabel(f"β =\n{beta:g}", fontsize=15, rotation=0, ha="right", va="center")
    return figure


def _block(axes: Axes, images: np.ndarray) -> None:
    axes.imshow(mosaic(images, _DIGITS), cmap="gray", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
