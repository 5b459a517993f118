"""What the weights gain and cost as the noise grows: Exp-2's 2 x 2 weights over sigma, and alpha 0.

Rows of the named grid ``noise``, one sweep a ``noise_sigma``. The rules stand above that grid in
``params/grids.yml``, committed before its rows were trained; numbers in comments are theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from cdpbook import text
from cdpbook.statistics.estimates import UNKNOWN, Interval, student
from cdpbook.studies import rules
from cdplib.errors import DataError
from cdplib.experiments import results

EXPERIMENT, PRESET, GRID = "exp2", "quick", "noise"
#: The measures that a weight changes; of C and D also as a part of their level (``"relative"``).
COLUMNS = ("error_rate", "mse", "p_judge")
LINES = (*((column, False) for column in COLUMNS), ("error_rate", True), ("mse", True))
#: What was asked for: these levels of noise, and so many seeds.
SIGMAS, SEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0), 5
VERDICTS = ("costs", "free", "no gain", "one seed")


def rows() -> pd.DataFrame:
    """The published rows with their ``sigma``; none where nothing is published."""
    try:
        table = results.load(EXPERIMENT, preset=PRESET, variant=None)
    except DataError:
        table = results.frame([])
    settings = [dict(part.split("=", 1) for part in said.split()) for said in table["variant"]]
    kept = [s.get("grid") == GRID and set(s) <= {"grid", "noise_sigma"} for s in settings]
    sigma = [float(s.get("noise_sigma", 1)) for s in settings]
    return table.assign(sigma=sigma)[kept].reset_index(drop=True)


def changes(table: pd.DataFrame, weight: str, column: str, *, relative: bool = False) -> pd.Series:
    """What ``weight`` changes of ``column`` from its least to its greatest value, a number for each
    sigma, seed and other weights that have both; ``relative``: as a part of the value at the least.
    """
    keys = ["sigma", "seed", *(name for name in ("alpha", "beta", "gamma") if name != weight)]
    least, most = table[weight].min(), table[weight].max()
    one, other = (table[table[weight] == end].set_index(keys)[column] for end in (least, most))
    if not least < most:
        return one.iloc[:0]
    change = (other - one) / (one if relative else 1.0)
    return change.dropna()


def by_sigma(each: pd.Series) -> dict[float, Interval]:
    """The mean over seeds at each sigma with Student's interval; within a seed the mean over the
    other weights, of seeds that have all of them."""
    found = {}
    for sigma, part in each.groupby(level="sigma"):
        by_seed = part.groupby(level="seed")
        whole = by_seed.size() == by_seed.size().max()
        found[float(sigma)] = student(by_seed.mean()[whole])
    return found


def curve(table: pd.DataFrame, weight: str = "gamma", alpha: float = 1.0) -> pd.DataFrame:
    """Rule 1: an :class:`.Interval` for each sigma (index) and each of :data:`LINES`."""
    part = table[table["alpha"] == alpha]
    found = {
        (column, relative): by_sigma(changes(part, weight, column, relative=relative))
        for column, relative in LINES
    }
    return pd.DataFrame(found).rename_axis("sigma").sort_index()


def verdict(c: Interval, costs: Iterable[Interval]) -> str:
    """Rule 2: ``costs`` where C clearly falls and D or P clearly rises, ``free`` where neither
    does, ``no gain`` where C does not clearly fall; ``one seed``, which has no interval, is not
    judged."""
    if not c.known:
        return "one seed"
    if c.sign >= 0:
        return "no gain"
    return "costs" if any(cost.sign > 0 for cost in costs) else "free"


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Rule 2 at every sigma (index) and beta (columns), at alpha 1."""
    found: dict[float, dict[float, str]] = {}
    for beta in sorted(table.loc[table["alpha"] == 1, "beta"].unique()):
        seen = curve(table[table["beta"] == beta])
        found[beta] = {
            sigma: verdict(line["error_rate", False], [line["mse", False], line["p_judge", False]])
            for sigma, line in seen.iterrows()
        }
    return pd.DataFrame(found)


def decides(by_level: pd.Series) -> str:
    """Rule 3 of one column of :func:`verdicts`, in the order of sigma.

    ``decides`` where gamma is free up to some sigma and costs above it, ``does not`` where it
    costs wherever it gains. What has one seed is left out.
    """
    said = [one for one in by_level.sort_index() if one != "one seed"]
    gained = [one for one in said if one != "no gain"]
    if gained and set(gained) == {"costs"}:
        return "does not"
    first = gained.index("costs") if "costs" in gained else 0
    ordered = 0 < first and "free" not in gained[first:]
    return "decides" if ordered and gained == said else "undecided"


def slope(table: pd.DataFrame, column: str, *, relative: bool = False) -> Interval:
    """Rule 3: the slope of what gamma changes against log2 sigma at alpha 1, one for each seed;
    Student's interval over the seeds. Of the sigmas those count that have the most seeds."""
    each = changes(table[table["alpha"] == 1], "gamma", column, relative=relative)
    wide = each.groupby(level=["seed", "sigma"]).mean().unstack("sigma")
    wide = wide.loc[:, wide.count() == wide.count().max()].dropna()
    octaves = np.log2(wide.columns.to_numpy(float))
    return student(np.polyfit(octaves, wide.to_numpy(float).T, 1)[0]) if len(wide) else UNKNOWN


def without_distortion(table: pd.DataFrame) -> pd.DataFrame:
    """Rule 4 at every sigma (index): what taking the weight of D away changes at beta .03 and
    gamma 0 (``mse`` as a part), and what gamma then changes without it (``gamma_...``)."""
    most = table["beta"].max()
    part = table[table["beta"] == most]
    bare = part[part["gamma"] == 0]
    found: dict[str, dict[float, Interval]] = {}
    for column in COLUMNS:
        # From alpha 0 to 1 as `changes` has it; less a sign, and D as a part of that at alpha 1.
        each = -changes(bare, "alpha", column)
        if column == "mse":
            level = bare[bare["alpha"] == 1].set_index(["sigma", "seed", "beta", "gamma"])["mse"]
            each = (each / level).dropna()
        found[column] = by_sigma(each)
        gained = changes(part[part["alpha"] == 0], "gamma", column, relative=column == "mse")
        found[f"gamma_{column}"] = by_sigma(gained)
    return pd.DataFrame(found).rename_axis("sigma").sort_index()


def levels(table: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of C, D and P without both weights, at every sigma (index), the ``seeds``,
    and how many of the trainings at alpha 1, with whatever weights, count as ``failed``."""
    with_d = table[table["alpha"] == 1]
    plain = with_d[(with_d["beta"] == 0) & (with_d["gamma"] == 0)]
    found = plain.groupby("sigma")[list(COLUMNS)].mean()
    found["seeds"] = plain.groupby("sigma")["seed"].nunique()
    found["failed"] = {
        sigma: int((rules.failures(part) != "").sum()) for sigma, part in with_d.groupby("sigma")
    }
    return found


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """A line a sigma, as text: levels without both weights, what gamma changes at alpha 1, and the
    verdict of rule 2 at each beta."""
    level, found, said = levels(table), curve(table), verdicts(table)
    return pd.DataFrame([
        {
            "σ": f"{sigma:g}",
            "seeds": int(level.loc[sigma, "seeds"]),
            **{text.quantity(c).letter + " (%)" * (c == "error_rate"):
               text.quantity(c).number(level.loc[sigma, c]) for c in COLUMNS},
            **{f"γ on {text.quantity(c).letter}": text.quantity(c).change(line[c, False])
               for c in COLUMNS},
            **{f"γ at β = {beta:g}": said.loc[sigma, beta] for beta in said},
            "failed": int(level.loc[sigma, "failed"]),
        }
        for sigma, line in found.iterrows()
    ])  # fmt: skip


def answer(table: pd.DataFrame) -> str:
    """The answers of rules 2 to 4 as a list, all of their numbers from ``table``."""
    said, found = verdicts(table), curve(table)
    judged = said[(said != "one seed").all(axis=1)].index
    least, most = found.loc[judged].index.min(), found.loc[judged].index.max()
    counts = {word: int((said == word).to_numpy().sum()) for word in VERDICTS}
    words = text.listed(f"{_WORDS[decides(said[b])]} at β = {b:g}" for b in said)
    moved = [
        f"of {text.quantity(column).letter} from {form(found[column, relative][least])} to "
        f"{form(found[column, relative][most])}"
        for (column, relative), form in (*((line, _part) for line in LINES[3:]), (LINES[2], _plain))
    ]
    lines = [
        f"Of {text.count(sum(counts.values()) - counts['one seed'], 'pair')} of σ and β with an "
        f"interval, γ **costs** in {counts['costs']}, is **free** in {counts['free']}, and does "
        f"not clearly gain in {counts['no gain']}. By the rule, the noise {words}.",
        f"From σ = {least:g} to {most:g} what γ changes goes, {text.listed(moved)}. An octave of σ "
        f"adds {_part(slope(table, 'mse', relative=True))} to the relative cost in D, and "
        f"{_plain(slope(table, 'p_judge'))} to the cost in P.",
    ]
    freed = without_distortion(table)
    if freed.map(lambda one: isinstance(one, Interval) and one.known).all(axis=1).any():
        lines.append(
            f"Without the weight of D, D is clearly higher at {_times(freed['mse'], 1)}, P clearly "
            f"lower at {_times(freed['p_judge'], -1)} and C at {_times(freed['error_rate'], -1)}. "
            f"There γ clearly lowers C at {_times(freed['gamma_error_rate'], -1)} and clearly "
            f"raises P at {_times(freed['gamma_p_judge'], 1)}."
        )
    return "\n".join(f"* {line}" for line in lines)


def state(table: pd.DataFrame, before: Collection[float] = ()) -> str:
    """How many seeds there are at each sigma that was asked for, with the weight of D and without,
    in a sentence; ``before`` are the sigmas of :func:`earlier`."""
    kinds = {"with the weight of D": table["alpha"] == 1, "without it": table["alpha"] == 0}
    parts = []
    for name, which in kinds.items():
        seeds = table[which].groupby("sigma")["seed"].nunique().reindex(SIGMAS, fill_value=0)
        each = [
            f"{text.count(int(n), 'seed') if n else 'none'} at "
            f"{text.listed(f'{sigma:g}' for sigma in seeds.index[seeds == n])}"
            for n in sorted(seeds.unique(), reverse=True)
        ]
        parts.append(f"{name} {', '.join(each)}")
    said = f"Asked for: {SEEDS} seeds at each of {len(SIGMAS)} σ. Trained: {'; '.join(parts)}."
    kept = table.groupby("precision")["sigma"].unique() if "precision" in table else pd.Series()
    if len(kept) > 1:
        words = [
            f"{name} at {text.listed(f'{s:g}' for s in sorted(at))}" for name, at in kept.items()
        ]
        said += f" Their precision is {'; '.join(words)}."
        both = table.groupby("sigma")["precision"].nunique() > 1
        if both.any():
            at = text.listed(f"{sigma:g}" for sigma in both.index[both])
            said += f" At {at} what α → 0 changes is across the two."
    if before:
        said += (
            f" With the weight of D, those at σ = {text.listed(f'{s:g}' for s in before)} were "
            "published before the rules: a verdict that rests on them alone was not foretold."
        )
    return said


def earlier(table: pd.DataFrame) -> list[float]:
    """The sigmas all of whose rows with the weight of D another sweep had published before."""
    try:
        every = results.load(EXPERIMENT, variant=None)
    except DataError:
        return []
    others = set(every.loc[~every["variant"].str.contains(f"grid={GRID}"), "config_hash"])
    there = (
        table[table["alpha"] == 1].groupby("sigma")["config_hash"].agg(lambda h: set(h) <= others)
    )
    return [float(sigma) for sigma in there.index[there.astype(bool)]]


#: What the noise does, in words, by the answers of :func:`decides`.
_WORDS = {"decides": "decides", "does not": "does not decide", "undecided": "leaves it undecided"}


def _times(found: pd.Series, sign: int) -> str:
    """At how many of the sigmas that have an interval it has ``sign``: ``3 of 7 σ``."""
    known = [one for one in found if isinstance(one, Interval) and one.known]
    return f"{sum(one.sign == sign for one in known)} of {len(known)} σ"


def bare(table: pd.DataFrame) -> pd.DataFrame:
    """:func:`without_distortion` as text, a line a sigma that was trained at alpha 0."""
    forms = {"error_rate": text.marked, "mse": _part, "p_judge": _plain}
    lines = []
    for sigma, line in without_distortion(table).iterrows():
        if not all(isinstance(found, Interval) for found in line):
            continue
        row = {"σ": f"{sigma:g}"}
        for prefix, head in (("", "α → 0"), ("gamma_", "γ, no α")):
            for column in COLUMNS:
                name = f"{head} on {text.quantity(column).letter}"
                row[name] = forms[column](line[f"{prefix}{column}"])
        lines.append(row)
    return pd.DataFrame(lines)


def _part(found: Interval) -> str:
    said = text.interval(found, 1, factor=100, unit="%", sign=True)
    return f"**{said}**" if found.sign else said


def _plain(found: Interval) -> str:
    said = text.quantity("p_judge").change(found)
    return f"**{said}**" if found.sign else said
