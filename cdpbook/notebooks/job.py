"""A chapter with its values, all checked before any kernel starts."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdpbook import asked
from cdpbook.notebooks import inputs
from cdpbook.notebooks.sources import Chapter
from cdplib import parameters
from cdplib.experiments import settings
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import files


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

    A ``preset`` that a chapter declares and is given is the preset: a page has one.
    Raises :class:`cdplib.errors.InputError` before any kernel starts.
    """
    have_home()
    declared = chapter.declared()
    if "preset" in declared:
        preset = (given or {}).get("preset", preset)
    base = preset_values(chapter, preset, declared, presets)
    changed = parameters.resolve(declared, given or {})
    values = {name: changed[name] if name in (given or {}) else base[name] for name in declared}
    check_trained(chapter, values)
    return Job(chapter, preset, values, base, student)


def preset_values(
    chapter: Chapter,
    preset: str,
    declared: Mapping[str, parameters.Parameter],
    presets: Path | None = None,
) -> dict[str, Any]:
    """What ``chapter``, which declares ``declared``, has under ``preset`` of folder ``presets``.

    Raises :class:`cdplib.errors.InputError` for a preset that is unknown or does not fit.
    """
    known = dict(declared)
    if chapter.section in EXPERIMENTS:
        # An experiment's section serves its sweep too, whose settings a chapter may not show.
        known = {**settings.declared(), **declared}
    base = parameters.preset(preset, chapter.sections, known, folder=presets)
    base = {name: value for name, value in base.items() if name in declared}
    if "preset" in declared:  # a chapter that hands its preset on to a sweep
        base.setdefault("preset", preset)
    return parameters.resolve(declared, base, where=f"preset {preset}")


def check_trained(chapter: Chapter, values: Mapping[str, Any]) -> None:
    """Refuse, in an experiment's chapter, what its preset would have to train and does not.

    Raises :class:`cdplib.errors.InputError`; see :func:`cdpbook.asked.refuse`.
    """
    if own := _trains(chapter, values):
        asked.refuse(*own)


def announced(job: Job) -> str:
    """What ``job`` will train, in words, before it starts; empty for nothing."""
    own = _trains(job.chapter, job.values)
    return asked.announced(*own) if own else ""


def _trains(chapter: Chapter, values: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]] | None:
    """The experiment of ``chapter``, the preset of its rows and the reader's settings over it."""
    experiment, preset = chapter.section, values.get("preset")
    if experiment not in EXPERIMENTS or preset is None:
        return None
    own = {name: value for name, value in values.items() if name in settings.declared()}
    return experiment, preset, asked.asked(experiment, preset, **own)


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
