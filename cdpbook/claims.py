"""Words for what a table shows: a statement, what was measured, and the verdict.

A verdict is ``reproduced``, ``partly``, ``not reproduced``, ``undecided`` (the rows can neither
confirm nor contradict) or ``not testable``; it is computed from the table, never written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from cdpbook import text
from cdpbook.statistics import trends
from cdpbook.statistics.trends import Effect
from cdpbook.text import LETTERS
from cdplib.errors import InputError
from cdplib.experiments.classifiers import CLASSIFIERS

REPRODUCED, PARTLY, NOT, UNDECIDED, UNTESTABLE = VERDICTS = text.VERDICTS
#: The verdict on "it is above zero" by the sign of what was found (:class:`.estimates.Interval`).
OF_SIGN = {1: REPRODUCED, 0: UNDECIDED, -1: NOT}
#: Classifiers as the text writes them.
NAMES = {row.name: row.title for row in CLASSIFIERS}
#: A table from shorter training than this shows training, not the trade-off.
LEAST_STEPS = 300
LEAST_POINTS = 4


@dataclass(frozen=True)
class Claim:
    """A statement (with its place in the paper), what was measured, and the verdict."""

    statement: str
    found: str
    verdict: str

    @property
    def number(self) -> str:
        """``E2`` of ``E2: no point is better …``."""
        return self.statement.partition(":")[0]


def untestable(frame: pd.DataFrame) -> str:
    """Why the table can show no trend, or an empty string if it can."""
    if len(frame) < LEAST_POINTS or frame["beta"].nunique() < 2 or frame["gamma"].nunique() < 2:
        return "needs at least two values of each weight"
    if "steps" in frame and frame["steps"].max() < LEAST_STEPS:
        return f"{int(frame['steps'].max())} steps a point are too few to show a trend"
    return ""


def effect_text(effect: Effect, others: str = "") -> str:
    """An effect in words: its size, 95 % interval and what was compared."""
    change = text.quantity(effect.column).change(effect.interval)
    weight = f"{LETTERS[effect.weight]} = {effect.low:g} to {effect.high:g}"
    return f"{change} from {weight}{others}, {text.count(effect.seeds, 'seed')}"


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
    verdict = OF_SIGN[effect.interval.sign * (1 if wanted == "raises" else -1)]
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
    if at[wanted]:
        return found, REPRODUCED if len(at[wanted]) == rows else PARTLY
    return found, NOT if against else UNDECIDED


def tested(
    frame: pd.DataFrame, tests: Iterable[tuple[str, Callable[[], tuple[str, str]]]]
) -> list[Claim]:
    """Run the test of each statement, unless the table cannot show a trend at all."""
    why, claims = untestable(frame), []
    for statement, test in tests:
        try:
            claims.append(Claim(statement, *((why, UNTESTABLE) if why else test())))
        except InputError as error:  # a column or an end of the grid is missing
            claims.append(Claim(statement, str(error), UNTESTABLE))
    return claims


def others(frame: pd.DataFrame) -> list[str]:
    """The classifiers that the table measures besides the one trained against."""
    names = {n.removeprefix("error_rate_") for n in frame if n.startswith("error_rate_")}
    return sorted(
        name
        for name in names
        if name != "se" and not name.endswith("_se") and frame[f"error_rate_{name}"].notna().any()
    )


def numbered(claims: Iterable[Claim]) -> dict[str, list[str]]:
    """The numbers of the statements by verdict, in the order of :data:`VERDICTS`."""
    claims = list(claims)
    found = {word: [c.number for c in claims if c.verdict == word] for word in VERDICTS}
    return {word: numbers for word, numbers in found.items() if numbers}


def counted(claims: Iterable[Claim]) -> str:
    """``2 reproduced, 1 undecided``."""
    return ", ".join(f"{len(numbers)} {word}" for word, numbers in numbered(claims).items())


def markdown(claims: Iterable[Claim]) -> str:
    """The claims as a Markdown table, the verdict before the numbers: a phone shows the first."""
    rows = [(c.statement, f"**{c.verdict}**", c.found) for c in claims]
    return text.table(rows, ["statement", "verdict", "measured (95 % interval)"])


def admonition(claims: Iterable[Claim], title: str = "Verdict") -> str:
    """A MyST box that counts the verdicts and has the statements of all but the first kind.

    In their words where all have some, else by their numbers.
    """
    claims = list(claims)
    found = numbered(claims)
    kind = "tip" if set(found) <= {REPRODUCED} else "warning" if NOT in found else "note"
    rest = [word for word in found if word != REPRODUCED and len(found) > 1]
    if rest and all(":" in claim.statement for claim in claims):
        rows = [(f"**{word}**", c.statement) for word in rest for c in claims if c.verdict == word]
        lines = ["", text.table(rows, ["verdict", "statement"])]
    else:
        lines = [f"{word.capitalize()}: {'; '.join(found[word])}." for word in rest]
    body = "\n".join([f"Of {len(claims)} statements.", *lines])
    return f":::{{admonition}} {title}: {counted(claims)}\n:class: {kind}\n{body}\n:::"
