"""What changes when one thing is changed: the effects of the weights, main table and ablation.

Ablations are named in ``params/ablations.yml`` and published with a ``variant``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import torch
from scipy import stats

from cdpbook import live, runs
from cdpbook.overview import markdown
from cdpbook.statistics import trends
from cdpbook.statistics.estimates import Interval, student
from cdpbook.text import LETTERS, signed
from cdplib.errors import DataError, InputError
from cdplib.experiments import classifiers, data, measures, networks, results, settings
from cdplib.experiments.material import degraded_split

PRESET = "quick"
#: The columns of an effects table: title, weight, measured column, factor, digits.
EFFECTS = (
    ("γ on C (points)", "gamma", "error_rate", 100, 2),
    ("γ on D (10⁻³)", "gamma", "mse", 1000, 2),
    ("γ on P", "gamma", "p_judge", 1, 3),
    ("β on C (points)", "beta", "error_rate", 100, 2),
    ("β on D (10⁻³)", "beta", "mse", 1000, 2),
    ("β on P", "beta", "p_judge", 1, 3),
)
#: Every line of numbers of a table; those without a weight are levels at the least weights.
LINES = (
    ("D at the least weights (10⁻³)", "", "mse", 1000, 2),
    ("C there (%)", "", "error_rate", 100, 2),
    ("P there", "", "p_judge", 1, 3),
    *EFFECTS,
)


def rows(experiment: str, name: str = "", preset: str = PRESET) -> pd.DataFrame:
    """Published rows of the ablation ``name`` (empty: of the preset itself); maybe none.

    Raises :class:`InputError` for an unknown ablation.
    """
    given = settings.ablation(experiment, name) if name else {}
    variant = settings.variant(experiment, preset, settings.resolve(experiment, preset, given))
    restorer = settings.resolve(experiment, preset, given).restorer
    try:
        return results.load(experiment, preset=preset, variant=variant, restorer=restorer)
    except DataError:
        return results.frame([])


def common_weights(main: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``main`` at the weights and seeds of ``other``; all of it if they share none."""
    keys = ["alpha", "beta", "gamma", "seed"]
    shared = main.merge(other[keys].drop_duplicates(), on=keys)
    whole = shared["beta"].nunique() > 1 and shared["gamma"].nunique() > 1
    return shared if whole else main


def effects(tables: Mapping[str, pd.DataFrame]) -> str:
    """One column a table: D, C and P at its least weights, and what either weight changes.

    A change is from a weight's least to its greatest value in that table, averaged over the other
    weight, with its 95 % interval (:func:`.trends.effect`); Markdown. Where the tables have
    different weights, each column's title says how far its own go; a column of one seed is
    remarked on, one whose table is empty says so.
    """
    columns = [_column(table) for table in tables.values()]
    lines = list(zip(["seeds", *(title for title, *_ in LINES)], *columns, strict=True))
    floors = [_floor(table) for table in tables.values()]
    lines.insert(4, ("P of real images against real (floor ± standard error)", *floors))
    text = markdown(["", *_titles(tables)], lines)
    single = [title for title, table in tables.items() if _seeds(table) == 1]
    if single:
        text += (
            f"\n\nOf one seed: {'; '.join(single)}. Intervals there rest on the test images and "
            "leave out the noise of training."
        )
    return text


def _seeds(table: pd.DataFrame) -> int:
    return int(table["seed"].nunique())


def _floor(table: pd.DataFrame) -> str:
    """The judge's value for real images of the table's data set against other real ones."""
    found = None if table.empty else runs.floor_estimate(table["dataset"].iloc[0], "p_judge")
    return "" if found is None else f"{found.value:.3f} ± {found.se:.3f}"


def _titles(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """The columns' titles, with the greatest weights where the tables' weights differ."""
    if len({frozenset(_pairs(table)) for table in tables.values() if not table.empty}) < 2:
        return list(tables)
    return [
        title
        if table.empty
        else f"{title}: β to {table['beta'].max():g}, γ to {table['gamma'].max():g}"
        for title, table in tables.items()
    ]


def _pairs(table: pd.DataFrame) -> set[tuple[float, float]]:
    return set(zip(table["beta"], table["gamma"], strict=True))


def at_shared_weights(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Each table's rows at the (beta, gamma) that all have; all rows if these span no 2 x 2."""
    shared = set.intersection(*(_pairs(table) for table in tables.values())) if tables else set()
    if any(len(set(values)) < 2 for values in zip(*shared, strict=True)) or not shared:
        return dict(tables)
    found = {}
    for title, table in tables.items():
        kept = [pair in shared for pair in zip(table["beta"], table["gamma"], strict=True)]
        found[title] = table[kept]
    return found


def _column(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return ["not published yet", *[""] * len(LINES)]
    first = trends.over_seeds(table).sort_values(["beta", "gamma"]).iloc[0]
    cells = [f"{table['seed'].nunique()}"]
    for _, weight, column, factor, digits in LINES:
        if not weight:
            cells.append(f"{factor * first[column]:.{digits}f}")
            continue
        try:
            found = trends.effect(table, weight, column)
        except InputError:
            cells.append("one value only")
            continue
        numbers = [factor * v for v in (found.change, found.lower, found.upper)]
        change, low, high = (signed(v, digits) for v in numbers)
        cells.append(f"{change} [{low}, {high}]")
    return cells


def beside(
    experiment: str,
    named: Mapping[str, str],
    title: str = "as in the main table",
    preset: str = PRESET,
) -> str:
    """:func:`effects` of the preset, at the first ablation's weights, and of each ablation.

    ``named`` is ablation name -> title of its line. Sentences on what differs follow. Where none
    of them is published, only the commands that would do it.
    """
    others = {text: rows(experiment, name, preset) for name, text in named.items()}
    if all(table.empty for table in others.values()):
        commands = ", ".join(
            f"`cdp sweep {experiment} --preset {preset} --ablation {name} -p seeds=[0,1,2] "
            "--publish`"
            for name in named
        )
        return f"**Not published yet.** The command: {commands}."
    main = rows(experiment, preset=preset)
    first = next(iter(others.values()))
    if not first.empty and not main.empty:
        main = common_weights(main, first)
    said = [seen(main, table, text) for text, table in others.items()]
    return "\n\n".join([effects({title: main, **others}), *filter(None, said)])


def differences(main: pd.DataFrame, other: pd.DataFrame) -> dict[str, Interval]:
    """Other less main, by line of :func:`effects`.

    Both are trained with the same seeds, so every seed gives its own difference and Student's
    interval is over those. Left out are lines with fewer than two common seeds, and those whose
    weights differ (:func:`comparable`).
    """
    found = {}
    for title, weight, column, factor, _ in LINES:
        alike = comparable(main, other, weight)
        if alike is None:
            continue
        one, two = (_of_seed(table, weight, column) for table in alike)
        each = factor * (two - one).dropna()
        if len(each) > 1:
            found[title] = student(each)
    return found


def comparable(
    main: pd.DataFrame, other: pd.DataFrame, weight: str
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The rows in which an effect of ``weight``, or a level (no weight), compares like with like.

    An effect: the other weight's common values, if ``weight`` then has the same ends in both; a
    level: all rows, if their least weights are the same. None where they do not compare.
    """
    if main.empty or other.empty:
        return None
    if not weight:
        return (main, other) if min(_pairs(main)) == min(_pairs(other)) else None
    held = "gamma" if weight == "beta" else "beta"
    shared = set(main[held]) & set(other[held])
    main, other = (table[table[held].isin(shared)] for table in (main, other))
    ends = [(table[weight].min(), table[weight].max()) for table in (main, other)]
    return (main, other) if ends[0] == ends[1] else None


def _of_seed(table: pd.DataFrame, weight: str, column: str) -> pd.Series:
    """A line's value in each seed: at the least weights, or the effect of ``weight``."""
    if weight:
        return trends.changes(table, weight, column)
    least = table.sort_values(["beta", "gamma"]).groupby("seed")
    return least[column].first()


def seen(main: pd.DataFrame, other: pd.DataFrame, title: str) -> str:
    """What differs clearly in ``other``, and which signs turn; nothing without common seeds."""
    found = differences(main, other)
    if not found:
        return ""
    digits = {line[0]: line[4] for line in LINES}
    clear = [
        "{} by {} [{}, {}]".format(name.split(" (")[0], *(signed(v, digits[name]) for v in ends))
        for name, ends in found.items()
        if ends[1] * ends[2] > 0
    ]
    turned, kept = [], 0
    for name, weight, column, *_ in EFFECTS:
        alike = comparable(main, other, weight)
        if alike is None:
            continue
        with contextlib.suppress(InputError):
            one, two = (trends.effect(table, weight, column) for table in alike)
            if "unclear" not in (one.direction, two.direction):
                kept += one.direction == two.direction
                turned += [name] if one.direction != two.direction else []
    signs = f"turns the sign of {', '.join(turned)}" if turned else "turns no sign"
    return (
        f"**Seen** (paired by seed, 95 %): *{title}* changes "
        f"{'; '.join(clear) or 'no line clearly'} ({len(clear)} of {len(found)} lines, where "
        f"chance alone would give about {0.05 * len(found):.1f}); of the "
        f"{kept + len(turned)} effects that are clear both ways it {signs}.{_limits(main, other)}"
    )


def _limits(main: pd.DataFrame, other: pd.DataFrame) -> str:
    """Which effects two tables with different weights do not let compare, or where alone."""
    said = ""
    for weight, held in (("beta", "gamma"), ("gamma", "beta")):
        letter, at = LETTERS[weight], LETTERS[held]
        alike = comparable(main, other, weight)
        if alike is None:
            said += f" Effects of {letter} are not compared: its values differ."
        elif set(main[held]) != set(other[held]):
            common = ", ".join(f"{value:g}" for value in sorted(set(alike[0][held])))
            said += f" Effects of {letter} are compared at the common {at} = {common}."
    return said


def networks_table(experiment: str, known: Iterable[tuple[str, str]] = runs.PREFERRED) -> str:
    """:func:`effects` of every published (preset, restorer) of an experiment, with its cost.

    At the weights that all of them have, or an effect would differ by how far the weight goes.
    """
    found = {}
    for preset, restorer in known:
        run = runs.published_run(experiment, [(preset, restorer)])
        if run is not None:
            seconds = run.table["seconds"].median()
            found[f"`{restorer}`, preset `{preset}`, {seconds:.0f} s a point"] = run.table
    return effects(at_shared_weights(found)) if found else "Nothing is published yet."


def statistics_at_test(run: runs.Run, sizes: Iterable[int], images: int) -> pd.DataFrame:
    """D and C of shipped restorers under running and batch statistics, on the first test images.

    One row a kind, ``statistics`` (``running``, or ``batch of N`` for every N of ``sizes``), means
    over the restorers: ``mse, error_rate``, and their changes from ``running``, ``mse_change`` and
    ``error_change``, with ``_half``, half the 95 % interval over the images, each compared with
    itself. Empty if no restorer is shipped.
    """
    kinds = {"running": ("running", 50), **{f"batch of {n:,}": ("batch", n) for n in sizes}}
    found: dict[str, list[np.ndarray]] = {title: [] for title in kinds}
    for row in run.table.to_dict("records"):
        kept = live.restorer(row)
        if kept is None:
            continue
        point, restorer = kept
        clean, labels = data.load(point.settings.dataset).test.tensors(slice(0, images))
        degraded = degraded_split(point, "test")[:images]
        model = classifiers.get(point.settings.classifier, point.settings.dataset)
        for title, (kind, size) in kinds.items():
            restored = networks.restore(restorer, degraded, statistics=kind, batch=size)
            wrong = measures.wrong(measures.outputs(model, restored), labels)
            errors = measures.squared_error(restored, clean)
            found[title].append(torch.stack([errors, wrong]).double().numpy())
    if not found["running"]:
        return pd.DataFrame()
    # (2, images) a kind: what the restorers give for an image is averaged before anything else.
    each = {title: np.mean(values, axis=0) for title, values in found.items()}
    lines = []
    for title, values in each.items():
        change = values - each["running"]
        half = stats.norm.ppf(0.975) * change.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
        numbers = zip(("mse", "error"), change.mean(axis=1), half, strict=True)
        line = {"statistics": title, "mse": values[0].mean(), "error_rate": values[1].mean()}
        for name, mean, half_length in numbers:
            line |= {f"{name}_change": mean, f"{name}_half": half_length}
        lines.append(line)
    return pd.DataFrame(lines)


def statistics_table(run: runs.Run | None, sizes: Iterable[int], images: int) -> str:
    """:func:`statistics_at_test` as Markdown."""
    found = pd.DataFrame() if run is None else statistics_at_test(run, sizes, images)
    if found.empty:
        return "No restorer is shipped: there is nothing to evaluate."
    rows = [
        (line.statistics, f"{1000 * line.mse:.2f}", f"{100 * line.error_rate:.2f}",
         *(("", "") if line.statistics == "running" else (
             f"{signed(1000 * line.mse_change, 3)} ± {1000 * line.mse_half:.3f}",
             f"{signed(100 * line.error_change, 2)} ± {100 * line.error_half:.2f}")))
        for line in found.itertuples()
    ]  # fmt: skip
    head = ["statistics at test", "D (10⁻³)", "C (%)", "change of D", "change of C (points)"]
    return markdown(head, rows)
