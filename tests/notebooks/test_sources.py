"""Chapter sources: names, cells, the student edition, the table of contents."""

import re

import nbformat
import pytest

from cdpbook.notebooks import elsewhere, execute, exercises, sources
from cdplib import parameters
from cdplib.errors import InputError
from cdplib.storage import paths

md, py = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell


@pytest.fixture
def book(tmp_path):
    (tmp_path / "03_toy_example.py").write_text("# %% [markdown]\n# # Toy\n\n# %%\n1 + 1\n")
    (tmp_path / "index.md").write_text("# Front\n")
    return tmp_path


@pytest.mark.parametrize("name", ["03_toy_example", "03", "toy_example", "book/03_toy_example.py"])
def test_a_chapter_is_found_by_name_number_or_short_name(book, name):
    chapter = sources.find(name, book)
    assert (chapter.name, chapter.section) == ("03_toy_example", "toy_example")


def test_an_unknown_chapter_names_the_nearest(book):
    with pytest.raises(InputError, match="did you mean '03_toy_example'"):
        sources.find("3_toy_example", book)


def test_ids_are_stable_and_the_kernel_is_named(book):
    notebook = sources.find("03", book).notebook()
    assert [cell.id for cell in notebook.cells] == ["03_toy_example-000", "03_toy_example-001"]
    assert notebook.metadata.kernelspec.name == "python3"
    nbformat.validate(notebook)


def test_prose_has_no_code(book):
    assert not sources.find("index", book).has_code()
    assert sources.find("03", book).has_code()


def test_the_student_edition_has_no_solution():
    cells = [
        md("before\n\n```{exercise-start}\n:label: a\n```\n\nquestion\n\n```{exercise-end}\n```"),
        md("```{solution-start} a\n:class: dropdown\n```\n\nsecret"),
        py("secret = 1"),
        md("more\n\n```{solution-end}\n```\n\nafter"),
        py("kept = 1"),
    ]
    kept = exercises.without_solutions(cells)
    text = "\n".join(cell.source for cell in kept)
    assert "secret" not in text
    assert "solution" not in text
    assert [cell.source for cell in kept[1:]] == ["after", "kept = 1"]
    assert "question" in text


def test_a_solution_without_end_is_refused():
    with pytest.raises(InputError, match="no solution-end"):
        exercises.without_solutions([md("```{solution-start} a\n```")])


def test_two_parameters_cells_are_refused(tmp_path):
    cell = '# %% tags=["parameters"]\na: bool = True  # yes\n\n'
    (tmp_path / "01_x.py").write_text(cell + cell)
    with pytest.raises(InputError, match="2 parameters cells"):
        sources.find("01", tmp_path).declared()


def test_every_chapter_is_in_the_table_of_contents():
    assert sorted(sources.toc()) == parameters.chapters()


@pytest.mark.parametrize("name", parameters.chapters())
def test_every_chapter_declares_its_parameters_and_closes_its_solutions(name):
    chapter = sources.find(name)
    chapter.declared()
    student = chapter.notebook(student=True)
    text = "\n".join(cell.source for cell in student.cells)
    assert not re.search(r"\{solution", text)


@pytest.mark.parametrize("preset", parameters.presets())
def test_every_preset_fits_every_chapter(preset):
    for name in parameters.chapters():
        execute.prepare(sources.find(name), preset)


def test_every_reference_of_the_book_has_words_for_a_page_built_alone():
    words = elsewhere.words()
    used = set()
    for path in paths.BOOK.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"\{(?:ref|eq|prf:ref)\}`(?:[^`]*<)?([\w:-]+)>?`", text))
    assert len(used) > 30
    assert not {label for label in used if label.split(":")[0] != "ex"} - set(words)
    assert words["eq:paper-16"] == "(16)"
    assert all(words.values())
    assert not any(mark in text for text in words.values() for mark in "$`\\")
