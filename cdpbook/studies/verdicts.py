"""Every claim of the paper about its experiments, numbered, with its test and verdict.

A verdict is computed from published rows when the page is made, by one of :data:`RULES`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from cdpbook import claims
from cdpbook import text as words
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE, Claim
from cdpbook.runs import Run
from cdpbook.statistics import shapes, trends
from cdpbook.statistics.estimates import LEVEL, Interval, correlation, student
from cdpbook.statistics.trends import Effect
from cdpbook.studies import comparisons, transfer
from cdplib.errors import InputError

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
    "shape": "reproduced: noise explains the distance from the nearest convex surface and not that "
    "from the nearest concave one (p ≤ 0.05); partly: it explains neither, and the convex one is "
    "nearer; undecided: it explains both; else not reproduced",
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


def convexity(frame: pd.DataFrame, perception: str) -> tuple[str, str]:
    """Is the cloud convex rather than concave? What was found, and the verdict."""
    points = shapes.cloud(frame, perception)
    found = {
        name: shapes.distance(points, shape)
        for name, shape in (("convex", shapes.convex), ("concave", shapes.concave))
    }
    text = "; ".join(
        f"{100 * one.residual:.2f} points from the nearest {name} surface, where noise gives "
        f"{100 * one.noise:.2f} (p = {one.p_value:.2f})"
        for name, one in found.items()
    )
    excluded = {name: one.p_value <= LEVEL for name, one in found.items()}
    if not excluded["convex"]:
        return text, REPRODUCED if excluded["concave"] else UNDECIDED
    nearer = found["convex"].residual < found["concave"].residual
    return text, PARTLY if excluded["concave"] and nearer else NOT


def _both_costs(run: Run, perception: str) -> tuple[str, str]:
    """Does gamma, where it lowers C, raise D and P at each beta?"""
    found = [claims.directed_in_rows(run.table, "gamma", c, "raises") for c in ("mse", perception)]
    texts, verdicts = zip(*found, strict=True)
    text = "; ".join(f"{letter}: {said}" for letter, said in zip("DP", texts, strict=True))
    if len(set(verdicts)) == 1:
        return text, verdicts[0]
    return text, NOT if NOT in verdicts else PARTLY


def elevation(frame: pd.DataFrame, perception: str) -> trends.Effect:
    """How far above its curve over D at the least gamma P is at the greatest gamma, at equal D.

    Each curve joins the points of one gamma by straight lines in the order of D; they are compared
    at the points of the greatest gamma whose D both curves reach. Student's interval over seeds.
    Raises :class:`InputError` if a seed has no such point.
    """
    least, greatest = frame["gamma"].min(), frame["gamma"].max()
    heights = []
    for _, rows in frame.groupby("seed"):
        base, lifted = (
            rows[rows["gamma"] == g].sort_values("mse")[["mse", perception]].to_numpy(float)
            for g in (least, greatest)
        )
        reach = lifted[(lifted[:, 0] >= base[0, 0]) & (lifted[:, 0] <= base[-1, 0])]
        if least == greatest or not len(reach):
            raise InputError("the curves of the least and the greatest γ share no D")
        heights.append(np.mean(reach[:, 1] - np.interp(reach[:, 0], base[:, 0], base[:, 1])))
    mean, low, high = student(heights)
    return trends.Effect("gamma", perception, least, greatest, mean, low, high, len(heights))


def _elevated(run: Run, perception: str) -> tuple[str, str]:
    found = elevation(run.table, perception)
    return claims.effect_text(found, " at equal D"), claims.OF_SIGN[found.interval.sign]


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


def _way(weight: str, column: str, wanted: str, held: dict[str, float] | None = None) -> Test:
    """The test of a direction, in every row unless one is ``held``; P: the measure asked for."""

    def test(run: Run, perception: str) -> tuple[str, str]:
        name = perception if column == "P" else column
        if held:
            return claims.directed(run.table, weight, name, wanted, held)
        return claims.directed_in_rows(run.table, weight, name, wanted)

    return test


STATEMENTS = (
    Statement("E1", "to the letter: better classification costs distortion *and* perception: γ "
              "raises D and P", "Fig. 3, caption; Section 5", "rows", _both_costs),
    Statement("E2", "better classification always costs distortion *or* perception: no point is "
              "better on all three axes", "Section 4; Theorem 1.1", "count",
              partial(_count, shapes.pairs)),
    Statement("E3", "C-P and C-D are convex: drawing lots between two points beats no third",
              "Section 4", "count", partial(_count, shapes.triples)),
    Statement("E4", "the points lie on a convex non-increasing surface", "Section 4; Theorem 1.2",
              "shape", lambda run, perception: convexity(run.table, perception)),
    Statement("E5", "where C plays no part (γ = 0) P and D trade off: β lowers P",
              "Section 4, Fig. 3(a)", "direction", _way("beta", "P", "lowers", {"gamma": 0.0})),
    Statement("E6", "… and β raises D at γ = 0", "Section 4, Fig. 3(a)", "direction",
              _way("beta", "mse", "raises", {"gamma": 0.0})),
    Statement("E7", "once C is smaller the P-D curve is elevated: γ raises P at equal D",
              "Section 4, Fig. 3(a)", "direction", _elevated),
    Statement("E8", "visual quality increases along with β: β lowers P", "Section 4, Fig. 4",
              "rows", _way("beta", "P", "lowers")),
    Statement("E9", "given β, visual quality decreases with γ: γ raises P", "Section 4, Fig. 4",
              "rows", _way("gamma", "P", "raises")),
    Statement("E10", "γ enhances the semantic quality, evaluated by the pretrained classifier: γ "
              "lowers C", "Section 4, Fig. 4", "rows", _way("gamma", "error_rate", "lowers")),
    Statement("E11", "the error rate of the classifier and recognition by people are positively "
              "correlated (proxy: independent classifiers)", "Section 4", "correlation",
              _recognisable, "gaming"),
    Statement("E12", "the discriminator's loss assesses perceptual quality: it orders the points "
              "as the judge does (our critics, with gradient penalty)", "Section 4", "correlation",
              _critic_orders),
    Statement("E13", "… and quantitatively: it is the judge's P but for one factor", "Section 4",
              "scale", _critic_scale),
)  # fmt: skip


def of(run: Run, perception: str = "p_judge") -> list[Claim]:
    """Every statement about single experiments, tested on one."""
    tests = [
        (f"{one.number}: {one.text} ({one.where})", partial(one.test, run, perception))
        for one in STATEMENTS
    ]
    return claims.tested(run.table, tests)


def lines(runs: Mapping[str, Run], perception: str = "p_judge") -> list[Line]:
    """:func:`of` each of ``runs``, by statement."""
    found = [Line(statement) for statement in STATEMENTS]
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
        verbs = {REPRODUCED: "hold", PARTLY: "hold in part", NOT: "do not hold"}
        counts = words.listed(
            f"{len(numbers)} {verbs.get(word, word)} ({', '.join(numbers)})"
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


def rules() -> pd.DataFrame:
    """:data:`RULES` with the statements that each serves."""
    rows = [
        (f"*{rule}*", ", ".join(s.number for s in STATEMENTS if s.rule == rule), text)
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
