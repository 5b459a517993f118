"""The paper's statements that compare two experiments: other classifiers, the same digits."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE
from cdpbook.overview import markdown
from cdpbook.runs import PREFERRED, Run, matched_runs
from cdpbook.statistics.estimates import student
from cdpbook.text import signed, title
from cdplib.errors import InputError

OURS = "ours, as for Exp-1"
LEVELS = "the error rates of different classifiers differ much in number"
SIMILAR = "the trends of the trade-off are similar for different classifiers"
#: Pairs of experiments with the place of the statement about them.
PAIRS = {("exp1", "exp2"): "Section 4", ("exp3", "exp2"): OURS}
_SCHEDULE = ("steps", "pretrain_steps", "critic")


@dataclass(frozen=True)
class Comparison:
    """A statement about two experiments together: what was found, and the verdict."""

    number: str
    text: str
    where: str
    pair: tuple[str, str]
    found: str
    verdict: str

    @property
    def ours(self) -> bool:
        """Whether the paper does not make the statement about this pair."""
        return self.where == OURS


def common(one: Run, other: Run) -> pd.DataFrame:
    """Rows of both runs with equal weights and seed; columns with suffixes ``_1`` and ``_2``.

    Raises :class:`InputError` if the two were not trained alike: another preset, restorer,
    number of steps or kind of critic; or if they have no weights and seed in common.
    """
    for what, values in {
        "preset": (one.preset, other.preset),
        "restorer": (one.settings.restorer, other.settings.restorer),
        **{name: (_values(one, name), _values(other, name)) for name in _SCHEDULE},
    }.items():
        if values[0] != values[1]:
            raise InputError(f"{what} differs: {values[0]} and {values[1]}")
    keys = ["alpha", "beta", "gamma", "seed"]
    both = one.table.merge(other.table, on=keys, suffixes=("_1", "_2"))
    if both.empty:
        raise InputError("no weights in common")
    return both


def _values(run: Run, name: str) -> list[object]:
    return sorted(run.table[name].unique()) if name in run.table else []


@dataclass(frozen=True)
class Gap:
    """An error rate less another's at equal weights: mean, interval over seeds (infinite with one),
    and the greater of the two ranges that the weights give either error rate."""

    value: float
    lower: float
    upper: float
    reach: float

    @property
    def verdict(self) -> str:
        """Clear if the interval leaves out zero, and *much* beyond the reach of the weights."""
        if not (self.lower > 0 or self.upper < 0):
            return UNDECIDED
        return REPRODUCED if abs(self.value) > self.reach else PARTLY


def gap(both: pd.DataFrame) -> Gap:
    """The difference of the error rates of :func:`common` rows, first less second."""
    each = (both["error_rate_1"] - both["error_rate_2"]).groupby(both["seed"]).mean()
    points = both.groupby(["alpha", "beta", "gamma"])[["error_rate_1", "error_rate_2"]].mean()
    return Gap(*student(each), float((points.max() - points.min()).max()))


def trend(both: pd.DataFrame, column: str) -> tuple[float, float, float]:
    """How alike gamma moves ``column`` in both: the mean over seeds of Spearman's correlation.

    With Student's 95 % interval over the seeds' own, cut to [-1, 1]. Rows of
    the least gamma are left out, where experiments share their restorers; each beta's mean over
    gamma is taken off, or beta, which no classifier enters, would make the trends alike by itself.
    Raises :class:`InputError` if fewer than 4 pairs of weights are left, or the column is constant.
    """
    above = both[both["gamma"] > both["gamma"].min()]
    names = [f"{column}_1", f"{column}_2"]
    if above["gamma"].nunique() < 2 or len(above[["beta", "gamma"]].drop_duplicates()) < 4:
        raise InputError("fewer than 4 pairs of weights in common")
    moved = above[names] - above.groupby(["seed", "alpha", "beta"])[names].transform("mean")
    moved = moved.round(12)  # what rounding leaves of equal values is no order
    if (moved.groupby(above["seed"]).nunique() < 2).any(axis=None):
        raise InputError("constant")
    each = [
        stats.spearmanr(part.iloc[:, 0], part.iloc[:, 1]).statistic
        for _, part in moved.groupby(above["seed"])
    ]
    value, *ends = student(each)
    low, high = np.clip(ends, -1, 1)
    return value, float(low), float(high)


def comparisons(
    preferred: Iterable[tuple[str, str]] = PREFERRED, perception: str = "p_judge"
) -> list[Comparison]:
    """The statements that compare classifiers: Exp-1 with Exp-2, and, ours, Exp-3 with Exp-2.

    Each pair is compared under the first of the ``preferred`` (preset, restorer) that both have
    (:func:`.chapter.matched_runs`). *Differ much in number*: reproduced if the 95 % interval of
    the gap over seeds leaves out zero and the gap exceeds the range that the weights give either
    error rate, partly if it is clear but smaller. *Similar trends*: reproduced if the interval of
    the correlation (:func:`trend`) is above zero, not reproduced if below; the weakest of C, D and
    P counts. Both undecided where the interval holds zero, or one seed gives none. Numbers are B1,
    B2, ... (between experiments), beside the E of :mod:`.verdicts`.
    """
    preferred, found = tuple(preferred), list[Comparison]()
    for number, (pair, where) in enumerate(PAIRS.items(), start=1):
        runs = matched_runs(pair, preferred)
        for key, text, judged in (
            (f"B{2 * number - 1}", LEVELS, _levels),
            (f"B{2 * number}", SIMILAR, _trends),
        ):
            said, verdict = "not published alike", UNTESTABLE
            if runs:
                try:
                    said, verdict = judged(runs[pair[0]], runs[pair[1]], perception)
                except InputError as error:
                    said = str(error)
            found.append(Comparison(key, text, where, pair, said, verdict))
    return found


def _levels(one: Run, other: Run, _: str) -> tuple[str, str]:
    """What the gap of the error rates is, and its verdict."""
    both = common(one, other)
    found = gap(both)
    seeds = both["seed"].nunique()
    ends = "[interval unknown]"
    if math.isfinite(found.lower):
        ends = f"[{signed(100 * found.lower, 1)}, {signed(100 * found.upper, 1)}]"
    return (
        f"C of {one.classifier} less that of {other.classifier}: {signed(100 * found.value, 1)} "
        f"points {ends} ({_seeds(seeds)}); the weights move either C by at most "
        f"{100 * found.reach:.1f} (preset `{one.preset}`)"
    ), found.verdict


def _trends(one: Run, other: Run, perception: str) -> tuple[str, str]:
    """How alike gamma moves C, D and P, and the weakest verdict of the three."""
    both = common(one, other)
    parts: list[str] = []
    verdicts: list[str] = []
    for letter, column in (("C", "error_rate"), ("D", "mse"), ("P", perception)):
        try:
            value, low, high = trend(both, column)
        except InputError as error:
            parts.append(f"{letter}: {error}")
            continue
        numbers = [signed(x, 2).removeprefix("+") for x in (value, low, high)]
        parts.append("{}: ρ = {} [{}, {}]".format(letter, *numbers))
        verdicts.append(REPRODUCED if low > 0 else NOT if high < 0 else UNDECIDED)
    weakest = min(verdicts, key=(NOT, UNDECIDED, REPRODUCED).index) if verdicts else UNTESTABLE
    return f"{'; '.join(parts)} (preset `{one.preset}`)", weakest


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def table(found: list[Comparison]) -> str:
    """The comparisons of experiments as a Markdown table."""
    rows = [
        (
            c.number,
            c.text,
            c.where,
            f"**{c.verdict}**",
            " / ".join(title(name) for name in c.pair),
            c.found,
        )
        for c in found
    ]
    head = ["", "statement", "where", "verdict", "experiments", "measured (95 % interval)"]
    return markdown(head, rows)
