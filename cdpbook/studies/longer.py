"""Do longer trainings change what the paper's trade-off looks like? Rows of preset ``converged``.

A learning curve over the length of the training at the corners of the grid, the grid at the
length that a card could be had for, and the evidence image by image of its restorers.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from cdpbook import evidence, near, text
from cdpbook.claims import NAMES
from cdpbook.runs import Run, published_runs
from cdpbook.statistics.estimates import UNKNOWN, Interval, apart, image_by_image, student
from cdpbook.studies import attainable, rules, verdicts
from cdplib.errors import DataError
from cdplib.experiments import results
from cdplib.experiments.table import EXPERIMENTS, get

EXPERIMENT, PRESET, RESTORER = "exp2", "converged", "fast-large"
#: What the next longer training may change where a length is long enough: points of C, shares of D
#: and P. The rule stands in ``params/converged.yml``, where it was written before the trainings.
ENOUGH = {"error_rate": 0.0025, "mse": 0.05, "p_judge": 0.05}
#: The largest beta and gamma of corners that were trained in any experiment, published or longer.
CORNER = 0.03
#: What :func:`effects` compares: the second differs from the first by network and pre-training, the
#: third from the second by the length alone.
PUBLISHED, STRONGER, LONGER = "published", "stronger network", "… trained longer"
#: Measures of a learning curve, in the order of their panels.
COLUMNS = ("error_rate", "mse", "p_judge", "p_critic")
WEIGHTS = ["beta", "gamma"]


def curve() -> pd.DataFrame:
    """The rows of the learning curve: weights and seeds that were trained at every length."""
    table = results.load(EXPERIMENT, preset=PRESET, variant=None)
    lengths = table["steps"].nunique()
    there = table.groupby([*WEIGHTS, "seed"])["steps"].transform("nunique") == lengths
    return table[there].sort_values(["steps", *WEIGHTS, "seed"], ignore_index=True)


def changes(rows: pd.DataFrame) -> pd.DataFrame:
    """What the next longer training changes at most, over the weights, in means over seeds.

    A row a length but the longest: ``steps``, ``longer``, the largest change of C (as it is), D
    and P (as shares), and whether all are within :data:`ENOUGH`.
    """
    means = rows.groupby(["steps", *WEIGHTS])[list(ENOUGH)].mean()
    lengths, found = sorted(rows["steps"].unique()), []
    for steps, longer in itertools.pairwise(lengths):
        one, other = means.loc[steps], means.loc[longer]
        moved = (other - one).abs()
        moved[["mse", "p_judge"]] /= one[["mse", "p_judge"]]
        most = moved.max()
        enough = all(most[name] <= limit for name, limit in ENOUGH.items())
        found.append({"steps": steps, "longer": longer, **most, "enough": enough})
    return pd.DataFrame(found)


def asked(found: pd.DataFrame) -> int:
    """The length that the rule asks for: the least that is enough, the longest where none is."""
    enough = found[found["enough"]]
    return int(enough["steps"].iloc[0] if len(enough) else found["longer"].iloc[-1])


def gains(rows: pd.DataFrame) -> pd.DataFrame:
    """C with the largest gamma less C without, paired by seed: an :class:`.Interval` a length
    (index) and beta (columns)."""
    most, found = rows["gamma"].max(), dict[int, dict[float, Interval]]()
    for (steps, beta), part in rows.groupby(["steps", "beta"]):
        both = part.pivot_table(index="seed", columns="gamma", values="error_rate")
        found.setdefault(int(steps), {})[float(beta)] = student(both[most] - both[0.0])
    return pd.DataFrame(found).T.rename_axis("steps")


def grid() -> Run:
    """The grid, as a chapter shows it."""
    return published_runs(((PRESET, RESTORER),))[EXPERIMENT]


def versions() -> dict[str, Run]:
    """The experiment's grids whose verdicts are compared, by what they are."""
    found = {
        "the paper's network": published_runs((("full", "paper"),))[EXPERIMENT],
        "the stronger one": published_runs((("full", RESTORER),))[EXPERIMENT],
    }
    one = found["the stronger one"]
    less = one.table[one.table["beta"] < one.table["beta"].max()]
    return {**found, "… without its largest β": replace(one, table=less), "trained longer": grid()}


def matrix(found: Mapping[str, Run]) -> pd.DataFrame:
    """Verdicts on every statement, a column a version: by the judge / by the run's own critic."""
    columns = {}
    for name, run in found.items():
        pair = [verdicts.of(run, perception) for perception in rules.load().perceptions]
        columns[name] = [
            one.verdict if one.verdict == other.verdict else f"{one.verdict} / {other.verdict}"
            for one, other in zip(*pair, strict=True)
        ]
    said = [f"{one.number}: {one.text}" for one in verdicts.statements()]
    return pd.DataFrame({"statement": said, **columns})


def images(run: Run, classifier: str) -> pd.DataFrame:
    """What the largest gamma changes of C at each beta, with three intervals: over seeds alone,
    over seeds and test images, and those over fresh draws of the noise, too.

    The last two are those of :func:`.estimates.image_by_image`, of means over draws; the noise of
    two images is independent, so the images' share has that of the draws in it. Rows whose bits are
    not published are left out.
    """
    most, rows = run.table["gamma"].max(), list[dict[str, object]]()
    for beta in sorted(run.table["beta"].unique()):
        row: dict[str, object] = {"beta": float(beta)}
        for name, draws in (("published", ("",)), ("fresh", _fresh())):
            each = _differences(run, float(beta), most, classifier, draws)
            if len(each) > 1:
                row[name] = image_by_image(each)
                row[f"{name}_seeds"] = len(each)
                row.setdefault("seeds", student(each.mean(axis=1)))
        if "published" in row:
            rows.append(row)
    return pd.DataFrame(rows)


def _fresh() -> tuple[str, ...]:
    return tuple(f" draw={draw}" for draw in range(1, evidence.FRESH + 1))


def _differences(
    run: Run, beta: float, gamma: float, classifier: str, draws: tuple[str, ...]
) -> np.ndarray:
    """Error with ``gamma`` less error without, (seeds, images), the mean over ``draws``."""
    found = []
    for seed in sorted(run.table["seed"].unique()):
        at = [{"beta": beta, "gamma": weight, "seed": seed} for weight in (0.0, gamma)]
        try:
            wrong = [
                np.mean([evidence.wrong(f"{EXPERIMENT}_{PRESET}", row, classifier + d)
                         for d in draws], axis=0) for row in at
            ]  # fmt: skip
        except DataError:
            continue
        found.append(wrong[1] - wrong[0])
    return np.array(found)


def corners() -> pd.DataFrame:
    """D, P and C of the points that matter, for each experiment.

    The published point of least C, that of what was trained longer, the network near the bound at
    beta = gamma = 0, the posterior mean, and the best classifier of Y. ``added``: what restoring
    first adds to the error of that classifier (:func:`.estimates.apart`).
    """
    rows, longest = list[dict[str, object]](), published_runs(((PRESET, RESTORER),))
    for name, run in published_runs((("full", "paper"), ("full", "fast"))).items():
        own = f"error_rate_{run.settings.classifier}"
        shown = [("published, least C", _least(run.table))]
        if name in longest:
            shown.append(("trained longer, least C", _least(longest[name].table)))
        if get(name).task == "denoising":
            table = near.published()
            column = own if own in table else "error_rate"
            table = table.assign(error_rate=table[column], error_rate_se=np.nan)
            shown.append(("near the bound", table[(table["beta"] == 0) & (table["gamma"] == 0)]))
        free = attainable.restorers(run)
        if "mean" in free.index:
            shown.append(("posterior mean", free.loc[["mean"]]))
        level = attainable.floor(run)
        for what, part in shown:
            error = attainable.over_seeds_and_images(_with_se(part))
            means = part[["mse", "p_judge"]].mean()
            added = apart(error, level.error) if level else UNKNOWN
            rows.append({"experiment": get(name).label, "restored by": what, **means,
                         "error": error, "added": added, "seeds": len(part)})  # fmt: skip
        if level:
            rows.append({"experiment": get(name).label, "error": level.error, "added": UNKNOWN,
                         "restored by": f"nothing: {level.classifier}"})  # fmt: skip
    return pd.DataFrame(rows)


def _least(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the weights whose mean error is least."""
    beta, gamma = table.groupby(WEIGHTS)["error_rate"].mean().idxmin()
    return table[(table["beta"] == beta) & (table["gamma"] == gamma)]


def _with_se(table: pd.DataFrame, n: int = 10_000) -> pd.DataFrame:
    """``table`` with the standard error over ``n`` images of a rate that has none."""
    rate = table["error_rate"]
    return table.assign(
        error_rate_se=table["error_rate_se"].fillna(np.sqrt(rate * (1 - rate) / (n - 1)))
    )


def others() -> list[str]:
    """The experiments besides Exp-2 of which anything was trained longer, in their order."""
    return [name for name in EXPERIMENTS if name != EXPERIMENT and len(grids(name)[LONGER])]


def grids(name: str) -> dict[str, pd.DataFrame]:
    """Rows of experiment ``name`` by grid: :data:`PUBLISHED`, :data:`STRONGER`, :data:`LONGER`.

    Those of the stronger network that was trained as long as the published are a learning curve's.
    """
    table = results.load(name, variant=None)
    published = table[(table["preset"] == "full") & (table["restorer"] == "paper")]
    published = published[published["variant"] == ""]
    stronger = table[(table["preset"] == PRESET) & (table["restorer"] == RESTORER)]
    as_long = {f"steps={steps}" for steps in published["steps"]}
    return {
        PUBLISHED: published,
        STRONGER: stronger[stronger["variant"].isin(as_long)],
        LONGER: stronger[stronger["variant"] == ""],
    }


def _by_gamma(rows: pd.DataFrame, beta: float) -> pd.DataFrame:
    """What gamma of :data:`CORNER` changes of C, D and P at ``beta``: a line a seed that has both;
    empty where the two weights are not there."""
    both = rows[rows["beta"] == beta].pivot_table(
        index="seed", columns="gamma", values=list(ENOUGH)
    )
    if not all((c, weight) in both for c in ENOUGH for weight in (0.0, CORNER)):
        return pd.DataFrame(columns=list(ENOUGH))
    return pd.DataFrame({c: both[c][CORNER] - both[c][0.0] for c in ENOUGH}).dropna()


def effects(name: str) -> pd.DataFrame:
    """What gamma of :data:`CORNER` changes in each of the :func:`grids` of experiment ``name``.

    A row a grid and beta that it has: ``grid``, ``steps``, ``beta``, ``seeds``, and an
    :class:`.Interval` over the seeds, paired, of C, D and P (the judge's).
    """
    rows = list[dict[str, object]]()
    for kind, own in grids(name).items():
        for beta in (0.0, CORNER):
            each = _by_gamma(own, beta)
            if len(each):
                said = {"grid": kind, "steps": int(own["steps"].max()), "beta": beta}
                rows.append({**said, "seeds": len(each), **{c: student(each[c]) for c in each}})
    return pd.DataFrame(rows)


def shares(name: str) -> pd.DataFrame:
    """Why gamma's change of C at beta 0 differs between the first and the last of :func:`grids`.

    A row a reason: ``by`` and ``change``, an :class:`.Interval` over seeds, paired, of what the
    stronger network (with its pre-training) and the length of the training add to that change.
    Reasons of which a grid is missing are left out.
    """
    each = {kind: _by_gamma(own, 0.0)["error_rate"] for kind, own in grids(name).items()}
    found = [
        {"by": by, "change": student((each[later] - each[former]).dropna())}
        for by, former, later in (
            ("the network and its pre-training", PUBLISHED, STRONGER),
            ("the length", STRONGER, LONGER),
        )
        if len(each[former]) and len(each[later])
    ]
    return pd.DataFrame(found, columns=["by", "change"])


def paid(name: str) -> str:
    """What :func:`effects` and :func:`shares` say of experiment ``name`` trained longer."""
    label, found = get(name).label, effects(name)
    moves = {-1: "clearly falls", 0: "does not clearly move", 1: "clearly rises"}
    said = [
        f"at β = {row.beta:g} C {moves[row.error_rate.sign]}, D {moves[row.mse.sign]} and P "
        f"{moves[row.p_judge.sign]}"
        for row in found[found["grid"] == LONGER].itertuples()
    ]
    reasons = [f"{row.by} {text.points(row.change)} points" for row in shares(name).itertuples()]
    why = f" What adds to C's change at β = 0: {text.listed(reasons)}." if reasons else ""
    own = grids(name)[LONGER]
    made = text.listed(sorted(set(own["hardware"].map(text.plain))))
    return (
        f"**{label}**, trained longer, with γ: {'; '.join(said)}.{why} "
        f"({text.count(len(own), 'training')}, {own['seconds'].sum() / 60:.0f} minutes of {made}.)"
    )


def answer(run: Run, rows: pd.DataFrame, found: pd.DataFrame) -> str:
    """What the page says first."""
    pairs = next(i for i, one in enumerate(verdicts.statements()) if one.number == "E2")
    gained, lengths = gains(rows), sorted(rows["steps"].unique())
    first, last = (gained.loc[steps, 0.0] for steps in (lengths[0], lengths[-1]))
    cells = found.drop(columns="statement").iloc[pairs]
    contrary = (found.drop(columns="statement") == "reproduced").sum()
    return (
        f"At β = 0 the largest γ changes C of {NAMES[run.settings.classifier]} by "
        f"{text.points(first)} points after {lengths[0]:,} steps and by {text.points(last)} after "
        f"{lengths[-1]:,} ({text.count(int(rows['seed'].nunique()), 'seed')}). E2, that better "
        f"classification always costs D or P, is *{cells.iloc[0]}* in the published grid (by the "
        f"judge / by the run's own critic; one word where they agree), *{cells.iloc[-2]}* for a "
        f"stronger network without the largest β, and *{cells.iloc[-1]}* in the grid trained "
        f"longer ({text.count(int(run.table['seed'].nunique()), 'seed')}). There "
        f"{contrary.iloc[-1]} of {len(found)} statements are reproduced by both measures of P, in "
        f"the published grid {contrary.iloc[0]}."
    )


def finding(run: Run) -> str:
    """The chapter's finding in two sentences for the front page, as Markdown."""
    rows = curve()
    found, lengths = gains(rows), sorted(rows["steps"].unique())
    first, last = (text.points(found.loc[steps, 0.0]) for steps in (lengths[0], lengths[-1]))
    said = {
        perception: next(c for c in verdicts.of(run, perception) if c.statement.startswith("E2:"))
        for perception in rules.load().perceptions
    }
    verdict = " and ".join(dict.fromkeys(one.verdict for one in said.values()))
    also = []
    for name in others():
        other = effects(name)
        at = other[other["beta"] == 0].set_index("grid")["error_rate"].map(text.points)
        by = [
            f" ({text.points(row.change)} by {row.by})"
            for row in shares(name).itertuples()
            if row.change.sign
        ]
        also.append(f"in {get(name).label} from {at[PUBLISHED]} to {at[LONGER]}{''.join(by)}")
    more = f"; with a stronger network as well, {text.listed(also)}" if also else ""
    return (
        f"In a grid of Exp-2 with {int(run.table['steps'].max()):,} steps a point and no weight "
        f"that overwhelms D, that no point is better on all three axes (E2) is {verdict}, by the "
        f"judge and by each run's own critic. What γ changes of C at β = 0 goes from {first} "
        f"points after {lengths[0]:,} steps to {last} after {lengths[-1]:,}{more}"
    )


def chosen(rows: pd.DataFrame, run: Run) -> str:
    """Which length the rule asks for, and which the grid has."""
    wanted, had = asked(changes(rows)), int(run.table["steps"].max())
    said = f"The rule asks for {wanted:,} steps; the grid was trained for {had:,}"
    return (
        f"{said}." if wanted <= had else f"{said}: a gap, which the curve above shows the size of."
    )


def bill(rows: pd.DataFrame, run: Run) -> str:
    """What was trained, and what it took."""
    both = pd.concat([rows, run.table]).drop_duplicates("config_hash")
    return (
        f"{len(both)} trainings: {both['seconds'].sum() / 60:.0f} minutes of "
        f"{text.listed(sorted(set(both['hardware'].map(text.plain))))}, several at once and "
        f"points of a seed together (`--stack`), measuring included. "
        f"`cdp sweep {EXPERIMENT} --preset {PRESET} --stack 64 --workers 5` trains the grid, "
        f"`-p steps=400` and so on the curve."
    )
