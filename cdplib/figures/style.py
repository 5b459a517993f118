"""One look for every figure: colour-blind-safe, legible on a phone and in grey."""

from __future__ import annotations

from typing import Any

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


def apply() -> None:
    """Use the book's style for every figure drawn from now on (the chapters' first cell)."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(_SETTINGS)
    mpl.rcParams["axes.prop_cycle"] = cycler(color=COLOURS)
