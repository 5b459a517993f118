"""The golden notebooks hold the chapters' own code, so that nbval does not test an old copy."""

import nbformat
import pytest

from cdpbook.notebooks import golden

CHAPTERS = golden.chapters()


def test_there_is_a_golden_notebook_for_each_chapter_with_pinned_outputs():
    assert CHAPTERS
    expected = {f"{chapter.name}.ipynb" for chapter in CHAPTERS}
    assert {path.name for path in golden.FOLDER.glob("*.ipynb")} == expected, "run: make golden"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_golden_code_is_the_chapters(chapter):
    notebook = nbformat.read(golden.FOLDER / f"{chapter.name}.ipynb", as_version=4)
    assert [cell.source for cell in notebook.cells] == golden.code(chapter), "run: make golden"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_golden_outputs_are_those_of_tagged_cells_alone(chapter):
    notebook = nbformat.read(golden.FOLDER / f"{chapter.name}.ipynb", as_version=4)
    pinned = [cell for cell in notebook.cells if golden.TAG in cell.metadata.get("tags", [])]
    assert all(cell.outputs for cell in pinned)
    assert not any(cell.outputs for cell in notebook.cells if cell not in pinned)
    assert not any(output.output_type == "error" for cell in pinned for output in cell.outputs)
