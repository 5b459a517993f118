"""``cdp class``: what a class is given, and its instructor; ``cdp grade``: which checks pass.

``cdp-book-student/`` is a book without solutions: packages, results, chapters as sources and as
notebooks. ``instructor/`` has the same notebooks with the solutions, laid out as a course of
nbgrader, whose metadata the answer and check cells carry (nothing of it is imported).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from cdpbook.notebooks import exercises, sources, teaching
from cdpbook.notebooks.exercises import ANSWER, CHECK, SKIP, Exercise
from cdpbook.notebooks.sources import Chapter
from cdplib.errors import InputError
from cdplib.storage import files, paths

STUDENT, INSTRUCTOR = "cdp-book-student", "instructor"
#: What a student's copy of the book is made of, beside its chapters. No test is: they know answers.
TREE = (
    *("cdplib", "cdpbook", "params", "proofs", ".ci", "Makefile", "pyproject.toml"),
    *("requirements.txt", "requirements.lock", "LICENSE", "CITATION.cff", "_config.yml"),
    *("_toc.yml", "book/templates"),
    *("book/_static", "book/results", "book/references.bib", "book/teaching.yml"),
)
#: Points of an exercise that names no minutes; of all others its minutes are its points.
POINTS = 10
_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"
_WORDS = "*Your answer, in words:*"
_STUDENT = """\
# The CDP Book, student edition

The solutions of the exercises are left out. You need Python 3.11 to 3.14, make and network access.

    make setup                                          # once: the environment, in .venv/
    ./.ci/lab --ServerApp.root_dir="$PWD/notebooks"     # JupyterLab on the chapters
    make student                                        # the site, to read

Where an answer cell has dots, write your answer in their place and run the cell after it: it says
"Right", or what to look at. Hand in the notebook.
"""
_TEACHER = f"""\
# For the instructor

`source/` has every chapter with exercises as an assignment of nbgrader, solutions between
`{_BEGIN}` and `{_END}`. Students are given `../{STUDENT}.tar.gz`.

    cdp grade HANDED_IN.ipynb ...            # runs them, says which checks pass; needs no nbgrader
    nbgrader generate_assignment 01_formulation
    nbgrader autograde 01_formulation        # of submitted/STUDENT/01_formulation/

Points are the minutes of an exercise: half for the check where there is one, the rest for words,
which you read. Run either in an environment that has the book (`make setup`), away from what is
dear to you: a notebook is a program.
"""
_CONFIG = """\
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "cdp-book"
c.ClearSolutions.code_stub = {"python": "..."}
c.ClearSolutions.text_stub = ""
"""


def build(output: Path | None = None) -> Path:
    """Write the bundle to ``output`` (default ``_build/class``), old content replaced; return it.

    Raises :class:`InputError` where ``output`` is a file.
    """
    output = paths.BUILD / "class" if output is None else output.absolute()
    files.check_target(output, "--output", "folder")
    for name in (STUDENT, INSTRUCTOR):
        shutil.rmtree(output / name, ignore_errors=True)
    chapters = [sources.find(name) for name in sources.toc()]
    _tree(output / STUDENT, chapters)
    for chapter in chapters:
        if exercises.of(chapter.notebook().cells):
            _write(output / STUDENT / "notebooks" / f"{chapter.name}.ipynb", assignment(chapter))
            source = output / INSTRUCTOR / "source" / chapter.name / f"{chapter.name}.ipynb"
            _write(source, assignment(chapter, solved=True))
    files.write_text(output / STUDENT / "README.md", _STUDENT)
    files.write_text(output / INSTRUCTOR / "README.md", _TEACHER)
    files.write_text(output / INSTRUCTOR / "nbgrader_config.py", _CONFIG)
    archive = shutil.make_archive(str(output / STUDENT), "gztar", output, STUDENT)
    print(f"for students: {archive}\nfor you: {output / INSTRUCTOR}", flush=True)
    return output


def _tree(target: Path, chapters: Sequence[Chapter]) -> None:
    """A checkout without tests and solutions."""
    import jupytext

    skip = shutil.ignore_patterns("__pycache__", "vendor", ".*.lock")
    for name in TREE:
        source, copy = paths.ROOT / name, target / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=skip)
        elif source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
    for chapter in chapters:
        text = chapter.text(student=True)
        if exercises.of(chapter.notebook().cells):
            text = jupytext.writes(chapter.notebook(student=True, bare=True), fmt=chapter.kind)
        files.write_text(target / "book" / chapter.path.name, text)


def _write(path: Path, notebook: Any) -> None:
    import nbformat

    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.validate(notebook)
    files.write_text(path, nbformat.writes(notebook) + "\n")


def assignment(chapter: Chapter, solved: bool = False) -> Any:
    """``chapter`` as a notebook without outputs whose answers nbgrader knows.

    Each exercise has a cell for words; where its solution has an answer cell and a check, those
    follow. ``solved``: as the instructor has it, with solutions between nbgrader's marks, and with
    what goes wrong before the exercises.
    """
    notebook = chapter.notebook()
    found = {exercise.label: exercise for exercise in exercises.of(notebook.cells)}
    cells = []
    for label, own in groupby(exercises.split(notebook.cells), key=lambda part: part[0]):
        cells += _answers(found[label], solved) if label else [cell for _, cell in own]
    for cell in cells:
        cell.metadata.pop("stub", None)
    if solved:
        cells = teaching.warned(chapter.name, cells)
    notebook.cells, notebook.metadata["celltoolbar"] = cells, "Create Assignment"
    return notebook


def _answers(exercise: Exercise, solved: bool) -> list[Any]:
    """The cells in place of the solution of ``exercise``."""
    import nbformat

    points, check, answer = (
        exercise.minutes or POINTS,
        exercise.tagged(CHECK),
        exercise.tagged(ANSWER),
    )
    ours = points / 2 if check else 0
    told = "\n\n".join(_as_text(cell) for cell in exercise.solution if cell not in (answer, check))
    words = f"{_WORDS}\n\n{_BEGIN}\n{told}\n{_END}" if solved else _WORDS
    name = exercise.grade_id
    cells = [nbformat.v4.new_markdown_cell(words, id=f"{name}-words")]
    _mark(cells[0], f"{name}-words", grade=True, solution=True, points=points - ours)
    if answer is not None and check is not None:
        stub = answer.metadata["stub"]
        code = "\n".join(f"# {line}" for line in stub.splitlines())
        answer.source = f"{code}\n{_BEGIN}\n{answer.source}\n{_END}" if solved else stub
        _mark(answer, f"{name}-answer", grade=False, solution=True)
        _mark(check, f"{name}-check", grade=True, solution=False, points=ours)
        cells += [answer, check]
    return cells


def _as_text(cell: Any) -> str:
    """A cell of a solution as Markdown."""
    return cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```"


def _mark(
    cell: Any, name: str, *, grade: bool, solution: bool, points: float | None = None
) -> None:
    """Give ``cell`` the metadata of nbgrader, schema 3."""
    own: dict[str, Any] = {
        "grade": grade,
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
    own |= {"grade_id": name, "schema_version": 3, "cell_type": cell.cell_type}
    cell.metadata["nbgrader"] = own if points is None else {**own, "points": points}


@dataclass(frozen=True)
class Grade:
    """What a check of a handed-in notebook said: ``grade_id``, points to have and had, its line."""

    grade_id: str
    points: float
    earned: float
    said: str


def grade(path: Path) -> list[Grade]:
    """Run the notebook at ``path``, with the checks of its chapter in place of its own.

    A check that raises earns nothing. Raises :class:`InputError` for a file that is no notebook of
    a chapter with checks, or where a check's cell is missing.
    """
    import nbclient
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # no file, no JSON, no notebook: nbformat raises many kinds
        raise InputError(f"{str(path)!r}: expected a notebook ({str(error)[:80]})") from None
    given = {_grade_id(cell): cell for cell in notebook.cells if _grade_id(cell)}
    checks = _checks(sources.find(path.stem.split(".")[0]))
    for name, cell in checks.items():
        if name not in given:
            raise InputError(
                f"{str(path)!r}: it has no cell {name!r}; expected {', '.join(checks)}"
            )
        given[name].source = cell.source
        given[name].metadata = cell.metadata
    for cell in notebook.cells:
        cell.metadata["tags"] = [tag for tag in cell.metadata.get("tags", []) if tag != SKIP]
    nbclient.NotebookClient(
        notebook,
        timeout=600,
        allow_errors=True,
        kernel_name="python3",
        kernel_manager_class="cdpbook.notebooks.kernel.ThisPython",
        resources={"metadata": {"path": str(paths.ROOT)}},
    ).execute()
    return [_graded(given[name]) for name in checks]


def _grade_id(cell: Any) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _checks(chapter: Chapter) -> dict[str, Any]:
    cells = assignment(chapter).cells
    found = {_grade_id(c): c for c in cells if CHECK in c.metadata.get("tags", ())}
    if not found:
        raise InputError(f"{chapter.name} has no checks; expected a chapter that has")
    return found


def _graded(cell: Any) -> Grade:
    own = cell.metadata["nbgrader"]
    errors = [output for output in cell.outputs if output.output_type == "error"]
    texts = [output.text.strip() for output in cell.outputs if output.output_type == "stream"]
    right = not errors and any(text.startswith("Right") for text in texts)
    said = f"{errors[0].ename}: {errors[0].evalue}" if errors else " ".join(texts)
    return Grade(own["grade_id"], own["points"], own["points"] if right else 0.0, said)


def command(notebooks: Sequence[Path]) -> int:
    """Print a line a check for each of ``notebooks``; 0."""
    for path in notebooks:
        found = grade(path)
        total, most = sum(g.earned for g in found), sum(g.points for g in found)
        print(f"{path}: {total:g} of {most:g} points by checks", flush=True)
        for own in found:
            print(f"  {own.grade_id}: {own.earned:g} of {own.points:g}  {own.said[:120]}")
    return 0
