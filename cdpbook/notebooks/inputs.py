"""What a chapter's outputs depend on: source, values, the modules it imports, results, pins.

The digest of all that is kept beside the executed notebook; an equal digest means that executing
it again would change nothing.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cdplib.storage import paths

#: Bumped when the driver itself makes other notebooks from the same inputs.
VERSION = 4
#: The packages whose files are followed; every other import is a package that is pinned.
PACKAGES = ("cdplib", "cdpbook")
SOURCE = Path(__file__).resolve().parent.parent.parent


def _imports(source: str) -> set[str]:
    """Dotted names that ``source`` imports anywhere, `from a import b` as both a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@functools.cache
def _imports_of(path: Path) -> frozenset[str]:
    return frozenset(_imports(path.read_text(encoding="utf-8")))


def _file(module: str) -> Path | None:
    """The file of a module of ours; None for a name in a module, or another package."""
    base = SOURCE.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def closure(code: str) -> tuple[list[Path], set[str]]:
    """The files of ours that ``code`` needs, transitively, and the other packages they import.

    Imports inside functions count: what may be called may change the result.
    """
    files: set[Path] = set()
    others: set[str] = set()
    waiting = _imports(_without_magics(code))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        top = name.partition(".")[0]
        if top not in PACKAGES:
            others.add(top)
            continue
        if "." in name:
            waiting.add(name.rpartition(".")[0])  # importing a.b runs a/__init__.py
        path = _file(name)
        if path and path not in files:
            files.add(path)
            waiting |= _imports_of(path)
    return sorted(files), others


def _without_magics(code: str) -> str:
    return re.sub(r"^\s*[%!].*$", "", code, flags=re.MULTILINE)


def code_of(notebook: Any) -> str:
    """The code of a notebook's cells as one text."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def digest(notebook: Any, preset: str, values: Mapping[str, Any]) -> str:
    """SHA-256 over everything that the executed ``notebook`` depends on.

    The data sets are not read: their digests are constants of ``cdplib.experiments``.
    """
    files, _ = closure(code_of(notebook))
    folders = {path.parent for path in files}
    files.append(paths.ROOT / "requirements.txt")
    files += [p for d in folders for p in d.iterdir() if p.is_file() and p.suffix != ".py"]
    files += (paths.BOOK / "_static").rglob("*.json")  # measurements and problems that pages read
    if SOURCE / "cdpbook/notebooks/teaching.py" in files:
        files.append(paths.BOOK / "teaching.yml")
    if SOURCE / "cdplib/experiments/settings.py" in files:
        files += paths.PARAMS.glob("*.yml")
    if SOURCE / "cdplib/experiments/results.py" in files:
        files += (path for path in paths.PUBLISHED.rglob("*") if path.name[0] != ".")  # no locks
    cells = [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
    state = hashlib.sha256()
    head = [VERSION, platform.python_version(), preset, dict(values), cells]
    state.update(json.dumps(head, sort_keys=True, default=str).encode())
    for path, content in _contents(files):
        state.update(f"\0{path}\0{content}".encode())
    return state.hexdigest()


def _contents(files: Iterable[Path]) -> list[tuple[str, str]]:
    return [
        (os.path.relpath(path, SOURCE), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(set(files))
        if path.is_file()
    ]
