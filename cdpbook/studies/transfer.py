"""Who gains when restorers are trained against one classifier: its own gain and other classifiers'.

A *gain* is a fall of an error rate, in [0, 1], as a weight goes from its least to its greatest
value; the part of it that another classifier shares is a ratio with Fieller's interval.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy import stats

from cdpbook import claims
from cdpbook.runs import PREFERRED, Run
from cdpbook.statistics import trends
from cdpbook.statistics.estimates import UNKNOWN, Interval
from cdpbook.statistics.trends import Effect
from cdplib.errors import InputError

Key = TypeVar("Key")
Value = TypeVar("Value")
OWN = "error_rate"
#: Mean error rate of the classifiers that took no part: a column that :func:`with_mean` adds.
MEAN = "independent_error"
SHARED, IN_PART, NOT_SHARED = "shared", "partly shared", "not shared"
GAMED, UNCLEAR, NO_GAIN = "gamed", "unclear", "no clear gain"
#: More than this part of the own gain must surely reach another classifier to be called shared.
HALF = 0.5
#: Presets and restorers by the chapter's parameter ``source``, the first published one counts.
SOURCES = {
    "preferred": PREFERRED,
    "quick": (("quick", "fast"),),
    "full": tuple(pair for pair in PREFERRED if pair[0] == "full"),
}


def independent(run: Run) -> tuple[str, ...]:
    """The measured classifiers that took no part in training: least like the predefined first."""
    return run.shown_others(most=len(claims.NAMES))


def with_mean(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """``table`` with :data:`MEAN`, the mean error rate of ``names``, and its standard error: the
    mean of theirs, for they read the same images. Raises :class:`InputError` if there are none."""
    if not names:
        raise InputError("no classifier that took no part in training was measured")
    columns = [f"error_rate_{name}" for name in names]
    table = table.assign(**{MEAN: table[columns].mean(axis=1, skipna=False)})
    errors = [f"{name}_se" for name in columns]
    if set(errors) <= set(table.columns):
        table[f"{MEAN}_se"] = table[errors].mean(axis=1)
    return table


@dataclass(frozen=True)
class Transfer:
    """Gamma's effect on the predefined classifier (``own``) and on others (``other``).

    ``part`` of the own gain arrives at the others: other's change over own with its 95 % interval,
    nan where the own error does not clearly fall.
    """

    own: Effect
    other: Effect
    part: Interval

    @property
    def verdict(self) -> str:
        """``gamed`` if the other's error clearly rises, ``shared`` if clearly more than half of
        the gain arrives, ``partly shared`` if clearly some, ``not shared`` if it may be none and
        clearly is not half, else ``unclear``; ``no clear gain`` where there is none to share."""
        if math.isnan(self.part.value):
            return NO_GAIN
        if self.part.sign:
            enough = self.part.lower > HALF
            return GAMED if self.part.sign < 0 else SHARED if enough else IN_PART
        return NOT_SHARED if self.part.upper < HALF else UNCLEAR

    @property
    def gaming(self) -> Interval:
        """The part of the own gain that does not arrive, with its interval."""
        return Interval(*(1 - self.part[k] for k in (0, 2, 1)))


def fieller(
    own: float, other: float, variances: tuple[float, float], covariance: float, quantile: float
) -> Interval:
    """The ratio other / own of two estimates with Fieller's interval, and nan where it has none.

    The interval holds every r for which other - r own is within ``quantile`` of its standard
    errors of zero, so it leaves out zero exactly when other's own interval does. It is bounded
    only if ``own`` itself is clearly not zero (Fieller 1954, J. R. Stat. Soc. B 16).
    """
    bound = quantile**2
    lead = own**2 - bound * variances[0]
    if lead <= 0:
        return UNKNOWN
    middle = own * other - bound * covariance
    root = math.sqrt(max(middle**2 - lead * (other**2 - bound * variances[1]), 0.0))
    return Interval(other / own, float((middle - root) / lead), float((middle + root) / lead))


def transfer(table: pd.DataFrame, name: str) -> Transfer:
    """How much of gamma's gain column ``name`` shares, averaged over beta.

    With two seeds or more, variances and covariance are those of the seeds' own changes. With one
    they rest on the test images' standard errors (:func:`.trends.effect`), without covariance: both
    errors are counted on the same images, so a positive ratio is known better than is said.

    Raises :class:`InputError` where a column or one end of gamma is missing.
    """
    if name not in table:
        raise InputError(f"column {name!r} is not in the results table")
    table = table[table[[OWN, name]].notna().all(axis=1)]
    own, other = (trends.effect(table, "gamma", c) for c in (OWN, name))
    if own.change >= 0:
        return Transfer(own, other, UNKNOWN)
    covariance, quantile = 0.0, float(stats.norm.ppf(0.975))
    if own.seeds > 1:
        changes = [trends.changes(table, "gamma", c).to_numpy() for c in (OWN, name)]
        covariance = float(np.cov(*changes)[0, 1]) / own.seeds
        quantile = float(stats.t.ppf(0.975, own.seeds - 1))
    variances = [((e.upper - e.change) / quantile) ** 2 for e in (own, other)]
    part = fieller(own.change, other.change, (variances[0], variances[1]), covariance, quantile)
    return Transfer(own, other, part)


def measured(calls: Iterable[tuple[Key, Callable[[], Value]]]) -> dict[Key, Value]:
    """What each call gives, without those whose points are (still) missing."""
    found = {}
    for key, call in calls:
        with contextlib.suppress(InputError):
            found[key] = call()
    return found


def gains(runs: Mapping[str, Run]) -> dict[str, dict[str, Transfer]]:
    """Gamma's gain and each independent classifier's part of it, by experiment and classifier.

    Here and below, what an unfinished table cannot show is left out.
    """
    return {
        experiment: measured(
            (name, partial(transfer, run.table, f"error_rate_{name}")) for name in independent(run)
        )
        for experiment, run in runs.items()
    }


def _means(runs: Mapping[str, Run]) -> dict[str, pd.DataFrame]:
    """The tables of experiments that have independent classifiers, with their mean."""
    names = {experiment: independent(run) for experiment, run in runs.items()}
    return {e: with_mean(runs[e].table, each) for e, each in names.items() if each}


def mean_gains(runs: Mapping[str, Run]) -> dict[str, Transfer]:
    """The same for the mean of an experiment's independent classifiers, averaged over beta."""
    return measured((e, partial(transfer, table, MEAN)) for e, table in _means(runs).items())


def effects(runs: Mapping[str, Run], weight: str) -> dict[str, dict[str, Effect]]:
    """The effect of ``weight`` on the predefined and each independent classifier, by experiment.

    Gamma's is averaged over beta; beta's is taken at the least gamma, where no classifier takes
    part. The predefined one comes first.
    """
    found: dict[str, dict[str, Effect]] = {}
    for experiment, run in runs.items():
        at = {"gamma": values(run.table, "gamma")[0]} if weight == "beta" else None
        columns = {run.settings.classifier: OWN, **{n: f"error_rate_{n}" for n in independent(run)}}
        lines = measured(
            (n, partial(trends.effect, run.table, weight, c, at)) for n, c in columns.items()
        )
        if run.settings.classifier in lines:
            found[experiment] = lines
    return found


#: What :func:`beta_effects` asks: a column of error rates, at the least or the greatest gamma.
ASKED = {
    "predefined, γ least": (OWN, 0),
    "independent, γ least": (MEAN, 0),
    "independent, γ greatest": (MEAN, -1),
}


def beta_effects(runs: Mapping[str, Run]) -> dict[tuple[str, float], dict[str, Effect]]:
    """The effects of every beta above the least, by (experiment, beta) and :data:`ASKED`.

    At the least gamma (zero in every published grid) no classifier takes part in training.
    """

    def effects(table: pd.DataFrame, beta: float) -> dict[str, Effect]:
        rows = table[table["beta"].isin([table["beta"].min(), beta])]
        gammas = values(rows, "gamma")
        asked = {k: (name, {"gamma": gammas[end]}) for k, (name, end) in ASKED.items()}
        return {k: trends.effect(rows, "beta", name, held) for k, (name, held) in asked.items()}

    return measured(
        ((experiment, beta), partial(effects, table, beta))
        for experiment, table in _means(runs).items()
        for beta in values(table, "beta")[1:]
    )


def values(table: pd.DataFrame, weight: str) -> list[float]:
    """The sorted different values of a weight."""
    return sorted(float(value) for value in table[weight].unique())
