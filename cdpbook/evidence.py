"""Evidence per image: for a row and a classifier, one bit an image says whether it was misread.

A file of them (``book/results/NAME_bits.npz``, 1.25 kB for 10,000 images) lets two rows be
compared on the same images, paired, long after their networks are gone.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from cdpbook.statistics.estimates import Interval, over_images
from cdplib.errors import DataError
from cdplib.experiments import measures
from cdplib.storage import files, paths

#: What names a row within a file.
NAMES = ("beta", "gamma", "seed")


def file(name: str) -> Any:
    """The file of the table ``NAME.csv``."""
    return paths.PUBLISHED / f"{name}_bits.npz"


def label(row: Mapping[str, Any], classifier: str) -> str:
    """The name of one row's bits: ``beta=0.01 gamma=0 seed=0 cnn1``."""
    return " ".join([*(f"{name}={row[name]:g}" for name in NAMES), classifier])


def of(
    row: Mapping[str, Any], nets: Mapping[str, Any], restored: torch.Tensor, labels: torch.Tensor
) -> dict[str, np.ndarray]:
    """The bits of ``row``'s restored images, uint8 (ceil(n / 8),), by :func:`label`."""
    found = {}
    for name, net in nets.items():
        wrong = measures.wrong(measures.outputs(net, restored), labels)
        found[label(row, name)] = np.packbits(wrong.cpu().numpy().astype(bool))
    return found


def add(name: str, bits: Mapping[str, np.ndarray]) -> None:
    """Put ``bits`` into the file of ``name``, in place of those of the same label."""
    known = _read(name) if file(name).is_file() else {}
    content = io.BytesIO()
    np.savez(content, **dict(sorted({**known, **bits}.items())))  # type: ignore[arg-type]
    files.write_bytes(file(name), content.getvalue())


def _read(name: str) -> dict[str, np.ndarray]:
    with np.load(file(name), allow_pickle=False) as content:
        return {label: content[label] for label in content.files}


def wrong(name: str, row: Mapping[str, Any], classifier: str, n: int = 10_000) -> np.ndarray:
    """Whether each of ``n`` images was misread, bool (n,); :class:`DataError` if not published."""
    wanted = label(row, classifier)
    bits = _read(name).get(wanted) if file(name).is_file() else None
    if bits is None or len(bits) != -(-n // 8):
        raise DataError(f"{file(name).name}: no bits of {n} images for {wanted!r}")
    return np.unpackbits(bits, count=n).astype(bool)


def difference(
    name: str, one: Mapping[str, Any], other: Mapping[str, Any], classifier: str
) -> Interval:
    """The error rate of ``other`` less that of ``one``, paired; its interval is over images."""
    first, second = (wrong(name, row, classifier).astype(float) for row in (one, other))
    return over_images(second - first)
