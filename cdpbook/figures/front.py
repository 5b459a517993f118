"""The picture of the front page: digits over the two weights, with C, D and P beneath each block."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cdpbook.runs import Run

_SIDE = 2  # digits across a block


def trade(run: Run, perception: str = "p_judge") -> Figure:
    """What the restorers of three betas (rows) and three gammas (columns) make of the same digits.

    Means over seeds beneath each block: C of the predefined classifier, D and P. Least weights
    are top left; beta grows downwards, gamma to the right. The first column holds the original
    digits and what the restorers are given. Raises :class:`InputError` without sample images.
    """
    shown = run.images(count=_SIDE**2)
    points = run.points().set_index(["beta", "gamma"])
    betas, gammas = (sorted(set(values)) for values in zip(*shown["restored"], strict=True))
    figure, grid = plt.subplots(
        len(betas), len(gammas) + 1, figsize=(8.2, 7.6), squeeze=False, layout="constrained"
    )
    for axes, (name, images) in zip(
        grid[:, 0],
        [("original", shown["original"]), ("degraded", shown["degraded"])],
        strict=False,
    ):
        _block(axes, images)
        axes.set_xlabel(name, fontsize=12)
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
            axes.set_xlabel(f"C {c:.1f} %\nD {d:.4f}   P {p:.2f}", fontsize=11)
            if row == 0:
                axes.set_title(f"γ = {gamma:g}", fontsize=13)
            if column == 1:
                axes.set_ylabel(f"β = {beta:g}", fontsize=13)
    return figure


def _block(axes: Axes, images: np.ndarray) -> None:
    """The first images, (n, c, h, w) in [0, 1], as one square block."""
    rows = [np.concatenate(list(images[k : k + _SIDE]), axis=2) for k in range(0, _SIDE**2, _SIDE)]
    block = np.concatenate(rows, axis=1)
    axes.imshow(block.transpose(1, 2, 0).clip(0, 1), cmap="gray", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(True)
