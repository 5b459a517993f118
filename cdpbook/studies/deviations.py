"""Where paper, release and this book differ, each line with its effect, measured when it is asked.

What the release does was read in the authors' published code and is described, not copied.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NoReturn

import pandas as pd

from cdpbook import batches, claims, text
from cdpbook.runs import Run, published_run, seen_by
from cdpbook.statistics.estimates import Interval, correlation, noise, paired
from cdpbook.statistics.trends import WEIGHTS, effect, in_every_seed
from cdpbook.studies import ablations, costs
from cdplib.errors import DataError, InputError

#: Test images of the comparison of statistics: as many as {ref}`ch:ablations` takes by default.
IMAGES = 10_000
#: Rate of the release's restorers and images of its batches, which schedules were tried against.
RELEASED_RATE, RELEASED_BATCH = 0.001, 50
#: Test accuracies in the names of the release's checkpoints.
RELEASED_ACCURACY = {"cnn1": 0.9919, "cnn2": 0.9938, "cnn2c": 0.8518}


class Deviation(NamedTuple):
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


def _rows(name: str) -> pd.DataFrame:
    table = ablations.rows("exp2", name)
    if table.empty:
        raise DataError(f"{name}: no rows are published")
    return table


def _change(frame: pd.DataFrame, weight: str, column: str) -> str:
    found = effect(frame, weight, column)
    where = f"{text.LETTERS[weight]} = {found.low:g} to {found.high:g}"
    return f"{text.quantity(column).change(found.interval)} from {where}"


def _d_and_c(found: dict[str, Interval]) -> str:
    shown = ((text.quantity(column), value) for column, value in found.items())
    return ", ".join(f"{quantity.letter} {quantity.change(value)}" for quantity, value in shown)


def _paired(name: str, least: bool = False) -> str:
    """What an ablation changes about D and C, over the grid or at its ``least`` weights alone."""
    other = _rows(name)
    main = ablations.rows("exp2", preset=other["preset"].iloc[0])
    if least:
        other = other[(other[["beta", "gamma"]] == other[["beta", "gamma"]].min()).all(axis=1)]
    one, two = (table.set_index([*WEIGHTS, "seed"]) for table in (main, other))
    found = {column: paired(one[column], two[column]) for column in ("mse", "error_rate")}
    return f"{_d_and_c(found)}, {'at the least weights' if least else 'over the grid'}"


def _beside(what: str, tables: dict[str, pd.DataFrame], weight: str, column: str) -> str:
    parts = [f"{name} {_change(table, weight, column)}" for name, table in tables.items()]
    return f"{what}: {'; '.join(parts)}"


def _own_loss() -> str:
    seen = seen_by(_quick("exp2"), "logistic").table
    tables = {"its own loss": _quick("exp1").table, "CNN-1's loss": seen}
    return _beside("γ on the logistic model's C", tables, "gamma", "error_rate")


def _critic() -> str:
    tables = {"a gradient penalty": _quick("exp2").table, "as released": _rows("released_critic")}
    return _beside("β on P", ablations.at_shared_weights(tables), "beta", "p_judge")


def _own_critics() -> str:
    table = _quick("exp2").table
    order = text.interval(correlation(table, "p_critic", "p_judge"), 2)
    ratio = table.eval("p_critic / p_judge").median()
    return f"rank correlation of own gaps with the judge's {order}; median ratio {ratio:.1f}"


def _statistics() -> str:
    found = batches.statistics_at_test(_quick("exp2"), [RELEASED_BATCH], IMAGES)
    if found.empty:
        raise DataError("no restorer is shipped")
    line = found.iloc[-1]
    changes = {name: line[f"{name}_change"] for name in ("mse", "error_rate")}
    return f"batches of {RELEASED_BATCH}: {_d_and_c(changes)} (over the images)"


def _selection(names: tuple[str, ...] = tuple(RELEASED_ACCURACY)) -> str:
    known, parts = costs.classifier_costs().set_index("classifier"), []
    for name in names:
        if (title := claims.NAMES[name]) in known.index:
            test, validation = 100 * known.loc[title, ["test", "validation"]]
            parts.append(
                f"{title}: {test:.2f} % on test images, {validation:.2f} % on validation (release "
                f"{100 * RELEASED_ACCURACY[name]:.2f} %)"
            )
    if not parts:
        raise DataError("no classifier is trained")
    return f"levels of accuracy, not an effect: {'; '.join(parts)}"


def _longer() -> str:
    table, main = _rows("longer"), ablations.rows("exp2", preset="full")
    steps = f"{table['steps'].max():,} steps in place of {main['steps'].max():,}"
    betas = text.listed(f"{beta:g}" for beta in sorted(table["beta"].unique()))
    return f"{steps} at β = {betas}: {_paired('longer')}"


def _seeds() -> str:
    columns = ["mse", "error_rate", "p_judge"]
    _, values = in_every_seed(_quick("exp2").table, columns)
    if len(values) < 2:
        raise DataError("one seed only")
    shown = zip(map(text.quantity, columns), noise(values), strict=True)
    said = ", ".join(f"{quantity.letter} {quantity.number(sd)}" for quantity, sd in shown)
    return f"a spread, not an effect: the noise of training, Exp-2: {said} (C in points)"


def _networks() -> str:
    parts = [
        _beside(f"γ on C in {text.title(experiment)}", tables, "gamma", "error_rate")
        for experiment in ("exp2", "exp4", "exp5")
        if len(tables := ablations.by_network(experiment)) > 1
    ]
    if not parts:
        raise DataError("no experiment has rows of two networks")
    return ". ".join(parts)


def _annealing() -> str:
    table = costs.published()
    if (table.loc[table["variant"] == "", "alpha"] != 1).any():
        raise DataError("some rows of a main table have another α than 1")
    return "none: with α = 1, as in every row of a main table, both are the same"


def _tried(column: str, released: float) -> str:
    """The best other value of a pre-training's ``column`` against the release's, all else equal."""
    keys = [name for name in ("experiment", "restorer", "batch", "lr", "steps") if name != column]
    tried = costs.tuning().query("stage == 'pretrain'").sort_values("mse")
    ours, theirs = (
        tried[(tried[column] == released) == same].drop_duplicates(keys).set_index(keys)
        for same in (False, True)
    )
    shared = ours.index.intersection(theirs.index)
    if shared.empty:
        raise DataError("nothing was tried beside the release's")
    shown = ["mse", "error_rate", "cpu_seconds"]
    ours, theirs = (table.loc[shared, shown] for table in (ours, theirs))
    change, time = ours - theirs, 100 * ours["cpu_seconds"] / theirs["cpu_seconds"]
    return (
        f"the best other value tried, in {text.count(len(shared), 'short pre-training')} "
        f"(validation, one seed, no interval): D {text.between(change['mse'], 5)}, "
        f"C {text.between(100 * change['error_rate'], 1)} points, in "
        f"{text.between(time, 0, sign=False)} % of the time"
    )


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
              "mirrored left to right", partial(_selection, ("cnn2c",)), "{ref}`ch:exp5`"),
    Deviation("down-sampled and interpolated",
              "edges padded, Pillow's bicubic filter, rounded to bytes twice", "the same",
              _nothing, "{ref}`ch:experiments`"),
    Deviation("restorations may be random (Definition 1)", "deterministic networks",
              "deterministic; a noise input as an ablation", partial(_paired, "noise_input"),
              "{ref}`ch:ablations`"),
    Deviation("not said", "every point from scratch",
              "one pre-training and one warmed critic a seed, then every point from there",
              partial(_paired, "scratch", least=True), "{ref}`ch:ablations`"),
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
              "cosine, the critic at a constant, higher rate", partial(_tried, "lr", RELEASED_RATE),
              "{ref}`ch:reproducibility`"),
    Deviation("not said", "50 images a step", "fewer images, more steps in the same time",
              partial(_tried, "batch", RELEASED_BATCH),
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


def table(known: tuple[Deviation, ...] = DEVIATIONS) -> pd.DataFrame:
    """Every deviation: ``paper, release, here, effect, where``, and ``why`` there is no effect."""
    lines = []
    for line in known:
        effect, why = "", ""
        try:
            effect = line.effect()
        except (DataError, InputError) as error:
            why = str(error)
        lines.append((line.paper, line.release, line.here, effect, line.link, why))
    return pd.DataFrame(lines, columns=["paper", "release", "here", "effect", "where", "why"])
