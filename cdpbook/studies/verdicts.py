"""Every claim of the paper, numbered, with its test and verdict: theory and the five experiments.

A verdict is computed from published rows (or from the theory's own checks) when the page is made.
Statistics are those of :mod:`.trends` and :mod:`.shapes`; rules are said in :data:`RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cdpbook import claims
from cdpbook import text as words
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE, Claim
from cdpbook.overview import markdown
from cdpbook.runs import Run
from cdpbook.statistics import shapes, trends
from cdpbook.statistics.estimates import LEVEL, Interval, correlation, student
from cdpbook.studies import transfer
from cdpbook.studies.comparisons import Comparison
from cdplib.errors import InputError

Test = Callable[[Run, str], tuple[str, str]]

_SHORT = {REPRODUCED: "yes", NOT: "no", UNTESTABLE: "–"}  # in the cells of a wide table
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
    """A claim about the experiments: ``test(run, perception)`` gives what was found, and a verdict.

    ``rule`` is a key of :data:`RULES`; ``figure`` the end of the label of the figure that shows it
    in the experiment's chapter.
    """

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
    def counts(self) -> str:
        """The verdict with the number of experiments that it comes from."""
        found = [c.verdict for c in self.cells.values()]
        count = ", ".join(f"{found.count(v)} {v}" for v in dict.fromkeys(found))
        return f"**{self.verdict}** ({count})" if found else f"**{self.verdict}**"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _of_largest_beta(run: Run, perception: str, kind: shapes.Kind) -> str:
    """What a count is without the largest beta: no verdict rests on it, but a reader may ask."""
    largest = run.table["beta"].max()
    try:
        points = shapes.cloud(run.table[run.table["beta"] < largest], perception)
    except InputError:  # too few points are left
        return ""
    return f"; without β = {largest:g} {shapes.count(points, kind, draws=0).short}"


def _count(kind: shapes.Kind) -> Test:
    def test(run: Run, perception: str) -> tuple[str, str]:
        found = shapes.count(shapes.cloud(run.table, perception), kind)
        if not found.compared:
            return "no points can be compared", UNTESTABLE
        text = (
            f"{found.contradict} of {found.compared} contradict "
            f"({_percent(found.contradict / found.compared)}; chance {_percent(found.chance)}, "
            f"p = {found.p_value:.3f}), {found.clear} clearly; by seed "
            f"{', '.join(map(str, found.by_seed))}{_of_largest_beta(run, perception, kind)}"
        )
        if found.perfect > LEVEL:
            return f"{text}; too few for a verdict", UNTESTABLE
        if found.p_value > LEVEL:
            return text, NOT if found.clear else UNDECIDED
        return text, PARTLY if found.clear else REPRODUCED

    return test


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


def _effect(weight: str, column: str, wanted: str, held: dict[str, float] | None = None) -> Test:
    def test(run: Run, perception: str) -> tuple[str, str]:
        name = perception if column == "P" else column
        return claims.directed(run.table, weight, name, wanted, held)

    return test


def _rows(weight: str, column: str, wanted: str) -> Test:
    def test(run: Run, perception: str) -> tuple[str, str]:
        name = perception if column == "P" else column
        return claims.directed_in_rows(run.table, weight, name, wanted)

    return test


def _both_costs(run: Run, perception: str) -> tuple[str, str]:
    """Does gamma, where it lowers C, raise D and P at each beta?"""
    parts, verdicts = [], []
    for letter, column in (("D", "mse"), ("P", perception)):
        text, verdict = claims.directed_in_rows(run.table, "gamma", column, "raises")
        parts.append(f"{letter}: {text}")
        verdicts.append(verdict)
    if len(set(verdicts)) == 1:
        return "; ".join(parts), verdicts[0]
    return "; ".join(parts), NOT if NOT in verdicts else PARTLY


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
    verdict = {"raises": REPRODUCED, "unclear": UNDECIDED}.get(found.direction, NOT)
    return claims.effect_text(found, " at equal D"), verdict


def _correlated(found: Interval) -> tuple[str, str]:
    verdict = {1: REPRODUCED, -1: NOT, 0: UNDECIDED}[found.sign]
    return f"ρ = {words.interval(found, 2)}", verdict


def _recognisable(run: Run, perception: str) -> tuple[str, str]:
    """C of the predefined classifier against the mean error of independent ones."""
    names = transfer.independent(run)
    if not names:
        return "no independent classifier was measured", UNTESTABLE
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


STATEMENTS = (
    Statement("E1", "to the letter: better classification costs distortion *and* perception: γ "
              "raises D and P", "Fig. 3, caption; Section 5", "rows", _both_costs),
    Statement("E2", "better classification always costs distortion *or* perception: no point is "
              "better on all three axes", "Section 4; Theorem 1.1", "count", _count(shapes.pairs)),
    Statement("E3", "C-P and C-D are convex: drawing lots between two points beats no third",
              "Section 4", "count", _count(shapes.triples)),
    Statement("E4", "the points lie on a convex non-increasing surface", "Section 4; Theorem 1.2",
              "shape",
              lambda run, perception: convexity(run.table, perception)),
    Statement("E5", "where C plays no part (γ = 0) P and D trade off: β lowers P",
              "Section 4, Fig. 3(a)", "direction",
              _effect("beta", "P", "lowers", {"gamma": 0.0})),
    Statement("E6", "… and β raises D at γ = 0", "Section 4, Fig. 3(a)", "direction",
              _effect("beta", "mse", "raises", {"gamma": 0.0})),
    Statement("E7", "once C is smaller the P-D curve is elevated: γ raises P at equal D",
              "Section 4, Fig. 3(a)", "direction", _elevated),
    Statement("E8", "visual quality increases along with β: β lowers P", "Section 4, Fig. 4",
              "rows", _rows("beta", "P", "lowers")),
    Statement("E9", "given β, visual quality decreases with γ: γ raises P", "Section 4, Fig. 4",
              "rows", _rows("gamma", "P", "raises")),
    Statement("E10", "γ enhances the semantic quality, evaluated by the pretrained classifier: γ "
              "lowers C", "Section 4, Fig. 4", "rows", _rows("gamma", "error_rate", "lowers")),
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
    why = claims.untestable(run.table)
    found = []
    for one in STATEMENTS:
        text = f"{one.number}: {one.text} ({one.where})"
        try:
            answer = (why, UNTESTABLE) if why else one.test(run, perception)
        except InputError as error:  # a column or an end of the grid is missing
            answer = str(error), UNTESTABLE
        found.append(Claim(text, *answer))
    return found


def lines(runs: Mapping[str, Run], perception: str = "p_judge") -> list[Line]:
    """:func:`of` each of ``runs``, by statement."""
    found = [Line(statement) for statement in STATEMENTS]
    for name, run in runs.items():
        for line, claim in zip(found, of(run, perception), strict=True):
            line.cells[name] = claim
    return found


def matrix(found: list[Line]) -> str:
    """Statements by experiments, as Markdown: the verdict in each cell, shortened."""
    names = list(dict.fromkeys(name for line in found for name in line.cells))
    head = ["", "statement", "overall", *(f"{{ref}}`{words.title(n)} <ch:{n}>`" for n in names)]
    return markdown(
        head,
        [
            (
                line.statement.number,
                f"{line.statement.text} ({line.statement.where})",
                line.counts,
                *(
                    _SHORT.get(v := line.cells[n].verdict, v) if n in line.cells else ""
                    for n in names
                ),
            )
            for line in found
        ],
    )


def details(found: list[Line]) -> str:
    """What was measured for each statement and experiment, as Markdown, with links."""
    rows = [
        (
            line.statement.number,
            words.title(name),
            claim.verdict,
            claim.found,
            f"{{numref}}`fig-{name}-{line.statement.figure}`",
        )
        for line in found
        for name, claim in line.cells.items()
    ]
    return markdown(["", "experiment", "verdict", "measured", "figure"], rows)


def repeated(runs: Mapping[str, Run]) -> str:
    """A sentence: which experiments share their restorers of γ = 0, so that E5 and E6 are one."""
    groups = [", ".join(map(words.title, group)) for group in transfer.shared_restorers(runs)]
    if not groups:
        return "No two experiments share restorers: every cell is an observation of its own."
    return (
        f"The restorers of γ = 0 are the same in {' and in '.join(groups)}: there E5 and E6 are "
        "one observation, not several."
    )


def rules_table() -> str:
    """:data:`RULES` as a Markdown table, with the statements that each serves."""
    rows = [
        (f"*{rule}*", ", ".join(s.number for s in STATEMENTS if s.rule == rule), text)
        for rule, text in RULES.items()
    ]
    return markdown(["test", "statements", "verdict"], rows)


def evidence(runs: Mapping[str, Run]) -> str:
    """Which published rows are judged, as Markdown; a sentence where there are none."""
    if not runs:
        return "Nothing is published yet: no statement about the experiments can be tested."
    rows = []
    for name, run in runs.items():
        points, table = run.points(), run.table
        seeds = table["seed"].nunique()
        minutes = table["seconds"].sum() / 60
        rows.append(
            (f"{{ref}}`{words.title(name)} <ch:{name}>`", f"`{run.preset}`",
             f"`{run.settings.restorer}`", len(points), seeds,
             f"{int(table['steps'].max()):,}", f"{minutes:.0f}")
        )  # fmt: skip
    head = ["experiment", "preset", "restorer", "pairs of weights", "seeds", "steps a point"]
    return markdown([*head, "core-minutes"], rows)


def summary(
    theory: pd.DataFrame,
    found: list[Line],
    between: Iterable[Comparison] = (),
) -> str:
    """A box that counts the verdicts over theory, experiments and comparisons."""
    made = [Claim(row.number, "", row.verdict) for row in theory.itertuples()]
    made += [Claim(line.statement.number, "", line.verdict) for line in found]
    made += [Claim(c.number, "", c.verdict) for c in between if not c.ours]
    return claims.admonition(made, "All statements of the paper")
