"""``cdp run``: one chapter with one's own parameters, as an executed notebook and a page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from cdpbook.notebooks import execute, progress, site, sources
from cdpbook.notebooks.job import announced
from cdplib import parameters
from cdplib.experiments import datasets
from cdplib.storage import files, paths


def run_chapter(
    chapter: str,
    preset: str = "read",
    assignments: Sequence[str] = (),
    output: Path | None = None,
) -> Path:
    """Execute ``chapter``; write ``NAME.ipynb`` (if it has code) and ``NAME.html`` to ``output``.

    ``assignments`` are ``NAME=VALUE`` over the preset's values; all are checked before any kernel
    starts (:class:`cdplib.errors.InputError`). References to other
    chapters name what they refer to (:mod:`.elsewhere`). Returns the page.
    """
    found = sources.find(chapter)
    job = execute.prepare(found, preset, parameters.assignments(assignments))
    if found.path.parent.name == sources.TEMPLATES:
        datasets.check_own(job.values["dataset"])
    output = paths.BUILD / "run" / found.name if output is None else output.absolute()
    files.check_target(output, "--output", "folder")
    output.mkdir(parents=True, exist_ok=True)
    if found.has_code():
        training = announced(job)
        said = f"{found.name}: executing with preset {job.preset}"
        print(f"{said}; {training}" if training else said, flush=True)
        seconds = execute.execute(job, output, progress.shown, bar=sys.stdout.isatty())
        print(f"{found.name}: executed in {seconds:.0f} s; rendering its page", flush=True)
    with files.scratch("cdp-run") as tree:
        site.assemble(tree / "source", [found], output, student=False)
        pages = site.render(tree / "source", tree / "site", strict=False)
        shutil.copytree(pages, output, dirs_exist_ok=True)
    page = output / f"{found.name}.html"
    notebook = f"{output / found.name}.ipynb and " if found.has_code() else ""
    print(f"{found.name}: {notebook}{page}", flush=True)
    return page
