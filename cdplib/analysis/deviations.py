"""Where paper, release and this book differ, each line with its effect, measured when it is asked.

What the release does was read in the authors' published code and is described, not copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdplib.analysis import ablations, chapter, claims, trends, verdicts
from cdplib.analysis.overview import markdown
from cdplib.errors import DataError, InputError
from cdplib.experiments import classifiers

MISSING = "not measured yet"
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


def _quick(experiment: str) -> chapter.Run:
    run = chapter.published_run(experiment, [("quick", "fast")])
    if run is None:
        raise DataError(f"{experiment}: no quick rows are published")
    return run


def _ablation(name: str) -> pd.DataFrame:
    table = ablations.rows("exp2", name)
    if table.empty:
        raise DataError(f"{name}: no rows are published")
    return table


def _change(frame: pd.DataFrame, weight: str, column: str) -> str:
    return claims.effect_text(trends.effect(frame, weight, column))


def _own_loss() -> str:
    written = _change(_quick("exp1").table, "gamma", "error_rate")
    seen = chapter.seen_by(_quick("exp2"), "logistic")
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
    value, low, high = verdicts.correlation(_quick("exp2").table, "p_critic", "p_judge")
    ratio = _quick("exp2").table.eval("p_critic / p_judge").median()
    return (
        f"rank correlation of the runs' own gaps with the judge's {value:.2f} [{low:.2f}, "
        f"{high:.2f}]; their median ratio is {ratio:.1f}"
    )


def _statistics() -> str:
    found = ablations.statistics_at_test(_quick("exp2"), [50], images=1000)
    if found.empty:
        raise DataError("no restorer is shipped")
    means = found.groupby("statistics")[["mse", "error_rate"]].mean()
    gap = means.loc["batch of 50"] - means.loc["running"]
    return f"batches of 50: D {gap['mse']:+.5f}, C {100 * gap['error_rate']:+.2f} points"


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
    return "; ".join(parts)


def _flip() -> str:
    accuracy = classifiers.facts("cnn2c", "cifar10").get("test_accuracy")
    if accuracy is None:
        raise DataError("CNN-2' is not trained")
    return f"with it CNN-2' is right on {100 * accuracy:.2f} % of test images"


def _lots() -> str:
    table, main = _ablation("noise_input"), _quick("exp2").table
    main = ablations.common_weights(main, table)
    gap = [
        trends.over_seeds(t).sort_values(["beta", "gamma"])[["mse", "error_rate"]].mean()
        for t in (table, main)
    ]
    change = gap[0] - gap[1]
    return f"D {change['mse']:+.5f}, C {100 * change['error_rate']:+.2f} points, over the grid"


def _scratch() -> str:
    table, main = _ablation("scratch"), _quick("exp2").table
    main = ablations.common_weights(main, table)
    first = [
        trends.over_seeds(t).sort_values(["beta", "gamma"]).iloc[0][["mse", "error_rate"]]
        for t in (table, main)
    ]
    change = first[0] - first[1]
    return (
        f"from scratch at equal cost: D {change['mse']:+.5f}, C "
        f"{100 * change['error_rate']:+.2f} points at the least weights"
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
    return f"standard deviation over seeds, Exp-2: {', '.join(spread)} (C in points)"


def _networks() -> str:
    paper = chapter.published_run("exp2", [("full", "paper")])
    if paper is None:
        raise DataError("no rows of the paper's denoiser are published")
    fast = _quick("exp2")
    parts = [
        f"γ on C, `{run.settings.restorer}`: {_change(run.table, 'gamma', 'error_rate')}"
        for run in (paper, fast)
    ]
    return "; ".join(parts)


def _nothing() -> str:
    return "none: the same; a test holds its digest or its count"


DEVIATIONS = (
    Deviation("each classifier's own cross entropy trains its restorers",
              "Exp-1 evaluates restorers that were trained with CNN-1's",
              "both ways", _own_loss, "{ref}`ch:exp1`"),
    Deviation("the discriminator estimates the Wasserstein distance",
              "batch normalisation in the critic, every parameter clipped to 0.01",
              "gradient penalty, no batch normalisation", _critic, "{ref}`ch:ablations`"),
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
              "deterministic; a noise input as an ablation", _lots, "{ref}`ch:ablations`"),
    Deviation("not said", "40,000 iterations a point from scratch",
              "one pre-training a seed, then every point from there", _scratch,
              "{ref}`ch:ablations`"),
    Deviation("not said", "no seeds, one run a point", "three seeds, error bars", _seeds,
              "{ref}`ch:exp2`"),
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
