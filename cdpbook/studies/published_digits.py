"""The published points of the exact function of real digits, as the tables that a page shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cdpbook import surfaces
from cdpbook.statistics.estimates import student
from cdplib.experiments import classifiers

#: Numbers of a sample that its growth is followed by (:func:`cdpbook.surfaces.ends`).
ENDS = ("mse", "perfect", "bayes", "error_rate", "perfect_error", "price")


def wide(part: str, index: list[str], **where: Any) -> pd.DataFrame:
    """The named numbers of a part as columns, a row for each value of ``index``."""
    table = surfaces.lines(part, **where)
    return table.pivot(index=index, columns="name", values="value").reset_index()


def rims(classifier: str, sigma: float) -> pd.DataFrame:
    """Columns P, share, D, value, excess: C just above the least D of each P, and above Bayes."""
    table = surfaces.lines("rim", classifier=classifier, sigma=sigma)
    table["share"] = table["name"].astype(float)
    bayes = floors(classifier, sigma)["bayes"]
    table["excess"] = np.maximum(table["value"] - bayes, 0.0)
    return table[["P", "share", "D", "value", "excess", "lam", "mu", "lower", "upper", "status"]]


def floors(classifier: str, sigma: float) -> dict[str, float]:
    """The numbers of :func:`cdpbook.studies.real_digits.floor` of the published sample."""
    table = surfaces.lines("floors", classifier=classifier, sigma=sigma)
    return dict(zip(table["name"], table["value"], strict=True))


def prices() -> pd.DataFrame:
    """What a label costs at any P: :func:`floors` for every classifier and noise, as fractions."""
    rows = []
    for sigma in sorted(surfaces.SIGMAS):
        for name in surfaces.CLASSIFIERS:
            known = floors(name, sigma)
            known["share"] = known["price"] / known["mse"]
            rows.append({"classifier": classifiers.display(name), "sigma": sigma} | known)
    shown = ["mse", "error_rate", "bayes", "changed", "moved", "share"]
    return pd.DataFrame(rows)[["classifier", "sigma", *shown]]


def edge(classifier: str, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """The least D of each P: two arrays, D and P."""
    table = rims(classifier, sigma)
    share = table["share"].min()
    table = table[table["share"] == share].sort_values("P")
    return (table["D"] / (1 + share)).to_numpy(), table["P"].to_numpy()


def restorers(classifier: str, sigma: float) -> pd.DataFrame:
    """Restorers with a name: columns name, D, P, C, least C at that D and P, and the excess."""
    table = surfaces.lines("restorers", classifier=classifier, sigma=sigma)
    table = table.rename(columns={"value": "C", "upper": "attainable"})
    table["excess"] = table["C"] - table["attainable"]
    return table[["name", "D", "P", "C", "attainable", "excess", "status"]]


def ladder(sigma: float) -> pd.DataFrame:
    """What priors of N digits know: columns digits, mse, fresh_mse, ... and standard errors."""
    return wide("ladder", ["digits"], sigma=sigma).sort_values("digits")


def growth(classifier: str) -> pd.DataFrame:
    """Means over samples with 95 % intervals: index N = m, a column of each of :data:`ENDS`."""
    return _over_samples(wide("growth", ["digits", "seed"], classifier=classifier), "digits")


def spread() -> pd.DataFrame:
    """The same over fresh noise on one prior: index sigma."""
    return _over_samples(wide("spread", ["sigma", "seed"]), "sigma")


def _over_samples(table: pd.DataFrame, index: str) -> pd.DataFrame:
    groups = table.groupby(index)
    found = {name: {key: student(group[name].to_numpy()) for key, group in groups} for name in ENDS}
    return pd.DataFrame(found).assign(samples=groups.size())


def networks(sigma: float) -> pd.DataFrame:
    """Trained networks beside what is attainable: one row a network and size of the prior.

    Columns network, digits, mse, error_rate, w1, fresh_mse (on test digits), and least_mse and
    least_error: at the network's own W1 for the smaller prior, at any P for the larger.
    """
    table = surfaces.lines("networks", sigma=sigma)
    table = table[table["name"].str.contains("/")].copy()
    table[["network", "number"]] = table["name"].str.split("/", n=1, expand=True)
    found = table.pivot(index=["network", "digits"], columns="number", values="value")
    known = floors("cnn1", sigma)
    for name, least in (("least_mse", "mse"), ("least_error", "bayes")):
        found[name] = found[name].fillna(known[least])
    return found.assign(ratio=found["mse"] / found["least_mse"]).reset_index()


def plane() -> pd.DataFrame:
    """The toy in the plane: index (divergence, P), a column for each share of D above the least."""
    table = surfaces.lines("plane")
    table["share"] = table["name"].astype(float) - 1
    table["d"] = table["divergence"].map({"tv": "total variation", "kl": "KL"})
    return table.pivot(index=["d", "P"], columns="share", values="value").sort_index(
        ascending=[False, True]
    )
