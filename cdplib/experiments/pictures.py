"""A user's labelled images, read and checked: an ``.npz``, or a folder with one sub-folder a class.

Everything that can be wrong is said in one line, and what a header tells is refused before its
content is read. Nothing is unpickled.
"""

from __future__ import annotations

import math
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from cdplib.errors import InputError

#: Fewer images cannot be split into what trains, validates and tests.
LEAST, LEAST_OF_A_CLASS = 2_000, 100
MOST, MOST_BYTES = 200_000, 2 * 2**30
SIDES = (8, 64)
#: The classifiers of the book have ten outputs.
CLASSES = (2, 10)
SUFFIXES = (".png", ".jpg", ".jpeg")
FORM = (
    "expected an .npz with arrays images (n, h, w) or (n, h, w, c) and labels (n,), or a folder "
    "with one sub-folder of PNG or JPEG files for each class"
)
_CHANNELS = {"1": 1, "L": 1, "RGB": 3}


@dataclass(frozen=True)
class Pictures:
    """Labelled images: ``images`` uint8 (n, c, s, s), ``labels`` uint8 (n,) into ``classes``."""

    title: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]


def read(path: Path) -> Pictures:
    """The images at ``path``: 2,000 to 200,000 squares of 8 to 64 pixels, grey or RGB, in two to
    ten classes with 100 images or more in each.

    Floats in [0, 1] become ``uint8``. Raises :class:`InputError`, one line, for anything else.
    """
    if path.is_dir():
        found = _folder(path)
    elif path.is_file():
        found = _archive(path)
    else:
        raise InputError(f"{path}: there is no such file or folder: {FORM}")
    counts = np.bincount(found.labels, minlength=len(found.classes))
    few = int(counts.argmin())
    if counts[few] < LEAST_OF_A_CLASS:
        raise InputError(
            f"{path}: class {found.classes[few]!r:.60} has {counts[few]} images: expected at least "
            f"{LEAST_OF_A_CLASS} in each"
        )
    if found.images.max() <= 1:
        raise InputError(f"{path}: no pixel is above 1 of 255: expected 0 to 255, or floats")
    return found


def _check_shape(where: str, n: int, height: int, width: int, channels: int) -> None:
    """Refuse a number or a shape of images, which is known before any pixel is read."""
    if not LEAST <= n <= MOST:
        raise InputError(f"{where}: {n:,} images: expected {LEAST:,} to {MOST:,}")
    if height != width or not SIDES[0] <= height <= SIDES[1]:
        raise InputError(
            f"{where}: images of {height} x {width} pixels: expected squares of {SIDES[0]} to "
            f"{SIDES[1]} pixels a side"
        )
    if channels not in (1, 3):
        raise InputError(f"{where}: {channels} channels: expected 1 (grey) or 3 (RGB)")


def _check_classes(where: str, count: int) -> None:
    if not CLASSES[0] <= count <= CLASSES[1]:
        raise InputError(
            f"{where}: {count} class{'es' if count != 1 else ''}: expected {CLASSES[0]} to "
            f"{CLASSES[1]}"
        )


# ----------------------------------------------------------------------------------- an .npz


def _archive(path: Path) -> Pictures:
    """The arrays ``images`` and ``labels`` of an ``.npz``, looked at by their headers first."""
    try:
        with zipfile.ZipFile(path) as archive:
            heads = {name: _head(archive, name, path) for name in ("images", "labels")}
            shape = _image_shape(heads["images"], path)
            _check_labels(heads["labels"], shape[0], path)
            images, labels = (_array(archive, name) for name in ("images", "labels"))
    except InputError:
        raise
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        said = " ".join(str(error).split())[:160]
        raise InputError(f"{path}: cannot be read ({said}): {FORM}") from None
    classes, numbers = np.unique(labels, return_inverse=True)
    _check_classes(f"{path}: labels", len(classes))
    pixels = np.ascontiguousarray(_bytes(images, path).reshape(shape).transpose(0, 3, 1, 2))
    names = tuple(str(name) for name in classes.tolist())
    return Pictures(path.stem, pixels, numbers.astype(np.uint8), names)


@dataclass(frozen=True)
class _Head:
    """What the header of an array says."""

    shape: tuple[int, ...]
    dtype: np.dtype


def _head(archive: zipfile.ZipFile, name: str, path: Path) -> _Head:
    """The header of array ``name``, whose size must be that of what the archive holds."""
    member = f"{name}.npy"
    if member not in archive.namelist():
        there = ", ".join(file.removesuffix(".npy") for file in archive.namelist()[:5])
        raise InputError(f"{path}: no array {name!r}, it has {there or 'none'}: {FORM}")
    with archive.open(member) as stream:
        shape, dtype = _header(stream)
        start = stream.tell()
    if dtype.hasobject:
        raise InputError(f"{path}: {name} is a pickle (dtype object), which is never opened here")
    size = math.prod(shape) * dtype.itemsize
    if size > MOST_BYTES:
        raise InputError(
            f"{path}: {name} of shape {shape} has {size / 2**30:,.1f} GiB: expected at most "
            f"{MOST_BYTES / 2**30:.0f}"
        )
    if archive.getinfo(member).file_size != start + size:
        raise InputError(f"{path}: {name} does not have the {size:,} bytes of its shape {shape}")
    return _Head(shape, dtype)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array that is about to be read."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"an array of format {version}")
    return shape, dtype


def _image_shape(head: _Head, path: Path) -> tuple[int, int, int, int]:
    """(n, h, w, c) of the images; a wrong one is refused."""
    if len(head.shape) not in (3, 4):
        raise InputError(
            f"{path}: images of shape {head.shape}: expected (n, h, w) or (n, h, w, c)"
        )
    if head.dtype != np.uint8 and head.dtype.kind != "f":
        raise InputError(f"{path}: images of type {head.dtype}: expected uint8, or floats")
    n, height, width, channels = (*head.shape, 1)[:4]
    _check_shape(f"{path}: images of shape {head.shape}", n, height, width, channels)
    return n, height, width, channels


def _check_labels(head: _Head, n: int, path: Path) -> None:
    if head.shape != (n,):
        raise InputError(f"{path}: labels of shape {head.shape}: expected ({n},), one an image")
    if head.dtype.kind not in "iuU":
        raise InputError(f"{path}: labels of type {head.dtype}: expected integers or names")


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _bytes(images: np.ndarray, path: Path) -> np.ndarray:
    """Images as ``uint8``; floats must be in [0, 1]."""
    if images.dtype == np.uint8:
        return images
    least, most = float(images.min()), float(images.max())
    if not (least >= 0 and most <= 1):  # nan is neither
        raise InputError(
            f"{path}: images of type {images.dtype} from {least:g} to {most:g}: expected floats "
            "in [0, 1], or uint8"
        )
    found = np.empty(images.shape, np.uint8)
    for i in range(0, len(images), 10_000):
        found[i : i + 10_000] = np.rint(images[i : i + 10_000] * 255.0)
    return found


# ---------------------------------------------------------------------------- folders of files


def _folder(path: Path) -> Pictures:
    """Every PNG and JPEG file in the sub-folders of ``path``: all headers first, then pixels."""
    folders = sorted(f for f in path.iterdir() if f.is_dir() and f.name[0] != ".")
    if not folders:
        raise InputError(f"{path}: it has no sub-folders: {FORM}")
    _check_classes(f"{path}, sub-folders", len(folders))
    files = [sorted(_images_in(folder)) for folder in folders]
    for folder, own in zip(folders, files, strict=True):
        if not own:
            raise InputError(f"{folder}: no {' or '.join(SUFFIXES)} file: {FORM}")
    every = [file for own in files for file in own]
    first = _looked_at(every[0])
    _check_shape(str(path), len(every), *first)
    for file in every[1:]:
        shape = _looked_at(file)
        if shape != first:
            raise InputError(f"{file}: {_said(shape)}, but {every[0]}: {_said(first)}: {_EQUAL}")
    height, width, channels = first
    images = np.empty((len(every), channels, height, width), np.uint8)
    for file, into in zip(every, images, strict=True):
        pixels = _opened(file, decode=True)
        into[:] = pixels.reshape(height, width, channels).transpose(2, 0, 1)
    labels = np.repeat(np.arange(len(files), dtype=np.uint8), [len(own) for own in files])
    return Pictures(path.name, images, labels, tuple(folder.name for folder in folders))


_EQUAL = "expected one size, and all grey or all RGB"


def _said(shape: tuple[int, int, int]) -> str:
    return f"{shape[0]} x {shape[1]} pixels, {shape[2]} channel{'s' if shape[2] > 1 else ''}"


def _images_in(folder: Path) -> Iterator[Path]:
    for file in folder.iterdir():
        if file.suffix.lower() in SUFFIXES and file.name[0] != "." and file.is_file():
            yield file


def _looked_at(file: Path) -> tuple[int, int, int]:
    """Height, width and channels of an image file, from its header."""
    height, width, channels = _opened(file, decode=False)
    return int(height), int(width), int(channels)


def _opened(file: Path, decode: bool) -> Any:
    """The pixels of an image file, or (height, width, channels)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                if image.mode not in _CHANNELS:
                    count = len(image.getbands())
                    raise InputError(
                        f"{file}: mode {image.mode} ({count} channel{'s' if count > 1 else ''}): "
                        "expected 8-bit grey or RGB"
                    )
                if not decode:
                    return image.height, image.width, _CHANNELS[image.mode]
                return np.asarray(image.convert("L") if image.mode == "1" else image)
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Warning, Image.DecompressionBombError) as e:
        said = " ".join(str(e).split())[:160]
        raise InputError(f"{file}: cannot be read as PNG or JPEG ({said})") from None
