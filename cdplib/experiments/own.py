"""A user's own data set: brought to a size that every network takes, split, kept by its digest.

It is a folder of the cache like any other data set's, with :data:`.datasets.ABOUT` beside its
arrays, and is called ``own-`` and the first digits of its digest: what was trained on one set of
images never answers for another.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from PIL import Image

from cdplib.errors import DataError
from cdplib.experiments import data, datasets
from cdplib.experiments.pictures import Pictures
from cdplib.storage import files, sources

#: Of the random order in which images train, validate and test.
SPLIT_SEED = 0
#: Critics end in 4 x 4 places: those of 25 to 32 pixels. The book's own sizes are these two.
SMALL, LARGE = 28, 32


def side(size: int) -> int:
    """The side that images of ``size`` pixels are brought to: 28 up to 28, else 32."""
    return SMALL if size <= SMALL else LARGE


def as_used(images: np.ndarray) -> np.ndarray:
    """Square ``uint8`` images (n, c, s, s) at :func:`side` pixels, by Pillow's bicubic filter,
    which averages where it reduces; as they are where they have that side."""
    n, channels, size = images.shape[:3]
    if (wanted := side(size)) == size:
        return images
    found = np.empty((n, channels, wanted, wanted), np.uint8)
    for image, into in zip(images.reshape(-1, size, size), found.reshape(-1, wanted, wanted),
                           strict=True):  # fmt: skip
        smaller = Image.fromarray(image).resize((wanted, wanted), Image.Resampling.BICUBIC)
        into[:] = np.asarray(smaller)
    return found


def split(pictures: Pictures) -> tuple[sources.Arrays, dict[str, int]]:
    """The arrays as every data set has them, and how many images train, validate and test.

    In an order drawn by a fixed seed a quarter tests, at most 10,000, and a tenth validates, at
    most 5,000. The first 5,000 training images of a data set validate (:data:`.data.VALIDATION`):
    the validation images of a smaller one are repeated until they are as many.
    """
    n = len(pictures.labels)
    order = np.random.RandomState(SPLIT_SEED).permutation(n)
    tests, validates = min(10_000, n // 4), min(data.VALIDATION, n // 10)
    test, held, rest = np.split(order, [tests, tests + validates])
    train = np.concatenate([np.resize(held, data.VALIDATION), rest])
    images = as_used(pictures.images)
    arrays = {
        "train_images": images[train],
        "train_labels": pictures.labels[train],
        "test_images": images[test],
        "test_labels": pictures.labels[test],
    }
    return arrays, {"train": len(rest), "validation": validates, "test": tests}


def register(pictures: Pictures) -> str:
    """Keep the images as a data set of this machine; its name.

    Raises :class:`DataError` where the cache cannot be written.
    """
    arrays, counts = split(pictures)
    digests = {name: data.digest(array) for name, array in arrays.items()}
    channels, size = arrays["test_images"].shape[1:3]
    about = {
        "title": pictures.title,
        "channels": channels,
        "size": size,
        "given_size": pictures.images.shape[2],
        "classes": list(pictures.classes),
        "images": np.bincount(pictures.labels, minlength=len(pictures.classes)).tolist(),
        "counts": counts,
        "digests": digests,
    }
    name = datasets.own_row("", about).name
    folder = datasets.own_folder(name)
    try:
        for array, content in arrays.items():
            with files.atomic(folder / f"{array}.npy") as temporary, temporary.open("wb") as stream:
                np.save(stream, content, allow_pickle=False)
        files.write_text(folder / datasets.ABOUT, json.dumps(about, indent=1) + "\n")
    except OSError as error:
        raise DataError(f"the data set {name} cannot be written: {error}") from error
    return name


def about(name: str) -> dict[str, Any]:
    """What is known of the data set ``name``: title, classes, sizes and numbers of images."""
    datasets.get(name)
    found: dict[str, Any] = json.loads((datasets.own_folder(name) / datasets.ABOUT).read_text())
    return found


def summary(name: str) -> str:
    """What there is of the data set ``name``, in a line."""
    known = about(name)
    size, given, counts = known["size"], known["given_size"], known["counts"]
    kinds = ", ".join(
        f"{kind}: {n:,}" for kind, n in zip(known["classes"], known["images"], strict=True)
    )
    resized = f", resized to {size} x {size}" if size != given else ""
    return (
        f"{known['title']}: {sum(known['images']):,} {'RGB' if known['channels'] == 3 else 'grey'} "
        f"images of {given} x {given} pixels{resized} ({kinds}); {counts['train']:,} train, "
        f"{counts['validation']:,} validate, {counts['test']:,} test; kept as {name}"
    )
