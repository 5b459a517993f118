"""Execute one chapter through papermill, in this Python, and keep the result with its digest."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cdpbook.notebooks import again, inputs, progress, provenance
from cdpbook.notebooks.job import Job
from cdpbook.notebooks.job import prepare as prepare
from cdplib import checkout
from cdplib.errors import DataError
from cdplib.storage import files, paths

#: The tag of the cells that this driver adds to a chapter's own.
DRIVER = "driver"
_ELSEWHERE = """\
# In Colab, or anywhere without the book: fetch it, and install what this chapter needs.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("cdpbook") is None:
    subprocess.run(["git", "clone", "--depth", "1", "ORIGIN", "cdp-book"], check=True)
    install = [sys.executable, "-m", "pip", "install", "-q", "-e", "cdp-bookEXTRA"]
    subprocess.run(install, check=True)
    os.chdir("cdp-book")
    sys.path.insert(0, os.getcwd())
"""


class ChapterFailed(DataError):
    """A cell of a chapter raised an error."""


def is_fresh(job: Job, folder: Path) -> bool:
    """Whether ``folder`` holds the executed notebook of exactly this job."""
    digest = job.digest  # first, so that a worker is given it and not left to find its own
    known = _record(job, folder).get("digest")
    return known == digest and (folder / f"{job.chapter.name}.ipynb").is_file()


def last_time(job: Job, folder: Path) -> float | None:
    """Seconds that the chapter took when it was last executed into ``folder``, however changed."""
    seconds = _record(job, folder).get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else None


def _record(job: Job, folder: Path) -> dict[str, Any]:
    """What is kept beside an executed notebook; empty where there is none, or a damaged one."""
    try:
        text = (folder / f"{job.chapter.name}.json").read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def injected(job: Job) -> dict[str, Any]:
    """The values that papermill has to put after the parameters cell: those it does not have."""
    declared = job.chapter.declared()
    return {key: v for key, v in job.values.items() if v != declared[key].default}


def execute(
    job: Job, folder: Path, tell: progress.Tell = progress.silent, bar: bool = False
) -> float:
    """Execute ``job``; write ``NAME.ipynb`` and its record to ``folder``; return the seconds.

    ``tell`` hears of every cell and of what it writes to standard error; ``bar`` shows papermill's.
    The notebook checks its own values and ends with "How this page was made" (:mod:`.again`).
    Raises :class:`ChapterFailed`, naming chapter, cell and error; the notebook up to there is kept
    as ``NAME.failed.ipynb``.
    """
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError

    digest = job.digest  # of the inputs as they are before the run
    folder = folder.absolute()  # kernels run in the checkout
    folder.mkdir(parents=True, exist_ok=True)
    name = job.chapter.name
    failed = folder / f"{name}.failed.ipynb"
    notebook = job.chapter.notebook(job.student)
    prepare_environment()
    given = injected(job)
    ear = progress.Ear(tell, len(notebook.cells) + bool(given))
    started = time.monotonic()
    try:
        with contextlib.chdir(paths.ROOT):
            executed = papermill.execute_notebook(
                notebook,
                str(failed),
                given,
                kernel_name="python3",
                request_save_on_cell_execute=False,  # at the end alone
                progress_bar={"desc": name} if bar else False,
                stderr_file=ear,
                on_cell_start=ear.start,
                start_timeout=120,
                kernel_manager_class="cdpbook.notebooks.kernel.ThisPython",
            )
    except papermill.PapermillExecutionError as error:
        raise ChapterFailed(_failure(name, failed, error)) from None
    except DeadKernelError:
        raise ChapterFailed(f"{name}: its kernel died (killed, or out of memory)") from None
    seconds = time.monotonic() - started
    failed.unlink(missing_ok=True)
    _tidy(executed, name)
    _add_own(executed, job, inputs.closure(inputs.code_of(notebook))[1], seconds)
    files.write_text(folder / f"{name}.ipynb", nbformat.writes(executed) + "\n")
    record = {"digest": digest, "preset": job.preset, "seconds": round(seconds, 1)}
    files.write_text(folder / f"{name}.json", json.dumps(record, indent=1) + "\n")
    return seconds


def _add_own(executed: Any, job: Job, imported: set[str], seconds: float) -> None:
    """Add the cells that are not the chapter's; those of :mod:`.again` with what they would say."""
    import nbformat

    name, declared = job.chapter.name, job.chapter.declared()
    packages = sorted(imported & provenance_packages())
    cells = executed.cells
    tags = [set(cell.metadata.get("tags", ())) for cell in cells]
    given = [n for n, own in enumerate(tags) if own & {"parameters", "injected-parameters"}]
    cells.insert(max(given, default=-1) + 1, _cell(name, "begin", again.begin_cell(job)))
    cells.insert(0, _cell(name, "elsewhere", _elsewhere(packages)))
    head = nbformat.v4.new_markdown_cell(provenance.head(job.chapter), id=f"{name}-head"[-64:])
    text = provenance.table(job, declared, provenance.source_digest(job.chapter), packages, seconds)
    made = _cell(name, "made", again.made_cell(packages), "remove-input")
    data = {"text/markdown": text, "text/plain": "<IPython.core.display.Markdown object>"}
    made.outputs = [nbformat.v4.new_output("execute_result", data)]
    cells += [head, made]


def _cell(name: str, what: str, code: str, hidden: str = "remove-cell") -> Any:
    """A code cell of the driver's own, which the chapter's page leaves out."""
    import nbformat

    cell = nbformat.v4.new_code_cell(code, id=f"{name}-{what}"[-64:])
    cell.metadata["tags"] = [hidden, DRIVER]
    return cell


def _elsewhere(packages: Collection[str]) -> str:
    """The first cell of a downloaded notebook: the book, where it is not."""
    origin = checkout.git("remote", "get-url", "origin") or ""
    if not re.match(r"https://[\w./~-]+$", origin):
        origin = "https://(the repository)"
    extra = "[experiments]" if "torch" in packages else ""
    return _ELSEWHERE.replace("ORIGIN", origin).replace("EXTRA", extra)


def provenance_packages() -> set[str]:
    """Import names that are neither the standard library nor ours."""
    return {
        name
        for name in provenance.distributions()
        if name not in sys.stdlib_module_names and name not in inputs.PACKAGES
    }


def prepare_environment() -> None:
    """One thread a kernel unless told otherwise: numbers and times repeat, and chapters share."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    # Papermill says what it does at every cell; the driver says it once a chapter.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    import matplotlib.font_manager  # noqa: F401 - makes the font cache, which would speak in a page


def share_imports() -> None:
    """Fork this process's kernels from one that has imported torch: for several chapters."""
    from cdpbook.notebooks import kernel, warm

    prepare_environment()
    warm.prepare(kernel.environment(os.environ))


def _tidy(notebook: Any, name: str) -> None:
    """Leave out what differs between two equal runs: papermill's clock and paths, random ids.

    Figures get smaller.
    """
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell["id"] = f"{name}-injected"[-64:]
        if not tags:
            cell.metadata.pop("tags", None)
        if cell.cell_type == "code":
            cell.outputs = _whole_streams(cell.outputs)
            _with_palettes(cell.outputs)


def _with_palettes(outputs: list[Any]) -> None:
    """Figures as small as they can be without a difference that is seen: changed in place."""
    from cdpbook.figures import palette

    for output in outputs:
        if picture := output.get("data", {}).get("image/png"):
            smaller = palette.smaller(base64.b64decode(picture))
            output.data["image/png"] = base64.b64encode(smaller).decode() + "\n"


def _whole_streams(outputs: list[Any]) -> list[Any]:
    """``outputs`` with what was printed between two others as one of each stream.

    In how many pieces a kernel sends it, and which of two streams comes first, is chance.
    """
    found: list[Any] = []
    printed: dict[str, Any] = {}
    for output in outputs:
        if output.output_type != "stream":
            found += [*(printed[name] for name in sorted(printed, reverse=True)), output]
            printed = {}
        elif output.name in printed:
            printed[output.name].text += output.text
        else:
            printed[output.name] = output
    return found + [printed[name] for name in sorted(printed, reverse=True)]


def _failure(name: str, failed: Path, error: Any) -> str:
    """One line that names the chapter, the cell, its first line of code and the error."""
    import nbformat

    where = "a cell"
    for cell in nbformat.read(failed, as_version=4).cells:
        outputs = cell.get("outputs", [])
        if any(output.output_type == "error" for output in outputs):
            first = next((line for line in cell.source.splitlines() if line.strip()), "")
            where = f"cell {cell.id} ({first.strip()[:60]!r})"
    said = " ".join(str(error.evalue).split())[:300]
    return f"chapter {name} failed in {where}: {error.ename}: {said} (see {failed})"
