"""What a results table says: means over seeds, the points of every seed, effects of the weights.

Every function takes the results table (one row per alpha, beta, gamma and seed) and answers with
numbers and their uncertainty; a verdict is read off from those.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cdpbook.statistics.estimates import LEVEL, Interval, student
from cdplib.errors import InputError

WEIGHTS = ("alpha", "beta", "gamma")


def over_seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per (alpha, beta, gamma): the mean of every numeric column over the seeds.

    ``<column>_bar`` is the half-length of the column's error bar: one standard deviation over the
    seeds where there are two or more, else the standard error on the test images that the table
    carries in ``<column>_se`` (0 if it has none). ``seeds`` counts the rows. Rows without a
    measured error rate (failed points) are left out; the result is sorted by the weights.
    """
    frame = frame[frame["error_rate"].notna()]
    if frame.empty:
        raise InputError("the results table holds no measured point")
    groups = frame.groupby(list(WEIGHTS), sort=True)
    columns = [
        name
        for name in frame.select_dtypes("number").columns
        if name not in {*WEIGHTS, "seed"} and not name.endswith("_se")
    ]
    result = groups[columns].mean()
    for name in columns:
        bar = groups[name].std(ddof=1)
        if f"{name}_se" in frame:
            bar = bar.fillna(groups[f"{name}_se"].mean())
        result[f"{name}_bar"] = bar.fillna(0.0)
    result["seeds"] = groups.size()
    return result.reset_index()


def in_every_seed(
    frame: pd.DataFrame, columns: Sequence[str], least: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """The triples of weights that every seed has, (n, 3), sorted, and the columns there.

    The second array is (seeds, n, columns). Raises :class:`InputError` for a column that is not
    measured, or fewer than ``least`` triples.
    """
    for name in columns:
        if name not in frame or frame[name].isna().all():
            raise InputError(f"column {name!r} is not in the results table")
    whole = frame.dropna(subset=list(columns)).drop_duplicates([*WEIGHTS, "seed"])
    seeds = whole["seed"].nunique()
    there = whole.groupby(list(WEIGHTS))["seed"].transform("size") == seeds
    whole = whole[there].sort_values(["seed", *WEIGHTS])
    n = len(whole) // seeds
    if n < least:
        raise InputError(f"{n} points in every seed: expected at least {least}")
    weights = whole[list(WEIGHTS)].to_numpy(float)[:n]
    return weights, whole[list(columns)].to_numpy(float).reshape(seeds, n, len(columns))


@dataclass(frozen=True)
class Effect:
    """The change of a column when a weight goes from its least to its greatest value."""

    weight: str
    column: str
    low: float
    high: float
    change: float
    lower: float
    upper: float
    seeds: int

    @property
    def direction(self) -> str:
        """``lowers`` or ``raises`` if the 95 % interval leaves out zero, else ``unclear``."""
        if self.upper < 0:
            return "lowers"
        return "raises" if self.lower > 0 else "unclear"

    @property
    def interval(self) -> Interval:
        """The change with the ends of its interval."""
        return Interval(self.change, self.lower, self.upper)


def effect(
    frame: pd.DataFrame, weight: str, column: str, held: dict[str, float] | None = None
) -> Effect:
    """The change of ``column`` from the least to the greatest ``weight``, others held.

    Averaged over the values of the other weight (or at ``held`` alone, e.g. ``{"beta": 0}``);
    each difference is taken within one seed. With two seeds or more the 95 % interval is
    Student's over the seeds' mean differences. With one seed it rests on the test images'
    standard errors, taken as independent between the two restorers and as fully dependent
    between rows of the grid; what another training would change is not in it.
    """
    if weight not in ("beta", "gamma"):
        raise InputError(f"weight {weight!r}: expected beta or gamma")
    if column not in frame:
        raise InputError(f"column {column!r} is not in the results table")
    error = f"{column}_se"
    needed = dict.fromkeys([*WEIGHTS, "seed", column, *([error] if error in frame else [])])
    frame = frame[list(needed)]
    there = frame[column].notna().to_numpy()
    for name, value in (held or {}).items():
        there = there & np.isclose(frame[name], value)
    frame = frame[there]
    low, high = (float(frame[weight].min()), float(frame[weight].max())) if len(frame) else (0, 0)
    each = changes(frame, weight, column)
    if low == high or each.empty:
        raise InputError(f"the effect of {weight} needs two values of it, the others equal")
    mean, lower, upper = student(each)
    if len(each) == 1 and error in frame:
        keys = [name for name in (*WEIGHTS, "seed") if name != weight]
        ends = [frame[frame[weight] == end].set_index(keys)[error] for end in (low, high)]
        per_row = np.hypot(*ends[0].align(ends[1], join="inner"))
        half = stats.norm.ppf(1 - LEVEL / 2) * float(per_row.mean())
        lower, upper = mean - half, mean + half
    return Effect(weight, column, low, high, mean, lower, upper, len(each))


def successive(
    frame: pd.DataFrame, weight: str, column: str, held: dict[str, float] | None = None
) -> list[Effect]:
    """:func:`effect` from each value of ``weight`` to the next larger one, where both compare."""
    found = []
    for pair in itertools.pairwise(sorted(frame[weight].unique())):
        with contextlib.suppress(InputError):  # in an unfinished table
            found.append(effect(frame[frame[weight].isin(pair)], weight, column, held))
    return found


def changes(frame: pd.DataFrame, weight: str, column: str) -> pd.Series:
    """The change of ``column`` from the least to the greatest ``weight`` within each seed.

    Of equal other weights, averaged; a seed without both ends is left out.
    """
    keys = ["seed", *(name for name in WEIGHTS if name != weight)]
    # By hand: pandas takes a hundred times as long to align so few rows, and pages ask thousands.
    rows = frame[[*keys, weight, column]].to_numpy(float)
    at = rows[:, -2]
    least, greatest = (
        {tuple(row[:-2]): row[-1] for row in rows[at == end]}
        for end in (at.min(initial=np.inf), at.max(initial=-np.inf))
    )
    each: dict[int, list[float]] = {}
    for key in sorted(least.keys() & greatest.keys()):
        if not np.isnan(change := greatest[key] - least[key]):
            each.setdefault(int(key[0]), []).append(change)
    means = {seed: float(np.mean(found)) for seed, found in each.items()}
    return pd.Series(means, name=column, dtype=float).rename_axis("seed")
