"""What lasts: trained points and weights, each under the hash of its whole configuration.

A point is a folder that appears in one rename when it is finished; weights are safetensors files.
A claim is an operating-system lock: it ends with its process, however that ends. What a kill leaves
half written is never read, and removed a day later.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import safetensors
import safetensors.torch
from torch import Tensor, nn

from cdplib.errors import DataError
from cdplib.storage import files, paths


def digest(configuration: Mapping[str, Any]) -> str:
    """SHA-256 of a configuration as canonical JSON, in hexadecimal."""
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What training a point gives: its row, learning curve, sample images and final weights.

    ``samples`` is uint8 (n, c, h, w); ``weights`` is a safetensors file's content.
    """

    row: dict[str, Any]
    curve: list[dict[str, float]]
    samples: np.ndarray
    weights: bytes


class Store:
    """A folder of finished points; any number of processes may use it at once."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or paths.cache() / "points").expanduser().resolve()
        if root is not None:
            files.check_target(self.root, "--store", "folder")

    def folder(self, key: str) -> Path:
        """Where the point with hash ``key`` is, or will be."""
        return self.root / key[:2] / key

    def row(self, key: str) -> dict[str, Any] | None:
        """The finished point's row, or None. A failed one has ``failed``: the reason."""
        path = self.folder(key) / "row.json"
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (ValueError, RecursionError) as error:
            said = " ".join(str(error).split())[:200]
            raise DataError(f"{path}: damaged ({said}): remove its folder") from None
        return row if isinstance(row, dict) else None

    def samples(self, key: str) -> np.ndarray | None:
        """The point's restorations of the first test images, uint8 (n, c, h, w), or None."""
        path = self.folder(key) / "samples.npy"
        try:
            return np.load(path, allow_pickle=False)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path}: damaged ({error}): remove its folder") from None

    def weights_file(self, key: str) -> Path:
        """Where the trained restorer's weights are, or will be."""
        return self.folder(key) / "weights.safetensors"

    def put(
        self, key: str, configuration: Mapping[str, Any], outcome: Outcome, replace: bool = False
    ) -> None:
        """Keep a finished point: all of it appears at once. A point already there stays.

        With ``replace`` it gives way, when the new one is whole.
        """
        final = self.folder(key)
        final.parent.mkdir(parents=True, exist_ok=True)
        with (
            files.scratch(".new", final.parent) as unfinished,
            files.naming(final),
        ):
            new = unfinished / "point"
            new.mkdir()
            for file, content in (
                ("row.json", outcome.row),
                ("curve.json", outcome.curve),
                ("configuration.json", configuration),
            ):
                text = json.dumps(content, indent=1, sort_keys=file == "configuration.json")
                (new / file).write_text(text + "\n", encoding="utf-8")
            if outcome.weights:
                np.save(new / "samples.npy", outcome.samples, allow_pickle=False)
                (new / "weights.safetensors").write_bytes(outcome.weights)
            if replace and final.exists():
                final.rename(unfinished / "former")
            try:
                new.rename(final)
            except OSError:
                if self.row(key) is None:  # what is there is no finished point
                    shutil.rmtree(final)
                    new.rename(final)

    def tidy(self) -> None:
        """Remove what killed processes left half written, wherever it is in the store."""
        files.remove_left(self.root.glob("??/.new-*"))

    def claim(self, key: str) -> filelock.BaseFileLock | None:
        """The right to train a point, or None where another process has it; ``release()`` it."""
        claimed = lock(self.root / "claims" / f"{key}.lock")
        try:
            claimed.acquire(timeout=0)
        except filelock.Timeout:
            return None
        return claimed


def lock(path: Path) -> filelock.BaseFileLock:
    """An exclusive lock of the operating system on ``path``: ``with`` waits for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Claims are taken in one thread and released in another (joblib's, Dask's callbacks).
    return filelock.FileLock(path, thread_local=False)


def weights_path(kind: str, key: str) -> Path:
    """Where weights of ``kind`` with hash ``key`` are cached."""
    return paths.cache() / "weights" / f"{kind}-{key}.safetensors"


def shipped_folder() -> Path:
    """Weights shipped with the book: safetensors and ``digests.json``."""
    return paths.PUBLISHED / "weights"


def shipped_name(kind: str, key: str) -> str:
    """The name of a shipped file; ``kind`` is classifier, restorer, critic (starts) or point."""
    return f"{kind}-{key[:16]}.safetensors"


def load_weights(
    kind: str, key: str, *, shipped: bool = True
) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """Weights and their facts, from the cache or (``shipped``) from the book, or None.

    Shipped ones come first, and only if their digest is right, else :class:`DataError`.
    """
    for path in _candidates(kind, key, shipped):
        if not path.is_file():
            continue
        try:
            with safetensors.safe_open(path, framework="pt") as content:
                tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
                return tensors, dict(content.metadata() or {})
        except safetensors.SafetensorError as error:
            raise DataError(f"{path}: damaged ({error}): remove it") from None
    return None


def fill(model: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Give ``model`` kept weights; ``what`` names them where they are another network's."""
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"the weights of {what} do not fit: {reason}") from None


def _candidates(kind: str, key: str, shipped: bool) -> list[Path]:
    cached = weights_path(kind, key)
    if not (shipped and is_shipped(kind, key)):
        return [cached]
    path = shipped_folder() / shipped_name(kind, key)
    if _digests()[path.name] != files.sha256(path):
        raise DataError(f"{path.name}: not the shipped weights (its digest is wrong)")
    return [path, cached]


def is_shipped(kind: str, key: str) -> bool:
    """Whether these weights come with the book: a file without its digest is still on its way."""
    name = shipped_name(kind, key)
    return name in _digests() and (shipped_folder() / name).is_file()


def _index() -> Path:
    return shipped_folder() / "digests.json"


def _digests() -> dict[str, str]:
    """SHA-256 of every shipped file, by name; empty where nothing is shipped."""
    try:
        found = json.loads(_index().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{_index()}: damaged ({error})") from None
    if not isinstance(found, dict):
        raise DataError(f"{_index()}: damaged (expected digests by file name)")
    return found


def save_weights(
    kind: str, key: str, tensors: Mapping[str, Tensor], facts: Mapping[str, str]
) -> None:
    """Cache weights atomically."""
    with files.atomic(weights_path(kind, key)) as temporary:
        temporary.write_bytes(to_bytes(tensors, facts))


def rounded(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``tensors`` with matrices and kernels in half precision: what is kept of trained networks.

    Vectors (biases, batch-norm) stay float32. Networks are rounded before they are measured or
    started from, so a file of half the size still gives the very numbers of its row.
    """
    return {
        name: tensor.half() if tensor.ndim > 1 and tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }


def to_bytes(tensors: Mapping[str, Tensor], facts: Mapping[str, str] | None = None) -> bytes:
    """A safetensors file's content."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return safetensors.torch.save(plain, metadata=dict(facts or {}))


def pack(keys: list[tuple[str, str]], *, shipped: bool = True) -> dict[str, bytes]:
    """Weights as bytes by file name, to be sent to a worker that shares no disk."""
    packed = {}
    for kind, key in keys:
        for path in _candidates(kind, key, shipped):
            if path.is_file():
                packed[weights_path(kind, key).name] = path.read_bytes()
                break
    return packed


def unpack(packed: Mapping[str, bytes]) -> None:
    """Put packed weights into this machine's cache, where they are missing."""
    for name, content in packed.items():
        path = paths.cache() / "weights" / name
        if not path.is_file():
            with files.atomic(path) as temporary:
                temporary.write_bytes(content)


def ship(sources: Mapping[str, Path]) -> list[Path]:
    """Copy weights (shipped name to file) into the book, with their digests; the files written.

    Files that are missing, or already shipped with this content, are passed over. A reader, or a
    kill, at any moment finds each file with its digest or without one, never with a wrong one.
    """
    digests = _digests()
    written = []
    for name, source in sources.items():
        if not source.is_file() or digests.get(name) == files.sha256(source):
            continue
        if digests.pop(name, None):
            _write_digests(digests)
        with files.atomic(shipped_folder() / name) as temporary:
            shutil.copyfile(source, temporary)
        digests[name] = files.sha256(source)
        _write_digests(digests)
        written.append(shipped_folder() / name)
    return written


def _write_digests(digests: Mapping[str, str]) -> None:
    files.write_text(_index(), json.dumps(dict(sorted(digests.items())), indent=1) + "\n")
