"""Files that are written whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdplib.errors import InputError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it there if the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp makes it private to its writer
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def check_target(path: Path, option: str, kind: str) -> None:
    """Raise :class:`InputError` unless a ``kind`` (``file`` or ``folder``) can be made at ``path``.

    ``option`` is where the path was given, for the message. Nothing is written.
    """
    said = f"{option} {str(path)!r}"
    if path.exists() and path.is_dir() != (kind == "folder"):
        raise InputError(
            f"{said}: it is a {'folder' if path.is_dir() else 'file'}, expected a {kind}"
        )
    there = next(part for part in (path, *path.absolute().parents) if part.exists())
    if there != path and not there.is_dir():
        raise InputError(f"{said}: {str(there)!r} is no folder")
    if not os.access(there, os.W_OK):
        raise InputError(f"{said}: {str(there)!r} may not be written to")


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` atomically (UTF-8)."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
