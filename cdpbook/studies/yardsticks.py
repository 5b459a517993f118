"""The measures of P compared with one another on published rows: order, noise, floor, cost.

Rank correlations are Spearman's, against the judge, over the points of one experiment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cdpbook import text
from cdpbook.overview import markdown
from cdpbook.runs import Run
from cdpbook.statistics.estimates import Interval
from cdpbook.statistics.trends import over_seeds
from cdplib.errors import InputError, unknown

#: Columns of the results table that measure P, as the text names them.
MEASURES = {
    "p_judge": "judge", "p_critic": "run's own critic",
    "sliced_w2": "sliced W2", "frechet": "Fréchet",
}  # fmt: skip
#: What :func:`.spoilt.measure` takes besides: too bad a measure to be a column.
EXACT = {"exact_w1": "exact W1, samples"}
_NONE = "No experiment has published rows yet: this table fills itself once there are some."


class Agreement(NamedTuple):
    """A rank correlation with its 95 % interval; nan where it is not defined."""

    value: float
    lower: float
    upper: float


def agreement(frame: pd.DataFrame, measure: str, draws: int = 400, seed: int = 0) -> Agreement:
    """Spearman's correlation of ``measure`` with ``p_judge`` over the points (means over seeds).

    The interval is a percentile bootstrap: each draw takes training seeds with replacement, and
    moves every value of the judge by a normal draw of its standard error (the other measures'
    columns carry none). With one seed only the latter is left, so that the interval shows how
    sure the *reading* is, not the training.

    Raises:
        InputError: ``measure`` is no measure of P, or not in the table.
    """
    if measure not in MEASURES:
        raise unknown("measure of perception", measure, MEASURES)
    if measure not in frame or "p_judge" not in frame:
        raise InputError(f"column {measure!r} or 'p_judge' is not in the results table")
    values, judged = (_by_seed(frame, name) for name in (measure, "p_judge"))
    error = _by_seed(frame, "p_judge_se") if "p_judge_se" in frame else np.zeros_like(judged)
    whole = np.isfinite(values).any(0) & np.isfinite(judged).any(0)
    if whole.sum() < 3:
        return Agreement(math.nan, math.nan, math.nan)
    values, judged, error = (a[:, whole] for a in (values, judged, np.nan_to_num(error)))
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = rng.integers(len(judged), size=len(judged))
        moved = judged + error * rng.standard_normal(judged.shape)
        # The measure and itself: one and the same reading, whatever its error.
        mine = moved if measure == "p_judge" else values
        found.append(_spearman(mine[drawn], moved[drawn]))
    finite = [r for r in found if math.isfinite(r)] or [math.nan]
    low, high = np.quantile(finite, [0.025, 0.975])
    return Agreement(_spearman(values, judged), float(low), float(high))


def _by_seed(frame: pd.DataFrame, column: str) -> np.ndarray:
    """``column`` as an array (seeds, points), nan where a seed misses a point."""
    weights = ["alpha", "beta", "gamma"]
    return frame.pivot(index="seed", columns=weights, values=column).to_numpy(float)


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Of the means over the first axis; nan if one is constant or a point has no value."""
    missing = np.isnan(a).all(0) | np.isnan(b).all(0)
    x, y = (np.nanmean(v[:, ~missing], axis=0) for v in (a, b))
    if len(x) < 3 or not (np.ptp(x) and np.ptp(y)):
        return math.nan
    return float(stats.spearmanr(x, y).statistic)


def seed_noise(frame: pd.DataFrame, measure: str) -> float:
    """Standard deviation over training seeds (root mean square over points) / range over points.

    nan with one seed, or without a range.
    """
    if frame["seed"].nunique() < 2:
        return math.nan
    points = over_seeds(frame)
    span = float(np.ptp(points[measure].dropna().to_numpy(float)))
    several = points.loc[points["seeds"] > 1, f"{measure}_bar"]
    return float(np.sqrt(np.mean(several**2)) / span) if span else math.nan


def counted(runs: Mapping[str, Run]) -> str:
    """How many published rows there are, of which experiments and presets."""
    if not runs:
        return _NONE
    parts = [
        f"{text.title(name)}: {len(run.table)} rows ({len(run.points())} pairs of weights, "
        f"{run.table['seed'].nunique()} seed(s), preset `{run.preset}`, {run.settings.restorer})"
        for name, run in runs.items()
    ]
    total = sum(len(run.table) for run in runs.values())
    return f"**{total} published rows.** " + "; ".join(parts) + "."


def order_table(runs: Mapping[str, Run]) -> str:
    """Rank correlation of each other measure with the judge, an experiment a row."""
    shown = [name for name in MEASURES if name != "p_judge"]
    rows = [
        (text.title(name), *(_correlation(agreement(run.table, m)) for m in shown))
        for name, run in runs.items()
    ]
    return _table(["order against the judge's", *(MEASURES[m] for m in shown)], rows)


def noise_table(runs: Mapping[str, Run]) -> str:
    """Seed sd over range (%), an experiment a row."""
    rows = []
    for name, run in runs.items():
        several = run.table["seed"].nunique() > 1
        noise = [f"{100 * seed_noise(run.table, m):.1f}" if several else "–" for m in MEASURES]
        rows.append((text.title(name), run.table["seed"].nunique(), *noise))
    return _table(["seed sd / range (%)", "seeds", *MEASURES.values()], rows)


def floor_table(runs: Mapping[str, Run]) -> str:
    """Least to greatest value over the points, and the floor, an experiment a row."""
    rows = []
    for name, run in runs.items():
        cells = []
        for m in MEASURES:
            values, least = run.points()[m], run.floor(m)
            under = "none" if least is None else f"{least:.2g}"
            cells.append(f"{values.min():.2g} to {values.max():.2g} (floor {under})")
        rows.append((text.title(name), *cells))
    return _table(["values over the points", *MEASURES.values()], rows)


def order_seen(runs: Mapping[str, Run]) -> str:
    """Where :func:`order_table` has its least entry, in a sentence; empty without any."""
    found = [
        (agreement(run.table, m, 0).value, m, name)
        for name, run in runs.items()
        for m in MEASURES
        if m != "p_judge"
    ]
    at = min((f for f in found if math.isfinite(f[0])), default=None)
    if at is None:
        return ""
    return f"The least agreement is {at[0]:.2f}: {MEASURES[at[1]]} in {text.title(at[2])}."


def noise_seen(runs: Mapping[str, Run]) -> str:
    """The noisiest entry of :func:`noise_table` and the judge's, in a sentence; empty if none."""
    found = [
        (100 * seed_noise(run.table, m), m, name) for name, run in runs.items() for m in MEASURES
    ]
    found = [f for f in found if math.isfinite(f[0])]
    if not found:
        return ""
    worst, judge = max(found), max(f for f in found if f[1] == "p_judge")
    return (
        f"The noisiest is {MEASURES[worst[1]]} in {text.title(worst[2])} with {worst[0]:.1f} %; "
        f"the judge has at most {judge[0]:.1f} %."
    )


def floor_seen(runs: Mapping[str, Run]) -> str:
    """Which measure comes nearest to its positive floor, in a sentence; empty without any."""
    found = [
        (float(run.points()[m].min()) / floor, m, name)
        for name, run in runs.items()
        for m in ("sliced_w2", "frechet")
        if (floor := run.floor(m))
    ]
    at = min((f for f in found if math.isfinite(f[0])), default=None)
    if at is None:
        return ""
    return (
        f"Nearest to its floor is {MEASURES[at[1]]} in {text.title(at[2])}: its least value is "
        f"{at[0]:.1f} times what real images give."
    )


class Fooled(NamedTuple):
    """A run and one of its points (a row of :func:`.trends.over_seeds`), with what to say of it."""

    run: Run
    point: pd.Series
    said: str


def fooled(runs: Iterable[Run]) -> Fooled | None:
    """The point of ``runs`` whose judge sees most that the run's own critic does not.

    That is the largest ``p_judge - p_critic``. Both are gaps of critics with gradient penalty, but
    their scales differ: read both values before believing it. None without published rows.
    """
    worst: Fooled | None = None
    for run in runs:
        points = run.points()
        excess = points["p_judge"] - points["p_critic"]
        at = points.loc[excess.idxmax()]
        if worst is None or excess.max() > worst.point["p_judge"] - worst.point["p_critic"]:
            worst = Fooled(run, at, _fooled(run, at, points))
    return worst


def _fooled(run: Run, at: pd.Series, points: pd.DataFrame) -> str:
    start = points[np.isclose(points["gamma"], at["gamma"])].sort_values("beta").iloc[0]
    where = f"{text.title(run.experiment)}, `{run.settings.restorer}`, β = {at['beta']:g}"
    where += f", γ = {at['gamma']:g}, {at['seeds']:.0f} seed(s)"
    return (
        f"{where}: its own critic's gap is {at['p_critic']:.2f} ± {at['p_critic_bar']:.2f}, the "
        f"judge's {at['p_judge']:.2f} ± {at['p_judge_bar']:.2f}, and {run.classifier} misreads "
        f"{100 * at['error_rate']:.1f} %. At β = {start['beta']:g} and the same γ the own critic "
        f"says {start['p_critic']:.2f}, the judge {start['p_judge']:.2f}, and "
        f"{100 * start['error_rate']:.1f} % are misread."
    )


def _table(head: list[str], rows: list[tuple[Any, ...]]) -> str:
    return markdown(head, rows) if rows else _NONE


def _correlation(found: Agreement) -> str:
    if not math.isfinite(found.value):
        return "–"
    return text.interval(Interval(found.value, found.lower, found.upper), 2)


def summary(runs: Mapping[str, Run], seconds: Mapping[str, float]) -> str:
    """One row a measure: seconds, worst rank correlation and seed noise over the experiments."""
    rows = []
    for name, title in {**MEASURES, **EXACT}.items():
        order, noise = "not published" if name != "p_judge" else "itself", "–"
        if name in MEASURES and runs:
            if name != "p_judge":
                found = (agreement(run.table, name, 0).value for run in runs.values())
                order = _extreme(found, min, ".2f")
            noise = _extreme((100 * seed_noise(r.table, name) for r in runs.values()), max, ".1f")
        rows.append((title, f"{seconds[name]:.2f}", order, noise))
    head = ["measure", "seconds", "least rank correlation with the judge", "seed sd / range (%)"]
    return markdown(head, rows)


def _extreme(values: Iterable[float], choose: Callable[[list[float]], float], form: str) -> str:
    finite = [v for v in values if math.isfinite(v)]
    return format(choose(finite), form) if finite else "–"
