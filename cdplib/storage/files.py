"""Files that are written whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdplib.errors import InputError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it there if the block ends without an error.

    The process's umask decides who may read a new file; one that was there keeps its mode. A link
    stays one: the file that it names is written. Use :func:`write_bytes` for what may be a device.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_special(path: Path) -> bool:
    """Whether ``path`` is a device or a pipe: written through, for it cannot be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


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


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: atomically, or through a device or a pipe, which stays."""
    if is_special(path):
        with path.open("wb") as stream:
            stream.write(content)
        return
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` (UTF-8) as :func:`write_bytes`."""
    write_bytes(path, text.encode())


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
