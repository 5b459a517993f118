"""Every claim of the paper about its experiments, numbered, with its test and verdict.

A verdict is computed from published rows when the page is made, by one of :data:`RULES`. Which
statements there are, how each is tested and which trainings count: see ``params/verdicts.yml``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cdpbook import claims, fits
from cdpbook import text as words
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE, Claim
from cdpbook.runs import Run
from cdpbook.statistics import shapes, trends
from cdpbook.statistics.estimates import LEVEL, Interval, correlation, student
from cdpbook.statistics.trends import Effect
from cdpbook.studies import comparisons, rules, transfer
from cdplib.errors import InputError

#: Statements that had no verdict before there was a file of rules.
NEW = ("E1b",)
Test = Callable[[Run, str], tuple[str, str]]

_EXACT, _ROUGH = 1.25, 2.0  # largest ratio of scales that is called quantitative, and roughly so
#: How each kind of test becomes a verdict: shown on the page.
RULES = {
    "direction": "reproduced: the 95 % interval of the change is on the claimed side; not: on the "
    "other; undecided: it holds zero",
    "rows": "the same at every value of the other weight. Reproduced: clear at all of them; "
    "partly: at some; not: at none, and clearly the opposite at some; else undecided",
    "count": "reproduced: fewer contradictions than chance (p ≤ 0.05) and none that noise does not "
    "explain; partly: fewer than chance, some clear; not: some clear, and as many as by chance; "
    "undecided: none clear, and too many to exclude chance; not testable: so few can be compared "
    "that none at all would not exclude it",
    "shape": "reproduced: noise explains the distance from the nearest surface of the shape and "
    "not that from the nearest of the opposite one (p ≤ 0.05); partly: it explains neither, and "
    "the first is nearer; undecided: it explains both; else not reproduced",
    "correlation": "reproduced: the 95 % interval of Spearman's correlation is above zero; not: "
    "below; undecided: it holds zero",
    "scale": "the ratio of two measures, greatest over least of the points. Reproduced: at most "
    f"{_EXACT:g}; partly: at most {_ROUGH:g}; else not reproduced",
}


@dataclass(frozen=True)
class Statement:
    """A claim about the experiments: ``test(run, perception)`` gives what was found, and a verdict
    by ``rule``; ``figure``: the end of the label of the figure that shows it in each chapter."""

    number: str
    text: str
    where: str
    rule: str
    test: Test
    figure: str = "planes"


@dataclass
class Line:
    """A statement with its verdict in each experiment."""

    statement: Statement
    cells: dict[str, Claim] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Over the experiments that decide: that of all, or of most if it is ``not``; partly else.

        Undecided if fewer than half of those that can be tested decide, not testable if none can.
        """
        found = [c.verdict for c in self.cells.values() if c.verdict != UNTESTABLE]
        decided = [verdict for verdict in found if verdict != UNDECIDED]
        if not found:
            return UNTESTABLE
        if 2 * len(decided) < len(found):
            return UNDECIDED
        if decided.count(NOT) > len(decided) / 2:
            return NOT
        return decided[0] if len(set(decided)) == 1 else PARTLY

    @property
    def claim(self) -> Claim:
        """The statement with its verdict over the experiments."""
        return Claim(f"{self.statement.number}: {self.statement.text}", "", self.verdict)

    @property
    def counts(self) -> str:
        """The verdict with the number of experiments that it comes from."""
        each = claims.counted(self.cells.values())
        return f"**{self.verdict}**" + (f" ({each})" if each else "")


def _count(kind: shapes.Kind, run: Run, perception: str) -> tuple[str, str]:
    found = shapes.count(shapes.cloud(run.table, perception), kind)
    if not found.compared:
        return "no points can be compared", UNTESTABLE
    text = (
        f"{found.contradict} of {found.compared} contradict "
        f"({100 * found.contradict / found.compared:.0f} %; chance {100 * found.chance:.0f} %, "
        f"p = {found.p_value:.3f}), {found.clear} clearly; by seed "
        f"{', '.join(map(str, found.by_seed))}"
    )
    largest = run.table["beta"].max()
    with contextlib.suppress(InputError):  # too few points are left; no verdict rests on this
        rest = shapes.cloud(run.table[run.table["beta"] < largest], perception)
        text += f"; without β = {largest:g} {shapes.count(rest, kind, draws=0).short}"
    if found.perfect > LEVEL:
        return f"{text}; too few for a verdict", UNTESTABLE
    if found.p_value > LEVEL:
        return text, NOT if found.clear else UNDECIDED
    return text, PARTLY if found.clear else REPRODUCED


#: Of each shape that a rule may name: what must be within noise, and its opposite.
_SHAPES: dict[str, dict[str, shapes.Shape]] = {
    "convex": {"convex": shapes.convex_alone, "concave": shapes.concave_alone},
    "monotone": {"non-increasing": shapes.falling, "non-decreasing": shapes.rising},
    "convex_and_monotone": {
        "convex non-increasing": shapes.convex,
        "concave non-increasing": shapes.concave,
    },
}


def shaped(frame: pd.DataFrame, perception: str, shape: str) -> tuple[str, str]:
    """Has the cloud the shape rather than its opposite? What was found, and the verdict."""
    points = shapes.cloud(frame, perception)
    found = [(name, fits.distance(points, of)) for name, of in _SHAPES[shape].items()]
    text = "; ".join(
        f"{100 * one.residual:.2f} points from the nearest {name} surface, where noise gives "
        f"{100 * one.noise:.2f} (p = {one.p_value:.2f})"
        for name, one in found
    )
    (_, wanted), (_, opposite) = found
    excluded = opposite.p_value <= LEVEL
    if wanted.p_value > LEVEL:
        return text, REPRODUCED if excluded else UNDECIDED
    return text, PARTLY if excluded and wanted.residual < opposite.residual else NOT


def _both_costs(run: Run, perception: str) -> tuple[str, str]:
    """Does gamma, where it lowers C, raise D and P at each beta?"""
    found = [claims.directed_in_rows(run.table, "gamma", c, "raises") for c in ("mse", perception)]
    texts, verdicts = zip(*found, strict=True)
    text = "; ".join(f"{letter}: {said}" for letter, said in zip("DP", texts, strict=True))
    if len(set(verdicts)) == 1:
        return text, verdicts[0]
    return text, NOT if NOT in verdicts else PARTLY


def elevation(frame: pd.DataFrame, column: str, along: str = "mse") -> trends.Effect:
    """How far above its curve at the least gamma ``column`` is at the greatest gamma, at equal
    ``along``.

    Each curve joins the points of one gamma by straight lines in the order of ``along``; they are
    compared at the points of the greatest gamma whose ``along`` both curves reach. Student's
    interval over seeds. Raises :class:`InputError` if a seed has no such point.
    """
    least, greatest = frame["gamma"].min(), frame["gamma"].max()
    heights = []
    for _, rows in frame.groupby("seed"):
        base, lifted = (
            rows[rows["gamma"] == g].sort_values(along)[[along, column]].to_numpy(float)
            for g in (least, greatest)
        )
        ends = base[[0, -1], 0] if len(base) else (np.inf, -np.inf)
        reach = lifted[(lifted[:, 0] >= ends[0]) & (lifted[:, 0] <= ends[1])]
        if least == greatest or not len(reach):
            letter = words.quantity(along).letter
            raise InputError(f"the curves of the least and the greatest γ share no {letter}")
        heights.append(np.mean(reach[:, 1] - np.interp(reach[:, 0], base[:, 0], base[:, 1])))
    mean, low, high = student(heights)
    return trends.Effect("gamma", column, least, greatest, mean, low, high, len(heights))


def _lifted(run: Run, perception: str, column: str) -> tuple[str, str]:
    """Is P at equal D, or D at equal P, raised by gamma?"""
    pair = (perception, "mse") if column == "P" else ("mse", perception)
    letter = "D" if column == "P" else "P"
    found = elevation(run.table, *pair)
    return claims.effect_text(found, f" at equal {letter}"), claims.OF_SIGN[found.interval.sign]


def _correlated(found: Interval) -> tuple[str, str]:
    return f"ρ = {words.interval(found, 2)}", claims.OF_SIGN[found.sign]


def _recognisable(run: Run, perception: str) -> tuple[str, str]:
    """C of the predefined classifier against the mean error of independent ones."""
    names = transfer.independent(run)
    table = transfer.with_mean(run.table, names)
    found, verdict = _correlated(correlation(table, transfer.OWN, transfer.MEAN))
    return f"{found} with the mean error of {len(names)} independent classifiers", verdict


def _critic_orders(run: Run, perception: str) -> tuple[str, str]:
    found, verdict = _correlated(correlation(run.table, "p_critic", "p_judge"))
    return f"{found} between the runs' own critics and the one judge", verdict


def _critic_scale(run: Run, perception: str) -> tuple[str, str]:
    """The gap of a run's own critic over the judge's, where the judge is clearly above zero."""
    points = trends.over_seeds(run.table)
    points = points[points["p_judge"] > 2 * points["p_judge_bar"]]
    if len(points) < 3 or "p_critic" not in points:
        return "fewer than three points have a clear P", UNTESTABLE
    ratio = points["p_critic"] / points["p_judge"]
    spread = float(ratio.max() / ratio.min()) if ratio.min() > 0 else np.inf
    found = (
        f"own critic / judge from {ratio.min():.2f} to {ratio.max():.2f} over {len(points)} "
        f"points: greatest over least {spread:.2f}"
    )
    return found, REPRODUCED if spread <= _EXACT else PARTLY if spread <= _ROUGH else NOT


def _direction(run: Run, perception: str, **told: Any) -> tuple[str, str]:
    """A direction at one value of the other weight, or averaged over it."""
    held: dict[str, float] = {name: float(told[name]) for name in ("beta", "gamma") if name in told}
    column = perception if told["column"] == "P" else told["column"]
    return claims.directed(run.table, told["weight"], column, told["wanted"], held)


def _rows(run: Run, perception: str, weight: str, column: str, wanted: str) -> tuple[str, str]:
    """A direction at every value of the other weight."""
    column = perception if column == "P" else column
    return claims.directed_in_rows(run.table, weight, column, wanted)


#: How each test of :data:`.rules.TESTS` is made, and by which of :data:`RULES` it is judged.
_TESTS: dict[str, tuple[str, Callable[..., tuple[str, str]]]] = {
    "both_costs": ("rows", _both_costs),
    "pairs": ("count", partial(_count, shapes.pairs)),
    "triples": ("count", partial(_count, shapes.triples)),
    "shape": ("shape", lambda run, perception, shape: shaped(run.table, perception, shape)),
    "direction": ("direction", _direction),
    "rows": ("rows", _rows),
    "lifted": ("direction", _lifted),
    "recognisable": ("correlation", _recognisable),
    "critic_orders": ("correlation", _critic_orders),
    "critic_scale": ("scale", _critic_scale),
}


def _statement(one: rules.Rule) -> Statement:
    rule, test = _TESTS[one.test]

    def judge(run: Run, perception: str) -> tuple[str, str]:
        kept = run if one.all_trainings else replace(run, table=succeeded(run.table))
        if why := claims.untestable(kept.table):
            return f"{why}, the failed trainings left out", UNTESTABLE
        return test(kept, perception, **one.given)

    return Statement(one.number, one.text, one.where, rule, judge, one.figure)


def succeeded(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of trainings that did not fail (:func:`.rules.failures`)."""
    return table[rules.failures(table) == ""]


def statements() -> tuple[Statement, ...]:
    """The statements of ``params/verdicts.yml``, ready to be tested."""
    return tuple(map(_statement, rules.load().statements))


def of(run: Run, perception: str = "p_judge") -> list[Claim]:
    """Every statement about single experiments, tested on one."""
    tests = [
        (f"{one.number}: {one.text} ({one.where})", partial(one.test, run, perception))
        for one in statements()
    ]
    return claims.tested(run.table, tests)


def lines(runs: Mapping[str, Run], perception: str = "p_judge") -> list[Line]:
    """:func:`of` each of ``runs``, by statement."""
    found = [Line(statement) for statement in statements()]
    for name, run in runs.items():
        for line, claim in zip(found, of(run, perception), strict=True):
            line.cells[name] = claim
    return found


@dataclass(frozen=True)
class Answer:
    """What an experiment's page says first: the effects of both weights from end to end, each
    averaged over the other weight, by weight and by what they act on; and the claims tested."""

    effects: dict[str, dict[str, Effect]]
    found: list[Claim]

    @property
    def sentences(self) -> str:
        """The answer in words, as Markdown."""
        said, seeds = ["**Answer.**"], 0
        for weight, effects in self.effects.items():
            for first in list(effects.values())[:1]:
                each = words.listed(_moved(effect, what) for what, effect in effects.items())
                letter, seeds = words.LETTERS[weight], first.seeds
                said.append(f"{letter} = {first.high:g} in place of {first.low:g} {each}.")
        verbs = {
            **{REPRODUCED: "hold", PARTLY: "hold in part", NOT: "do not hold"},
            **{UNDECIDED: "cannot be decided", UNTESTABLE: "cannot be tested"},
        }
        counts = words.listed(
            f"{len(numbers)} {verbs.get(word, word)}"
            for word, numbers in claims.numbered(self.found).items()
        )
        said.append(f"Of the paper's {len(self.found)} statements {counts}.")
        over = f"(Means over the other weight; 95\u00a0% intervals, {words.count(seeds, 'seed')}.)"
        return " ".join([*said, over] if seeds else said)


def answer(run: Run, found: list[Claim], perception: str = "p_judge") -> Answer:
    """The :class:`Answer` of ``run``, ``found`` being :func:`of` it; an effect that cannot be told
    is left out."""
    error = f"the error rate C of {run.classifier}"
    asked = {
        "gamma": {error: "error_rate", "D": "mse", "P": perception},
        "beta": {"P": perception, "D": "mse"},
    }
    effects = {
        weight: transfer.measured(
            (what, partial(trends.effect, run.table, weight, column))
            for what, column in columns.items()
        )
        for weight, columns in asked.items()
    }
    return Answer(effects, found)


def _moved(effect: Effect, what: str) -> str:
    """``lowers C by 0.98 points [0.76, 1.20]``."""
    written, sign = words.quantity(effect.column), effect.interval.sign
    if not sign:
        return f"does not clearly change {what} ({written.change(effect.interval)})"
    ends = sorted(abs(end) for end in effect.interval[1:])
    size = written.size(Interval(abs(effect.change), *ends))
    return f"{'raises' if sign > 0 else 'lowers'} {what} by {size}"


def changed(runs: Mapping[str, Run], found: list[Line], perception: str) -> pd.DataFrame:
    """Every cell whose verdict the rules change, rows being equal: before, now, and why.

    Before: all trainings, the retired statements, one P. A statement that is new is left out.
    """
    file = rules.load()
    now = {line.statement.number: line for line in found}
    old = {
        one.number: replace(one, all_trainings=True) for one in (*file.statements, *file.retired)
    }
    fresh = {number for one in file.retired for number in one.now}
    rows = []
    for number, one in old.items():
        if number in fresh or number in NEW:
            continue
        tests = [(f"{number}: {one.text}", _statement(one).test)]
        for name, run in runs.items():
            test = partial(tests[0][1], run, perception)
            (before,) = claims.tested(run.table, [(tests[0][0], test)])
            after = {k: now[k].cells[name].verdict for k in one.now or (number,)}
            if set(after.values()) == {before.verdict}:
                continue
            failed = len(run.table) - len(succeeded(run.table))
            why = one.why or f"{words.count(failed, 'failed training')} left out"
            said = "; ".join(f"{k} {verdict}" for k, verdict in after.items())
            rows.append((number, words.title(name), before.verdict, said, why))
    return pd.DataFrame(rows, columns=["", "experiment", "before", "now", "why"])


def failed(runs: Mapping[str, Run]) -> pd.DataFrame:
    """The trainings of each experiment that count as failed, by reason and weights."""
    rows = []
    for name, run in runs.items():
        reasons = rules.failures(run.table)
        for reason, part in run.table[reasons != ""].groupby(reasons[reasons != ""]):
            weights = part[["beta", "gamma"]].drop_duplicates().itertuples(index=False)
            where = ", ".join(f"({beta:g}, {gamma:g})" for beta, gamma in weights)
            rows.append((words.title(name), reason, f"{len(part)} of {len(run.table)}", where))
    return pd.DataFrame(rows, columns=["experiment", "why", "trainings", "(β, γ)"])


def matrix(found: list[Line]) -> pd.DataFrame:
    """The statements with the verdict over all experiments, counted."""
    rows = [(f"{x.claim.statement} ({x.statement.where})", x.counts) for x in found]
    return pd.DataFrame(rows, columns=["statement", "overall"])


def details(found: list[Line]) -> pd.DataFrame:
    """What was measured for each statement and experiment, with a link to its figure."""
    rows = [
        (line.statement.number, words.title(name), cell.verdict, cell.found,
         f"{{numref}}`fig-{name}-{line.statement.figure}`")
        for line in found
        for name, cell in line.cells.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["", "experiment", "verdict", "measured", "figure"])


def how() -> pd.DataFrame:
    """:data:`RULES` with the statements that each serves."""
    rows = [
        (f"*{rule}*", ", ".join(s.number for s in statements() if s.rule == rule), text)
        for rule, text in RULES.items()
    ]
    return pd.DataFrame(rows, columns=["test", "statements", "verdict"])


def evidence(runs: Mapping[str, Run]) -> pd.DataFrame:
    """Which published rows there are, by experiment, and which classifiers read them."""
    return pd.DataFrame(
        {
            "experiment": f"{{ref}}`{words.title(name)} <ch:{name}>`",
            "preset": f"`{run.preset}`",
            "restorer": f"`{run.settings.restorer}`",
            "pairs of weights": len(run.points()),
            "seeds": run.table["seed"].nunique(),
            "steps a point": ", ".join(f"{n:,.0f}" for n in sorted(run.table["steps"].unique())),
            "core-minutes": round(run.table["seconds"].sum() / 60),
            "trained against": run.classifier,
            "took no part": ", ".join(claims.NAMES[name] for name in transfer.independent(run)),
        }
        for name, run in runs.items()
    )


def every(theory: pd.DataFrame, found: list[Line], between: Iterable[Claim] = ()) -> list[Claim]:
    """The paper's claims with their overall verdicts: theory, experiments, comparisons."""
    made = [Claim(row.number, "", row.verdict) for row in theory.itertuples()]
    made += [line.claim for line in found]
    return made + [claim for claim in between if not comparisons.ours(claim)]
