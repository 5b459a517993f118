"""``cdp explore``: an experiment on a user's own labelled images, and the page that shows it.

The images become a data set of this machine, known by its digest (:mod:`cdplib.experiments.own`);
the page is ``book/templates/own_images.py``, executed and rendered as a chapter is. Points are kept
in the store: the same command again trains what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cdpbook import asked
from cdpbook.notebooks import job, sources
from cdplib import parameters
from cdplib.errors import InputError, unknown
from cdplib.experiments import pictures, settings
from cdplib.storage import files, paths

PAGE = "own_images"
#: The experiment that each task is taken from.
TASKS = {"denoising": "exp2", "sr": "exp5"}
#: What is given by an option, and not by -p.
_OPTIONS = {"dataset": "IMAGES", "task": "--task", "preset": "--preset"}


def experiment(task: str) -> str:
    """The experiment whose degradation and networks ``task`` has; :class:`InputError` else."""
    if task not in TASKS:
        raise unknown("task", task, TASKS)
    return TASKS[task]


def command(
    images: Path,
    *,
    task: str,
    preset: str,
    assignments: Sequence[str] = (),
    output: Path | None = None,
) -> Path:
    """Check everything, keep the images at ``images``, and make their page; its path.

    Raises :class:`cdplib.errors.InputError`, one line, before anything is written.
    """
    given = _checked(task, preset, assignments)
    if output is not None:
        files.check_target(output.absolute(), "--output", "folder")
    found = pictures.read(images)
    # torch: wrong input is said before it is loaded
    from cdpbook.notebooks import run
    from cdplib.experiments import own

    settings.resolve(experiment(task), preset, given)
    name = own.register(found)
    print(own.summary(name), flush=True)
    said = asked.announced(experiment(task), preset, {"dataset": name, **given})
    print(f"{name}: {said}", flush=True)
    whole = [*assignments, f"dataset={name}", f"task={task}"]
    return run.run_chapter(PAGE, preset, whole, output or paths.BUILD / "explore" / name)


def _checked(task: str, preset: str, assignments: Sequence[str]) -> dict[str, Any]:
    """The sweep's settings among what -p gives, every value of the page being checked."""
    values = parameters.assignments(assignments)
    for name in _OPTIONS.keys() & values.keys():
        raise InputError(f"-p {name}: expected {_OPTIONS[name]} in its place")
    page = job.prepare(sources.find(PAGE), preset, {**values, "task": task}).values
    own = {n: v for n, v in page.items() if n in settings.declared() and n != "dataset"}
    return asked.asked(experiment(task), preset, **own)
