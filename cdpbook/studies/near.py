"""Is the trade-off still there near the bound, and what does one network for all weights cost?

Rows of :mod:`cdpbook.near` (a network that sees the posterior mean) and of
:mod:`cdpbook.conditional` (beta and gamma as inputs), held against the published ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cdpbook import conditional, evidence, near, runs, text
from cdpbook.attainable import TITLES
from cdpbook.runs import Run
from cdpbook.statistics.estimates import Interval, student
from cdpbook.statistics.trends import over_seeds
from cdpbook.studies import attainable
from cdplib.experiments import classifiers, measures

#: What the network near the bound is to reach at beta = gamma = 0; fixed before it was trained.
AIM = {"mse": 0.0225, "error_rate": 0.13}
#: How near to single networks the one network is to be: shares of D and P, and of C as it is.
CLOSE = {"mse": 0.02, "p_judge": 0.02, "error_rate": 0.003}
CLASSIFIER = near.point().settings.classifier


def corner(run: Run) -> pd.DataFrame:
    """The points that matter in ``run``'s planes, the best known of each kind.

    Columns ``what``, ``mse``, ``p_judge``, ``error`` (an :class:`.Interval`) and ``over``, what
    the interval is over. A classifier of Y restores nothing: it has an error alone.
    """
    points, table, rows = run.points(), near.published(), list[dict[str, object]]()

    def add(what: str, own: pd.DataFrame) -> None:
        over = f"{len(own)} seeds and images" if len(own) > 1 else "images"
        error = attainable.over_seeds_and_images(own)
        rows.append({"what": what, **own[["mse", "p_judge"]].mean(), "error": error, "over": over})

    for what, column in (("least D", "mse"), ("least C", "error_rate")):
        best = points.loc[points[column].idxmin()]
        add(f"published networks, {what}, {_weights(best)}", _at(run.table, best))
    means = table.groupby(["beta", "gamma"], as_index=False).mean(numeric_only=True)
    least = means.loc[means["error_rate"].idxmin()]
    for at in (means.iloc[0], least):
        add(f"near the bound, {_weights(at)}", _at(table, at))
    free = attainable.restorers(run)
    for name in free.index.intersection(["mean", "class_mean"]):
        add(f"{TITLES[name]}, no training", free.loc[[name]])
    reader = attainable.floor(run)
    if reader is not None:
        what = f"{reader.classifier}, nothing restored"
        rows.append({"what": what, "error": reader.error, "over": reader.over})
    return pd.DataFrame(rows, columns=["what", "mse", "p_judge", "error", "over"])


def _at(table: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    return table[(table["beta"] == at["beta"]) & (table["gamma"] == at["gamma"])]


def _weights(at: pd.Series) -> str:
    return f"β = {at['beta']:g}, γ = {at['gamma']:g}"


@dataclass(frozen=True)
class Gain:
    """What gamma changes at one beta: C (paired over images), cross entropy, D and P.

    ``gamma`` against 0; cross entropy is what is trained in the place of C.
    """

    beta: float
    gamma: float
    error: Interval
    ce: float
    mse: float
    p_judge: float


def gains(table: pd.DataFrame | None = None) -> list[Gain]:
    """The largest gamma against none, at each beta: of the network near the bound.

    The interval of C is over images for one seed, over seeds for more (Student's).
    """
    table = near.published() if table is None else table
    found = []
    for beta, rows in table.groupby("beta"):
        most = rows["gamma"].max()
        both = [rows[rows["gamma"] == g].set_index("seed") for g in (0.0, most)]
        seeds = [s for s in both[0].index if s in both[1].index]
        if not seeds or most == 0:
            continue
        columns = ["ce", "mse", "p_judge"]
        change = (both[1][columns] - both[0][columns]).loc[seeds].mean()
        each = [
            evidence.difference(
                "near",
                {"beta": beta, "gamma": 0.0, "seed": seed},
                {"beta": beta, "gamma": most, "seed": seed},
                CLASSIFIER,
            )
            for seed in seeds
        ]
        error = each[0] if len(each) == 1 else student([one.value for one in each])
        found.append(Gain(float(beta), float(most), error, *map(float, change)))
    return found


def published_gains(run: Run, gamma: float) -> dict[float, Interval]:
    """The same change of C in ``run``'s rows, by beta: over seeds."""
    table, found = run.table, {}
    for beta, rows in table.groupby("beta"):
        by_seed = rows.pivot_table(index="seed", columns="gamma", values="error_rate")
        if {0.0, gamma} <= set(by_seed.columns):
            found[float(beta)] = student((by_seed[gamma] - by_seed[0.0]).dropna())
    return found


def one_against_many(run: Run) -> pd.DataFrame:
    """The one network beside the networks of single points, at the published weights.

    A row a (beta, gamma): ``mse``, ``p_judge``, ``error_rate`` of the points (mean over seeds) and
    what the one network has beyond: ``d_mse`` and ``d_p`` as shares, ``d_error`` as it is; and the
    standard deviation of the points over seeds in the same units.
    """
    table = conditional.published()
    grid = table[table["part"] == "grid"].set_index(["beta", "gamma"])
    points = over_seeds(run.table).set_index(["beta", "gamma"])
    spread = run.table.groupby(["beta", "gamma"])[["mse", "p_judge", "error_rate"]].std()
    rows = []
    for at in points.index.intersection(grid.index):
        one, many, noise = grid.loc[at], points.loc[at], spread.loc[at]
        rows.append({
            "beta": at[0], "gamma": at[1],
            **{name: float(many[name]) for name in ("mse", "p_judge", "error_rate")},
            "d_mse": float(one["mse"] / many["mse"] - 1),
            "d_p": float(one["p_judge"] / many["p_judge"] - 1),
            "d_error": float(one["error_rate"] - many["error_rate"]),
            "sd_error": float(noise["error_rate"]),
        })  # fmt: skip
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Surface:
    """The one network on a fine grid of weights: (betas, gammas) arrays of D, P (its own critic's
    gap), C and cross entropy, on some test images."""

    betas: np.ndarray
    gammas: np.ndarray
    values: dict[str, np.ndarray]

    def rising(self, column: str, axis: int) -> float:
        """The share of neighbours along ``axis`` (0: beta, 1: gamma) between which it grows."""
        return float((np.diff(self.values[column], axis=axis) > 0).mean())


def surface() -> Surface:
    """:class:`Surface` of the published rows."""
    table = conditional.published()
    table = table[table["part"] == "surface"]
    sheets = {
        name: table.pivot(index="beta", columns="gamma", values=name)
        for name in conditional.COLUMNS
    }
    one = sheets["mse"]
    return Surface(one.index.to_numpy(float), one.columns.to_numpy(float),
                   {name: sheet.to_numpy(float) for name, sheet in sheets.items()})  # fmt: skip


def cost(run: Run) -> dict[str, float]:
    """CPU minutes: the one network's training, and ``points`` single points as published."""
    spent = float(conditional.curve()["cpu_s"].max()) / 60
    each = float(run.table["seconds"].mean()) / 60
    return {"one": spent, "point": each, "points": len(over_seeds(run.table))}


def single_points() -> Run:
    """The published points of the same family of networks: ``fast-large``, preset ``full``."""
    return runs.matched_runs(("exp2",), (("full", "fast-large"),))["exp2"]


def answer(run: Run) -> str:
    """What the chapter found, in a paragraph of Markdown."""
    table = near.published()
    at = table[(table["beta"] == 0) & (table["gamma"] == 0)]
    error = attainable.over_seeds_and_images(at)
    reached = {name: float(at[name].mean()) <= most for name, most in AIM.items()}
    aims = {2: "both aims reached", 1: "one aim of two reached", 0: "neither aim reached"}
    found, ours = published_gains(run, 0.03), gains()
    falls, rises = (sum(gain.error.sign == sign for gain in ours) for sign in (-1, 1))
    entropy = text.between([gain.ce for gain in ours], 2)
    dearer = sum(gain.mse > 0 for gain in ours)
    pairs = one_against_many(run)
    close = {
        "D": (pairs["d_mse"].abs() <= CLOSE["mse"]).sum(),
        "P": (pairs["d_p"].abs() <= CLOSE["p_judge"]).sum(),
        "C": (pairs["d_error"].abs() <= CLOSE["error_rate"]).sum(),
    }  # fmt: skip
    lower = {
        "P": (pairs["d_p"] < -CLOSE["p_judge"]).sum(),
        "C": (pairs["d_error"] < -CLOSE["error_rate"]).sum(),
    }
    spent, seeds = cost(run), int(table["seed"].nunique())
    over = text.count(seeds, "seed") if seeds > 1 else "images"
    least = text.between([100 * gain.error.value for gain in ours], 1)
    before = text.between([100 * one.value for one in found.values()], 1)
    return (
        f"**The answer.** A network that sees the posterior mean has "
        f"D = {text.quantity('mse').number(float(at['mse'].mean()))} and lets CNN-1 err on "
        f"{text.percent(error, 1)} of the test digits at β = γ = 0 "
        f"(aims: {AIM['mse']:g} and {100 * AIM['error_rate']:g} %; {aims[sum(reached.values())]}). "
        f"γ = {ours[0].gamma:g} changes its cross entropy by {entropy} nats, "
        f"and its C by {least} points (the published networks': {before}); over "
        f"{over}, C clearly falls at {falls} and clearly rises at {rises} of {len(ours)} β, and D "
        f"is larger at {dearer}. One network with β "
        f"and γ as inputs, trained in {spent['one']:.0f} CPU minutes, is within "
        f"{100 * CLOSE['mse']:g} % of single networks in D at {close['D']} of {len(pairs)} "
        f"weights, in P at {close['P']} (lower at {lower['P']}), and within "
        f"{100 * CLOSE['error_rate']:g} points in C at {close['C']} (lower at {lower['C']})."
    )


def finding(run: Run) -> str:
    """The chapter's finding in one sentence for the front page, as Markdown."""
    table, ours = near.published(), gains()
    best = run.points()["error_rate"].min()
    least = table[(table["beta"] == 0) & (table["gamma"] == 0)]["error_rate"].mean()
    clear = sum(gain.error.sign < 0 for gain in ours)
    cheaper = sum(gain.ce < 0 for gain in ours)
    seeds = text.count(table["seed"].nunique(), "seed")
    return (
        f"A network that also sees the posterior mean lets CNN-1 err on {100 * least:.1f} % of the "
        f"noisy test digits, with no weight on recognition; the best published one on "
        f"{100 * best:.1f} %. There γ lowers the cross entropy at {cheaper} of {len(ours)} β, and "
        f"the error rate clearly at {clear} ({seeds})"
    )


def gains_table(run: Run) -> pd.DataFrame:
    """What the largest gamma changes, near the bound and in the published rows, by beta."""
    ours = gains()
    before = published_gains(run, ours[0].gamma) if ours else {}
    rows = [
        (gain.beta, text.signed(gain.ce, 2), text.marked(gain.error),
         text.signed(1e4 * gain.mse, 1), text.signed(gain.p_judge, 3),
         text.marked(before[gain.beta]) if gain.beta in before else "–")
        for gain in ours
    ]  # fmt: skip
    head = ["β", "change of CE (nats)", "of C (points)", "of D (10⁻⁴)", "of P: judge"]
    head.append("of C, published networks")
    return pd.DataFrame(rows, columns=head)


def compared_table(run: Run) -> pd.DataFrame:
    """:func:`one_against_many` as a page writes it."""
    found = one_against_many(run)
    return pd.DataFrame({
        "β": found["beta"], "γ": found["gamma"],
        "D of single networks": found["mse"].map(text.quantity("mse").number),
        "one network (%)": (100 * found["d_mse"]).map(lambda v: text.signed(v, 1)),
        "P": found["p_judge"].map(text.quantity("p_judge").number),
        "P, one network (%)": (100 * found["d_p"]).map(lambda v: text.signed(v, 0)),
        "C (%)": (100 * found["error_rate"]).map(lambda v: text.number(v, 2)),
        "C, one network (points)": (100 * found["d_error"]).map(lambda v: text.signed(v, 2)),
        "sd of C over seeds": (100 * found["sd_error"]).map(lambda v: text.number(v, 2)),
    })  # fmt: skip


def shape(found: Surface) -> str:
    """What the fine grid's maps say of monotony, as Markdown."""
    grows = {
        (column, axis): found.rising(column, axis)
        for column in ("mse", "error_rate", "p_critic")
        for axis in (0, 1)
    }
    said = [
        f"{name}: {100 * grows[column, 0]:.0f} % of the steps of β and "
        f"{100 * grows[column, 1]:.0f} % of those of γ raise it"
        for name, column in (("D", "mse"), ("C", "error_rate"), ("P", "p_critic"))
    ]
    return (
        f"Of {found.values['mse'].size} pairs of weights, neighbour against neighbour. "
        + "; ".join(said)
        + ". A smooth trade-off has shares near 0 or 100; shares between mean noise or a fold."
    )


def bill(run: Run) -> str:
    """What the one network cost and how flat its curve is at the end, as Markdown."""
    spent, curve = cost(run), conditional.curve()
    many = spent["points"] * spent["point"]
    last = curve["step"].max()
    ends = curve[curve["step"] >= last - 2 * conditional.EVERY].pivot_table(
        index=["beta", "gamma"], columns="step", values="mse"
    )
    change = float((ends.iloc[:, -1] / ends.iloc[:, 0] - 1).abs().max())
    return (
        f"{last:,} steps took {spent['one']:.0f} CPU minutes; {spent['points']:.0f} single points "
        f"at {spent['point']:.1f} minutes each take {many:.0f}, a seed. In "
        f"the last {2 * conditional.EVERY:,} steps D of the watched weights moved by at most "
        f"{100 * change:.1f} %."
    )


def pixels(images: Tensor) -> np.ndarray:
    """Images (n, 1, h, w) in [0, 1] as uint8, as figures of samples take them."""
    return np.asarray(images.mul(255).round().to(torch.uint8).numpy())


def read(restored: Tensor, clean: Tensor, labels: Tensor) -> tuple[float, float]:
    """The error rate of CNN-1 on restored images, and their D."""
    wrong = measures.wrong(measures.outputs(classifiers.get(CLASSIFIER, "mnist"), restored), labels)
    return measures.mean(wrong), measures.mean(measures.squared_error(restored, clean))
