"""Estimates with their 95 % intervals: a mean over seeds or images, a paired difference, a rank
correlation. Whatever is compared between points, trainings or classifiers goes through these."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from cdplib.errors import InputError

LEVEL = 0.05


class Interval(NamedTuple):
    """An estimate and the two ends of its 95 % interval; it unpacks as those three."""

    value: float
    lower: float
    upper: float

    @property
    def known(self) -> bool:
        """Whether the interval is finite: one seed gives none."""
        return math.isfinite(self.lower) and math.isfinite(self.upper)

    @property
    def sign(self) -> int:
        """-1 or 1 where the interval is below or above zero, 0 where it holds zero."""
        return int(self.lower > 0) - int(self.upper < 0)


#: Where there is nothing to estimate from.
UNKNOWN = Interval(math.nan, math.nan, math.nan)


def student(values: Iterable[float]) -> Interval:
    """The mean of one value a seed with Student's interval, which is infinite for one seed."""
    each = np.array(list(values), dtype=float)
    half = math.inf
    if len(each) > 1:
        quantile = stats.t.ppf(1 - LEVEL / 2, len(each) - 1)
        half = float(quantile * each.std(ddof=1) / np.sqrt(len(each)))
    mean = float(each.mean())
    return Interval(mean, mean - half, mean + half)


def over_images(values: np.ndarray) -> Interval:
    """The mean of one value an image (n,) with its normal interval: sampling of images alone."""
    half = float(stats.norm.ppf(1 - LEVEL / 2) * values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values.mean())
    return Interval(mean, mean - half, mean + half)


def with_images(values: Iterable[float], se: float) -> Interval:
    """The mean of one value a seed, with an interval for new seeds *and* images.

    Closed form: Student's half-width over seeds and the normal one of ``se``, the standard error
    over images, added as independent. One seed alone says nothing of others: its interval is over
    images.
    """
    value, _, upper = student(values)
    seeds = upper - value if math.isfinite(upper) else 0.0
    half = math.hypot(seeds, float(stats.norm.ppf(1 - LEVEL / 2)) * se)
    return Interval(value, value - half, value + half)


def apart(one: Interval, other: Interval) -> Interval:
    """``one`` less ``other``, as if the two were independent: too wide where images are shared."""
    value = one.value - other.value
    half = math.hypot(one.upper - one.value, other.upper - other.value)
    return Interval(value, value - half, value + half)


def image_by_image(each: np.ndarray) -> Interval:
    """:func:`with_images` of what is known image by image, (seeds, images): the images' share is
    that of each image's mean over the seeds."""
    over = each.mean(axis=0)
    return with_images(each.mean(axis=1), float(over.std(ddof=1) / np.sqrt(len(over))))


def by_seed(one: pd.Series, other: pd.Series) -> pd.Series:
    """``other - one`` where both have the same index entries, averaged within each seed.

    Both are indexed by levels of equal names, ``seed`` among them; what only one of them has is
    left out.
    """
    return (other - one).dropna().groupby(level="seed").mean()


def paired(one: pd.Series, other: pd.Series) -> Interval:
    """:func:`by_seed`'s mean, with Student's interval over the seeds.

    Raises :class:`InputError` where the two have no index entry in common.
    """
    each = by_seed(one, other)
    if each.empty:
        raise InputError("no weights and seeds in common")
    return student(each)


def correlation(frame: pd.DataFrame, one: str, other: str) -> Interval:
    """Spearman's correlation of two columns over the points: mean over seeds, Student's interval.

    The interval is of the seeds' own correlations, cut to [-1, 1]. Raises :class:`InputError`
    where a column is missing, or constant in a seed.
    """
    if one not in frame or other not in frame:
        raise InputError(f"columns {one!r}, {other!r}: not both in the results table")
    groups = frame.groupby("seed")
    if (groups[[one, other]].nunique() < 2).any(axis=None):
        raise InputError(f"columns {one!r}, {other!r}: one of them is constant")
    value, low, high = student(
        float(stats.spearmanr(rows[one], rows[other]).statistic) for _, rows in groups
    )
    return Interval(value, max(low, -1.0), min(high, 1.0))


def noise(values: np.ndarray) -> np.ndarray:
    """The noise of training in ``values`` (seeds, n, ...): its standard deviation, (...).

    What neither the point nor the seed explains: a seed that moves all its points alike changes no
    comparison between them. At least two seeds and two points.
    """
    seeds, n = values.shape[:2]
    level = values.mean(axis=1, keepdims=True) - values.mean(axis=(0, 1))
    rest = values - values.mean(axis=0) - level
    return np.asarray(np.sqrt((rest**2).sum(axis=(0, 1)) / ((seeds - 1) * (n - 1))))
