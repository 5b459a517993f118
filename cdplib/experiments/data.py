"""The three data sets: fetched once, checked by digest at every load, split as in the release.

Whatever the source (:mod:`.sources`), the arrays kept are the same bits: their digests are those
of the original releases. They are cached in ``paths.cache()/data`` as plain ``.npy`` files and
mapped into memory, so that worker processes share them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
import torch

from cdplib import errors
from cdplib.storage import files, paths, sources

NAMES = ("mnist", "fashion-mnist", "cifar10")

#: SHA-256 of each decoded array (its type, its shape and its bytes): see :func:`digest`.
DIGESTS: dict[str, dict[str, str]] = {
    "mnist": {
        "train_images": "b54ccc41cbf15a6935ce4afe2353d2b96e822f604c229b7981356bc0fe4864b7",
        "train_labels": "e6a049a9876d2010dddfc2322bb8cad03f5934de9a0b5012c7251eca5b5a7201",
        "test_images": "c1e336d807fdbb055f2b8cdb0943491b44a0d25b838ad0851128cdda2c6164c0",
        "test_labels": "6a90c4ebf8538b9b76438e5dddb0f5afc42d636e8e259d894485f9314cdad47d",
    },
    "fashion-mnist": {
        "train_images": "23107827087bc5e7103459d77e76c949e359a37bfa939251872f47d6db091fd8",
        "train_labels": "a0853126d597b674e01d0418b8d599287242510379fbe4b99c6826e12e3d2278",
        "test_images": "3e6c70d3ce80310e581f2acdb60800b8f1e7922edc0f659150d05cf69ff2a394",
        "test_labels": "416413b9db64db5c5f0cf8d447e0c628562b09dc65b57940a084a17aa3b07443",
    },
    "cifar10": {
        "train_images": "0761308ba291f4ab15371632f9df5b1eedf29fb3fc5de1bfd4d7b5744936aee3",
        "train_labels": "00cb7720ba16497f8e715233eac83307c60bcb860c6ef9c2c4bcf404a3337212",
        "test_images": "1722e5e14754b5efb4327e348c55e39c8227153c1a95b7b2130f1521b8097235",
        "test_labels": "4f985a77e48be21ffdb30780c51c22519f4ac3a0adb10d24509997bb2992e5e5",
    },
}

#: Channels of each data set's images, and their height and width in pixels.
SHAPES = {"mnist": (1, 28), "fashion-mnist": (1, 28), "cifar10": (3, 32)}

#: Size of the validation split of every data set.
VALIDATION = 5_000
#: The release draws CIFAR-10's validation images without a seed; here it has one.
CIFAR_VALIDATION_SEED = 0


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
    """A data set with its three splits and its digest (for the hash of a configuration)."""

    name: str
    digest: str
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


def check(name: str) -> None:
    """Raise :class:`InputError` unless there is a data set called ``name``."""
    if name not in NAMES:
        raise errors.unknown("data set", name, NAMES)


def fetch(name: str) -> Path:
    """Make sure that the data set is in the cache, whole and right; its folder.

    Says on standard error what it waits for, which cached file it refuses and where it got the
    data. Several processes may call it at once: one fetches, the others wait.

    Raises:
        InputError: there is no data set called ``name``.
        DataError: it is not cached and no source could be reached (or none had the right bits).
    """
    check(name)
    if _damaged(name):
        _fetch(name)
    _say(f"{name}: complete and checked, in {_folder(name)}")
    return _folder(name)


def load(name: str) -> Dataset:
    """The data set, checked by digest, fetched first if need be; kept for the process's life.

    MNIST and Fashion-MNIST: the first 5,000 training images are the validation split, as in the
    release. CIFAR-10: 5,000 of the 50,000 by a fixed seed.

    Raises:
        InputError, DataError: as :func:`fetch`.
    """
    check(name)
    return _load(name, _folder(name))


@functools.cache
def _load(name: str, folder: Path) -> Dataset:
    if _damaged(name):
        _fetch(name)
    arrays = {array: _read(folder / f"{array}.npy") for array in sources.ARRAYS}
    images, labels = arrays["train_images"], arrays["train_labels"]
    if name == "cifar10":
        chosen = validation_indices(len(images))
        rest = np.setdiff1d(np.arange(len(images)), chosen)
        validation = _split(images[chosen], labels[chosen])
        train = _split(images[rest], labels[rest])
    else:
        validation = _split(images[:VALIDATION], labels[:VALIDATION])
        train = _split(images[VALIDATION:], labels[VALIDATION:])
    whole = hashlib.sha256("".join(DIGESTS[name][a] for a in sources.ARRAYS).encode()).hexdigest()
    test = _split(arrays["test_images"], arrays["test_labels"])
    return Dataset(name, whole, train, validation, test)


def validation_indices(n: int) -> np.ndarray:
    """Which of CIFAR-10's ``n`` training images validate: sorted, drawn by the fixed seed."""
    # RandomState: numpy promises that its stream never changes, which Generator's may.
    drawn = np.random.RandomState(CIFAR_VALIDATION_SEED).permutation(n)[:VALIDATION]
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
    if digest(content) != DIGESTS[name][array]:
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
        with _alone(folder.with_suffix(".lock"), name):
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
    why = []
    for source in sources.SOURCES[name]:
        _say(f"{name}: asking {source.title} ...")
        try:
            with tempfile.TemporaryDirectory(prefix="cdp-data-") as folder:
                arrays = source.get(Path(folder))
            wrong = [a for a in wanted if digest(arrays[a]) != DIGESTS[name][a]]
            if wrong:
                raise sources.SourceError(f"its {wrong[0]} are not the data set's (wrong digest)")
        except sources.SourceError as error:
            _say(f"{name}: {source.title}: {error}")
            why.append(f"{source.title}: {error}")
            continue
        _say(f"{name}: got it from {source.title}")
        return arrays
    raise errors.DataError(f"no source of the data set {name} gave it: {'; '.join(why)}")
