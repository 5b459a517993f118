"""What changes when one thing is changed: levels and effects of the weights, one way of training
beside another. Ablations are named in ``params/ablations.yml`` and published with a ``variant``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from cdpbook import runs, text
from cdpbook.statistics import trends
from cdpbook.statistics.estimates import Interval, student
from cdplib.errors import DataError, InputError
from cdplib.experiments import results, settings

PRESET = "quick"
#: Changes of Exp-2's training, as the pages name them, and the one that changes another preset.
TITLES = {
    "released_critic": "critic as released", "critic_steps": "five critic steps",
    "longer": "three times the steps", "select": "step of least loss", "scratch": "from scratch",
    "equal_cost": "the paper's network at equal cost", "noise_input": "a noise input",
    "less_noise": "noise σ = 0.5", "more_noise": "noise σ = 1.5",
}  # fmt: skip
PRESETS = {"longer": "full"}


class Line(NamedTuple):
    """A column's level at the least weights (no ``weight``), or what a weight changes about it."""

    weight: str
    column: str

    @property
    def title(self) -> str:
        """``γ on C``, or ``C at the least weights``."""
        letter = text.quantity(self.column).letter
        if not self.weight:
            return f"{letter} at the least weights" + " (%)" * (letter == "C")
        return f"{text.LETTERS[self.weight]} on {letter}"


LINES = tuple(
    Line(weight, column)
    for weight in ("", "gamma", "beta")
    for column in ("error_rate", "mse", "p_judge")
)


def rows(experiment: str, name: str = "", preset: str = "") -> pd.DataFrame:
    """Published rows of the ablation ``name`` (empty: of the preset itself); maybe none.

    Raises :class:`InputError` for an unknown ablation.
    """
    preset = preset or PRESETS.get(name, PRESET)
    given = settings.ablation(experiment, name) if name else {}
    variant = settings.variant(experiment, preset, settings.resolve(experiment, preset, given))
    restorer = settings.resolve(experiment, preset, given).restorer
    try:
        return results.load(experiment, preset=preset, variant=variant, restorer=restorer)
    except DataError:
        return results.frame([])


def _pairs(table: pd.DataFrame) -> set[tuple[float, float]]:
    return set(zip(table["beta"], table["gamma"], strict=True))


def at_shared_weights(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Each table's rows at the (beta, gamma) that all have; all rows if these span no 2 x 2."""
    shared = set.intersection(*(_pairs(table) for table in tables.values())) if tables else set()
    if any(len(set(values)) < 2 for values in zip(*shared, strict=True)) or not shared:
        return dict(tables)
    return {
        title: table[pd.MultiIndex.from_frame(table[["beta", "gamma"]]).isin(shared)]
        for title, table in tables.items()
    }


def ways(*names: str, title: str = "as in the main table") -> dict[str, pd.DataFrame]:
    """Exp-2's main table at the first ablation's weights, then the ablations, by their titles."""
    others = {TITLES[name]: rows("exp2", name) for name in names}
    main = {title: rows("exp2", preset=PRESETS.get(names[0], PRESET))}
    shared = at_shared_weights(main | {"": next(iter(others.values()))})
    return {title: shared[title], **others}


def by_network(experiment: str) -> dict[str, pd.DataFrame]:
    """Every published (preset, restorer) with its seconds a point, at the weights that all have."""
    found = {}
    for preset, restorer in runs.PREFERRED:
        run = runs.published_run(experiment, [(preset, restorer)])
        if run is not None:
            seconds = run.table["seconds"].median()
            found[f"`{restorer}`, preset `{preset}`, {seconds:.0f} s a point"] = run.table
    return at_shared_weights(found)


def values(table: pd.DataFrame) -> dict[Line, Interval]:
    """Each line that the table can show: an effect with its interval, a level with nan as ends."""
    if table.empty:
        return {}
    least, found = trends.over_seeds(table).sort_values(["beta", "gamma"]).iloc[0], {}
    for line in LINES:
        with contextlib.suppress(InputError):
            level = Interval(float(least[line.column]), np.nan, np.nan)
            found[line] = trends.effect(table, *line).interval if line.weight else level
    return found


@dataclass(frozen=True)
class Comparison:
    """One way of training against another, where like compares with like: ``changes``, other less
    main, paired by seed, with Student's interval; ``effects``, both sides' own, main first."""

    changes: dict[Line, Interval]
    effects: dict[Line, tuple[Interval, Interval]]

    def clear(self) -> list[Line]:
        """The lines that clearly change."""
        return [line for line, change in self.changes.items() if change.sign]

    def signs(self, product: int) -> list[Line]:
        """The effects that are clear on both sides, alike (1) or turned (-1)."""
        return [line for line, (one, two) in self.effects.items() if one.sign * two.sign == product]


def compare(main: pd.DataFrame, other: pd.DataFrame) -> Comparison:
    """Every line in which the two compare (:func:`comparable`); changes need two common seeds."""
    changes, effects = {}, {}
    for line in LINES:
        alike = comparable(main, other, line.weight)
        if alike is None:
            continue
        one, two = (_of_seed(table, line) for table in alike)
        if len(each := (two - one).dropna()) > 1:
            changes[line] = student(each)
        if line.weight and len(each):
            first, second = (trends.effect(table, *line).interval for table in alike)
            effects[line] = first, second
    return Comparison(changes, effects)


def comparable(
    main: pd.DataFrame, other: pd.DataFrame, weight: str
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The rows in which an effect of ``weight``, or a level (no weight), compares; None: nowhere.

    An effect: the other weight's common values, if ``weight`` then has the same two ends in both;
    a level: all rows, if their least weights are the same.
    """
    if main.empty or other.empty:
        return None
    if not weight:
        return (main, other) if min(_pairs(main)) == min(_pairs(other)) else None
    held = "gamma" if weight == "beta" else "beta"
    shared = set(main[held]) & set(other[held])
    main, other = (table[table[held].isin(shared)] for table in (main, other))
    ends = [(table[weight].min(), table[weight].max()) for table in (main, other)]
    return (main, other) if ends[0] == ends[1] and ends[0][0] < ends[0][1] else None


def _of_seed(table: pd.DataFrame, line: Line) -> pd.Series:
    if line.weight:
        return trends.changes(table, *line)
    return table.sort_values(["beta", "gamma"]).groupby("seed")[line.column].first()


def side_by_side(tables: Mapping[str, pd.DataFrame]) -> str:
    """Markdown: one column a table with its seeds, lines and floor; of two, their change too.

    Where the tables have different weights, each column's title says how far its own go.
    """
    tables = {title: table for title, table in tables.items() if not table.empty}
    differ = len({frozenset(_pairs(table)) for table in tables.values()}) > 1
    head, columns = ["", *tables], [["seeds", *(line.title for line in LINES), "P of real images"]]
    for k, table in enumerate(tables.values(), start=1):
        if differ:
            head[k] += f": β to {table['beta'].max():g}, γ to {table['gamma'].max():g}"
        floor = runs.floor_estimate(table["dataset"].iloc[0], "p_judge")
        last = f"{floor.value:.3f} ± {floor.se:.3f}" if floor else "–"
        columns.append([str(table["seed"].nunique()), *_written(values(table)), last])
    if len(tables) == 2:
        head.append("change")
        columns.append(["", *_written(compare(*tables.values()).changes), ""])
    return text.table(zip(*columns, strict=True), head)


def _written(found: Mapping[Line, Interval]) -> list[str]:
    cells = []
    for line in LINES:
        shown, value = text.quantity(line.column), found.get(line, Interval(*[np.nan] * 3))
        cells.append(shown.number(value[0]) if np.isnan(value.lower) else shown.change(value))
    return cells
