"""Learning curves over the length of a training: a panel a measure, a line a pair of weights."""

from __future__ import annotations

import pandas as pd
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

from cdpbook import text
from cdpbook.figures import style
from cdpbook.figures.panels import WIDTH, Panels
from cdpbook.studies.longer import COLUMNS, WEIGHTS

_NAMES = {
    "error_rate": "C (%)", "mse": "D", "p_judge": "P: the judge", "p_critic": "P: own critic",
}  # fmt: skip


def curves(rows: pd.DataFrame) -> Panels:
    """``rows`` of :func:`cdpbook.studies.longer.curve`: means over seeds, bars of one standard
    deviation, against the steps on a logarithmic axis."""
    groups = rows.groupby(["steps", *WEIGHTS])
    means, spread = groups[list(COLUMNS)].mean(), groups[list(COLUMNS)].std()
    pairs = sorted({(beta, gamma) for _, beta, gamma in means.index})
    betas, gammas = (sorted({pair[i] for pair in pairs}) for i in (0, 1))
    figures = {}
    for column in COLUMNS:
        figure = style.canvas(width=WIDTH, height=3.6)
        axes, factor = figure.axes[0], text.quantity(column).factor
        for beta, gamma in pairs:
            line = means.xs((beta, gamma), level=WEIGHTS)[column]
            bars = spread.xs((beta, gamma), level=WEIGHTS)[column]
            axes.errorbar(
                line.index, factor * line, factor * bars, marker="o", capsize=3,
                color=style.COLOURS[betas.index(beta)],
                linestyle=style.DASHES[gammas.index(gamma)],
                label=f"β {beta:g}, γ {gamma:g}",
            )  # fmt: skip
        axes.set(xscale="log", xlabel="steps", ylabel=_NAMES[column])
        lengths = sorted(rows["steps"].unique())
        axes.xaxis.set_major_locator(FixedLocator(lengths))
        axes.xaxis.set_major_formatter(FixedFormatter([f"{steps:,}" for steps in lengths]))
        axes.xaxis.set_minor_formatter(NullFormatter())
        if column == "p_judge":  # which has room between its lines
            axes.legend(fontsize=8.5, loc="center", ncols=2)
        figures[f"{_NAMES[column]} against the steps of the training"] = figure
    return Panels(figures)
