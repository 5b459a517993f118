"""Words for what a table shows: a statement, what was measured, and the verdict.

A verdict is ``reproduced``, ``partly``, ``not reproduced``, ``undecided`` (the rows can neither
confirm nor contradict) or ``not testable``; it is computed from the table, never written by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from cdpbook.statistics import trends
from cdpbook.statistics.trends import Effect
from cdpbook.text import LETTERS, signed
from cdplib.errors import InputError
from cdplib.experiments.classifiers import CLASSIFIERS

REPRODUCED, PARTLY, NOT = "reproduced", "partly", "not reproduced"
UNDECIDED, UNTESTABLE = "undecided", "not testable"
#: Classifiers as the text writes them.
NAMES = {row.name: row.title for row in CLASSIFIERS}
#: A table from shorter training than this shows training, not the trade-off.
LEAST_STEPS = 300
LEAST_POINTS = 4

_SCALE = {"error_rate": (100.0, " points", 2), "mse": (1.0, "", 5)}


@dataclass(frozen=True)
class Claim:
    """A statement (with its place in the paper), what was measured, and the verdict."""

    statement: str
    found: str
    verdict: str


def untestable(frame: pd.DataFrame) -> str:
    """Why the table can show no trend, or an empty string if it can."""
    if len(frame) < LEAST_POINTS or frame["beta"].nunique() < 2 or frame["gamma"].nunique() < 2:
        return "needs at least two values of each weight"
    if "steps" in frame and frame["steps"].max() < LEAST_STEPS:
        return f"{int(frame['steps'].max())} steps a point are too few to show a trend"
    return ""


def effect_text(effect: Effect, others: str = "") -> str:
    """An effect in words: its size, 95 % interval and what was compared."""
    name = "error_rate" if effect.column.startswith("error_rate") else effect.column
    factor, unit, digits = _SCALE.get(name, (1.0, "", 3))
    numbers = [signed(factor * x, digits) for x in (effect.change, effect.lower, effect.upper)]
    weight = LETTERS[effect.weight]
    seeds = "1 seed" if effect.seeds == 1 else f"{effect.seeds} seeds"
    known = math.isfinite(effect.upper)
    interval = f"[{numbers[1]}, {numbers[2]}]" if known else "[interval unknown: one seed]"
    return (
        f"{numbers[0]}{unit} {interval} from {weight} = {effect.low:g} to {effect.high:g}{others}, "
        f"{seeds}"
    )


def turning(
    frame: pd.DataFrame, weight: str, column: str, held: dict[str, float] | None = None
) -> str:
    """Where a column clearly goes both ways along a weight, or an empty string.

    What an effect from end to end hides; no verdict rests on it.
    """
    ways: dict[str, list[str]] = {"lowers": [], "raises": [], "unclear": []}
    for step in trends.successive(frame, weight, column, held):
        ways[step.direction].append(f"{step.low:g} to {step.high:g}")
    if not (ways["lowers"] and ways["raises"]):
        return ""
    down, up = (", ".join(ways[way]) for way in ("lowers", "raises"))
    return f"; not monotone: clearly down at {LETTERS[weight]} = {down}, clearly up at {up}"


def directed(
    frame: pd.DataFrame, weight: str, column: str, wanted: str, held: dict[str, float] | None = None
) -> tuple[str, str]:
    """What an effect was, and the verdict on the claim that it is ``wanted``.

    ``wanted`` is ``lowers`` or ``raises``; ``held`` as for :func:`.trends.effect`, whose
    :class:`InputError` it raises.
    """
    effect = trends.effect(frame, weight, column, held)
    where = "".join(f" at {LETTERS[k]} = {v:g}" for k, v in (held or {}).items())
    verdict = {wanted: REPRODUCED, "unclear": UNDECIDED}.get(effect.direction, NOT)
    return effect_text(effect, where) + turning(frame, weight, column, held), verdict


def directed_in_rows(frame: pd.DataFrame, weight: str, column: str, wanted: str) -> tuple[str, str]:
    """As :func:`directed`, of the effect at each value of the other weight: does it always hold?

    Reproduced if it clearly does at every value, partly if at some, not if it nowhere does and
    somewhere clearly does not, else undecided. The text gives the average and counts the rows.
    """
    other = "gamma" if weight == "beta" else "beta"
    letter = LETTERS[other]
    at: dict[str, list[str]] = {"lowers": [], "raises": [], "unclear": []}
    for value in sorted(frame[other].unique()):
        at[trends.effect(frame, weight, column, {other: value}).direction].append(f"{value:g}")
    rows = sum(map(len, at.values()))
    against = at["raises" if wanted == "lowers" else "lowers"]
    average = effect_text(trends.effect(frame, weight, column))
    found = f"{average}; so at {len(at[wanted])} of {rows} {letter}, the opposite at {len(against)}"
    found += f" ({letter} = {', '.join(against)})" if against else ""
    found += turning(frame, weight, column)
    if len(at[wanted]) == rows:
        return found, REPRODUCED
    if at[wanted]:
        return found, PARTLY
    return found, NOT if against else UNDECIDED


def judge(
    frame: pd.DataFrame, tests: Iterable[tuple[str, Callable[[], tuple[str, str]]]]
) -> list[Claim]:
    """Run each test, unless the table cannot show a trend at all."""
    why = untestable(frame)
    claims = []
    for statement, test in tests:
        if why:
            claims.append(Claim(statement, why, UNTESTABLE))
            continue
        try:
            claims.append(Claim(statement, *test()))
        except InputError as error:  # a column or an end of the grid is missing
            claims.append(Claim(statement, str(error), UNTESTABLE))
    return claims


def beta_lowers_error(frame: pd.DataFrame) -> Claim:
    """Whether natural-looking restorations alone (gamma = 0) are classified better."""
    statement = "β alone (γ = 0) lowers C as well: P and C improve together"
    least = float(frame["gamma"].min())
    test = lambda: directed(frame, "beta", "error_rate", "lowers", {"gamma": least})  # noqa: E731
    return judge(frame, [(statement, test)])[0]


def others(frame: pd.DataFrame) -> list[str]:
    """The classifiers that the table measures besides the one trained against."""
    prefix = "error_rate_"
    return sorted(
        name.removeprefix(prefix)
        for name in frame.columns
        if name.startswith(prefix) and name != f"{prefix}se" and not name.endswith("_se")
        if frame[name].notna().any()
    )


def markdown(claims: Iterable[Claim]) -> str:
    """The claims as a Markdown table."""
    # The verdict before the numbers: a phone shows the first columns.
    rows = ["| statement | verdict | measured (95 % interval) |", "|---|---|---|"]
    rows += [f"| {c.statement} | **{c.verdict}** | {c.found} |" for c in claims]
    return "\n".join(rows)


def admonition(claims: Iterable[Claim], title: str = "Verdict") -> str:
    """A MyST box that counts the verdicts and names the statements of all but the first kind."""
    claims = list(claims)
    by_verdict: dict[str, list[str]] = {}
    for word in (REPRODUCED, PARTLY, NOT, UNDECIDED, UNTESTABLE):
        named = [c.statement.partition(":")[0] for c in claims if c.verdict == word]
        by_verdict |= {word: named} if named else {}
    summary = ", ".join(f"{len(named)} {word}" for word, named in by_verdict.items())
    kind = "tip" if set(by_verdict) <= {REPRODUCED} else "warning" if NOT in by_verdict else "note"
    lines = [
        f"{word.capitalize()}: {'; '.join(named)}."
        for word, named in by_verdict.items()
        if word != REPRODUCED and len(by_verdict) > 1
    ]
    body = "\n".join([f"Of {len(claims)} statements.", *lines])
    return f":::{{admonition}} {title}: {summary}\n:class: {kind}\n{body}\n:::"
