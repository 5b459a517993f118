"""What was found, in the few numbers that the front page needs: from rows and certificates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdpbook.runs import Run
from cdpbook.statistics import shapes, trends
from cdpbook.statistics.trends import Effect
from cdpbook.studies import findings, transfer
from cdplib.theory import exact

#: The toy on one grid; its budgets from the edge of the feasible set to where both are slack.
LETTERS, BUDGETS = 64, 12


@dataclass(frozen=True)
class Certified:
    """C(D,P) of the toy, solved on a grid of budgets: how many are feasible, certified, how surely.

    ``gap`` is the largest difference of the two bounds, ``low`` and ``high`` the range of C.
    """

    feasible: int
    certified: int
    gap: float
    low: float
    high: float


def certified() -> Certified:
    """The surface of the toy under total variation."""
    problem = exact.gaussian_mixture_problem(LETTERS, threshold=1.2)
    found = exact.surface(
        problem, "tv", np.linspace(0.5, 1.2, BUDGETS), np.linspace(0.0, 0.4, BUDGETS)
    )
    inside = found.status != "infeasible"
    value = found.value[inside]
    return Certified(
        int(inside.sum()),
        int((found.status == "optimal").sum()),
        float((found.upper[inside] - found.lower[inside]).max()),
        float(value.min()),
        float(value.max()),
    )


def theory() -> Counter[str]:
    """How many of the paper's theoretical claims have each verdict; every check is run now."""
    return Counter(findings.theory()["verdict"])


def gains(runs: Mapping[str, Run], perception: str = "p_judge") -> dict[str, list[Effect]]:
    """Gamma's effects on C, D and P, by experiment: averaged over beta, intervals over seeds."""
    columns = ("error_rate", "mse", perception)
    return {
        name: [trends.effect(run.table, "gamma", column) for column in columns]
        for name, run in runs.items()
    }


def contradictions(runs: Mapping[str, Run], perception: str = "p_judge") -> pd.DataFrame:
    """Pairs of restorers that contradict "better classification always costs", by experiment.

    Columns ``contradict`` and ``compared`` of all points, and ``..._without`` of those below the
    largest beta.
    """
    rows = {}
    for name, run in runs.items():
        tables = {"": run.table, "_without": run.table[run.table["beta"] < run.table["beta"].max()]}
        counts = {
            end: shapes.count(shapes.cloud(table, perception), shapes.pairs, draws=0)
            for end, table in tables.items()
        }
        rows[name] = {f"contradict{end}": one.contradict for end, one in counts.items()} | {
            f"compared{end}": one.compared for end, one in counts.items()
        }
    return pd.DataFrame(rows).T


def sharing(runs: Mapping[str, Run]) -> Counter[str]:
    """How the classifiers that took no part fare with gamma, pair by pair (:mod:`.transfer`)."""
    return Counter(
        one.verdict for of_run in transfer.gains(runs).values() for one in of_run.values()
    )


def critic_over_judge(runs: Mapping[str, Run]) -> pd.Series:
    """Greatest over least ratio of a run's own critic's gap (the paper's P) to the judge's.

    By experiment, over the points whose judge is clearly above zero.
    """
    found = {}
    for name, run in runs.items():
        points = trends.over_seeds(run.table)
        clear = points[points["p_judge"] > 2 * points["p_judge_bar"]]
        ratio = clear["p_critic"] / clear["p_judge"]
        found[name] = ratio.max() / ratio.min()
    return pd.Series(found)
