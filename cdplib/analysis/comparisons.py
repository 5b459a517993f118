"""The paper's statements that compare two experiments: other classifiers, the same digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from scipy import stats

from cdplib.analysis.chapter import Run
from cdplib.analysis.claims import NOT, PARTLY, REPRODUCED, UNTESTABLE
from cdplib.analysis.overview import markdown
from cdplib.errors import InputError


@dataclass(frozen=True)
class Comparison:
    """A statement about two experiments together: what was found, and the verdict."""

    number: str
    text: str
    where: str
    pair: tuple[str, str]
    found: str
    verdict: str


def common(one: Run, other: Run) -> pd.DataFrame:
    """Rows of both runs with equal weights and seed; columns with suffixes ``_1`` and ``_2``."""
    keys = ["alpha", "beta", "gamma", "seed"]
    return one.table.merge(other.table, on=keys, suffixes=("_1", "_2"))


def trend_correlation(one: Run, other: Run, column: str) -> tuple[float, float, float]:
    """Spearman's correlation of ``column`` at equal weights between two experiments.

    With its 95 % interval: Student's over the seeds' own correlations (nan with one seed).
    Raises :class:`InputError` if they have fewer than 4 pairs of weights in common.
    """
    both = common(one, other)
    if both[["beta", "gamma"]].drop_duplicates().shape[0] < 4:
        raise InputError("fewer than 4 pairs of weights in common")
    each = both.groupby("seed")[[f"{column}_1", f"{column}_2"]].apply(
        lambda part: stats.spearmanr(part.iloc[:, 0], part.iloc[:, 1]).statistic
    )
    points = both.groupby(["alpha", "beta", "gamma"])[[f"{column}_1", f"{column}_2"]].mean()
    value = float(stats.spearmanr(points.iloc[:, 0], points.iloc[:, 1]).statistic)
    if len(each) < 2:
        return value, math.nan, math.nan
    half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / math.sqrt(len(each))
    return value, float(each.mean() - half), min(1.0, float(each.mean() + half))


def comparisons(runs: Mapping[str, Run], perception: str = "p_judge") -> list[Comparison]:
    """The paper's statements that compare classifiers: Exp-1 with Exp-2, and Exp-3 with Exp-2."""
    found: list[Comparison] = []
    for number, first in enumerate(("exp1", "exp3"), start=1):
        pair = (first, "exp2")
        levels, similar = f"E{10 + 2 * number}", f"E{11 + 2 * number}"
        texts = (
            (levels, "the error rates of different classifiers differ much in number"),
            (similar, "the trends of the trade-off are similar for different classifiers"),
        )
        if not set(pair) <= set(runs):
            for key, text in texts:
                found.append(Comparison(key, text, "Section 4", pair, "not published", UNTESTABLE))
            continue
        one, other = runs[first], runs["exp2"]
        both = common(one, other)
        if both.empty:
            for key, text in texts:
                found.append(
                    Comparison(key, text, "Section 4", pair, "no weights in common", UNTESTABLE)
                )
            continue
        gap = both["error_rate_1"] - both["error_rate_2"]
        seeds = gap.groupby(both["seed"]).mean()
        said = (
            f"C of {one.classifier} less that of {other.classifier}: "
            f"{100 * gap.mean():+.1f} points on average, {100 * gap.min():+.1f} to "
            f"{100 * gap.max():+.1f} over points ({len(seeds)} seeds)"
        )
        error = float(both["error_rate_se_1"].mean())
        verdict = REPRODUCED if abs(gap.mean()) > 1.96 * error else NOT
        found.append(Comparison(*texts[0], "Section 4", pair, said, verdict))
        parts, verdicts = [], []
        for letter, column in (("C", "error_rate"), ("D", "mse"), ("P", perception)):
            try:
                value, low, high = trend_correlation(one, other, column)
            except InputError as error_:
                parts.append(str(error_))
                continue
            parts.append(f"{letter}: ρ = {value:.2f} [{low:.2f}, {high:.2f}]")
            if math.isnan(low):
                verdicts.append(PARTLY if value > 0 else NOT)
            else:
                verdicts.append(REPRODUCED if low > 0 else PARTLY if value > 0 else NOT)
        whole = UNTESTABLE if not verdicts else min(verdicts, key=(NOT, PARTLY, REPRODUCED).index)
        found.append(Comparison(*texts[1], "Section 4", pair, "; ".join(parts), whole))
    return found


def table(found: list[Comparison]) -> str:
    """The comparisons of experiments as a Markdown table."""
    rows = [
        (
            c.number,
            c.text,
            " / ".join(name.replace("exp", "Exp-") for name in c.pair),
            c.found,
            f"**{c.verdict}**",
        )
        for c in found
    ]
    return markdown(["", "statement", "experiments", "measured (95 % interval)", "verdict"], rows)
