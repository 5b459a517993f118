"""The measures of P compared with one another on published rows: order, noise, range and floor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from cdpbook import text
from cdpbook.runs import Run
from cdpbook.statistics.estimates import UNKNOWN, correlation, noise
from cdpbook.statistics.trends import in_every_seed
from cdplib.errors import InputError

#: Columns of the results table that measure P, as the text names them.
MEASURES = {
    "p_judge": "judge", "p_critic": "run's own critic",
    "sliced_w2": "sliced W2", "frechet": "Fréchet",
}  # fmt: skip
#: What :func:`.spoilt.measure` takes besides: too bad a measure to be a column.
EXACT = {"exact_w1": "exact W1, samples"}


def noise_shares(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    """The noise of training in each column, as a share of the range of the points' means.

    :func:`.estimates.noise`; empty with one seed, nan without a range.
    """
    _, values = in_every_seed(frame, columns)
    if len(values) < 2:
        return {}
    spans = np.ptp(values.mean(axis=0), axis=0)
    shares = noise(values) / np.where(spans > 0, spans, np.nan)
    return dict(zip(columns, shares.tolist(), strict=True))


def compared(runs: Mapping[str, Run]) -> pd.DataFrame:
    """One row an experiment and measure of P.

    ``order``: Spearman's correlation with the judge over the points, an :class:`.Interval` over the
    seeds (nan where undefined); ``noise``: of :func:`noise_shares`; ``least``, ``most``: over the
    points' means; ``floor``: real images against real ones (nan: the run's own critic has none).
    """
    rows = []
    for name, run in runs.items():
        shares, points = noise_shares(run.table, list(MEASURES)), run.points()
        for measure, title in MEASURES.items():
            try:
                order = correlation(run.table, measure, "p_judge")
            except InputError:  # constant
                order = UNKNOWN
            floor, noisy = run.floor(measure), shares.get(measure, np.nan)
            ends = points[measure].min(), points[measure].max(), np.nan if floor is None else floor
            rows.append((text.title(name), title, order, noisy, *ends))
    columns = ["experiment", "measure", "order", "noise", "least", "most", "floor"]
    return pd.DataFrame(rows, columns=columns)


def summarised(compared: pd.DataFrame) -> pd.DataFrame:
    """:func:`compared` by measure: the least and greatest value over the experiments of each.

    Columns ``order`` and ``noise`` (pairs), ``over_floor``: ``least`` over ``floor``, all finite.
    """
    groups = compared.groupby("measure", sort=False)
    return pd.DataFrame(
        {
            "measure": name,
            "order": _ends(pd.Series([found.value for found in part["order"]])),
            "noise": _ends(part["noise"]),
            "over_floor": (part["least"] / part["floor"]).dropna().to_numpy(),
        }
        for name, part in groups
    )


def _ends(values: pd.Series) -> tuple[float, float]:
    return float(values.min()), float(values.max())


class Fooled(NamedTuple):
    """A run, one of its points, and the one of least beta at the same gamma (means over seeds)."""

    run: Run
    point: pd.Series
    start: pd.Series


def fooled(runs: Iterable[Run]) -> Fooled | None:
    """The point of ``runs`` whose judge sees most that the run's own critic does not.

    That is the largest ``p_judge - p_critic``. Both are gaps of critics with gradient penalty, but
    their scales differ: read both values before believing it. None without published rows.
    """
    worst, most = None, -np.inf
    for run in runs:
        points = run.points()
        excess = points["p_judge"] - points["p_critic"]
        if excess.max() > most:
            most, at = excess.max(), points.loc[excess.idxmax()]
            alike = points[np.isclose(points["gamma"], at["gamma"])].sort_values("beta")
            worst = Fooled(run, at, alike.iloc[0])
    return worst
