"""The paper's statements about its experiments, each with a test on a results table and a verdict.

A verdict is ``reproduced``, ``partly``, ``not reproduced`` or ``not testable``; it is computed
from the table by :mod:`.trends`, never written by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from cdplib.analysis import trends
from cdplib.analysis.trends import Effect
from cdplib.errors import InputError

REPRODUCED, PARTLY, NOT, UNTESTABLE = "reproduced", "partly", "not reproduced", "not testable"
#: Classifiers as the text writes them.
NAMES = {
    "logistic": "logistic regression", "cnn1": "CNN-1", "cnn2": "CNN-2", "cnn2c": "CNN-2'",
    "cnn1b": "CNN-1, another seed", "mlp": "perceptron", "convbn": "strided CNN",
    "resnet": "small ResNet",
}  # fmt: skip
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
    numbers = [f"{factor * x:+.{digits}f}" for x in (effect.change, effect.lower, effect.upper)]
    weight = {"beta": "β", "gamma": "γ"}[effect.weight]
    seeds = "1 seed" if effect.seeds == 1 else f"{effect.seeds} seeds"
    known = math.isfinite(effect.upper)
    interval = f"[{numbers[1]}, {numbers[2]}]" if known else "[interval unknown: one seed]"
    return (
        f"{numbers[0]}{unit} {interval} from {weight} = {effect.low:g} to {effect.high:g}{others}, "
        f"{seeds}"
    )


def directed(
    frame: pd.DataFrame, weight: str, column: str, wanted: str, held: dict[str, float] | None = None
) -> tuple[str, str]:
    """What an effect was, and the verdict on the claim that it is ``wanted``.

    ``wanted`` is ``lowers`` or ``raises``; ``held`` as for :func:`.trends.effect`, whose
    :class:`InputError` it raises.
    """
    effect = trends.effect(frame, weight, column, held)
    where = "".join(f" at {'β' if k == 'beta' else 'γ'} = {v:g}" for k, v in (held or {}).items())
    verdict = {wanted: REPRODUCED, "unclear": PARTLY}.get(effect.direction, NOT)
    wrong_way = effect.change > 0 if wanted == "lowers" else effect.change < 0
    if effect.direction == "unclear" and wrong_way:
        verdict = NOT
    return effect_text(effect, where), verdict


def _always_costs(frame: pd.DataFrame, perception: str) -> tuple[str, str]:
    pairs = trends.dominated_pairs(frame, perception)
    if not pairs.compared:
        return "no pair of points can be compared", UNTESTABLE
    found = (
        f"{pairs.violated} of {pairs.compared} comparable pairs violate it "
        f"({100 * pairs.value:.0f} %; chance {100 * pairs.chance:.0f} %, p = {pairs.p_value:.3f}), "
        f"{pairs.beyond_bars} of them beyond the error bars"
    )
    if pairs.p_value > 0.05:
        return found, NOT
    return found, REPRODUCED if pairs.beyond_bars == 0 else PARTLY


def _convex(frame: pd.DataFrame, perception: str) -> tuple[str, str]:
    observed, chance, p_value = trends.mean_excess(frame, perception)
    bar = float(trends.over_seeds(frame)["error_rate_bar"].mean())
    found = (
        f"points lie {100 * observed:.2f} points above their convex hull on average "
        f"(chance {100 * chance:.2f}, p = {p_value:.3f}; mean error bar {100 * bar:.2f})"
    )
    if p_value > 0.05:
        return found, NOT
    return found, REPRODUCED if observed <= bar else PARTLY


def tradeoff(
    frame: pd.DataFrame, perception: str = "p_judge", *, against: bool = True
) -> list[Claim]:
    """The claims of Section 4 that every experiment tests, on a table of one alpha.

    ``against``: the restorers were trained with the cross entropy of the classifier that gives C.
    """
    whose = "it trains against" if against else "it does not train against"
    tests: list[tuple[str, Callable[[], tuple[str, str]]]] = [
        (f"γ lowers C, the error rate of the classifier {whose} (Fig. 4)",
         lambda: directed(frame, "gamma", "error_rate", "lowers")),
        ("γ costs distortion: D rises, at the least β (Fig. 3)",
         lambda: directed(frame, "gamma", "mse", "raises", {"beta": frame["beta"].min()})),
        ("… and on average over β, where γ also works against β",
         lambda: directed(frame, "gamma", "mse", "raises")),
        ("γ costs perception: P rises (Fig. 4)",
         lambda: directed(frame, "gamma", perception, "raises")),
        ("β lowers P (Fig. 4)", lambda: directed(frame, "beta", perception, "lowers")),
        ("β costs distortion: D rises (perception-distortion trade-off)",
         lambda: directed(frame, "beta", "mse", "raises")),
        ("Better classification always costs D or P (Fig. 3)",
         lambda: _always_costs(frame, perception)),
        ("The profiles are convex (Fig. 3, Theorem 1)", lambda: _convex(frame, perception)),
    ]  # fmt: skip
    return judge(frame, tests)


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


def transfer(frame: pd.DataFrame) -> list[Claim]:
    """Whether gamma's gain is shared by each other classifier (our question, not the paper's)."""
    tests = [
        (
            f"γ's gain is shared by {NAMES.get(name, name)}",
            lambda name=name: directed(frame, "gamma", f"error_rate_{name}", "lowers"),
        )
        for name in others(frame)
    ]
    words = {REPRODUCED: "shared", PARTLY: "unclear", NOT: "not shared", UNTESTABLE: UNTESTABLE}
    return [Claim(c.statement, c.found, words[c.verdict]) for c in judge(frame, tests)]


def markdown(claims: Iterable[Claim]) -> str:
    """The claims as a Markdown table."""
    rows = ["| statement | measured (95 % interval) | verdict |", "|---|---|---|"]
    rows += [f"| {c.statement} | {c.found} | **{c.verdict}** |" for c in claims]
    return "\n".join(rows)


def admonition(claims: Iterable[Claim], title: str = "Verdict") -> str:
    """A MyST box that counts the verdicts."""
    found = [c.verdict for c in claims]
    count = {word: found.count(word) for word in dict.fromkeys(found)}
    summary = ", ".join(f"{number} {word}" for word, number in count.items())
    kind = "tip" if set(found) <= {REPRODUCED} else "note" if NOT not in found else "warning"
    return f":::{{admonition}} {title}: {summary}\n:class: {kind}\nOf {len(found)} statements.\n:::"
