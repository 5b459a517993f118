"""The exercises of a chapter: title, minutes, solution; and which cells lie in a solution."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cdplib.errors import InputError

# A gated solution opens here and ends with the fence that closes `solution-end`.
_OPEN = re.compile(r"^(`{3,}|:{3,})\{solution-start\}\s*(\S*)")
_END = re.compile(r"^(`{3,}|:{3,})\{solution-end\}")
_EXERCISE = re.compile(r"^[`:]{3,}\{exercise-start\} (?P<title>.*)\n:label: (?P<label>\S+)$", re.M)
_MINUTES = re.compile(r"\([^()]*?\b(\d+) minutes\b")

#: The tags of the code cells of a solution that students have, too: the first with the stub that
#: its metadata hold in place of its code. No check is executed before there is an answer.
ANSWER, CHECK, SKIP = "answer", "check", "skip-execution"


@dataclass(frozen=True)
class Exercise:
    """One exercise: its label (``ex:toy-1``), title, minutes (None: it names none), solution.

    ``solution`` are the notebook cells from ``solution-start`` to ``solution-end``.
    """

    label: str
    title: str
    minutes: int | None
    solution: list[Any] = field(default_factory=list)

    @property
    def grade_id(self) -> str:
        """Its label as an identifier of a cell: ``toy-1``."""
        return self.label.removeprefix("ex:")

    def tagged(self, tag: str) -> Any | None:
        """The cell of the solution with ``tag``, if there is one."""
        return next((c for c in self.solution if tag in c.metadata.get("tags", ())), None)


def split(cells: list[Any]) -> Iterator[tuple[str, Any]]:
    """Each of ``cells`` with the label of the exercise in whose solution it lies, else ``""``.

    A Markdown cell with both is cut in two; the directives are left out, and empty cells.
    Raises :class:`InputError` for a solution without an end.
    """
    label = fence = after = ""  # `fence` closes the directive that we are in, `after` follows it
    for cell in cells:
        if cell.cell_type != "markdown":
            yield label, cell
            continue
        pieces: list[tuple[str, list[str]]] = [(label, [])]
        for line in cell.source.splitlines():
            if fence:
                if line.strip() == fence:
                    fence, label = "", after
                    pieces.append((label, []))
            elif match := _OPEN.match(line):
                fence, after = match[1], match[2] or "unnamed"
            elif label and (match := _END.match(line)):
                fence, after = match[1], ""
            else:
                pieces[-1][1].append(line)
        texts = [(own, "\n".join(lines).strip("\n")) for own, lines in pieces]
        for number, (own, text) in enumerate((own, text) for own, text in texts if text):
            piece = copy.deepcopy(cell)
            piece.source = text
            if number:
                piece["id"] = f"{cell.id}-{number}"[-64:]
            yield own, piece
    if label or fence:
        raise InputError("a solution-start has no solution-end")


def without_solutions(cells: list[Any]) -> list[Any]:
    """``cells`` without what lies between a ``solution-start`` and its ``solution-end``.

    Answer cells stay with their stubs, and checks as they are; neither is executed.
    """
    kept = []
    for label, cell in split(cells):
        tags = cell.metadata.get("tags", [])
        if not label:
            kept.append(cell)
        elif {ANSWER, CHECK} & set(tags):
            kept.append(as_stub(cell))
            cell.metadata["tags"] = [*tags, SKIP]
    return kept


def as_stub(cell: Any) -> Any:
    """A tagged ``cell`` of a solution as a student is given it: changed in place."""
    cell.source = cell.metadata.pop("stub", cell.source)
    return cell


def of(cells: list[Any]) -> list[Exercise]:
    """The exercises of the cells of a chapter, in order, with their solutions.

    Raises :class:`InputError` for a solution of no exercise.
    """
    parts = list(split(cells))
    text = "\n\n".join(cell.source for label, cell in parts if not label)
    found = {}
    for match in _EXERCISE.finditer(text):
        minutes = _MINUTES.search(match["title"])
        title = match["title"].partition(" (")[0]
        exercise = Exercise(match["label"], title, int(minutes[1]) if minutes else None)
        found[exercise.label] = exercise
    for label, cell in parts:
        if label and label not in found:
            raise InputError(f"a solution of {label!r}, which is no exercise before it")
        if label:
            found[label].solution.append(cell)
    return list(found.values())
