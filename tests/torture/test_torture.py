"""A short run of `make torture`: every fault that needs no other process a few times."""

import subprocess
import sys

import nbformat
import psutil
import pytest

from tests.torture import run
from tests.torture.trials import outlive
from tests.torture.works import BookWork


def test_nothing_is_lost_or_left_by_any_fault(capfd):
    rows = run.table(minutes=0.5, seed=1, say=lambda line: None)
    assert [str(row) for row in rows if row.lost or row.survived < row.tried] == []
    assert sum(row.tried for row in rows) > 300


@pytest.fixture
def built(tmp_path):
    """A book as it is when it is done."""
    work = BookWork(tmp_path)
    pages = tmp_path / "build" / "smoke" / "_build" / "html"
    pages.mkdir(parents=True)
    work.out.mkdir(parents=True)
    cell = nbformat.v4.new_code_cell("print(a + 1)")
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="3\n")]
    for name in ("index", *work.names):
        (pages / f"{name}.html").write_text("<html><pre>3\n</pre></html>\n")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), work.out / f"{name}.ipynb")
    assert work.wrong(whole=True) == []
    return work, pages


def test_what_a_kill_of_a_book_could_do_would_be_found(built):
    work, pages = built
    (work.folder / "tmp" / "cdp-kernel-x").mkdir()
    (work.out / "01_formulation.failed.ipynb").write_text("")
    (pages.parents[1] / "unfinished").mkdir()
    left = ["left: 01_formulation.failed.ipynb", "left: cdp-kernel-x", "left: unfinished pages"]
    assert work.wrong() == []  # so soon after a kill they may be there
    assert sorted(set(work.wrong(whole=True))) == left
    notebook, page = work.out / "02_proof_checks.ipynb", pages / "01_formulation.html"
    for path, said in ((notebook, "a notebook is damaged"), (page, "missing or cut short")):
        whole = path.read_text()
        path.write_text(whole[: len(whole) // 2])
        assert [said in text for text in work.wrong()] == [True]
        path.write_text(whole)
    page.unlink()
    assert work.wrong() == ["the page 01_formulation is missing or cut short"]
    for page in pages.iterdir():
        page.unlink()
    pages.rmdir()
    assert work.wrong() == []  # no site: the next run makes it
    assert len(work.wrong(whole=True)) > 3


def test_a_helper_that_outlives_a_kill_is_found_and_ended():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as helper:
        process = psutil.Process(helper.pid)
        (said,) = outlive([process], 0.1)
        assert said == "left: a process (-c import time; time.sleep(600))"
        helper.wait(20)
        assert outlive([process], 0.1) == []
