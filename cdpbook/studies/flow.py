"""Is a flow from the posterior mean on, below or above the sheet that Eq. 16 traces?

The rule, fixed before the first flow was trained.  A sheet reaches what mixtures of its points
reach: restorers drawn by lot have the mean of their D, and a P that is no larger than the mean of
theirs, as W1 is convex.  So the sheet's P at a D is the lower convex hull of its points (D, P by
the judge).  A flow of some number of steps is *below* the sheet where the P that it has beyond the
sheet's at its own D has a 95 % interval below zero, *above* it where that is above zero, else *on*
it; it *has no equal* where every point of the sheet has a larger D.  The interval is over seeds
(a hull a seed, with the flow of that seed) and images (the judge's standard errors), added as
independent; of one seed it is over images alone.  The verdict that counts is that of the most
steps, against the network near the bound, which knows as much as the flow's start; other numbers
of steps and other sheets are shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdpbook import evidence, flow, near, runs, text
from cdpbook.claims import NAMES
from cdpbook.runs import Run
from cdpbook.statistics.estimates import Interval, image_by_image, with_images
from cdpbook.statistics.hulls import Hull
from cdpbook.studies import attainable
from cdplib.experiments import classifiers

NEAR = "near the bound"
#: The published sheets of Exp-2, by what the page calls them: preset and restorer.
SHEETS = {
    "trained longer": ("converged", "fast-large"),
    "the stronger network": ("full", "fast-large"),
    "the paper's network": ("full", "paper"),
}
#: What is said of a flow beside its C.
MEASURES = ("mse", "p_judge", "sliced_w2", "frechet", "error_rate")
VERDICTS = {-1: "below", 0: "on", 1: "above"}


@dataclass(frozen=True)
class Against:
    """A flow of so many ``steps`` against one ``sheet``, at equal D, P, or both.

    ``p``: its P less the sheet's at its D, ``d``: its D less the sheet's at its P; both None where
    the sheet has no such D or P.  ``error``: its C less the least C of the sheet's mixtures at its
    D and the larger of its P and theirs.
    """

    steps: int
    sheet: str
    p: Interval | None
    d: Interval | None
    error: Interval | None

    @property
    def verdict(self) -> str:
        """The rule's word."""
        return VERDICTS[self.p.sign] if self.p else "has no equal"


def sheets() -> dict[str, pd.DataFrame]:
    """The rows of every sheet, the one that counts first."""
    found = {NEAR: near.published()}
    for name, preferred in SHEETS.items():
        found[name] = runs.matched_runs((flow.EXPERIMENT,), (preferred,))[flow.EXPERIMENT].table
    return found


def least_p(hull: Hull, d: float) -> float:
    """The least P of mixtures with mean D at most ``d``; inf where no point has so small a D."""
    slope, height = hull.edges.T
    return float((height - slope * d).max()) if d >= hull.least else math.inf


def least_d(hull: Hull, p: float) -> float:
    """The least D of mixtures with P at most ``p``; inf where no point has so small a P."""
    slope, height = hull.edges.T
    flat = slope <= 0
    if (height[flat] > p).any():
        return math.inf
    return float(max(hull.least, ((height - p)[~flat] / slope[~flat]).max(initial=-math.inf)))


def against(table: pd.DataFrame, sheet: str, rows: pd.DataFrame) -> list[Against]:
    """The flow's rows (draw 0) against those of a sheet, one of each number of steps.

    A hull a seed: of the seeds that every pair of weights has, and the flow.
    """
    table, found = table[table["draw"] == 0], list[Against]()
    groups = rows.groupby(["beta", "gamma"])["seed"].agg(set)
    seeds = sorted(set(table["seed"]) & set.intersection(*groups))
    hulls = {}
    for seed in seeds:
        own = rows[rows["seed"] == seed]
        hulls[seed] = Hull.of(own["mse"], own["p_judge"], own["error_rate"])
    image_p = math.sqrt(float((rows["p_judge_se"] ** 2).mean()))
    for steps, part in table.groupby("steps"):
        part = part[part["seed"].isin(seeds)]
        se = math.hypot(image_p, math.sqrt(float((part["p_judge_se"] ** 2).mean())))
        p, d, error, width = list[float](), list[float](), list[float](), list[float]()
        for row in part.itertuples():
            hull = hulls[row.seed]
            level, nearest = least_p(hull, row.mse), least_d(hull, row.p_judge)
            p.append(row.p_judge - level)
            d.append(row.mse - nearest)
            width.append(nearest - least_d(hull, row.p_judge + se))
            # a hair more than the least P, which is on the hull's own edge
            budget = max(row.p_judge, level) + 1e-6
            reached = math.isfinite(level)
            error.append(
                row.error_rate - float(hull.value(row.mse, budget)) if reached else math.inf
            )
        image_c = math.sqrt(2 * float((part["error_rate_se"] ** 2).mean()))
        found.append(Against(
            int(steps), sheet, _over(p, se), _over(d, float(np.mean(width))), _over(error, image_c)
        ))  # fmt: skip
    return found


def _over(values: list[float], se: float) -> Interval | None:
    """:func:`.estimates.with_images`; None where a value is infinite, or there is none."""
    return with_images(values, se) if values and np.isfinite(values).all() else None


def compared(table: pd.DataFrame | None = None) -> list[Against]:
    """Every number of steps against every sheet, that which counts first."""
    table = flow.published() if table is None else table
    return [one for name, rows in sheets().items() for one in against(table, name, rows)]


def curve(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """The flow, a row a number of steps: means over seeds of all measures (draw 0), ``seeds``,
    and ``error``, C with its interval over seeds and images."""
    table = flow.published() if table is None else table
    table = table[table["draw"] == 0]
    groups = table.groupby("steps")
    found = groups.mean(numeric_only=True).drop(columns=["seed", "draw"])
    found["error"] = [attainable.over_seeds_and_images(part) for _, part in groups]
    return found.assign(seeds=groups.size()).reset_index()


def free() -> pd.DataFrame:
    """The line of blends from the posterior mean to a posterior sample, no training, in order."""
    rows = attainable.restorers(near_run())
    return rows.loc[["mean", "blend_33", "blend_67", "sample"]]


def near_run() -> Run:
    """A published run of Exp-2: which restorers without training are measured like it."""
    return runs.matched_runs((flow.EXPERIMENT,), (SHEETS["the stronger network"],))[flow.EXPERIMENT]


def beyond(
    steps: int, other: Mapping[str, float], classifier: str, table: pd.DataFrame | None = None
) -> Interval:
    """The error of ``classifier`` after ``steps`` less that at ``other``, a (beta, gamma) of the
    network near the bound: paired image by image and seed by seed.

    The interval is that of :func:`.estimates.image_by_image`.
    """
    table = flow.published() if table is None else table
    seeds = sorted(table.loc[(table["steps"] == steps) & (table["draw"] == 0), "seed"])
    each = np.array([
        evidence.wrong("flow", flow.at(seed), flow.named(classifier, steps)).astype(float)
        - evidence.wrong("near", {**other, "seed": seed}, classifier)
        for seed in seeds
    ])  # fmt: skip
    return image_by_image(each)


def lots(table: pd.DataFrame | None = None) -> pd.DataFrame:
    """What the lot drawn at the start moves: standard deviations over draws, by seed and steps.

    Columns ``seed``, ``steps``, ``draws`` and those of :data:`MEASURES`.
    """
    table = flow.published() if table is None else table
    groups = table.groupby(["seed", "steps"])
    found = groups[list(MEASURES)].std().assign(draws=groups.size())
    return found[found["draws"] > 1].reset_index()


def points() -> pd.DataFrame:
    """The flow among its neighbours: what each restores with, all measures, C with its interval.

    Columns ``what``, ``ratio`` (D over that of the flow's start), :data:`MEASURES` and ``error``.
    """
    rows, sheet = list[dict[str, object]](), near.published()
    start = float(sheet.loc[(sheet["beta"] == 0) & (sheet["gamma"] == 0), "mse"].mean())

    def add(what: str, own: pd.DataFrame) -> None:
        means = own[list(MEASURES)].mean()
        error = attainable.over_seeds_and_images(own)
        rows.append({"what": what, "ratio": means["mse"] / start, **means, "error": error})

    table = flow.published()
    for beta in (0.0, 0.01, 0.03):
        at = (sheet["beta"] == beta) & (sheet["gamma"] == 0)
        add("the start: β = γ = 0" if beta == 0 else f"Eq. 16, β = {beta:g}, γ = 0", sheet[at])
    for steps, part in table[table["draw"] == 0].groupby("steps"):
        add(f"flow, {text.count(int(steps), 'step')}", part)
    blends = free()
    add("posterior mean, no training", blends.loc[["mean"]])
    add("posterior sample, no training", blends.loc[["sample"]])
    return pd.DataFrame(rows)


def verdict_table(found: list[Against]) -> pd.DataFrame:
    """:func:`compared` as the page writes it: the numbers against the sheet that counts."""
    rows = []
    for one in (one for one in found if one.sheet == NEAR):
        others = {a.sheet: a.verdict for a in found if a.steps == one.steps and a.sheet != NEAR}
        rows.append({
            "steps": one.steps,
            "P, at its D": _written(one.p, 3),
            "10⁴ D, at its P": _written(one.d, 1, 1e4),
            "C (points), at both": _written(one.error, 2, 100),
            NEAR: f"**{one.verdict}**", **others,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _written(found: Interval | None, digits: int, factor: float = 1) -> str:
    return "none" if found is None else text.interval(found, digits, factor=factor, sign=True)


def readers_table() -> pd.DataFrame:
    """Every classifier's error after the most steps, and what it has beyond two points of the
    network near the bound, paired."""
    table = flow.published()
    steps = int(table["steps"].max())
    at = table[(table["steps"] == steps) & (table["draw"] == 0)]
    own, rows = near.point().settings.classifier, []
    for name in classifiers.names(near.point().settings.dataset):
        column = "error_rate" if name == own else f"error_rate_{name}"
        pair = [beyond(steps, {"beta": beta, "gamma": 0.0}, name, table) for beta in (0.0, 0.01)]
        rows.append((NAMES[name], text.number(100 * at[column].mean(), 2), *map(text.marked, pair)))
    head = ["read by", f"C after {steps} steps (%)", "beyond the start", "beyond β = 0.01, γ = 0"]
    return pd.DataFrame(rows, columns=head)


def answer(found: list[Against], level: float) -> str:
    """What the chapter found, in a paragraph of Markdown; ``level``: P of real digits."""
    one = max((a for a in found if a.sheet == NEAR), key=lambda a: a.steps)
    line = curve().set_index("steps")
    at, first = line.loc[one.steps], line.iloc[0]
    start = points().iloc[0]
    words = {
        name: next(a.verdict for a in found if a.sheet == name and a.steps == one.steps)
        for name in SHEETS
    }
    others = text.listed(f"*{word}* ({name})" for name, word in words.items())
    return (
        f"**The answer.** In {one.steps} steps the flow goes from "
        f"D = {text.quantity('mse').number(start['mse'])}, P = "
        f"{text.quantity('p_judge').number(start['p_judge'])} (its start) to "
        f"D = {text.quantity('mse').number(at['mse'])}, P = "
        f"{text.quantity('p_judge').number(at['p_judge'])} "
        f"({text.count(int(at['seeds']), 'seed')}; real digits have "
        f"{text.quantity('p_judge').number(level)}); in one step to "
        f"D = {text.quantity('mse').number(first['mse'])}. By the rule it is "
        f"*{one.verdict}* the sheet that Eq. 16 traces near the bound: at its D it has "
        f"{_written(one.p, 3)} of P, at its P {_written(one.d, 1, 1e4)} · 10⁻⁴ of D, at both "
        f"{_written(one.error, 2, 100)} points of C beyond that sheet's mixtures. "
        f"Against other sheets it is {others}. "
        f"Its D is {at['mse'] / start['mse']:.2f} times its start's, where drawing from the "
        f"posterior costs 2 times the least D."
    )


def _sizes(found: Mapping[str, float]) -> str:
    """Standard deviations of D, P and C, the last in points."""
    d, p = (text.quantity(name).number(found[name]) for name in ("mse", "p_judge"))
    return f"{d}, of P {p} and of C {text.number(100 * found['error_rate'], 2)}"


def bill() -> str:
    """What the flow's randomness moves and what it cost, as Markdown."""
    said, table = list[str](), flow.published()
    for row in lots(table).itertuples():
        said.append(
            f"Over {row.draws} draws of the start's noise (seed {row.seed}, "
            f"{text.count(row.steps, 'step')}) standard deviations are, of D "
            f"{_sizes(row._asdict())} points."
        )
    spread = table[table["draw"] == 0].groupby("steps")[["mse", "p_judge", "error_rate"]].std()
    last = spread.iloc[-1]
    if np.isfinite(last["mse"]):
        said.append(
            f"Over seeds (start, velocity and noise, {spread.index[-1]} steps): of D "
            f"{_sizes(last)} points."
        )
    each = table.groupby("steps")["restoring_cpu_s"].mean()
    said.append(
        f"Restoring 10,000 digits takes {each.iloc[0]:.0f} CPU seconds in one step and "
        f"{each.iloc[-1]:.0f} in {each.index[-1]}, besides those of the start. The velocity was "
        f"trained on {flow.BATCHES:,} batches of {flow.BATCH} digits, of {flow.IMAGES:,}; whether "
        "more would move the flow's end is not shown."
    )
    return " ".join(said)
