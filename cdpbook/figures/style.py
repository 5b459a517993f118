"""One look for every figure: colour-blind-safe, legible on a phone and in grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

#: Okabe and Ito's eight colours, told apart by every common form of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
MAP = "cividis"

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


def number(value: float, form: str = "g") -> str:
    """``value`` as text with a true minus sign, which matplotlib has in its ticks only."""
    return f"{value:{form}}".replace("-", "−")


def decimals(values: np.ndarray, digits: int = 3) -> int:
    """Decimals that give the largest of ``values`` its ``digits``: one number for a whole map."""
    largest = np.nanmax(np.abs(values), initial=0.0)
    return max(0, digits - 1 - int(np.floor(np.log10(largest)))) if largest > 0 else 0


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
