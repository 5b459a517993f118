"""Files and folders that appear whole or not at all, and what a kill left of such; digests.

Whoever writes holds a lock of the operating system on what is unfinished. It ends with its process,
however that ends: the next writer in the same folder removes what nobody holds, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cdplib.errors import InputError

if TYPE_CHECKING:
    import pandas

try:
    import fcntl
except ImportError:  # no such locks there: what is left stays
    fcntl = None  # type: ignore[assignment]

#: How the names of unfinished files end, which begin with a dot.
UNFINISHED = ".cdp-new"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; move it there if the block ends without an error.

    The process's umask decides who may read a new file; one that was there keeps its mode. A link
    stays one: the file that it names is written. Use :func:`write_bytes` for what may be a device.
    An :class:`OSError` names a file: ``path``, where the system names none (a full disk).
    """
    path = path.resolve()
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_left(path.parent.glob(f".*{UNFINISHED}"))
        temporary, handle = _unfinished(path)
        try:
            yield temporary
            if path.exists():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(handle)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let every :class:`OSError` of the block name a file: ``path``, if the system named none."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        # numpy says how many bytes it lacks, and no number of an error
        number, said = (error.errno, error.strerror) if error.errno else (None, str(error))
        raise OSError(number, said, str(path)) from None


def _unfinished(path: Path) -> tuple[Path, int]:
    """A new empty file beside ``path``, and a handle that holds it until it is closed."""
    while True:
        token = secrets.token_hex(6)
        temporary = path.with_name(f".{path.name[:100]}.{token}{UNFINISHED}")
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        _hold(handle)
        if temporary.exists():
            return temporary, handle
        os.close(handle)  # another took it for left behind before it was held


@contextmanager
def scratch(kind: str, parent: Path | None = None) -> Iterator[Path]:
    """An empty folder ``KIND-...`` in ``parent`` (default: the system's for temporary ones).

    It is removed at the end; those of its kind that killed processes of this user left are removed
    before. ``kind`` is one that nobody else uses.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    with naming(place):
        place.mkdir(parents=True, exist_ok=True)
        remove_left(place.glob(f"{kind}-*"))
        folder, handle = _own_folder(place, kind)
    try:
        with naming(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _own_folder(place: Path, kind: str) -> tuple[Path, int]:
    """A new folder in ``place``, and a handle that holds it until it is closed."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=place))
        with suppress(FileNotFoundError):  # another took it for left behind before it was held
            handle = os.open(folder, os.O_RDONLY)
            _hold(handle)
            if folder.exists():
                return folder, handle
            os.close(handle)


def _hold(handle: int, wait: bool = True) -> bool:
    """Lock what ``handle`` has open for this process; without ``wait`` only if nobody holds it."""
    if fcntl is None:
        return wait
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held, or on a file system without locks
        return wait
    return True


def remove_left(found: Iterable[Path]) -> None:
    """Remove those of the unfinished files or folders ``found`` that no process holds."""
    for path in found:
        with suppress(OSError):  # another process removes it too, or it is another user's
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if _hold(handle, wait=False) and os.fstat(handle).st_uid == os.getuid():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(handle)


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
        with naming(path), path.open("wb") as stream:
            stream.write(content)
        return
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` (UTF-8) as :func:`write_bytes`."""
    write_bytes(path, text.encode())


def write_table(path: Path, table: pandas.DataFrame, index: bool = False) -> None:
    """Write ``table`` to ``path`` as CSV, numbers in nine digits, as :func:`write_bytes`."""
    write_text(path, table.to_csv(index=index, float_format="%.9g", lineterminator="\n"))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
