"""Every claim of the paper, numbered, with its test and verdict: theory and the five experiments.

A verdict is computed from published rows (or from the theory's own checks) when the page is made.
Statistics are those of :mod:`.trends` and :mod:`.convexfit`; rules are said in :data:`RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cdplib.analysis import claims, convexfit, trends
from cdplib.analysis.chapter import Run
from cdplib.analysis.claims import NOT, PARTLY, REPRODUCED, UNTESTABLE, Claim
from cdplib.analysis.comparisons import Comparison
from cdplib.analysis.overview import markdown
from cdplib.errors import InputError

Test = Callable[[Run, str], tuple[str, str]]
Shape = Callable[[np.ndarray, np.ndarray], Any]

#: How each kind of test becomes a verdict: shown on the page.
RULES = {
    "direction": "reproduced: the 95 % interval of the change is on the claimed side; partly: the "
    "change has the claimed sign, its interval holds zero; else not reproduced",
    "count": "reproduced: fewer contradictions than chance (permuted error rates, p ≤ 0.05) and a "
    "bootstrap interval that holds none; partly: fewer than chance; not testable: too few can be "
    "compared for any verdict; else not reproduced",
    "surface": "reproduced: nearer to such a surface than chance (p ≤ 0.05) and the residual no "
    "greater than the points' own standard error; partly: nearer than chance; else not reproduced",
    "correlation": "reproduced: Spearman's correlation is positive with its 95 % interval; partly: "
    "positive, the interval holds zero; else not reproduced",
}
_SAMPLES = 100
_TOLERANCE = 1e-5  # of the quadratic programs, in error rate
_FEW = "; so few can be compared that no contradiction at all would not exclude chance"


@dataclass(frozen=True)
class Statement:
    """A claim about the experiments: ``test(run, perception)`` gives what was found, and a verdict.

    ``only`` limits it to some experiments (empty: all); ``rule`` is a key of :data:`RULES`.
    """

    number: str
    text: str
    where: str
    rule: str
    test: Test
    only: tuple[str, ...] = ()


@dataclass
class Line:
    """A statement with its verdict in each experiment."""

    statement: Statement
    cells: dict[str, Claim] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Over all experiments: reproduced (or not) if that holds in each; partly else."""
        found = {c.verdict for c in self.cells.values()} - {UNTESTABLE}
        if not found:
            return UNTESTABLE
        return found.pop() if len(found) == 1 else PARTLY


def values(frame: pd.DataFrame, perception: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """D, ``perception`` and C of the points, means over seeds, each (n,)."""
    points = trends.over_seeds(frame)
    d, p, c = (points[name].to_numpy(float) for name in ("mse", perception, "error_rate"))
    return d, p, c


def _standard_error(frame: pd.DataFrame) -> float:
    """Root mean square standard error of the points' mean error rates."""
    points = trends.over_seeds(frame)
    return float(np.sqrt(np.mean(points["error_rate_bar"] ** 2 / points["seeds"])))


def _bootstrap(
    frame: pd.DataFrame, statistic: Callable[[pd.DataFrame], float], columns: Iterable[str]
) -> tuple[float, float]:
    """:func:`.trends.bootstrap` of a table cut to what the statistic reads, which is faster."""
    wanted = dict.fromkeys([*trends.WEIGHTS, "seed", *columns])
    errors = [f"{name}_se" for name in wanted if f"{name}_se" in frame]
    return trends.bootstrap(frame[[*wanted, *errors]], statistic, samples=_SAMPLES)


def _chance(
    statistic: Callable[[np.ndarray], float], c: np.ndarray, observed: float
) -> tuple[float, float, float]:
    """The mean of ``statistic`` over permuted error rates, and two permutation p-values.

    The second is what a perfect score (none, or no residual) would have: above 0.05 the points are
    too few for any verdict.
    """
    rng = np.random.default_rng(0)
    random = np.array([statistic(rng.permutation(c)) for _ in range(_SAMPLES - 1)])
    found, perfect = (
        float((1 + np.sum(random <= value)) / _SAMPLES) for value in (observed + 1e-12, _TOLERANCE)
    )
    return float(random.mean()), found, perfect


def _surface(shape: Shape) -> Test:
    def test(run: Run, perception: str) -> tuple[str, str]:
        d, p, c = values(run.table, perception)
        constraints = shape(d, p)
        observed = convexfit.residual(c, constraints)
        chance, p_value, perfect = _chance(
            lambda v: convexfit.residual(v, constraints), c, observed
        )

        def again(frame: pd.DataFrame) -> float:
            d, p, c = values(frame, perception)
            return convexfit.residual(c, shape(d, p))

        low, high = _bootstrap(run.table, again, ["error_rate", "mse", perception])
        error = _standard_error(run.table)
        found = (
            f"residual {100 * observed:.2f} points (bootstrap {100 * low:.2f} to "
            f"{100 * high:.2f}); standard error {100 * error:.2f}, chance {100 * chance:.2f}, "
            f"p = {p_value:.2f}"
        )
        if perfect > 0.05:
            return found + _FEW, UNTESTABLE
        if p_value > 0.05:
            return found, NOT
        return found, REPRODUCED if observed <= max(error, _TOLERANCE) else PARTLY

    return test


def _count(count: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[int, int]]) -> Test:
    def rate(frame: pd.DataFrame, perception: str) -> float:
        violated, compared = count(*values(frame, perception))
        return violated / compared if compared else 0.0

    def test(run: Run, perception: str) -> tuple[str, str]:
        d, p, c = values(run.table, perception)
        violated, compared = count(d, p, c)
        if not compared:
            return "no points can be compared", UNTESTABLE
        share = violated / compared
        chance, p_value, perfect = _chance(lambda v: count(d, p, v)[0] / compared, c, share)
        low, high = _bootstrap(
            run.table, lambda frame: rate(frame, perception), ["error_rate", "mse", perception]
        )
        found = (
            f"{violated} of {compared} contradict ({100 * share:.0f} %, bootstrap "
            f"{100 * low:.0f} to {100 * high:.0f} %; chance {100 * chance:.0f} %, "
            f"p = {p_value:.2f})"
        )
        if perfect > 0.05:
            return found + _FEW, UNTESTABLE
        if p_value > 0.05:
            return found, NOT
        return found, REPRODUCED if low == 0 else PARTLY

    return test


def dominated(d: np.ndarray, p: np.ndarray, c: np.ndarray) -> tuple[int, int]:
    """Pairs in which one point has no more D and no more P and yet the lower C: (k, compared)."""
    first, second = trends.comparable_pairs(d, p)
    return int(np.sum(c[first] < c[second])), len(first)


def _effect(weight: str, column: str, wanted: str, held: dict[str, float] | None = None) -> Test:
    def test(run: Run, perception: str) -> tuple[str, str]:
        name = perception if column == "P" else column
        return claims.directed(run.table, weight, name, wanted, held)

    return test


def correlation(frame: pd.DataFrame, one: str, other: str) -> tuple[float, float, float]:
    """Spearman's correlation of two columns over the points, and its 95 % interval.

    Bootstrap over seeds and test images (:func:`.trends.bootstrap`). Raises :class:`InputError`
    where a column is missing or constant.
    """

    def statistic(table: pd.DataFrame) -> float:
        points = trends.over_seeds(table)
        return float(stats.spearmanr(points[one], points[other]).statistic)

    if one not in frame or other not in frame:
        raise InputError(f"columns {one!r}, {other!r}: not both in the results table")
    if frame[one].nunique() < 2 or frame[other].nunique() < 2:
        raise InputError(f"columns {one!r}, {other!r}: one of them is constant")
    low, high = _bootstrap(frame, statistic, ["error_rate", one, other])
    return statistic(frame), low, high


def _correlated(value: float, low: float, high: float) -> tuple[str, str]:
    found = f"ρ = {value:.2f} [{low:.2f}, {high:.2f}]"
    if low > 0:
        return found, REPRODUCED
    return found, PARTLY if value > 0 else NOT


def _recognisable(run: Run, perception: str) -> tuple[str, str]:
    """C of the predefined classifier against the mean error of independent ones."""
    names = run.shown_others(3)
    if not names:
        return "no independent classifier was measured", UNTESTABLE
    table = run.table.assign(proxy=run.table[[f"error_rate_{n}" for n in names]].mean(axis=1))
    found, verdict = _correlated(*correlation(table, "error_rate", "proxy"))
    return f"{found} with the mean error of {len(names)} independent classifiers", verdict


def _critic_measures(run: Run, perception: str) -> tuple[str, str]:
    found, verdict = _correlated(*correlation(run.table, "p_critic", "p_judge"))
    return f"{found} between the runs' own critics and the one judge", verdict


STATEMENTS = (
    Statement("E1", "better classification always comes at the cost of higher D or worse P",
              "Fig. 3, caption", "count", _count(dominated)),
    Statement("E2", "C is non-increasing in D and P over the measured points",
              "Section 4, Theorem 1.1", "surface", _surface(convexfit.monotone)),
    Statement("E3", "the profiles C-P and C-D are convex: no drawing of lots between two points "
              "beats a third", "Section 4", "count", _count(convexfit.convex_triples)),
    Statement("E4", "the points lie on a convex non-increasing surface",
              "Section 4, Theorem 1.2", "surface", _surface(convexfit.convex)),
    Statement("E5", "where C plays no part (γ = 0) P and D trade off: β lowers P",
              "Section 4, Fig. 3(a)", "direction",
              _effect("beta", "P", "lowers", {"gamma": 0.0})),
    Statement("E6", "… and β raises D at γ = 0", "Section 4, Fig. 3(a)", "direction",
              _effect("beta", "mse", "raises", {"gamma": 0.0})),
    Statement("E7", "visual quality increases along with β, whatever γ", "Section 4, Fig. 4",
              "direction", _effect("beta", "P", "lowers")),
    Statement("E8", "given β, visual quality decreases with γ", "Section 4, Fig. 4", "direction",
              _effect("gamma", "P", "raises")),
    Statement("E9", "γ enhances the semantic quality, evaluated by the pretrained classifier",
              "Section 4, Fig. 4", "direction", _effect("gamma", "error_rate", "lowers")),
    Statement("E10", "the error rate of the classifier and recognition by people are positively "
              "correlated (proxy: independent classifiers)", "Section 4", "correlation",
              _recognisable),
    Statement("E11", "the discriminator's loss assesses the perceptual quality quantitatively",
              "Section 4", "correlation", _critic_measures),
)  # fmt: skip


def lines(runs: Mapping[str, Run], perception: str = "p_judge") -> list[Line]:
    """Every statement about single experiments, tested on each of ``runs``."""
    found = []
    for statement in STATEMENTS:
        line = Line(statement)
        for name, run in runs.items():
            why = claims.untestable(run.table)
            if why:
                line.cells[name] = Claim(statement.text, why, UNTESTABLE)
                continue
            try:
                line.cells[name] = Claim(statement.text, *statement.test(run, perception))
            except InputError as error:
                line.cells[name] = Claim(statement.text, str(error), UNTESTABLE)
        found.append(line)
    return found


def matrix(found: list[Line]) -> str:
    """Statements by experiments, as Markdown: the verdict in each cell."""
    names = list(dict.fromkeys(name for line in found for name in line.cells))
    head = ["", "statement", *(f"{{ref}}`{_title(n)} <ch:{n}>`" for n in names), "overall"]
    return markdown(
        head,
        [
            (
                line.statement.number,
                f"{line.statement.text} ({line.statement.where})",
                *(line.cells[n].verdict if n in line.cells else "" for n in names),
                f"**{line.verdict}**",
            )
            for line in found
        ],
    )


def details(found: list[Line]) -> str:
    """What was measured for each statement and experiment, as Markdown, with links."""
    rows = [
        (
            line.statement.number,
            _title(name),
            f"{{numref}}`fig-{name}-planes`",
            claim.found,
            claim.verdict,
        )
        for line in found
        for name, claim in line.cells.items()
    ]
    return markdown(["", "experiment", "figure", "measured", "verdict"], rows)


def _title(name: str) -> str:
    return name.replace("exp", "Exp-")


def theory() -> list[tuple[str, str, str, str, str]]:
    """The paper's theoretical claims: number, statement, where, what was found, verdict.

    From :data:`cdplib.theory.findings.FINDINGS`, each check run now; what the paper does not say
    is no claim of its own and left out. A check that fails makes the claim not testable.
    """
    from cdplib.theory import findings

    words = {
        findings.HOLDS: REPRODUCED,
        findings.CONDITION: PARTLY,
        findings.FALSE: NOT,
    }
    found: list[tuple[str, str, str, str, str]] = []
    for finding in findings.FINDINGS:
        if finding.verdict not in words:
            continue
        confirmed, evidence = finding.check()
        verdict = words[finding.verdict] if confirmed else UNTESTABLE
        remark = f"{finding.remark}; {evidence}" if finding.remark else evidence
        found.append((f"T{len(found) + 1}", finding.statement, finding.where, remark, verdict))
    return found


def theory_table(found: list[tuple[str, str, str, str, str]]) -> str:
    """:func:`theory` as a Markdown table."""
    rows = [(n, text, where, said, f"**{verdict}**") for n, text, where, said, verdict in found]
    return markdown(["", "statement", "where", "remark; check", "verdict"], rows)


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
            (f"{{ref}}`{_title(name)} <ch:{name}>`", f"`{run.preset}`",
             f"`{run.settings.restorer}`", len(points), seeds,
             f"{int(table['steps'].max()):,}", f"{minutes:.0f}")
        )  # fmt: skip
    head = ["experiment", "preset", "restorer", "pairs of weights", "seeds", "steps a point"]
    return markdown([*head, "core-minutes"], rows)


def summary(
    theory: list[tuple[str, str, str, str, str]],
    found: list[Line],
    between: Iterable[Comparison] = (),
) -> str:
    """A box that counts the verdicts over theory, experiments and comparisons."""
    words = [verdict for *_, verdict in theory]
    words += [line.verdict for line in found] + [c.verdict for c in between]
    made = [Claim("", "", word) for word in words]
    return claims.admonition(made, "All statements of the paper")
