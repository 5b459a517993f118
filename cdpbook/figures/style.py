"""One look for every figure: colour-blind-safe, legible on a phone and in grey."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Okabe and Ito's eight colours, told apart by every common form of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
#: Rises evenly in lightness, so it is read in grey; has more hues than cividis.
MAP = "viridis"
DASHES = ("-", "--", "-.", ":")

_SETTINGS: dict[Any, Any] = {
    "figure.dpi": 110,
    "savefig.dpi": 160,
    "font.size": 12,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2,
    "image.cmap": MAP,
    "figure.constrained_layout.use": True,
}


def canvas(
    rows: int = 1, columns: int = 1, *, height: float = 4.0, width: float = 6.4, **options: Any
) -> Figure:
    """An empty figure of ``width`` x ``height`` inches with axes, which a notebook shows once."""
    figure, _ = plt.subplots(
        rows, columns, figsize=(width, height), layout="constrained", **options
    )
    plt.close(figure)  # a cell that ends with the figure draws it; pyplot must not draw it too
    return figure


def number(value: float, form: str = "g") -> str:
    """``value`` as text with a true minus sign, which matplotlib has in its ticks only."""
    return f"{value:{form}}".replace("-", "−")


def decimals(values: np.ndarray, digits: int = 3) -> int:
    """Decimals that give the largest of ``values`` its ``digits``: one number for a whole map."""
    largest = np.nanmax(np.abs(values), initial=0.0)
    return max(0, digits - 1 - int(np.floor(np.log10(largest)))) if largest > 0 else 0


def perspective(space: Any, elevation: float, azimuth: float) -> None:
    """Look at 3-d axes from there, with few ticks and labels clear of them."""
    space.view_init(elev=elevation, azim=azimuth)
    space.locator_params(nbins=5)
    for axis, pad in ((space.xaxis, 8), (space.yaxis, 8), (space.zaxis, 14)):
        axis.labelpad = pad
    space.zaxis.set_tick_params(pad=6)


def legend_above(axes: Axes) -> None:
    """The legend in one line over ``axes``, where it hides no end of a curve."""
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=11, frameon=False,
        handlelength=1.6, columnspacing=1.0,
    )  # fmt: skip


def apply() -> None:
    """Use the book's style for every figure drawn from now on (the chapters' first cell)."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(_SETTINGS)
    mpl.rcParams["axes.prop_cycle"] = cycler(color=COLOURS)
