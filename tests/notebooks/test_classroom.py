"""The bundle for a class: no solution in it, and answers that can be graded."""

import json
import re
import tarfile

import nbformat
import pytest

from cdpbook.notebooks import classroom, execute, exercises, sources
from cdpbook.notebooks.inputs import PACKAGES
from cdplib.errors import InputError
from cdplib.storage import paths

#: A line of a solution that is shorter may stand anywhere by chance.
SHORTEST = 20
JSON = (".ipynb", ".json")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return classroom.build(tmp_path_factory.mktemp("class"))


def chapters():
    return [sources.find(name) for name in sources.toc()]


def lines(text):
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= SHORTEST}


def secrets():
    """Label of an exercise to the lines that its solution alone has, of the book and the packages.

    A solution that a module of ours held would have none left, which a test would tell.
    """
    cells = [(c, own) for c in chapters() for own in exercises.split(c.notebook().cells)]
    modules = [path for package in PACKAGES for path in (paths.ROOT / package).rglob("*.py")]
    public = {line for path in modules for line in lines(path.read_text(encoding="utf-8"))}
    for _, (label, cell) in cells:
        if not label or exercises.CHECK in cell.metadata.get("tags", ()):
            public |= lines(cell.source)
        public |= lines(cell.metadata.get("stub", ""))
    found = {}
    for _, (label, cell) in cells:
        if label:
            found.setdefault(label, set()).update(lines(cell.source) - public)
    return found


def texts(folder):
    """Every file of ``folder`` that is text; of a notebook, all strings in it, metadata too."""
    for path in folder.rglob("*"):
        if path.is_file() and "results" not in path.parts:
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            yield path, "\n".join(strings(json.loads(text))) if path.suffix in JSON else text


def strings(node):
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for item in node.values() if isinstance(node, dict) else node:
            yield from strings(item)


def leaks(folder, known):
    """(file, label) wherever ``folder`` has a line of a solution."""
    found = []
    for path, text in texts(folder):
        own = {line.strip() for line in text.splitlines()}
        hits = [label for label, told in known.items() if told & own]
        found += [(path.name, label) for label in hits]
    return found


def test_every_solution_has_lines_by_which_it_would_be_found():
    known = secrets()
    labels = {e.label for c in chapters() for e in exercises.of(c.notebook().cells)}
    assert set(known) == labels
    assert [label for label, told in known.items() if not told] == []


def test_what_students_are_given_holds_no_solution_anywhere(bundle):
    known = secrets()
    assert leaks(bundle / classroom.STUDENT, known) == []
    instructors = {label for _, label in leaks(bundle / classroom.INSTRUCTOR, known)}
    assert instructors == set(known), "the search finds what is there"


def test_the_archive_is_the_folder(bundle):
    with tarfile.open(bundle / f"{classroom.STUDENT}.tar.gz") as tar:
        packed = {member.name for member in tar.getmembers() if member.isfile()}
    folder = bundle / classroom.STUDENT
    written = {str(p.relative_to(bundle)) for p in folder.rglob("*") if p.is_file()}
    assert packed == written
    assert not any("/tests/" in name or "/.git/" in name for name in packed)


def test_students_have_every_file_that_their_set_up_reads(bundle):
    read = re.findall(r"\b[\w-]+\.(?:txt|toml|lock)\b", (paths.ROOT / ".ci/setup").read_text())
    wanted = {name for name in read if (paths.ROOT / name).is_file()}
    assert {"requirements.txt", "requirements.lock", "pyproject.toml"} <= wanted
    assert [n for n in sorted(wanted) if not (bundle / classroom.STUDENT / n).is_file()] == []


def test_students_sources_are_the_student_edition(bundle):
    for chapter in chapters():
        given = sources.find(chapter.name, bundle / classroom.STUDENT / "book").notebook(True)
        assert [c.source for c in given.cells] == [c.source for c in chapter.notebook(True).cells]
    assert "Student edition" in (bundle / classroom.STUDENT / "book" / "index.md").read_text()
    assert "Student edition" not in (sources.find("index").text())


def test_answers_carry_the_metadata_that_nbgrader_reads(bundle):
    for path in (bundle / classroom.INSTRUCTOR / "source").glob("*/*.ipynb"):
        given = nbformat.read(bundle / classroom.STUDENT / "notebooks" / path.name, 4)
        both = [given, nbformat.read(path, 4)]
        told, asked = ([c for c in n.cells if "nbgrader" in c.metadata] for n in reversed(both))
        assert [c.metadata.nbgrader for c in told] == [c.metadata.nbgrader for c in asked]
        names = [c.metadata.nbgrader.grade_id for c in asked]
        assert len(set(names)) == len(names) > 0
        for cell in asked:
            own = cell.metadata.nbgrader
            keys = {"grade", "solution", "locked", "task", "grade_id", "schema_version"}
            assert keys | {"cell_type"} <= set(own)
            assert own.schema_version == 3
            assert own.grade == ("points" in own)
        for cell in told:
            assert ("### BEGIN SOLUTION" in cell.source) == cell.metadata.nbgrader.solution
        expected = sum(e.minutes or classroom.POINTS for e in exercises.of(
            sources.find(path.stem).notebook().cells))  # fmt: skip
        assert sum(c.metadata.nbgrader.get("points", 0) for c in asked) == expected


def hand_in(bundle, name, solved, path):
    """A copy of the students' notebook, with the instructor's answers where ``solved``."""
    notebook = nbformat.read(bundle / classroom.STUDENT / "notebooks" / f"{name}.ipynb", 4)
    source = bundle / classroom.INSTRUCTOR / "source" / name / f"{name}.ipynb"
    answers = {classroom._grade_id(c): c.source for c in nbformat.read(source, 4).cells}
    for cell in notebook.cells:
        if solved and classroom._grade_id(cell).endswith("-answer"):
            cell.source = answers[classroom._grade_id(cell)]
    nbformat.write(notebook, path)
    return path, notebook


@pytest.mark.parametrize("name", ["01_formulation", "03_toy_example"])
def test_a_solved_copy_passes_its_check_and_an_unsolved_one_does_not(bundle, name, tmp_path):
    (own,) = classroom.grade(hand_in(bundle, name, True, tmp_path / f"{name}.ipynb")[0])
    assert own.earned == own.points > 0
    assert own.said.startswith("Right")
    (own,) = classroom.grade(hand_in(bundle, name, False, tmp_path / f"{name}.ipynb")[0])
    assert own.earned == 0
    assert "no answer" in own.said


def test_a_check_that_was_written_over_is_not_believed(bundle, tmp_path):
    path, notebook = hand_in(bundle, "01_formulation", False, tmp_path / "01_formulation.ipynb")
    for cell in notebook.cells:
        if classroom._grade_id(cell).endswith("-check"):
            cell.source = "print('Right: trust me')"
    nbformat.write(notebook, path)
    assert classroom.command([path]) == 0
    assert classroom.grade(path)[0].earned == 0


def test_what_is_no_notebook_of_a_chapter_is_refused_in_one_line(bundle, tmp_path):
    path, notebook = hand_in(bundle, "01_formulation", False, tmp_path / "01_formulation.ipynb")
    notebook.cells = notebook.cells[:-6]
    notebook.cells = [c for c in notebook.cells if not classroom._grade_id(c).endswith("-check")]
    nbformat.write(notebook, path)
    with pytest.raises(InputError, match="no cell 'formulation-2-check'"):
        classroom.grade(path)
    path.write_text("no notebook")
    with pytest.raises(InputError, match="expected a notebook"):
        classroom.grade(path)
    with pytest.raises(InputError, match="has no checks"):
        classroom.grade(hand_in(bundle, "06_exp1", False, tmp_path / "06_exp1.ipynb")[0])


def test_the_student_site_runs_without_answers(tmp_path):
    job = execute.prepare(sources.find("01"), "read", student=True)
    execute.execute(job, tmp_path)
    notebook = nbformat.read(tmp_path / "01_formulation.ipynb", 4)
    tagged = {t: c for c in notebook.cells for t in c.metadata.get("tags", [])}
    assert "..." in tagged[exercises.ANSWER].source
    assert tagged[exercises.CHECK].outputs == []
    assert "student edition" in str(notebook.cells[-1].outputs)


def test_the_bundle_is_not_written_over_a_file(tmp_path):
    (tmp_path / "class").write_text("")
    with pytest.raises(InputError, match="--output"):
        classroom.build(tmp_path / "class")
