"""Curves of trainings, and the effects of the weights in one training beside another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from cdpbook import text
from cdpbook.figures import style
from cdpbook.studies.ablations import Comparison, Line
from cdplib.errors import InputError


def pretraining(curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]) -> Figure:
    """Validation MSE over steps: one panel a pre-training (title to its seeds' curves).

    A curve is a list of ``{"step": int, "mse": float}``. Raises :class:`InputError` if there is
    none.
    """
    if not curves:
        raise InputError("no pre-training: expected at least one curve")
    figure = style.canvas(len(curves), height=2.1 * len(curves))
    for ax, (title, seeds) in zip(figure.axes, curves.items(), strict=True):
        for number, curve in enumerate(seeds):
            steps, errors = zip(*((at["step"], 1000 * at["mse"]) for at in curve), strict=True)
            ax.plot(steps, errors, color=style.COLOURS[number % 8], markersize=3.5, marker="o",
                    linestyle=("-", "--", ":")[number % 3], label=f"seed {number}")  # fmt: skip
        ax.set_title(title, fontsize=11, loc="left")
        ax.set_ylabel("MSE (10⁻³)")
        ax.legend(fontsize=9, frameon=False, ncols=3)
    figure.axes[-1].set_xlabel("steps of the pre-training")
    return figure


def effects(shown: Mapping[str, Comparison], lines: Sequence[Line]) -> Figure:
    """Effects of a weight with their intervals: one panel a line, one row a changed training.

    Filled: as changed; hollow, above it: the main table at the weights and seeds that compare. A
    row without marks has no weights in common. Zero is drawn: beyond it the sign turns.
    """
    rows = (len(lines) + 1) // 2
    figure = style.canvas(rows, 2, height=(0.36 * len(shown) + 0.9) * rows, sharey=True)
    at = np.arange(len(shown))[::-1]
    looks = (("0.45", "white", 0.16), (style.COLOURS[0], style.COLOURS[0], -0.16))
    for ax, line in zip(figure.axes, lines, strict=False):
        shown_as = text.quantity(line.column)
        ax.axvline(0, color="0.3", linewidth=1)
        for row, comparison in zip(at, shown.values(), strict=True):
            sides = comparison.effects.get(line, ())
            for found, (colour, fill, shift) in zip(sides, looks, strict=False):
                value, low, high = (shown_as.factor * end for end in found)
                ax.errorbar(value, row + shift, xerr=[[value - low], [high - value]], fmt="o",
                            color=colour, markerfacecolor=fill, elinewidth=1.6)  # fmt: skip
        ax.set_title(line.title + f" ({shown_as.unit})" * bool(shown_as.unit), fontsize=12)
        ax.set_yticks(at, list(shown), fontsize=11)
    return figure
