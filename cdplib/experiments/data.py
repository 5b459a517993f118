"""The data sets themselves: fetched once, checked by digest at every load, split as in the release.

Whatever the source (:mod:`.datasets`), the arrays kept are the same bits: their digests are those
of the original releases. They are cached in ``paths.cache()/data`` as plain ``.npy`` files and
mapped into memory, so that worker processes share them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import torch

from cdplib import errors
from cdplib.experiments import datasets
from cdplib.storage import files, paths, sources

#: Size of the validation split of every data set.
VALIDATION = 5_000
#: The release draws CIFAR-10's validation images without a seed; here it has one.
VALIDATION_SEED = 0


@dataclass(frozen=True)
class Split:
    """Some images with their labels, as stored: ``uint8`` and not writable.

    ``images`` is ``(n, channels, height, width)`` in 0..255, ``labels`` is ``(n,)`` in 0..9.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def tensors(
        self,
        indices: np.ndarray | torch.Tensor | slice | None = None,
        device: torch.device | str = "cpu",
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images as float32 in [0, 1], NCHW, and labels as int64; all of them or those chosen."""
        if isinstance(indices, torch.Tensor):
            indices = indices.cpu().numpy()
        chosen = slice(None) if indices is None else indices
        return to_tensor(self.images[chosen], device), torch.as_tensor(
            self.labels[chosen].astype(np.int64), device=device
        )


@dataclass(frozen=True)
class Dataset:
    """A data set with its three splits."""

    name: str
    train: Split
    validation: Split
    test: Split

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return int(self.test.images.shape[1])

    @property
    def size(self) -> int:
        """Height and width in pixels: 28 or 32."""
        return int(self.test.images.shape[2])

    def split(self, name: str) -> Split:
        """The split called ``train``, ``validation`` or ``test``."""
        if name not in ("train", "validation", "test"):
            raise errors.unknown("split", name, ("train", "validation", "test"))
        return getattr(self, name)


def to_tensor(images: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """``uint8`` images as float32 in [0, 1] (divided by 255), same shape."""
    return torch.as_tensor(np.array(images), device=device).to(torch.float32).div_(255.0)


def digest(array: np.ndarray) -> str:
    """SHA-256 of an array's content: type and shape first, then its bytes in C order."""
    state = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def fetch(name: str) -> Path:
    """Make sure that the data set is in the cache, whole and right; its folder.

    Says on standard error what it waits for, which cached file it refuses and where it got the
    data. Several processes may call it at once: one fetches, the others wait.

    Raises:
        InputError: there is no data set called ``name``.
        DataError: it is not cached and no source could be reached (or none had the right bits).
    """
    datasets.get(name)
    if _damaged(name):
        _fetch(name)
    _say(f"{name}: complete and checked, in {_folder(name)}")
    return _folder(name)


def load(name: str) -> Dataset:
    """The data set, checked by digest, fetched first if need be; kept for the process's life.

    The first 5,000 training images are the validation split, as in the release, or 5,000 drawn by
    a fixed seed where the row says so.

    Raises:
        InputError, DataError: as :func:`fetch`.
    """
    datasets.get(name)
    return _load(name, _folder(name))


@functools.cache
def _load(name: str, folder: Path) -> Dataset:
    if _damaged(name):
        _fetch(name)
    arrays = {array: _read(folder / f"{array}.npy") for array in sources.ARRAYS}
    images, labels = arrays["train_images"], arrays["train_labels"]
    row = datasets.get(name)
    if row.drawn:
        chosen = validation_indices(len(images))
        rest = np.setdiff1d(np.arange(len(images)), chosen)
        validation = _split(images[chosen], labels[chosen])
        train = _split(images[rest], labels[rest])
    else:
        validation = _split(images[:VALIDATION], labels[:VALIDATION])
        train = _split(images[VALIDATION:], labels[VALIDATION:])
    test = _split(arrays["test_images"], arrays["test_labels"])
    return Dataset(name, train, validation, test)


def validation_indices(n: int) -> np.ndarray:
    """Which of ``n`` training images validate where they are drawn: sorted, by the fixed seed."""
    # RandomState: numpy promises that its stream never changes, which Generator's may.
    drawn = np.random.RandomState(VALIDATION_SEED).permutation(n)[:VALIDATION]
    return np.sort(drawn)


def _split(images: np.ndarray, labels: np.ndarray) -> Split:
    for array in (images, labels):
        array.setflags(write=False)
    return Split(images, labels)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _folder(name: str) -> Path:
    return paths.cache() / "data" / name


def _path(name: str, array: str) -> Path:
    return _folder(name) / f"{array}.npy"


def _read(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _fault(name: str, array: str) -> str | None:
    """Why the cached array must not be used: ``missing``, or what is wrong; None if it is right."""
    try:
        content = _read(_path(name, array))
    except FileNotFoundError:
        return "missing"
    except (OSError, ValueError, EOFError) as error:
        return f"unreadable or cut short ({str(error).splitlines()[0]})"
    if digest(content) != datasets.get(name).digests[array]:
        return "not the data set's content (its digest is wrong)"
    return None


def _damaged(name: str) -> dict[str, str]:
    faults = {array: _fault(name, array) for array in sources.ARRAYS}
    return {array: fault for array, fault in faults.items() if fault}


def _fetch(name: str) -> None:
    """Fetch the arrays of ``name`` that are missing or damaged, one process at a time."""
    folder = _folder(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with files.naming(folder), _alone(folder.with_suffix(".lock"), name):
            damaged = _damaged(name)  # another process may have done it meanwhile
            for array, fault in damaged.items():
                if fault != "missing":
                    _say(f"{name}: {_path(name, array)} is refused: {fault}; fetching it again")
            arrays = _from_sources(name, tuple(damaged)) if damaged else {}
            for array in damaged:
                with files.atomic(_path(name, array)) as temporary, temporary.open("wb") as stream:
                    np.save(stream, arrays[array], allow_pickle=False)
    except OSError as error:
        raise errors.DataError(f"the data set {name} cannot be written: {error}") from error


@contextlib.contextmanager
def _alone(path: Path, name: str) -> Iterator[None]:
    """Hold the lock at ``path``, saying so if another process holds it first."""
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        _say(f"{name}: another process is fetching it; waiting for that")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _from_sources(name: str, wanted: tuple[str, ...]) -> sources.Arrays:
    """The arrays of ``name`` from the first source that is reachable and has the right bits."""
    row, why = datasets.get(name), []
    for source in row.sources:
        _say(f"{name}: asking {source.title} ...")
        try:
            with files.scratch("cdp-data") as folder:
                arrays = source.get(folder)
            wrong = [a for a in wanted if digest(arrays[a]) != row.digests[a]]
            if wrong:
                raise sources.SourceError(f"its {wrong[0]} are not the data set's (wrong digest)")
        except sources.SourceError as error:
            _say(f"{name}: {source.title}: {error}")
            why.append(f"{source.title}: {error}")
            continue
        _say(f"{name}: got it from {source.title}")
        return arrays
    raise errors.DataError(f"no source of the data set {name} gave it: {'; '.join(why)}")
