"""How much of gamma's gain readers of ten kinds share, beta by beta, after longer trainings.

Rows of Exp-2's preset ``converged`` with the errors of :mod:`cdpbook.readers` beside their own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cdpbook import readers as published
from cdpbook import text
from cdpbook.claims import NAMES
from cdpbook.statistics.trends import effect
from cdpbook.studies import longer, transfer

#: Ratios that a work with the same idea reports on ImageNet, from its abstract's models and tasks.
ELSEWHERE = (0.75, 1.09)


def table() -> pd.DataFrame:
    """The rows at the ends of gamma that all readers have read: results with their columns."""
    return longer.grid().table.merge(
        published.published().drop(columns=["beta", "gamma", "seed", "key"]), on="config_hash"
    )


def names(rows: pd.DataFrame) -> dict[str, str]:
    """Titles of the readers that no restorer was trained against, by column of ``rows``."""
    known = {**NAMES, **published.TITLES}
    columns = [c for c in rows if c.startswith("error_rate_") and not c.endswith("_se")]
    return {c: known[c.removeprefix("error_rate_")] for c in columns}


def parts(rows: pd.DataFrame) -> pd.DataFrame:
    """The part of CNN-1's gain that arrives at each reader: a row a reader and beta, and one with
    beta nan for the average over beta. ``part`` has Fieller's interval over seeds."""
    found = []
    for column, title in names(rows).items():
        groups = [(np.nan, rows), *((float(b), part) for b, part in rows.groupby("beta"))]
        for beta, part in groups:
            one = transfer.transfer(part, column)
            found.append({"reader": title, "column": column, "beta": beta, "part": one.part,
                          "own": one.own.interval, "other": one.other.interval})  # fmt: skip
    return pd.DataFrame(found)


def overview(rows: pd.DataFrame) -> pd.DataFrame:
    """For each reader its error on clean, noisy and restored digits (beta = gamma = 0), what gamma
    changes of it, the part of CNN-1's gain that this is, and that part's range over beta."""
    found, lines = parts(rows), []
    ends = published.published().set_index("config_hash")
    plain = rows[(rows["beta"] == 0) & (rows["gamma"] == 0)]
    for column, title in names(rows).items():
        of = found[found["column"] == column]
        (mean,) = of[of["beta"].isna()].to_dict("records")
        each = [part.value for part in of.loc[of["beta"].notna(), "part"]]
        lines.append({
            "reader": title,
            **{f"{kind} (%)": _percent(ends.at[kind, column]) if column in ends else "–"
               for kind in ("clean", "noisy")},
            "restored (%)": _percent(plain[column].mean()),
            "γ changes it by (points)": text.marked(mean["other"]),
            "part of the gain": text.interval(mean["part"], 2),
            "over β": text.between([v for v in each if np.isfinite(v)], 2),
        })  # fmt: skip
    return pd.DataFrame(lines).sort_values("reader", ignore_index=True)


def _percent(rate: float) -> str:
    return text.number(100 * rate, 1)


def answer(rows: pd.DataFrame) -> str:
    """What the section says first."""
    found = parts(rows)
    mean, each = found[found["beta"].isna()], found[found["beta"].notna()]
    values = np.array([part.value for part in each["part"]])
    values = values[np.isfinite(values)]
    inside = int(((values >= ELSEWHERE[0]) & (values <= ELSEWHERE[1])).sum())
    own = effect(rows, "gamma", transfer.OWN).interval
    signs = [one.sign for one in mean["other"]]
    ends = published.published().set_index("config_hash")
    plain = rows[(rows["beta"] == 0) & (rows["gamma"] == 0)]
    spoilt = [
        title for column, title in names(rows).items()
        if column in ends and ends.at["noisy", column] < plain[column].mean()
    ]  # fmt: skip
    unrestored = (
        f" Better read noisy than restored (β = γ = 0): {text.listed(spoilt)}." if spoilt else ""
    )
    return (
        f"{len(mean)} readers took no part. γ changes C of CNN-1 by {text.points(own)} points "
        f"(mean over β, {text.count(int(rows['seed'].nunique()), 'seed')}); that of "
        f"{sum(s < 0 for s in signs)} of the others clearly falls and of "
        f"{sum(s > 0 for s in signs)} clearly rises. The part of the gain that arrives runs from "
        f"{text.between(values, 2)} over readers and β; at {inside} of {len(values)} it is "
        f"between {ELSEWHERE[0]:g} and {ELSEWHERE[1]:g}, as reported of photographs.{unrestored}"
    )
