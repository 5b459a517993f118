"""What trained points are held against: restorers without training, and classifiers of Y itself.

Both are published once, by :mod:`cdpbook.attainable` and :mod:`cdpbook.floors`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdpbook import attainable, floors
from cdpbook import text as words
from cdpbook.claims import NAMES
from cdpbook.runs import Run
from cdpbook.statistics.estimates import UNKNOWN, Interval, apart, with_images
from cdpbook.statistics.hulls import Hull
from cdplib.experiments.table import get

#: What stands for each restorer in a figure, as its caption says.
LETTERS = {
    "mean": "m", "blend_33": "1", "blend_67": "2", "sample": "s", "most_probable": "d",
    "class_mean": "M", "class_sample": "S",
}  # fmt: skip

LIKELIEST = "the likeliest class under the training digits"
#: How pages write the columns of the tables.
FORMS: dict[str, words.Form] = {
    "D": words.quantity("mse").number,
    **dict.fromkeys(("P: judge", "P"), words.quantity("p_judge").number),
    "sliced W2": words.quantity("sliced_w2").number,
    "Fréchet": words.quantity("frechet").number,
    **dict.fromkeys(
        ("C (%)", "C of the hull (%)", "below (points)"), lambda rate: words.number(100 * rate, 2)
    ),
    "error": lambda error: words.percent(error, 1),
}


@dataclass(frozen=True)
class Beside:
    """What figures of an experiment draw beside its points.

    ``points`` has a row a restorer without training, with columns ``letter``, ``mse``,
    ``error_rate`` and those measures of P that there are; ``error``, in [0, 1], is the level of
    the best classifier of Y, nan where none is published.
    """

    points: pd.DataFrame
    error: float

    @classmethod
    def none(cls) -> Beside:
        """Nothing beside the points."""
        return cls(pd.DataFrame(columns=["letter", "mse", "error_rate"]), math.nan)

    def within(self, x: str, y: str) -> pd.DataFrame:
        """The points that have both columns."""
        have = {x, y} <= set(self.points.columns)
        return self.points.dropna(subset=[x, y]) if have else self.points.iloc[:0]


def restorers(run: Run, draw: str = "published") -> pd.DataFrame:
    """Rows of :func:`cdpbook.attainable.table` that compare with ``run``, by restorer.

    Empty for other data or another noise. ``error_rate`` is of the run's classifier.
    """
    own = run.settings
    row = get(run.experiment)
    if own.dataset != attainable.DATASET or (row.task == "denoising" and own.noise_sigma != 1):
        return attainable.table(row).iloc[:0].set_index("restorer")
    found = attainable.table(row)
    name = f"error_rate_{own.classifier}"
    if name in found:  # C as the run has it, where another classifier evaluates
        found = found.assign(error_rate=found[name], error_rate_se=found[f"{name}_se"])
    return found[found["draw"] == draw].set_index("restorer")


def beside(run: Run) -> Beside:
    """What the figures of ``run`` show besides its points."""
    found = restorers(run)
    points = found[found.index.isin(LETTERS)].assign(letter=lambda t: t.index.map(LETTERS))
    best = floor(run)
    error = math.nan if best is None else best.error.value
    return Beside(points if len(points) else Beside.none().points, error)


@dataclass(frozen=True)
class Level:
    """A classifier of Y: its error on the test images, and what the interval is over; its error on
    the validation images, by which it is chosen."""

    classifier: str
    error: Interval
    over: str
    validation: float


def over_seeds_and_images(rows: pd.DataFrame) -> Interval:
    """The mean error of the rows of some seeds, as :func:`.estimates.with_images` has it.

    The images' share is that of one seed, which is a little too wide.
    """
    return with_images(rows["error_rate"], float(np.sqrt((rows["error_rate_se"] ** 2).mean())))


def _over(rows: pd.DataFrame) -> str:
    """What :func:`over_seeds_and_images` is over."""
    return f"{len(rows)} seeds and images" if len(rows) > 1 else "images; one seed"


def readers(run: Run) -> list[Level]:
    """The classifiers of Y for ``run``'s images, those of least validation error first.

    Trained networks, and the likeliest class under the training digits (:data:`LIKELIEST`).
    """
    row, table, rows = get(run.experiment), floors.published(), restorers(run)
    if run.settings.dataset != row.dataset or run.settings.noise_sigma != 1:
        return []
    table = table[(table["dataset"] == row.dataset) & (table["degradation"] == row.degradation)]
    found = [
        Level(
            f"{NAMES[str(name)]} trained on Y",
            over_seeds_and_images(part),
            _over(part),
            float(part["validation_error"].mean()),
        )
        for name, part in table.groupby("classifier")
    ]
    if "label" in rows.index:
        own = rows.loc["label"]
        error = with_images([own[attainable.ERROR_OF_Y]], own[f"{attainable.ERROR_OF_Y}_se"])
        found.append(Level(LIKELIEST, error, "images", float(own["validation_error"])))
    return sorted(found, key=lambda level: level.validation)


def floor(run: Run) -> Level | None:
    """The classifier of Y that validation images choose; None where none is published."""
    return next(iter(readers(run)), None)


def sentence(run: Run) -> str:
    """How far the published points stand above what needs no training, as Markdown, or empty."""
    found, fresh = restorers(run), restorers(run, "fresh")
    points, said = run.points(), []
    if "mean" in found.index:
        mean = found.loc["mean"]
        least, close = points["error_rate"].min(), points["mse"].min()
        error = with_images([mean["error_rate"]], mean["error_rate_se"])
        way = "more" if least > error.value else "less"
        said.append(
            f"**Held against no training.** On posterior means over the training digits "
            f"{run.classifier} errs in {words.percent(error, 1)} of the test digits, on the best "
            f"of {len(points)} published points in {100 * least:.1f} %, "
            f"{100 * abs(least - error.value):.1f} points {way}. D of the means is "
            f"{words.quantity('mse').number(mean['mse'])}, the least published "
            f"{words.quantity('mse').number(close)}."
        )
    if "mean" in fresh.index:
        again = fresh.loc["mean"]
        error = with_images([again["error_rate"]], again["error_rate_se"])
        said.append(
            f"On {int(again['draws'])} fresh draws of the noise: {words.percent(error, 1)} (over "
            "images and draws)."
        )
    if (best := floor(run)) is not None:
        said.append(
            f"Of classifiers of Y itself the best on validation images, {best.classifier}, errs on "
            f"{words.percent(best.error, 1)} (over {best.over}). Restoring first could do as well, "
            "but no better than the best classifier of Y ({prf:ref}`prop:data-processing`), which "
            "this one need not be."
        )
    return " ".join(said)


def under_hull(run: Run, perception: str = "p_judge") -> pd.DataFrame:
    """How far each restorer without training is below what mixtures of published points reach.

    Its D, P and C; the least C of a mixture of published points within budgets of that D and P
    (inf: none keeps to both); their difference.
    """
    shown, points = beside(run).within("mse", perception), run.points()
    hull = Hull.of(*(points[name] for name in ("mse", perception, "error_rate")))
    columns = ["restorer", "D", "P", "C (%)", "C of the hull (%)", "below (points)"]
    rows = []
    for name, row in shown.iterrows():
        d, p, c = row["mse"], row[perception], row["error_rate"]
        trained = float(hull.value(d, p))
        title = f"{row['letter']}: {attainable.TITLES[str(name)]}"
        rows.append((title, d, p, c, trained, trained - c))
    return pd.DataFrame(rows, columns=columns)


def compared(run: Run) -> pd.DataFrame:
    """Restorers without training in every measure, by restorer; columns as the text writes them."""
    found = restorers(run)
    names = {f"error_rate_{name}": name for name in NAMES if f"error_rate_{name}" in found}
    columns = {"mse": "D", "p_judge": "P: judge", "sliced_w2": "sliced W2", "frechet": "Fréchet"}
    rows = []
    for name in attainable.TITLES:
        if name not in found.index:
            continue
        row = found.loc[name]
        own = row[attainable.ERROR_OF_Y] if name == "label" else np.nan
        cells = {title: row[column] for column, title in columns.items()}
        errors = {
            f"{NAMES[k]} (%)": words.number(100 * row[column], 2) for column, k in names.items()
        }
        letter = f" ({LETTERS[name]})" if name in LETTERS else ""
        rows.append(
            {
                "restorer": attainable.TITLES[name] + letter,
                **cells,
                "itself (%)": words.number(100 * own, 2),
                **errors,
            }
        )
    return pd.DataFrame(rows)


def ways(run: Run) -> pd.DataFrame:
    """Restore, then classify; or classify at once: the error of each way, with its interval.

    Columns ``way``, ``error`` (an :class:`.Interval`), ``of``: what the interval is over.
    """
    points = run.points()
    best = points.loc[points["error_rate"].idxmin()]
    own = run.table[(run.table["beta"] == best["beta"]) & (run.table["gamma"] == best["gamma"])]
    rows = [
        (f"restored by a trained network (its best published weights), {run.classifier}",
         over_seeds_and_images(own), _over(own))
    ]  # fmt: skip
    found = restorers(run)
    for name in ("mean", "class_mean"):
        if name in found.index:
            rate, se = found.loc[name, ["error_rate", "error_rate_se"]]
            title = f"{attainable.TITLES[name]}, {run.classifier}"
            rows.append((title, with_images([rate], se), "images"))
    rows += [(level.classifier, level.error, level.over) for level in readers(run)]
    return pd.DataFrame(rows, columns=["way", "error", "of"])


def added(run: Run) -> Interval:
    """What restoring first, at the best published weights, adds to the error of the classifier of Y
    that validation images choose; unknown where none is published."""
    level = floor(run)
    return apart(ways(run)["error"].iloc[0], level.error) if level else UNKNOWN


def at_once(run: Run) -> str:
    """:func:`added` in a sentence; empty where no classifier of Y is published."""
    level = floor(run)
    return "" if level is None else (
        f"To restore first, at the best published weights, adds {words.points(added(run))} points "
        f"to the error of {level.classifier} (as if on other images: too wide)."
    )  # fmt: skip


def finding(runs: Mapping[str, Run]) -> str:
    """:func:`added` of all ``runs`` that have it, in a sentence for the front page."""
    known = {name: found for name, run in runs.items() if (found := added(run)).known}
    clear = sum(found.sign > 0 for found in known.values())
    ends = [f(known, key=lambda name: known[name].value) for f in (min, max)]
    least, most = (f"{words.points(known[name])} points ({words.title(name)})" for name in ends)
    return (
        f"To restore first, by the best published restorer, clearly adds to the error of a "
        f"classifier of Y in {clear} of "
        f"{len(known)} experiments: from {least} to {most}"
    )
