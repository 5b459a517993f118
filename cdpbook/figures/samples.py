"""Images: the grid of Fig. 4 over the two weights, and rows of images with their names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cdpbook.figures import style
from cdplib.errors import InputError

BETTER, WORSE, CHANGED = style.COLOURS[0], style.COLOURS[1], style.COLOURS[6]


def mosaic(images: np.ndarray, columns: int) -> np.ndarray:
    """(n, c, h, w) or (n, h, w) images in [0, 1] side by side: (rows h, columns w[, 3]).

    Values outside [0, 1] (noisy images) are clipped for the eye; free places are white.
    """
    images = np.asarray(images, dtype=float)
    if images.ndim == 4:
        images = np.moveaxis(images, 1, -1)
        images = images[..., 0] if images.shape[-1] == 1 else images
    elif images.ndim != 3:
        raise InputError(f"images of shape {images.shape}: expected (n, c, h, w) or (n, h, w)")
    n, h, w = images.shape[:3]
    rows = -(-n // columns)
    free = np.ones((rows * columns - n, *images.shape[1:]))
    tiles = np.concatenate([np.clip(images, 0, 1), free])
    tiles = tiles.reshape(rows, columns, *images.shape[1:])
    return np.swapaxes(tiles, 1, 2).reshape(rows * h, columns * w, *images.shape[3:])


def _show(axes: Axes, images: np.ndarray, columns: int) -> None:
    axes.imshow(mosaic(images, columns), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(False)


def _frame(axes: Axes, index: int, size: tuple[int, int], columns: int, colour: str) -> None:
    h, w = size
    row, column = divmod(index, columns)
    dashes = {BETTER: "-", WORSE: "--", CHANGED: ":"}[colour]
    corner = (column * w + 0.2, row * h + 0.2)
    axes.add_patch(
        Rectangle(
            corner, w - 1.4, h - 1.4, fill=False, edgecolor=colour, linewidth=2.2, linestyle=dashes
        )
    )


def weights_grid(
    original: np.ndarray,
    degraded: np.ndarray,
    restored: Mapping[tuple[float, float], np.ndarray],
    predicted: Mapping[tuple[float, float], np.ndarray] | None = None,
    labels: np.ndarray | None = None,
    columns: int = 0,
) -> Figure:
    """Fig. 4: the original and degraded images on top, below rows of beta and columns of gamma.

    ``restored`` and ``predicted`` are keyed by (beta, gamma). With ``predicted`` and ``labels``
    (n,) a frame marks each image whose predicted class differs from that at the row's least
    gamma: blue and solid where it is now right, orange and dashed where it is now wrong, black
    and dotted where one wrong class took another's place. ``columns``: images side by side in
    one cell (0: a near-square cell).
    """
    if not restored:
        raise InputError("no restored images: expected at least one (beta, gamma)")
    if (predicted is None) != (labels is None):
        raise InputError("predicted and labels: expected both or none")
    betas = sorted({beta for beta, _ in restored})
    gammas = sorted({gamma for _, gamma in restored})
    n, (h, w) = len(original), original.shape[-2:]
    columns = columns or max(1, round(np.sqrt(n)))
    ratio = (-(-n // columns) * h) / (columns * w)
    across = max(len(gammas), 2)
    width = 6.4 / across
    height = (width * ratio + 0.3) * (1 + len(betas))
    figure = style.canvas(1 + len(betas), across, width=6.6, height=height)
    axes = np.array(figure.axes).reshape(-1, across)
    for ax in figure.axes:
        ax.axis("off")
    for ax, images, title in zip(
        axes[0], (original, degraded), ("original", "degraded"), strict=False
    ):
        ax.axis("on")
        _show(ax, images, columns)
        ax.set_title(title, fontsize=11)
    for i, beta in enumerate(betas):
        row = [gamma for gamma in gammas if (beta, gamma) in restored]
        for j, gamma in enumerate(gammas):
            if (beta, gamma) not in restored:
                continue
            ax = axes[1 + i, j]
            ax.axis("on")
            _show(ax, restored[beta, gamma], columns)
            ax.set_title(f"β = {beta:g}, γ = {gamma:g}", fontsize=10)
            if predicted is not None and labels is not None:
                first, now = predicted[beta, row[0]], predicted[beta, gamma]
                for k in np.nonzero(first != now)[0]:
                    right = now[k] == labels[k]
                    colour = BETTER if right else WORSE if first[k] == labels[k] else CHANGED
                    _frame(ax, int(k), (h, w), columns, colour)
    return figure


def strips(rows: Mapping[str, np.ndarray]) -> Figure:
    """One row of images a name, for instance original, noisy and restored ones."""
    if not rows:
        raise InputError("no images: expected at least one row")
    first = next(iter(rows.values()))
    n, (h, w) = len(first), first.shape[-2:]
    figure = style.canvas(len(rows), height=len(rows) * (6.4 * h / (n * w) + 0.3))
    for ax, (name, images) in zip(figure.axes, rows.items(), strict=True):
        _show(ax, images, len(images))
        ax.set_title(name, fontsize=11, loc="left")
    return figure
