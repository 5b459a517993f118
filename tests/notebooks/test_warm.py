"""Forked kernels: what they say is what started ones say, they are quick, and they end."""

import os
import signal
import sys
import time
from pathlib import Path

import nbformat
import papermill
import psutil
import pytest

from cdpbook.notebooks import execute, kernel, launch, warm

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux alone"),
]

CELLS = [
    "import os, sys, signal, multiprocessing, pathlib",
    "early = 'torch' in sys.modules",
    "import matplotlib.pyplot as plt, torch",
    "figure = plt.figure(); plt.plot([1, 2])",
    "print(pathlib.Path.cwd() == pathlib.Path(os.environ['PWD']), os.environ['OMP_NUM_THREADS'])",
    "print(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGCHLD))",
    "print(multiprocessing.get_start_method(allow_none=True), sys.path)",
    "with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(abs, [-1]))",
    "import subprocess; print(subprocess.run(['false']).returncode)",
    "print(early)",
]
BUSY = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"


def executed(*texts):
    """What each cell puts out, in a kernel of this process."""
    cells = [nbformat.v4.new_code_cell(text) for text in texts]
    done = papermill.execute_notebook(
        nbformat.v4.new_notebook(cells=cells), None, kernel_name="python3", progress_bar=False,
        kernel_manager_class="cdpbook.notebooks.kernel.ThisPython",
    )  # fmt: skip
    return [[o.get("text") or sorted(o.data) for o in cell.outputs] for cell in done.cells]


@pytest.fixture
def prepared(monkeypatch):
    execute.prepare_environment()
    monkeypatch.setenv("PWD", str(Path.cwd()))
    monkeypatch.setattr(warm, "_stem", None)

    def prepare(**environment):
        warm.prepare({**kernel.environment(os.environ), **environment})
        return warm._stem

    yield prepare
    if warm._stem is not None:
        warm._stem.end()


def test_a_forked_kernel_says_what_a_started_one_does_and_has_torch_from_its_start(prepared):
    started = executed(*CELLS)
    prepared()
    for _ in range(2):  # the stem's second, too
        forked = executed(*CELLS)
        assert forked[:-1] == started[:-1]
        assert forked[-1] != started[-1]
    assert ["image/png", "text/plain"] in started[3]  # the figure is there


def test_a_stem_that_runs_threads_forks_none_and_kernels_start_as_ever(
    prepared, monkeypatch, tmp_path
):
    (tmp_path / "busy.py").write_text(BUSY)
    monkeypatch.setattr(launch, "IMPORTS", ["busy"])
    stem = prepared(PYTHONPATH=str(tmp_path))
    assert stem.fork(["-f", "nothing"], os.environ, str(tmp_path)) is None
    assert executed(*CELLS)[-1] == ["False\n"]


def test_a_kernel_ends_with_its_stem(prepared, tmp_path):
    stem = prepared()
    manager = kernel.ThisPython()
    manager.write_connection_file()
    pid = stem.fork(manager.format_kernel_cmd(), kernel.environment(os.environ), str(tmp_path))
    forked, found = warm.Forked(pid), psutil.Process(pid)
    time.sleep(2)
    assert forked.poll() is None
    assert found.cwd() == str(tmp_path)
    os.kill(stem.process.pid, signal.SIGKILL)
    assert stem.fork(manager.format_kernel_cmd(), os.environ, str(tmp_path)) is None
    for _ in range(100):
        if forked.poll() is not None:
            break
        time.sleep(0.1)
    assert forked.poll() == 0


@pytest.mark.parametrize("forked", [False, True])
def test_a_kernel_with_torch_in_it_ends_when_told_to_after_its_last_words(
    prepared, tmp_path, forked
):
    if forked:
        prepared()
    last = tmp_path / "last"
    executed(f"import atexit, pathlib, torch; atexit.register(pathlib.Path({str(last)!r}).touch)")
    assert last.exists()  # one that takes longer than 2.5 s is killed, and touches nothing
