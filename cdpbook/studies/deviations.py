"""Where paper, release and this book differ, each line with its effect, measured when it is asked.

What the release does was read in the authors' published code and is described, not copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import numpy as np
import pandas as pd

from cdpbook import claims, text
from cdpbook.overview import markdown
from cdpbook.runs import Run, published_run, seen_by
from cdpbook.statistics import trends
from cdpbook.statistics.estimates import correlation, student
from cdpbook.studies import ablations, costs
from cdpbook.text import signed
from cdplib.errors import DataError, InputError
from cdplib.experiments import classifiers

MISSING = "not measured yet"
#: Test images of the comparison of statistics: as many as {ref}`ch:ablations` takes by default.
IMAGES = 10_000
#: Rate of the release's restorers and images of its batches, which schedules were tried against.
RELEASED_RATE, RELEASED_BATCH = 0.001, 50
#: Test accuracies in the names of the release's checkpoints.
RELEASED_ACCURACY = {"cnn1": 0.9919, "cnn2": 0.9938, "cnn2c": 0.8518}


@dataclass(frozen=True)
class Deviation:
    """One line: what the paper says, what the release does, what is done here, what it changes."""

    paper: str
    release: str
    here: str
    effect: Callable[[], str]
    link: str


def _quick(experiment: str) -> Run:
    run = published_run(experiment, [("quick", "fast")])
    if run is None:
        raise DataError(f"{experiment}: no quick rows are published")
    return run


def _ablation(name: str, preset: str = ablations.PRESET) -> pd.DataFrame:
    table = ablations.rows("exp2", name, preset)
    if table.empty:
        raise DataError(f"{name}: no rows are published")
    return table


def _change(frame: pd.DataFrame, weight: str, column: str) -> str:
    return claims.effect_text(trends.effect(frame, weight, column))


def _paired(name: str, least: bool = False, preset: str = ablations.PRESET) -> str:
    """What an ablation changes about D and C at equal weights and seeds, with 95 % intervals.

    Averaged over the weights, or at the ``least`` ones alone.
    """
    keys = ["alpha", "beta", "gamma", "seed"]
    main = ablations.rows("exp2", preset=preset)
    both = main.merge(_ablation(name, preset), on=keys, suffixes=("_main", ""))
    if least:
        both = both[(both["beta"] == both["beta"].min()) & (both["gamma"] == both["gamma"].min())]
    if both.empty:
        raise DataError(f"{name}: no weights and seeds in common")
    parts = []
    for letter, column, factor, digits in (("D", "mse", 1, 5), ("C", "error_rate", 100, 2)):
        each = factor * (both[column] - both[f"{column}_main"]).groupby(both["seed"]).mean()
        value, low, high = student(each)
        ends = "unknown: one seed"
        if math.isfinite(low):
            ends = f"{signed(low, digits)}, {signed(high, digits)}"
        parts.append(f"{letter} {signed(value, digits)} [{ends}]")
    where = "at the least weights" if least else "over the grid"
    return f"{', '.join(parts)} points, {where}"


def _tuned(stage: str) -> pd.DataFrame:
    """The schedules that were tried; :class:`DataError` where none was."""
    if not costs.TUNING.is_file():
        raise DataError("no schedule was tried")
    table = pd.read_csv(costs.TUNING)
    return table[table["stage"] == stage]


def _gain(after: pd.Series, before: pd.Series) -> str:
    change = after[["mse", "error_rate"]] - before[["mse", "error_rate"]]
    return f"D {signed(change['mse'], 5)}, C {signed(100 * change['error_rate'], 1)} points"


def _own_loss() -> str:
    written = _change(_quick("exp1").table, "gamma", "error_rate")
    seen = seen_by(_quick("exp2"), "logistic")
    released = _change(seen.table, "gamma", "error_rate")
    return f"γ on the logistic model's C: its own loss {written}; CNN-1's loss {released}"


def _critic() -> str:
    table = _ablation("released_critic")
    main = ablations.common_weights(_quick("exp2").table, table)
    return (
        f"β on P with the released critic: {_change(table, 'beta', 'p_judge')}; with a gradient "
        f"penalty: {_change(main, 'beta', 'p_judge')}"
    )


def _own_critics() -> str:
    found = correlation(_quick("exp2").table, "p_critic", "p_judge")
    ratio = _quick("exp2").table.eval("p_critic / p_judge").median()
    return (
        f"rank correlation of the runs' own gaps with the judge's {text.interval(found, 2)}; "
        f"their median ratio is {ratio:.1f}"
    )


def _statistics() -> str:
    found = ablations.statistics_at_test(_quick("exp2"), [RELEASED_BATCH], IMAGES)
    if found.empty:
        raise DataError("no restorer is shipped")
    line = found.set_index("statistics").loc[f"batch of {RELEASED_BATCH}"]
    return (
        f"batches of {RELEASED_BATCH}: D {signed(line['mse_change'], 5)} ± {line['mse_half']:.5f}, "
        f"C {signed(100 * line['error_change'], 2)} ± {100 * line['error_half']:.2f} points (95 %, "
        "over the images)"
    )


def _selection() -> str:
    parts = []
    for name, released in RELEASED_ACCURACY.items():
        dataset = "cifar10" if name == "cnn2c" else "mnist"
        facts = classifiers.facts(name, dataset)
        if not facts:
            continue
        parts.append(
            f"{claims.NAMES[name]}: {100 * facts['test_accuracy']:.2f} % on test images, "
            f"{100 * facts['validation_accuracy']:.2f} % on validation (release "
            f"{100 * released:.2f} %)"
        )
    if not parts:
        raise DataError("no classifier is trained")
    return f"levels, not an effect: {'; '.join(parts)}"


def _flip() -> str:
    accuracy = classifiers.facts("cnn2c", "cifar10").get("test_accuracy")
    if accuracy is None:
        raise DataError("CNN-2' is not trained")
    return f"a level, not an effect: CNN-2' is right on {100 * accuracy:.2f} % of test images"


def _scratch() -> str:
    return f"from scratch at equal cost: {_paired('scratch', least=True)}"


def _longer() -> str:
    table, main = _ablation("longer", "full"), ablations.rows("exp2", preset="full")
    betas = " and ".join(f"{beta:g}" for beta in sorted(table["beta"].unique()))
    return (
        f"{table['steps'].max():,} steps in place of {main['steps'].max():,} at β = {betas}: "
        f"{_paired('longer', preset='full')}"
    )


def _seeds() -> str:
    points = trends.over_seeds(_quick("exp2").table)
    if points["seeds"].max() < 2:
        raise DataError("one seed only")
    columns = {"mse": ("D", 1, 5), "error_rate": ("C", 100, 2), "p_judge": ("P", 1, 3)}
    spread = [
        f"{letter} {factor * np.sqrt((points[f'{name}_bar'] ** 2).mean()):.{digits}f}"
        for name, (letter, factor, digits) in columns.items()
    ]
    return (
        f"a spread, not an effect: standard deviation over seeds, Exp-2: {', '.join(spread)} (C in "
        "points)"
    )


def _networks() -> str:
    parts = []
    for experiment in ("exp2", "exp4", "exp5"):
        runs = {
            restorer: published_run(experiment, [(preset, restorer)])
            for preset, restorer in (("full", "paper"), ("quick", "fast"))
        }
        tables = {name: run.table for name, run in runs.items() if run is not None}
        if len(tables) < len(runs):
            continue
        said = [
            f"`{name}` {_change(table, 'gamma', 'error_rate')}"
            for name, table in ablations.at_shared_weights(tables).items()
        ]
        parts.append(f"γ on C in {text.title(experiment)}: {', '.join(said)}")
    if not parts:
        raise DataError("no experiment has rows of both")
    return "; ".join(parts)


def _annealing() -> str:
    if (costs.published()["alpha"] != 1).any():
        raise DataError("some rows have another α than 1")
    return "none: with α = 1, as in every published row, both are the same"


def _rates() -> str:
    parts = []
    groups = _tuned("pretrain").groupby(["experiment", "restorer", "batch", "steps"])
    for (experiment, restorer, *_), part in groups:
        as_released = part[part["lr"] == RELEASED_RATE]
        if as_released.empty or len(part) < 2:
            continue
        best = part.loc[part["mse"].idxmin()]
        gain = _gain(best, as_released.iloc[0])
        parts.append(f"{text.title(experiment)} `{restorer}`, {best['lr']:g}: {gain}")
    if not parts:
        raise DataError("no rate was tried beside the release's")
    return (
        f"short pre-trainings at the best rate tried less those at {RELEASED_RATE:g} (validation, "
        f"one seed, no interval): {'; '.join(parts)}"
    )


def _batch() -> str:
    parts = []
    groups = _tuned("pretrain").groupby(["experiment", "restorer", "lr", "steps"])
    for (experiment, restorer, _, steps), part in groups:
        whole = part[part["batch"] == RELEASED_BATCH]
        for _, line in part[part["batch"] < RELEASED_BATCH].iterrows() if len(whole) else ():
            parts.append(
                f"{text.title(experiment)} `{restorer}`, {line['batch']} images, "
                f"{steps:,} steps: {_gain(line, whole.iloc[0])}, in "
                f"{100 * line['cpu_seconds'] / whole.iloc[0]['cpu_seconds']:.0f} % of the time"
            )
    if not parts:
        raise DataError("no smaller batch was tried")
    return f"pre-training (validation, one seed, no interval): {'; '.join(parts)}"


def _unmeasured(why: str) -> NoReturn:
    raise DataError(why)


def _nothing() -> str:
    return "none: the same; a test holds its digest or its count"


DEVIATIONS = (
    Deviation("each classifier's own cross entropy trains its restorers",
              "Exp-1 evaluates restorers that were trained with CNN-1's",
              "both ways", _own_loss, "{ref}`ch:exp1`"),
    Deviation("the discriminator estimates the Wasserstein distance",
              "batch normalisation in the critic, every parameter clipped to 0.01",
              "gradient penalty, no batch normalisation, half the width", _critic,
              "{ref}`ch:ablations`"),
    Deviation("P is one axis for all points", "each point is measured by its own critic",
              "one judge for all, refitted from one start with one budget", _own_critics,
              "{ref}`ch:measuring-perception`"),
    Deviation("noisy training data", "fresh noise for every batch", "the same, seeded for the test",
              _nothing, "{ref}`ch:experiments`"),
    Deviation("networks inspired by DnCNN and SRCNN",
              "not residual, output clipped to [0, 1]; layers and widths as counted",
              "the same, parameter for parameter; fast ones beside them", _networks,
              "{ref}`ch:ablations`"),
    Deviation("not said", "statistics of the test batch, in batches of 50",
              "running statistics", _statistics, "{ref}`ch:ablations`"),
    Deviation("classifiers are pretrained on the clean training data",
              "selected by test accuracy", "selected by validation accuracy", _selection,
              "{ref}`ch:experiments`"),
    Deviation("not said", "the flip of CIFAR-10 images reverses their colour channels",
              "mirrored left to right", _flip, "{ref}`ch:exp5`"),
    Deviation("down-sampled and interpolated",
              "edges padded, Pillow's bicubic filter, rounded to bytes twice", "the same",
              _nothing, "{ref}`ch:experiments`"),
    Deviation("restorations may be random (Definition 1)", "deterministic networks",
              "deterministic; a noise input as an ablation", partial(_paired, "noise_input"),
              "{ref}`ch:ablations`"),
    Deviation("not said", "every point from scratch",
              "one pre-training and one warmed critic a seed, then every point from there",
              _scratch, "{ref}`ch:ablations`"),
    Deviation("not said", "40,000 iterations a point", "hundreds after a pre-training of thousands",
              _longer, "{ref}`ch:ablations`"),
    Deviation("not said", "no seeds, one run a point", "three seeds, error bars", _seeds,
              "{ref}`ch:exp2`"),
    Deviation("α is a weight of Eq. 16", "α starts at 1: max(α, 1 − step/299)", "α is a constant",
              _annealing, "{ref}`ch:experiments`"),
    Deviation("not said", "the step of least validation loss, of those after 62.5 %",
              "the last step", partial(_paired, "select"), "{ref}`ch:ablations`"),
    Deviation("not said", "five critic steps a restorer step, each on a fresh batch",
              "one, on the restorer's own batch", partial(_paired, "critic_steps"),
              "{ref}`ch:ablations`"),
    Deviation("not said", "Adam; the restorer's rate falls to a fifth after every quarter, the "
              "critic's is constant", "Adam; pre-training in one cycle, points along half a "
              "cosine, the critic at a constant, higher rate", _rates, "{ref}`ch:reproducibility`"),
    Deviation("not said", "50 images a step", "fewer images, more steps in the same time", _batch,
              "{ref}`ch:reproducibility`"),
    Deviation("not said", "single precision", "trained with bfloat16 products where the hardware "
              "has them; weights rounded to half precision before they are measured",
              partial(_unmeasured, "no point was trained in both precisions"),
              "{ref}`ch:reproducibility`"),
    Deviation("not said", "classifiers trained by plain gradient descent for up to 1,000 epochs",
              "few epochs, one cycle; CNN-2 and CNN-2' with batch normalisation, folded away "
              "afterwards", partial(_unmeasured, "the release's recipe was not run"),
              "{ref}`ch:experiments`"),
    Deviation("not said", "CNN-2' has seen all training images of CIFAR-10, the restorers' "
              "validation images among them", "it has not seen those",
              partial(_unmeasured, "only one CNN-2' was trained"), "{ref}`ch:exp5`"),
    Deviation("Fig. 4 names six pairs of weights", "other weights, made for its critic's small "
              "scores: `grid=release`", "grids from zero, made for ours",
              partial(_unmeasured, "no point was trained at those weights"), "{ref}`ch:verdicts`"),
)  # fmt: skip


def table(known: tuple[Deviation, ...] = DEVIATIONS) -> str:
    """Every deviation with its measured effect, as Markdown."""
    rows = []
    for number, line in enumerate(known, start=1):
        try:
            effect = line.effect()
        except (DataError, InputError) as error:
            effect = f"{MISSING} ({error})"
        rows.append((number, line.paper, line.release, line.here, effect, line.link))
    return markdown(["", "paper", "release", "here", "measured effect", "where"], rows)
