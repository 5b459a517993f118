"""The last cells of every executed chapter: how this page was made, and how to make it again."""

from __future__ import annotations

import datetime
import functools
import hashlib
import importlib.metadata
import os
import platform
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from cdpbook import asked
from cdpbook.notebooks.job import Job
from cdpbook.notebooks.sources import Chapter
from cdplib import checkout, machine
from cdplib.parameters import Parameter
from cdplib.storage import paths

_PLUMBING = {"ipykernel", "IPython", "yaml", "cycler", "tqdm", "filelock", "platformdirs"}


def commit() -> str:
    """The commit of the checkout and whether files differ from it, in words."""
    head = checkout.git("rev-parse", "--short=12", "HEAD")
    if head is None:
        return "not a git checkout"
    changed = (checkout.git("status", "--porcelain") or "").splitlines()
    return f"`{head}`" + (f", with {len(changed)} uncommitted changes" if changed else "")


@functools.cache  # it reads what every installed package lists
def distributions() -> Mapping[str, list[str]]:
    """The installed distributions of every import name."""
    return importlib.metadata.packages_distributions()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those of ``packages`` (import names) that are installed distributions."""
    owners = distributions()
    found = {}
    for package in sorted(set(packages) - _PLUMBING, key=str.lower):
        for owner in sorted(set(owners.get(package, ()))):
            found[owner] = importlib.metadata.version(owner)
    return found


def device(packages: Iterable[str]) -> str:
    """The processor, and the GPU when ``packages`` has torch and torch sees one."""
    text = f"CPU {machine.processor()}, {machine.cores()} cores"
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads:
        text += f", {threads} thread{'s' if threads != '1' else ''} a process"
    if "torch" in packages:
        import torch

        if torch.cuda.is_available():
            return f"GPU {torch.cuda.get_device_name()}; {text}"
    return text


def command(
    chapter: str, preset: str, values: Mapping[str, Any], preset_values: Mapping[str, Any]
) -> str:
    """The exact command that makes the page again."""
    changed = {name: value for name, value in values.items() if value != preset_values[name]}
    return shlex.join(["cdp", "run", chapter, "--preset", preset, *asked.words(changed)])


def _code(value: Any) -> str:
    # A pipe would end the table's cell.
    return f"`{asked.as_yaml(value)}`".replace("|", "\\|") if value != "" else "(empty)"


def _below_book(chapter: Chapter) -> str:
    """Where the chapter's source is in the book's folder."""
    path = chapter.path
    return str(path.relative_to(paths.BOOK)) if path.is_relative_to(paths.BOOK) else path.name


def source_digest(chapter: Chapter) -> str:
    """The first 16 digits of SHA-256 of the chapter's source."""
    return hashlib.sha256(chapter.path.read_bytes()).hexdigest()[:16]


def head(chapter: Chapter) -> str:
    """The Markdown above :func:`table`: what holds for whoever runs the notebook."""
    name = chapter.name
    return (
        f"(made:{chapter.section})=\n## How this page was made\n\n"
        f"{{download}}`{name}.ipynb <{name}.ipynb>`, executed; it runs in papermill and Jupyter."
    )


def table(
    job: Job,
    declared: Mapping[str, Parameter],
    source: str,
    packages: Iterable[str],
    seconds: float,
) -> str:
    """How a run was made, as Markdown; ``packages`` are the import names the chapter needs.

    ``source`` is the digest of the source that the notebook was made from.
    """
    chapter, preset, values, preset_values = job.chapter, job.preset, job.values, job.preset_values
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    packages = set(packages)
    pins = ", ".join(f"{name} {version}" for name, version in versions(packages).items())
    changed = [name for name in values if values[name] != preset_values[name]]
    other = "" if source == source_digest(chapter) else ", not the one of this copy of the book"
    lines = [
        "| | |",
        "|---|---|",
        f"| Source | `book/{_below_book(chapter)}`, SHA-256 `{source}`{other} |",
        f"| Commit | {commit()} |",
        f"| Executed | {today}, in {seconds:.0f} s |",
        f"| Device | {device(packages)} |",
        f"| Software | Python {platform.python_version()}, {pins} |",
        f"| Preset | `{preset}`{_differing(changed)} |",
        "",
    ]
    if job.student:
        lines += ["This is the student edition: the solutions of the exercises are left out.", ""]
    if declared:
        lines += _table(declared, values, preset_values)
    lines += [
        "Again (`-p NAME=VALUE` changes a parameter):",
        "",
        "```bash",
        command(chapter.name, preset, values, preset_values),
        "```",
    ]
    return "\n".join(lines)


def _table(
    declared: Mapping[str, Parameter], values: Mapping[str, Any], preset_values: Mapping[str, Any]
) -> list[str]:
    """The parameters; the preset's values in a column of their own when some differ."""
    differ = any(values[name] != preset_values[name] for name in declared)
    middle = ["preset's value"] if differ else []
    rows = [["parameter", "value", *middle, "meaning"]]
    rows.append(["---"] * len(rows[0]))
    for name, parameter in declared.items():
        value = _code(values[name])
        if values[name] != preset_values[name]:
            value = f"**{value}**"
        own = [_code(preset_values[name])] if differ else []
        meaning = (parameter.help or parameter.kind).replace("|", "\\|")
        rows.append([f"`{name}`", value, *own, meaning])
    return [f"| {' | '.join(row)} |" for row in rows] + [""]


def _differing(changed: list[str]) -> str:
    return f", with other values of {', '.join(f'`{n}`' for n in changed)}" if changed else ""
