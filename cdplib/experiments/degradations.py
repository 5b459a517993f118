"""The degradations of the five experiments: unclipped Gaussian noise, and bicubic reduction.

They are those of the release, measured from its data: noise is added to pixels in [0, 1] and
**not** clipped; for super-resolution an image is edge-padded to a side that the factor divides,
reduced and enlarged again by Pillow's bicubic filter (rounded to ``uint8`` both times), cropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image

from cdplib import errors
from cdplib.experiments import data
from cdplib.storage import files, paths

_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Degradation:
    """One way from X to Y: ``sigma`` of the noise (unit: the pixel range), or ``factor`` of SR."""

    name: str
    title: str
    sigma: float = 0.0
    factor: int = 1


NOISE = Degradation("noise", "Gaussian noise N(0, 1), unclipped", sigma=1.0)


def get(kind: str) -> Degradation:
    """``noise``, or the reduction by a factor from 2 to 9: ``sr6``; :class:`InputError` else."""
    if kind == "noise":
        return NOISE
    factor = re.fullmatch("sr([2-9])", kind)
    if not factor:
        raise errors.InputError(f"degradation {kind!r}: expected noise, or sr2 to sr9")
    return Degradation(kind, f"bicubic reduction by {factor[1]}", factor=int(factor[1]))


def degrade(
    kind: str, dataset: data.Dataset, split: str, seed: int = 0, *, low_resolution: bool = False
) -> torch.Tensor:
    """All of a split's images degraded: float32 ``(n, channels, height, width)``, in their order.

    The noise is fixed by ``seed`` and the split (training draws fresh noise instead). Reduced
    images are kept on disk, as Pillow takes a while over a training set; with ``low_resolution``
    they come before they are enlarged again, for networks that work there.

    Raises:
        InputError: unknown ``kind`` or ``split``, or ``low_resolution`` of noise.
    """
    degradation, images = get(kind), dataset.split(split).images
    if degradation.factor == 1 and not low_resolution:
        return data.to_tensor(images).add_(fixed_noise(images.shape, split, seed, degradation))
    return data.to_tensor(reduced(kind, dataset, split, low_resolution=low_resolution))


def reduced(
    kind: str, dataset: data.Dataset, split: str, *, low_resolution: bool = False
) -> np.ndarray:
    """As :func:`degrade` for ``sr6`` and ``sr3``, as ``uint8`` mapped from the disk.

    A training set then takes a quarter of the memory, shared by all processes: convert each
    batch by :func:`.data.to_tensor`.

    Raises:
        InputError: unknown ``kind`` or ``split``, or ``kind`` is noise.
    """
    degradation, images = get(kind), dataset.split(split).images
    if degradation.factor == 1:
        raise errors.InputError(f"a reduced image by {kind!r}: expected sr6 or sr3")
    return _reduced(images, degradation, low_resolution)


def fixed_noise(
    shape: tuple[int, ...], split: str, seed: int = 0, degradation: Degradation | None = None
) -> torch.Tensor:
    """The noise of a whole split for this seed, float32 of that shape."""
    sigma = (degradation or NOISE).sigma
    # RandomState: its stream is frozen, so the test noise outlives versions of numpy and torch.
    state = np.random.RandomState([seed, _SPLITS.index(split)])
    noise = torch.empty(shape)
    for i in range(0, len(noise), 10_000):
        part = noise[i : i + 10_000]
        part.copy_(torch.from_numpy(state.standard_normal(part.shape)))
    return noise.mul_(sigma)


def padding(size: int, factor: int) -> int:
    """The least edge padding on each side that makes ``size`` divisible: 1 for 28/6, 2 for 32/3."""
    for pad in range(factor):
        if (size + 2 * pad) % factor == 0:
            return pad
    raise errors.InputError(f"factor {factor} fits no symmetric padding of {size} pixels")


def low_resolution(images: np.ndarray, factor: int) -> np.ndarray:
    """The reduced images themselves, ``uint8``: 28x28 by 6 gives 5x5, 32x32 by 3 gives 12x12.

    ``images`` is ``uint8`` ``(n, channels, size, size)`` with 1 or 3 channels.
    """
    pad = padding(images.shape[2], factor)
    side = (images.shape[2] + 2 * pad) // factor
    padded = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="edge")
    return _resize(padded, side)


def enlarge(low: np.ndarray, factor: int, size: int) -> np.ndarray:
    """Reduced images brought back to ``size`` pixels: bicubic, ``uint8``, the padding cropped."""
    pad = padding(size, factor)
    large = _resize(low, size + 2 * pad)
    return np.ascontiguousarray(large[:, :, pad : pad + size, pad : pad + size])


def bicubic(images: np.ndarray, factor: int) -> np.ndarray:
    """``images`` reduced by ``factor`` and enlarged again, ``uint8`` of the same shape."""
    return enlarge(low_resolution(images, factor), factor, images.shape[2])


def _resize(images: np.ndarray, side: int) -> np.ndarray:
    """Pillow's bicubic filter on each image (all its channels at once, with no mixing)."""
    n, channels = images.shape[:2]
    if images.dtype != np.uint8 or channels not in (1, 3):
        raise errors.InputError(
            f"images of type {images.dtype} with {channels} channels: expected uint8 with 1 or 3"
        )
    result = np.empty((n, channels, side, side), np.uint8)
    for image, into in zip(images, result, strict=True):
        pixels = image[0] if channels == 1 else image.transpose(1, 2, 0)
        resized = Image.fromarray(np.ascontiguousarray(pixels)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
        into[:] = np.asarray(resized).reshape(side, side, channels).transpose(2, 0, 1)
    return result


def _reduced(images: np.ndarray, degradation: Degradation, low: bool) -> np.ndarray:
    """:func:`bicubic` or :func:`low_resolution`, kept on disk by the content that it came from."""
    kind = f"{degradation.name}{'-low' if low else ''}-pillow{PIL.__version__}"
    path = paths.cache() / "data" / "degraded" / f"{kind}-{data.digest(images)[:20]}.npy"
    kept = _read(path)
    if kept is not None:
        return kept
    result = (low_resolution if low else bicubic)(images, degradation.factor)
    try:
        with files.atomic(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, result, allow_pickle=False)
        files.write_text(path.with_suffix(".sha256"), data.digest(result))
    except OSError as error:
        raise errors.DataError(f"{path} cannot be written: {error}") from error
    return result


def _read(path: Path) -> np.ndarray | None:
    """The kept array, unless it is missing or not what was written (then it is made again)."""
    try:
        kept = np.load(path, mmap_mode="r", allow_pickle=False)
        wanted = path.with_suffix(".sha256").read_text(encoding="utf-8")
    except (OSError, ValueError, EOFError):
        return None
    return kept if data.digest(kept) == wanted else None
