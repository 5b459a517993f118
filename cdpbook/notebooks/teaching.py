"""Goals, questions and hints from ``book/teaching.yml``, put into chapters; and what goes wrong.

The last, from ``book/instructor.yml``, is in the instructor's notebooks alone.
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdpbook.notebooks import exercises
from cdplib import parameters
from cdplib.storage import paths

FILE, INSTRUCTOR = "teaching.yml", "instructor.yml"
#: Characters that such a file may have: it is ours, and no user's.
LONGEST = 80_000
#: Words a minute of prose with formulas, and to how many minutes a time is rounded.
WORDS, ROUND = 100, 5
_SECTION = re.compile(r"^(\([\w:-]+\)=\n)?## ", re.M)
_EXERCISES = re.compile(r"^## Exercises$", re.M)
_EXERCISE = re.compile(
    r"(^[`:]{3,}\{exercise-start\}[^\n]*\n:label: (\S+)\n.*?)(?=^[`:]{3,}\{exercise-end\})",
    re.M | re.S,
)


def load(folder: Path | None = None, name: str = FILE) -> Mapping[str, Any]:
    """The file ``name`` of ``folder`` (default: the book's), empty where there is none.

    :data:`FILE` has ``chapters``, ``others`` and ``plans``, :data:`INSTRUCTOR` a list a chapter.
    Raises :class:`cdplib.errors.InputError` if it cannot be read.
    """
    path = (paths.BOOK if folder is None else folder) / name
    return _read(path.read_bytes(), name) if path.is_file() else {}


@functools.lru_cache(maxsize=4)
def _read(content: bytes, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = parameters.read_yaml(content, name, LONGEST)
    return found


def reading(cells: list[Any]) -> int:
    """Minutes that the prose of ``cells`` takes, exercises left out: a multiple of five."""
    parts = [cell for label, cell in exercises.split(cells) if not label]
    prose = "\n\n".join(cell.source for cell in parts if cell.cell_type == "markdown")
    words = len(_EXERCISES.split(prose)[0].split())
    return max(ROUND, ROUND * round(words / WORDS / ROUND))


def box(cells: list[Any], about: Mapping[str, Any]) -> str:
    """Goals, needs and minutes of a chapter of ``cells`` as Markdown."""
    own = exercises.of(cells)
    times = [f"about {reading(cells)} to read"]
    if own:
        minutes = sum(exercise.minutes or 0 for exercise in own)
        count = sum(exercise.minutes is None for exercise in own)
        rest = f", with {count} more that may take longer" if count else ""
        times.append(f"{minutes} for {_exercises(len(own) - count)}{rest}")
    return (
        ":::{admonition} What this chapter is for\n:class: note goals\n"
        f"*You learn to* {about['goals']}. *You need* {about['needs']}. "
        f"*Minutes:* {', '.join(times)}.\n:::"
    )


def _exercises(count: int) -> str:
    return f"{count} exercises" if count > 1 else "an exercise"


def questions(about: Mapping[str, Any]) -> str:
    """Questions with answers behind folds, as Markdown; empty where there are none."""
    folds = [_fold(own["ask"], own["answer"]) for own in about.get("questions", ())]
    return "\n\n".join(["## Ask yourself", *folds]) if folds else ""


def _fold(title: str, content: str, kind: str = "question") -> str:
    """A fold; ``kind`` is its class, by which `print.css` leaves out what paper need not have."""
    opened = f'<details class="{kind}"><summary>{title}</summary>'
    return f"{opened}\n\n{content.strip()}\n\n</details>"


def hinted(source: str, hints: Mapping[str, str]) -> str:
    """A Markdown cell with a fold at the end of each exercise whose label is in ``hints``."""

    def own(match: re.Match[str]) -> str:
        hint = hints.get(match[2])  # an empty line ends the fold: else it takes in the end, too
        return f"{match[1]}\n{_fold('Hint', hint, 'hint')}\n\n" if hint else match[1]

    return _EXERCISE.sub(own, source)


def warned(name: str, cells: list[Any]) -> list[Any]:
    """``cells`` of chapter ``name`` with what goes wrong before its exercises, for instructors."""
    items = load(name=INSTRUCTOR).get(name, ())
    text = "\n".join(["## For the instructor: what goes wrong", "", *(f"* {i}" for i in items)])
    return _before(cells, _EXERCISES, text, f"{name}-wrong") if items else cells


def with_teaching(name: str, cells: list[Any], folder: Path | None = None) -> list[Any]:
    """``cells`` of chapter ``name`` with its box, questions and hints; unchanged where it has none.

    ``folder`` is where the chapter is (default: the book's).
    """
    about = load(folder).get("chapters", {}).get(name)
    if about is None:
        return cells
    found = _before(cells, _SECTION, box(cells, about), f"{name}-goals")
    if text := questions(about):
        found = _before(found, _EXERCISES, text, f"{name}-questions")
    return [_with_hints(cell, about.get("hints", {})) for cell in found]


def _with_hints(cell: Any, hints: Mapping[str, str]) -> Any:
    if cell.cell_type == "markdown" and (source := hinted(cell.source, hints)) != cell.source:
        cell = copy.deepcopy(cell)
        cell.source = source
    return cell


def _before(cells: list[Any], heading: re.Pattern[str], text: str, name: str) -> list[Any]:
    """``cells`` with one of ``text`` before the first ``heading``, whose cell is cut there."""
    import nbformat

    own = nbformat.v4.new_markdown_cell(text, id=name[-64:])
    for index, cell in enumerate(cells):
        match = heading.search(cell.source) if cell.cell_type == "markdown" else None
        if match:
            head, tail = copy.deepcopy(cell), copy.deepcopy(cell)
            head.source = cell.source[: match.start()].strip("\n")
            tail.source = cell.source[match.start() :]
            head["id"] = f"{cell.id}-head"[-64:]
            first = [head] if head.source else []
            return [*cells[:index], *first, own, tail, *cells[index + 1 :]]
    return [*cells, own]
