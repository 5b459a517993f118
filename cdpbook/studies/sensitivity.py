"""What the verdicts hang on: every statement judged again without some of the points, and which.

A point is *disowned* by its loss if one and the same other point has, in every seed, a smaller
value of the very sum (Eq. 16) that it was trained on: training did not bring it where its weights
point. That asks neither the judge nor the error rate, so leaving such points out does not choose
the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from cdpbook import text
from cdpbook.overview import markdown
from cdpbook.runs import Run
from cdpbook.statistics import shapes
from cdpbook.statistics.trends import WEIGHTS
from cdpbook.studies import supports, verdicts
from cdpbook.studies.verdicts import Line
from cdplib.errors import InputError


def without_largest_beta(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a results table with less than its largest beta."""
    return frame[frame["beta"] < frame["beta"].max()]


def without_disowned(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a results table less the points that their own loss disowns.

    Those are ``beaten`` in :func:`.supports.revealed`, with the values that training sees: cross
    entropy and the run's own critic. Raises its :class:`InputError`.
    """
    table = supports.revealed(frame, permutations=1).table
    beaten = table.loc[table["beaten"], list(WEIGHTS)]
    kept = frame.merge(beaten, on=list(WEIGHTS), how="left", indicator="which")
    return kept[kept["which"] == "left_only"].drop(columns="which")


#: What is judged again, by its name on the page.
SELECTIONS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "without the largest β": without_largest_beta,
    "without disowned points": without_disowned,
}


@dataclass(frozen=True)
class Selection:
    """The runs with some points left out, and the verdicts on them."""

    runs: dict[str, Run]
    lines: list[Line]


def judge(
    runs: Mapping[str, Run], whole: list[Line], perception: str = "p_judge"
) -> dict[str, Selection]:
    """Every selection in :data:`SELECTIONS`, by its name, after ``whole``: the verdicts on all."""
    found = {"all points": Selection(dict(runs), whole)}
    for name, select in SELECTIONS.items():
        kept = {key: replace(run, table=select(run.table)) for key, run in runs.items()}
        found[name] = Selection(kept, verdicts.lines(kept, perception))
    return found


def left_out(found: Mapping[str, Selection]) -> str:
    """Which points each selection leaves out, by experiment; Markdown."""
    whole, *others = found.values()
    rows = []
    for name, run in whole.runs.items():
        points = _points(run.table)
        cells = [_gone(points, _points(other.runs[name].table)) for other in others]
        rows.append((text.title(name), f"{len(points)}", *cells))
    titles = [title.replace("without", "left out:") for title in list(found)[1:]]
    return markdown(["experiment", "points", *titles], rows)


def _points(frame: pd.DataFrame) -> set[tuple[float, ...]]:
    return set(frame[list(WEIGHTS)].itertuples(index=False, name=None))


def _gone(points: set[tuple[float, ...]], kept: set[tuple[float, ...]]) -> str:
    """How many points are not kept, and with which beta."""
    betas = Counter(beta for _, beta, _ in points - kept)
    by_beta = [f"{count} at β = {beta:g}" for beta, count in sorted(betas.items())]
    total = f"{betas.total()}: " if len(by_beta) > 1 else ""
    return total + ", ".join(by_beta) if by_beta else "none"


def table(found: Mapping[str, Selection]) -> str:
    """Statements of which a verdict changes with the selection: overall and counts; Markdown."""
    rows = []
    for together in zip(*(selection.lines for selection in found.values()), strict=True):
        verdict = [[cell.verdict for cell in line.cells.values()] for line in together]
        if all(one == verdict[0] for one in verdict):
            continue
        statement = together[0].statement
        rows.append((f"{statement.number}: {statement.text}", *(one.counts for one in together)))
    return markdown(["statement", *found], rows) if rows else "No verdict changes."


def caveat(found: Mapping[str, Selection]) -> str:
    """A sentence: of which statements the overall verdict is another one, by selection."""
    (_, whole), *others = found.items()
    parts = []
    for name, selection in others:
        changed = [
            f"{one.statement.number} ({other.verdict})"
            for one, other in zip(whole.lines, selection.lines, strict=True)
            if one.verdict != other.verdict
        ]
        parts.append(f"{name}, for {', '.join(changed) or 'no statement'}")
    return f"There is another overall verdict {'; '.join(parts)}."


def pairs(found: Mapping[str, Selection], perception: str = "p_judge") -> str:
    """Pairs of points that contradict E2 and its verdict, by experiment and selection; Markdown."""
    names = list(next(iter(found.values())).runs)
    rows = [
        (text.title(name), *(_pairs(one, name, perception) for one in found.values()))
        for name in names
    ]
    return markdown(["E2: contradictions", *found], rows)


def _pairs(selection: Selection, name: str, perception: str) -> str:
    try:
        cloud = shapes.cloud(selection.runs[name].table, perception)
    except InputError:
        return "too few points"
    verdict = _e2(selection.lines).cells[name].verdict
    return f"{shapes.count(cloud, shapes.pairs, draws=0).short}: **{verdict}**"


def _e2(lines: list[Line]) -> Line:
    return next(line for line in lines if line.statement.number == "E2")


def networks(whole: Selection, others: Mapping[str, Run], perception: str = "p_judge") -> str:
    """Verdicts on ``whole`` beside those on ``others``, the same experiments with other restorers.

    Markdown, one line a statement, and E2's counts. Experiments that ``whole`` lacks are left out;
    a sentence where none remains.
    """
    others = {name: run for name, run in others.items() if name in whole.runs}
    if not others:
        return "No grid of another network is published."
    again = verdicts.lines(others, perception)
    titles = [
        f"{text.title(name)}, `{one.settings.restorer}`"
        for name, run in others.items()
        for one in (whole.runs[name], run)
    ]
    rows = []
    for one, other in zip(whole.lines, again, strict=True):
        cells = [line.cells[name].verdict for name in others for line in (one, other)]
        rows.append((f"{one.statement.number}: {one.statement.text}", *cells))
    said = [f"{text.title(name)}, {cell.found}" for name, cell in _e2(again).cells.items()]
    counted = f"E2 with the other network: {'; and '.join(said)}."
    return markdown(["statement", *titles], rows) + "\n\n" + counted
