"""Execute one chapter through papermill, in this Python, and keep the result with its digest."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdpbook.notebooks import inputs, provenance
from cdpbook.notebooks.sources import Chapter
from cdplib import checkout, parameters
from cdplib.errors import DataError
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import files, paths

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


@dataclass(frozen=True)
class Job:
    """A chapter with its checked values: everything is known before any kernel starts."""

    chapter: Chapter
    preset: str
    values: Mapping[str, Any]
    preset_values: Mapping[str, Any]
    student: bool = False

    @functools.cached_property
    def digest(self) -> str:
        """What the executed notebook depends on, as one number: as it was when first asked for."""
        return inputs.digest(self.chapter.notebook(self.student), self.preset, dict(self.values))


def prepare(
    chapter: Chapter,
    preset: str,
    given: Mapping[str, Any] | None = None,
    student: bool = False,
    presets: Path | None = None,
) -> Job:
    """Check every value of ``chapter`` under ``preset`` with ``given`` over it.

    Raises :class:`cdplib.errors.InputError` before any kernel starts.
    """
    have_home()
    declared = chapter.declared()
    known = dict(declared)
    if chapter.section in EXPERIMENTS:
        # An experiment's section serves its sweep too, whose settings a chapter may not show.
        from cdplib.experiments import settings

        known = {**settings.declared(), **declared}
    base = parameters.preset(preset, chapter.sections, known, folder=presets)
    base = {name: value for name, value in base.items() if name in declared}
    if "preset" in declared:  # a chapter that hands its preset on to a sweep
        base.setdefault("preset", preset)
    preset_values = parameters.resolve(declared, base, where=f"preset {preset}")
    changed = parameters.resolve(declared, given or {})
    values = {
        name: changed[name] if name in (given or {}) else preset_values[name] for name in declared
    }
    return Job(chapter, preset, values, preset_values, student)


def have_home() -> None:
    """Give a process without a home folder (no HOME, no account) one, until it ends.

    Jupyter will not start without, and keeps nothing there that is needed.
    """
    try:
        Path.home()
    except RuntimeError:
        held = contextlib.ExitStack()
        os.environ["HOME"] = str(held.enter_context(files.scratch("cdp-home")))
        atexit.register(held.close)


def is_fresh(job: Job, folder: Path) -> bool:
    """Whether ``folder`` holds the executed notebook of exactly this job."""
    digest = job.digest  # first, so that a worker is given it and not left to find its own
    record = folder / f"{job.chapter.name}.json"
    try:
        known = json.loads(record.read_text(encoding="utf-8"))["digest"]
    except (OSError, ValueError, KeyError):
        return False
    return known == digest and (folder / f"{job.chapter.name}.ipynb").is_file()


def injected(job: Job) -> dict[str, Any]:
    """The values that papermill has to put after the parameters cell: those it does not have."""
    declared = job.chapter.declared()
    return {key: v for key, v in job.values.items() if v != declared[key].default}


def execute(job: Job, folder: Path, progress: bool = False) -> float:
    """Execute ``job``; write ``NAME.ipynb`` and its record to ``folder``; return the seconds.

    The notebook ends with "How this page was made". Raises :class:`ChapterFailed`, naming
    chapter, cell and error; the notebook up to there is kept as ``NAME.failed.ipynb``.
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
    _environment()
    started = time.monotonic()
    try:
        with contextlib.chdir(paths.ROOT):
            executed = papermill.execute_notebook(
                notebook,
                str(failed),
                injected(job),
                kernel_name="python3",
                progress_bar={"desc": name} if progress else False,
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
    packages = inputs.closure(inputs.code_of(notebook))[1] & set(provenance_packages())
    text = provenance.cell(
        job.chapter, job.preset, job.chapter.declared(), job.values, job.preset_values,
        packages, seconds, job.student,
    )  # fmt: skip
    executed.cells.append(nbformat.v4.new_markdown_cell(text, id=f"{name}-made"[-64:]))
    executed.cells.insert(0, _elsewhere(name, packages))
    files.write_text(folder / f"{name}.ipynb", nbformat.writes(executed) + "\n")
    record = {"digest": digest, "preset": job.preset, "seconds": round(seconds, 1)}
    files.write_text(folder / f"{name}.json", json.dumps(record, indent=1) + "\n")
    return seconds


def _elsewhere(name: str, packages: set[str]) -> Any:
    """The first cell of a downloaded notebook, which its page leaves out: the book, elsewhere."""
    import nbformat

    origin = checkout.git("remote", "get-url", "origin") or ""
    if not re.match(r"https://[\w./~-]+$", origin):
        origin = "https://(the repository)"
    extra = "[experiments]" if "torch" in packages else ""
    text = _ELSEWHERE.replace("ORIGIN", origin).replace("EXTRA", extra)
    cell = nbformat.v4.new_code_cell(text, id=f"{name}-elsewhere"[-64:])
    cell.metadata["tags"] = ["remove-cell"]
    return cell


def provenance_packages() -> set[str]:
    """Import names that are neither the standard library nor ours."""
    import importlib.metadata

    known = importlib.metadata.packages_distributions()
    return {
        name
        for name in known
        if name not in sys.stdlib_module_names and name not in inputs.PACKAGES
    }


def _environment() -> None:
    """One thread a kernel unless told otherwise: numbers and times repeat, and chapters share."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    # Papermill says what it does at every cell; the driver says it once a chapter.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    logging.getLogger("traitlets").setLevel(logging.ERROR)
    import matplotlib.font_manager  # noqa: F401 - makes the font cache, which would speak in a page


def _tidy(notebook: Any, name: str) -> None:
    """Leave out what differs between two equal runs: papermill's clock and paths, random ids."""
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
