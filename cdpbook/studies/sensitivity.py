"""What the verdicts hang on: every statement tested again without some of the points, and which.

A point is *disowned* by its loss if one and the same other point has, in every seed, a smaller
value of the very sum (Eq. 16) that it was trained on. That asks neither the judge nor the error
rate, so leaving such points out does not choose the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from cdpbook import text
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
    """The rows of a results table less the points that their own loss disowns: those ``beaten`` in
    :func:`.supports.revealed` (whose :class:`InputError` it raises), by what training sees."""
    table = supports.revealed(frame, permutations=1).table
    beaten = table.loc[table["beaten"], list(WEIGHTS)]
    kept = frame.merge(beaten, on=list(WEIGHTS), how="left", indicator="which")
    return kept[kept["which"] == "left_only"].drop(columns="which")


#: What is tested again, by its name on the page.
SELECTIONS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "without the largest β": without_largest_beta,
    "without disowned points": without_disowned,
}


@dataclass(frozen=True)
class Selection:
    """The runs with some points left out, and the verdicts on them."""

    runs: dict[str, Run]
    lines: list[Line]


def assess(
    runs: Mapping[str, Run], whole: list[Line], perception: str = "p_judge"
) -> dict[str, Selection]:
    """Every selection in :data:`SELECTIONS`, by its name, after ``whole``: the verdicts on all."""
    found = {"all points": Selection(dict(runs), whole)}
    for name, select in SELECTIONS.items():
        kept = {key: replace(run, table=select(run.table)) for key, run in runs.items()}
        found[name] = Selection(kept, verdicts.lines(kept, perception))
    return found


def left_out(found: Mapping[str, Selection]) -> pd.DataFrame:
    """How many points each selection leaves out, and with which beta, by experiment."""
    whole, *_ = found.values()
    rows = []
    for name, run in whole.runs.items():
        points = _points(run.table)
        row = {"experiment": text.title(name), "points": len(points)}
        for title, other in list(found.items())[1:]:
            gone = Counter(beta for _, beta, _ in points - _points(other.runs[name].table))
            cell = ", ".join(f"{count} at β = {beta:g}" for beta, count in sorted(gone.items()))
            total = f"{gone.total()}: " if len(gone) > 1 else ""
            row[title.replace("without", "left out:")] = f"{total}{cell}" or "none"
        rows.append(row)
    return pd.DataFrame(rows)


def _points(frame: pd.DataFrame) -> set[tuple[float, ...]]:
    return set(frame[list(WEIGHTS)].itertuples(index=False, name=None))


def changes(found: Mapping[str, Selection]) -> pd.DataFrame:
    """Statements of which a verdict changes with the selection: overall and counts in each."""
    rows = []
    for together in zip(*(selection.lines for selection in found.values()), strict=True):
        verdict = [[cell.verdict for cell in line.cells.values()] for line in together]
        if any(one != verdict[0] for one in verdict):
            rows.append((together[0].claim.statement, *(one.counts for one in together)))
    return pd.DataFrame(rows, columns=["statement", *found])


def caveat(found: Mapping[str, Selection]) -> str:
    """A sentence: of which statements the overall verdict is another one, by selection."""
    (_, whole), *others = found.items()
    parts = []
    for name, selection in others:
        changed = [
            f"{one.statement.number} ({other.verdict}), “{one.statement.text}”"
            for one, other in zip(whole.lines, selection.lines, strict=True)
            if one.verdict != other.verdict
        ]
        parts.append(f"{name}, for {', '.join(changed) or 'no statement'}")
    return f"There is another overall verdict {'; '.join(parts)}."


def pairs(found: Mapping[str, Selection], perception: str = "p_judge") -> pd.DataFrame:
    """Pairs of points that contradict E2, and its verdict, by experiment and selection."""

    def cell(one: Selection, name: str) -> str:
        (line,) = (line for line in one.lines if line.statement.number == "E2")
        try:
            cloud = shapes.cloud(one.runs[name].table, perception)
        except InputError:
            return "too few points"
        counted = shapes.count(cloud, shapes.pairs, draws=0).short
        return f"{counted}: **{line.cells[name].verdict}**"

    return pd.DataFrame(
        {"E2: contradictions": text.title(name), **{key: cell(s, name) for key, s in found.items()}}
        for name in next(iter(found.values())).runs
    )


def networks(one: Selection, other: Selection) -> pd.DataFrame:
    """Verdicts on the same experiments with two networks beside each other, by statement."""
    names = [name for name in one.runs if name in other.runs]
    return pd.DataFrame(
        {
            "statement": line.claim.statement,
            **{f"{text.title(name)}, `{which.runs[name].settings.restorer}`":
               which.lines[k].cells[name].verdict for name in names for which in (one, other)},
        }
        for k, line in enumerate(one.lines)
        if names
    )  # fmt: skip
