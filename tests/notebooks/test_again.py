"""A downloaded notebook under plain papermill: its values are checked, its last cell is its own."""

import os
import subprocess
import sys

import nbformat
import pytest

from cdpbook.notebooks import again, execute, sources
from cdplib import parameters
from cdplib.storage import paths

NAME = "01_formulation"


@pytest.fixture(scope="module")
def downloaded(tmp_path_factory):
    """The executed notebook of the smallest chapter, away from the book."""
    folder = tmp_path_factory.mktemp("downloads")
    given = {"n_restorers": 10, "flip": 0.3}
    execute.execute(execute.prepare(sources.find(NAME), "smoke", given), folder)
    file = folder / f"{NAME}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    when = made(notebook)[1]["Executed"][0]  # to the minute: a second run may be in the same one
    data = notebook.cells[-1].outputs[0].data
    data["text/markdown"] = data["text/markdown"].replace(when, "long ago")
    nbformat.write(notebook, file)
    return file


def papermill(notebook, *arguments):
    """What papermill's own command says and leaves, from the folder of the notebook."""
    out = notebook.with_name("again.ipynb")
    command = [sys.executable, "-W", "ignore", "-m", "papermill", notebook.name, out.name]
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    environment.pop("MPLBACKEND", None)  # as where nobody tests
    done = subprocess.run(
        [*command, "--no-progress-bar", *arguments],
        cwd=notebook.parent, env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    return done, nbformat.read(out, as_version=4)


def made(notebook):
    """The last cell's Markdown, by its rows."""
    text = notebook.cells[-1].outputs[0].data["text/markdown"]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|"]
    return text, {row[0]: row[1:] for row in rows}


def test_its_own_values_and_date_stand_in_the_last_cell(downloaded):
    _, before = made(nbformat.read(downloaded, as_version=4))
    assert before["`flip`"][0] == "**`0.3`**"
    done, notebook = papermill(downloaded, "-p", "n_restorers", "20", "-p", "flip", "1")
    assert done.returncode == 0, done.stderr
    text, now = made(notebook)
    # The earlier run's values are gone with its cell: papermill puts its own in the same place.
    assert now["`flip`"][0] == "**`1.0`**"
    assert now["`n_restorers`"][0] == "**`20`**"
    assert f"cdp run {NAME} --preset smoke -p flip=1.0 -p n_restorers=20" in text
    assert before["Executed"] == ["long ago"] != now["Executed"]
    changed = {"Executed", "Preset", "Device", "`flip`", "`n_restorers`"}
    assert {row for row in before if before[row] != now[row]} <= changed
    assert "the one of this copy" not in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("foo", "3"), "unknown parameter 'foo': expected one of flip, n_restorers, n_samples"),
        (("flipp", "0.2"), "unknown parameter 'flipp': did you mean 'flip'?"),
        (("flip", "1.5"), "flip=1.5: 1.5 is not in [0, 1]"),
        (("seed", "many"), "seed='many': 'many' is not an int"),
    ],
)
def test_what_cdp_run_refuses_it_refuses_in_one_line_before_any_work(downloaded, given, said):
    done, notebook = papermill(downloaded, "-p", *given)
    assert done.returncode != 0
    (error,) = [o for c in notebook.cells for o in c.get("outputs", ()) if o.output_type == "error"]
    assert said in error.evalue
    assert error.traceback == [f"InputError: {error.evalue}"]
    assert "\n" not in error.evalue
    assert done.stderr.rstrip().splitlines()[-1] == error.traceback[0]
    ids = [cell.id for cell in notebook.cells if cell.get("outputs")]
    assert not [cell for cell in ids if cell.startswith(f"{NAME}-0")]  # nothing of the chapter ran


def test_the_names_papermill_injects_are_those_of_its_last_cell():
    cells = ["", "a = 1", "# Parameters\nfoo = 3\n", "x = 2", "# Parameters\nb = [1, 2]\nc = None"]
    assert again._injected(cells) == ["b", "c"]
    assert again._injected(cells[:2]) == []


def test_the_cell_declares_what_the_chapter_declares():
    chapter = sources.find(NAME)
    scope = {}
    code = again.begin_cell(execute.prepare(chapter, "smoke"))
    exec(code[code.index("declares = ") : code.index("again.begin")], scope)
    assert parameters.declared(scope["declares"]) == chapter.declared()
