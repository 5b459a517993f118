"""What a weight changes of C, D and P over the strength of the noise: a panel a measure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cdpbook.figures import style
from cdpbook.figures.panels import WIDTH, Panels

#: What a panel shows of a curve's lines: its axis, and what a number is multiplied by.
_SHOWN = {
    ("error_rate", True): ("change of C (% of it)", 100),
    ("mse", True): ("change of D (% of it)", 100),
    ("p_judge", False): ("change of P (judge's gap)", 1),
}


def curves(found: Mapping[str, pd.DataFrame]) -> Panels:
    """``found``: tables of :func:`cdpbook.studies.noise.curve` by what the legend calls them.

    Points with 95 % intervals against sigma; a single seed has none. Where two stand at one sigma
    they are set apart.
    """
    figures = {}
    for key, (label, factor) in _SHOWN.items():
        figure = style.canvas(width=WIDTH, height=3.6)
        axes = figure.axes[0]
        axes.axhline(0, color="0.3", linewidth=1)
        shown = {name: table for name, table in found.items() if len(table)}
        for number, (name, table) in enumerate(shown.items()):
            value, low, high = (
                factor * pd.Series({sigma: end[i] for sigma, end in table[key].dropna().items()})
                for i in range(3)
            )
            bars = np.array([value - low, high - value], float)
            axes.errorbar(
                value.index + 0.03 * (number - (len(shown) - 1) / 2), value,
                np.where(np.isfinite(bars), bars, np.nan), label=name, color=style.COLOURS[number],
                linestyle=style.DASHES[number], marker="os^D"[number], markersize=5, capsize=2,
                elinewidth=1.4, linewidth=1.6,
            )  # fmt: skip
        axes.set(xlabel="σ of the noise", ylabel=label)
        if key == ("p_judge", False):
            axes.legend(fontsize=9, frameon=False)
        figures[f"{label} against the standard deviation of the noise"] = figure
    return Panels(figures)
