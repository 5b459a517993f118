"""The paper's statements that compare two experiments: other classifiers, the same digits."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pandas as pd

from cdpbook import claims, text
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE, Claim
from cdpbook.runs import PREFERRED, Run, matched_runs
from cdpbook.statistics.estimates import Interval, correlation, student
from cdplib.errors import InputError

OURS = "ours, as for Exp-1"
LEVELS = "the error rates of different classifiers differ much in number"
SIMILAR = "the trends of the trade-off are similar for different classifiers"
#: Pairs of experiments with the place of the statement about them.
PAIRS = {("exp1", "exp2"): "Section 4", ("exp3", "exp2"): OURS}
_SCHEDULE = ("steps", "pretrain_steps", "critic")


def ours(claim: Claim) -> bool:
    """Whether the paper does not make the statement about this pair."""
    return OURS in claim.statement


def common(one: Run, other: Run) -> pd.DataFrame:
    """Rows of both runs with equal weights and seed; columns with suffixes ``_1`` and ``_2``.

    Raises :class:`InputError` if the two were not trained alike: another preset, restorer,
    number of steps or kind of critic; or if they have no weights and seed in common.
    """
    for what, mine, others in (
        ("preset", one.preset, other.preset),
        ("restorer", one.settings.restorer, other.settings.restorer),
        *((name, *(sorted(set(run.table.get(name, ()))) for run in (one, other)))
          for name in _SCHEDULE),
    ):  # fmt: skip
        if mine != others:
            raise InputError(f"{what} differs: {mine} and {others}")
    both = one.table.merge(
        other.table, on=["alpha", "beta", "gamma", "seed"], suffixes=("_1", "_2")
    )
    if both.empty:
        raise InputError("no weights in common")
    return both


def gap(both: pd.DataFrame) -> tuple[Interval, float]:
    """The difference of the error rates of :func:`common` rows, first less second, over seeds.

    And its yardstick: the greater of the two ranges that the weights give either error rate.
    """
    each = (both["error_rate_1"] - both["error_rate_2"]).groupby(both["seed"]).mean()
    points = both.groupby(["alpha", "beta", "gamma"])[["error_rate_1", "error_rate_2"]].mean()
    return student(each), float((points.max() - points.min()).max())


def trend(both: pd.DataFrame, column: str) -> Interval:
    """How alike gamma moves ``column`` in both: :func:`.estimates.correlation`.

    Rows of the least gamma are left out, where experiments share their restorers; each beta's mean
    over gamma is taken off, or beta, which no classifier enters, would make the trends alike.
    Raises :class:`InputError` if fewer than 4 pairs of weights are left, or the column is constant.
    """
    above = both[both["gamma"] > both["gamma"].min()]
    names = [f"{column}_1", f"{column}_2"]
    if above["gamma"].nunique() < 2 or len(above[["beta", "gamma"]].drop_duplicates()) < 4:
        raise InputError("fewer than 4 pairs of weights in common")
    moved = above[names] - above.groupby(["seed", "alpha", "beta"])[names].transform("mean")
    moved = moved.round(12)  # what rounding leaves of equal values is no order
    return correlation(moved.assign(seed=above["seed"]), *names)


def between(
    preferred: Iterable[tuple[str, str]] = PREFERRED, perception: str = "p_judge"
) -> list[Claim]:
    """The statements that compare classifiers: Exp-1 with Exp-2, and, ours, Exp-3 with Exp-2.

    Each pair is compared under the first of the ``preferred`` (preset, restorer) that both have
    (:func:`.runs.matched_runs`). *Differ much*: partly if the interval of the gap leaves out zero,
    reproduced if the gap is also beyond what the weights do to either error rate. *Similar*: by the
    sign of the correlation (:func:`trend`), the weakest of C, D and P. Numbers are B1, B2, ...
    """
    preferred, found = tuple(preferred), list[Claim]()
    for pair, where in PAIRS.items():
        runs = matched_runs(pair, preferred)
        place = f"({where}: {', '.join(map(text.title, pair))})"
        for statement, test in ((LEVELS, _levels), (SIMILAR, _trends)):
            name = f"B{len(found) + 1}: {statement} {place}"
            if not runs:
                found.append(Claim(name, "not published alike", UNTESTABLE))
                continue
            run = partial(test, runs[pair[0]], runs[pair[1]], perception)
            found += claims.tested(runs[pair[0]].table, [(name, run)])
    return found


def _levels(one: Run, other: Run, _: str) -> tuple[str, str]:
    """What the gap of the error rates is; *much*, if it is beyond what the weights do."""
    both = common(one, other)
    found, reach = gap(both)
    verdict = UNDECIDED if not found.sign else REPRODUCED if abs(found.value) > reach else PARTLY
    shown = text.interval(found, 1, factor=100, unit="points", sign=True)
    return (
        f"C of {one.classifier} less that of {other.classifier}: {shown} "
        f"({text.count(both['seed'].nunique(), 'seed')}); the weights move either C by at most "
        f"{100 * reach:.1f} (preset `{one.preset}`)"
    ), verdict


def _trends(one: Run, other: Run, perception: str) -> tuple[str, str]:
    """How alike gamma moves C, D and P, and the weakest verdict of the three."""
    both = common(one, other)
    parts, verdicts = list[str](), list[str]()
    for letter, column in (("C", "error_rate"), ("D", "mse"), ("P", perception)):
        try:
            found = trend(both, column)
        except InputError as error:
            parts.append(f"{letter}: {error}")
            continue
        parts.append(f"{letter}: ρ = {text.interval(found, 2)}")
        verdicts.append(claims.OF_SIGN[found.sign])
    weakest = min(verdicts, key=(NOT, UNDECIDED, REPRODUCED).index) if verdicts else UNTESTABLE
    return f"{'; '.join(parts)} (preset `{one.preset}`)", weakest
