"""Restorers trained against an ensemble of classifiers, beside those against one, and against none.

The published rows of the ablation ``against=ensemble`` are paired with the main table's.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cdpbook import runs, text
from cdpbook.claims import NAMES
from cdpbook.runs import Run
from cdpbook.statistics import trends
from cdpbook.statistics.trends import Effect
from cdpbook.studies import transfer
from cdpbook.studies.transfer import MEAN, OWN
from cdplib.errors import DataError, InputError
from cdplib.experiments import classifiers, results

VARIANT = "against=ensemble"
#: What must be equal for two points to differ by their weights alone.
SCHEDULE = ("steps", "pretrain_steps")


@dataclass(frozen=True)
class Ensemble:
    """Restorers trained against several classifiers, beside those against one, at one gamma.

    ``lines``: by measured column its ``name``, ``role`` (predefined, member, independent or empty),
    and the effects of three trainings: from no cross entropy (the least gamma) to that of ``one``
    classifier, to that of the ``ensemble``, and from the one to the ensemble (``change``).
    """

    experiment: str
    preset: str
    members: tuple[str, ...]
    gamma: float
    betas: tuple[float, ...]
    seeds: int
    lines: pd.DataFrame


def groups(found: Mapping[str, Ensemble]) -> dict[str, dict[str, Effect]]:
    """Changes of error rates from γ = 0 by both trainings, for the forest plot."""
    shown: dict[str, dict[str, Effect]] = {}
    for experiment, one in found.items():
        lines = one.lines[one.lines["role"] != ""].set_index("name")
        for kind, title in (("one", "one"), ("ensemble", "the ensemble")):
            shown[f"{text.title(experiment)}, against {title}"] = dict(lines[kind])
    return shown


def table(one: Ensemble) -> pd.DataFrame:
    """What each training changes, by column."""
    kinds = {"one − none": "one", "ensemble − none": "ensemble", "ensemble − one": "change"}
    rows = {
        head: [text.quantity(column).change(e.interval) for column, e in one.lines[kind].items()]
        for head, kind in kinds.items()
    }
    return pd.DataFrame({"": list(one.lines["name"]), **rows})


def _paired(before: pd.DataFrame, after: pd.DataFrame, name: str) -> Effect:
    """:func:`.trends.effect` between rows of equal beta and seed, of training in gamma's place."""
    both = pd.concat([before.assign(gamma=0.0), after.assign(gamma=1.0)])
    return trends.effect(both, "gamma", name)


def _shown(
    run: Run, members: Sequence[str], apart: list[str], perception: str
) -> list[tuple[str, str, str]]:
    """What is compared: columns, as the text writes them, and roles."""
    others = [n for n in members if n != run.settings.classifier and f"error_rate_{n}" in run.table]
    return [
        (OWN, run.classifier, "predefined"),
        *((f"error_rate_{n}", f"{NAMES[n]} (member)", "member") for n in others),
        *((f"error_rate_{n}", NAMES[n], "independent") for n in apart),
        *([(MEAN, "mean of the independent", "independent")] if apart else []),
        ("mse", "D (`mse`)", ""),
        (perception, f"P (`{perception}`)", ""),
    ]


def compare(run: Run, rows: pd.DataFrame, perception: str = "p_judge") -> Ensemble | None:
    """``rows`` (trained against an ensemble) beside ``run``'s of equal beta, gamma and seed.

    Only pairs with equal :data:`SCHEDULE` count; of several gammas the greatest. None
    where no pair is left, or no lesser gamma to compare both with. Raises :class:`InputError`
    where beta and seed of those do not agree.
    """
    schedule = [name for name in SCHEDULE if name in rows and name in run.table]
    rows = rows.merge(run.table[[*trends.WEIGHTS, "seed", *schedule]])
    if rows.empty:
        return None
    gamma = float(rows["gamma"].max())
    rows = rows[rows["gamma"] == gamma]
    base = run.table.merge(rows[["beta", "seed"]])
    if base["gamma"].min() == gamma:
        return None
    members = (run.settings.classifier, *classifiers.ensemble(run.settings.dataset))
    members = tuple(dict.fromkeys(members))
    apart = [name for name in transfer.independent(run) if name not in members]
    if apart:
        base, rows = transfer.with_mean(base, apart), transfer.with_mean(rows, apart)
    shown = _shown(run, members, apart, perception)
    plain, one = base[base["gamma"] == base["gamma"].min()], base[base["gamma"] == gamma]
    lines = pd.DataFrame(
        (
            (name, role, _paired(plain, one, c), _paired(plain, rows, c), _paired(one, rows, c))
            for c, name, role in shown
        ),
        columns=["name", "role", "one", "ensemble", "change"],
        index=[c for c, *_ in shown],
    )
    betas, seeds = tuple(transfer.values(rows, "beta")), rows["seed"].nunique()
    return Ensemble(run.experiment, run.preset, members, gamma, betas, seeds, lines)


def published(source: str = "preferred", perception: str = "p_judge") -> dict[str, Ensemble]:
    """Every published comparison of an ensemble with one classifier, by experiment."""
    found: dict[str, Ensemble] = {}
    for experiment, pair in itertools.product(runs.EXPERIMENTS, transfer.SOURCES[source]):
        run = None if experiment in found else runs.published_run(experiment, (pair,))
        if run is not None:
            with contextlib.suppress(DataError, InputError):  # nothing there (yet) to compare
                preset, restorer = pair
                rows = results.load(experiment, preset=preset, restorer=restorer, variant=VARIANT)
                rows = runs.with_errors(rows, run.settings.test_images)
                if (compared := compare(run, rows, perception)) is not None:
                    found[experiment] = compared
    return found
