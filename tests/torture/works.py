"""What is tortured: a sweep, publishing, fetching, a chapter and a book, each with its check.

The machinery is the real one; what is slow in it (a training, a server) gives made-up numbers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import nbformat
import numpy as np

from cdpbook.notebooks import book, execute, sources, vendor
from cdplib.errors import DataError
from cdplib.experiments import data, datasets, results, settings
from cdplib.storage import files, paths, store
from cdplib.storage.sources import Source
from cdplib.sweeps import configuration, jobs, pools, publication, sweep
from tests.torture.trials import leftovers

WEIGHTS = b"weights" * 1000


def row_of(point: settings.Point) -> dict[str, Any]:
    """A row that only this point can have."""
    row: dict[str, Any] = dict.fromkeys((*results.COLUMNS, *results.PROVENANCE), 0.5)
    words = ("experiment", "preset", "variant", "dataset", "restorer", "classifier", "device")
    row |= dict.fromkeys((*words, "precision", "hardware", "code_version", "torch"), "x")
    row |= {"experiment": point.experiment, "dataset": "mnist", "variant": "", **point.coordinates}
    row |= {"mse": point.beta + point.gamma / 100, "config_hash": configuration.key(point)}
    return row


class SweepWork:
    """A sweep of ``points`` points with a store of its own; each made-up training is traced."""

    def __init__(self, folder: Path, points: int = 12, seconds: float = 0.002) -> None:
        self.folder, self.seconds = folder, seconds
        folder.mkdir(parents=True, exist_ok=True)
        given = {"betas": [k / 100 for k in range(points)], "gammas": [0.0], "seeds": [0]}
        self.points = settings.plan("exp2", "smoke", given)
        self.store = store.Store(folder / "store")
        self.trace = folder / "trace"

    def _run(self, job: jobs.Job, site: jobs.Site, packed: Any = None) -> Any:
        with contextlib.suppress(OSError), self.trace.open("a") as stream:  # as on a full disk
            stream.write(job.label() + "\n")
        time.sleep(self.seconds)
        images = np.full((2, 1, 8, 8), 7, np.uint8)
        return [store.Outcome(row_of(point), [], images, WEIGHTS) for point in job.points]

    def __call__(self) -> None:
        """Train what is missing."""
        with (
            mock.patch.object(jobs, "run", self._run),
            mock.patch.object(sweep.Sweep, "preparations", return_value=[]),
            mock.patch.object(sweep, "_POLL", 0.02),
        ):
            self.sweep().train(pools.local(1))

    def sweep(self) -> sweep.Sweep:
        """The sweep over the store as it is now."""
        return sweep.Sweep(self.points, self.store, "cpu")

    def wrong(self, whole: bool = False) -> list[str]:
        """What is lost or half there; with ``whole`` every point must be there."""
        found = []
        kept = self.sweep()
        for key, point in kept.keys.items():
            row = kept.row(key)
            if row is None:
                found += ["a point is missing"] * whole
                continue
            if row != json.loads(json.dumps(row_of(point))):
                found.append("a row is another point's")
            if (images := self.store.samples(key)) is None or images.shape != (2, 1, 8, 8):
                found.append("images are missing")
            if self.store.weights_file(key).read_bytes() != WEIGHTS:
                found.append("weights are cut short")
        return found + (leftovers(self.folder / "store") if whole else [])


class PublishingWork:
    """The finished sweep of a :class:`SweepWork`, published into a book of its own."""

    def __init__(self, done: SweepWork, folder: Path) -> None:
        self.done, self.folder = done, folder

    @contextmanager
    def _book(self) -> Iterator[None]:
        test = {name: np.zeros((2, 1, 8, 8), np.uint8) for name in ("clean", "degraded")}
        test["labels"] = np.zeros(2, np.int64)
        with (
            mock.patch.object(paths, "PUBLISHED", self.folder),
            mock.patch.object(jobs, "test_samples", return_value=test),
            mock.patch.object(jobs, "needed", return_value=[]),
        ):
            yield

    def __call__(self) -> None:
        """Publish everything."""
        ready = self.done.sweep()
        with self._book():
            publication.publish(ready.rows(), ready.keys, ready.store, "")

    def wrong(self, whole: bool = False) -> list[str]:
        """What a reader of the book would miss."""
        found = []
        with self._book():
            file = results.path("exp2")
            table = results.read(file) if file.is_file() else None
            known = {p.beta: row_of(p)["mse"] for p in self.done.points}
            for beta, mse in () if table is None else table[["beta", "mse"]].to_numpy():
                if known.get(beta) != mse:
                    found.append("a row is not what was published")
            if table is not None and (table.duplicated("config_hash").any() or table.empty):
                found.append("rows are doubled or gone")
            if results.samples_path("exp2").is_file() and len(results.samples("exp2")) < 3:
                found.append("images are missing")
            for name, digest in store._digests().items():
                if files.sha256(store.shipped_folder() / name) != digest:
                    found.append("a digest is wrong")
            if whole:
                if table is None or len(table) != len(known):
                    found.append("rows are missing")
                if len(store._digests()) != 2:  # both ends of beta
                    found.append("weights are missing")
                found += leftovers(self.folder)
        return found


class FetchWork:
    """A small data set fetched from a made-up source into a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(0)
        shapes = {"train_images": (300, 1, 28, 28), "test_images": (100, 1, 28, 28)}
        self.arrays = {k: rng.integers(0, 255, s).astype(np.uint8) for k, s in shapes.items()}
        for name, array in list(self.arrays.items()):
            self.arrays[name.replace("images", "labels")] = np.zeros(len(array), np.uint8)
        digests = {name: data.digest(array) for name, array in self.arrays.items()}
        self.row = dataclasses.replace(
            datasets.get("mnist"), digests=digests, sources=(Source("made up", self._get),)
        )

    def _get(self, folder: Path) -> dict[str, np.ndarray]:
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.npy", array)
        return {name: np.load(folder / f"{name}.npy") for name in self.arrays}

    @contextmanager
    def _cache(self) -> Iterator[None]:
        with (
            mock.patch.object(datasets, "get", return_value=self.row),
            mock.patch.dict("os.environ", {"CDP_CACHE": str(self.folder / "cache")}),
            mock.patch("tempfile.tempdir", str(self.folder / "tmp")),
        ):
            yield

    def __call__(self) -> None:
        """Fetch it where it is not there."""
        with self._cache():
            data.fetch("mnist")

    def wrong(self, whole: bool = False) -> list[str]:
        """A kept array that is neither missing nor right."""
        with self._cache():
            faults = set(data._damaged("mnist").values())
        found = [f"an array is {fault}" for fault in faults - {"missing"}]
        if whole:
            found += ["arrays are missing"] * bool(faults) + leftovers(self.folder)
        return found


CHAPTER = """\
# %% [markdown]
# # A chapter

# %% tags=["parameters"]
a: int = 1  # in [0, 9]; the number

# %%
print(a + 1)
"""


class ChapterWork:
    """A chapter of one cell, executed as ``cdp run`` does."""

    #: Names of the table of contents: their pages are linked, and the site has no warning.
    names: tuple[str, ...] = ("01_formulation",)

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "build" / "smoke" / "executed"
        for name in ("chapters/_static", "params", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "params" / "smoke.yml").write_text("all: {a: 2}\n")
        (folder / "chapters" / "index.md").write_text("# Front\n\nProse.\n")
        (folder / "chapters" / "references.bib").write_text("")
        for name in self.names:
            (folder / "chapters" / f"{name}.py").write_text(CHAPTER)

    @contextmanager
    def book(self) -> Iterator[None]:
        """Its chapters in place of the book's, all that it writes in its folder."""
        with (
            mock.patch.object(paths, "BOOK", self.folder / "chapters"),
            mock.patch.object(paths, "PARAMS", self.folder / "params"),
            mock.patch.object(paths, "BUILD", self.folder / "build"),
            mock.patch.object(sources, "toc", return_value=["index", *self.names]),
            # in place of the scripts from the registry
            mock.patch.object(vendor, "copy", lambda into: into.mkdir(parents=True)),
            mock.patch("tempfile.tempdir", str(self.folder / "tmp")),
            mock.patch.dict("os.environ", {"TMPDIR": str(self.folder / "tmp")}),
            # Workers import what started them: as cdp's, they need not have all of these tests.
            mock.patch.dict("sys.modules", {"__main__": ModuleType("__main__")}),
        ):
            yield

    def __call__(self) -> None:
        """Execute it where it is not fresh."""
        with self.book():
            job = execute.prepare(sources.find(self.names[0]), "smoke")
            if not execute.is_fresh(job, self.out):
                execute.execute(job, self.out)

    def wrong(self, whole: bool = False) -> list[str]:
        """A notebook that cannot be read, or was not executed to its end."""
        found = []
        for name in self.names:
            path = self.out / f"{name}.ipynb"
            try:
                text = str(nbformat.read(path, as_version=4)) if path.is_file() else None
            except (ValueError, DataError):
                text = ""
            if text is None:
                found += ["a notebook is missing"] * whole
            elif "3\\n" not in text:
                found.append("a notebook is damaged")
        if whole:
            found += [f"left: {path.name}" for path in (self.folder / "tmp").iterdir()]
            found += [f"left: {path.name}" for path in self.out.glob("*.failed.ipynb")]
            found += leftovers(self.folder)
        return found


class BookWork(ChapterWork):
    """A book of two chapters, executed side by side and rendered as ``cdp book`` does."""

    names = ("01_formulation", "02_proof_checks")

    def __call__(self) -> None:
        """Build it: what is not fresh is executed, the site rendered anew."""
        with self.book():
            book.build("smoke", workers=2)

    def wrong(self, whole: bool = False) -> list[str]:
        """Beside damaged notebooks, a site that is there in part."""
        found = super().wrong(whole)
        home = self.folder / "build" / "smoke"
        pages = home / "_build" / "html"
        if pages.exists() or whole:
            for name in ("index", *self.names):
                page = pages / f"{name}.html"
                text = page.read_text(encoding="utf-8") if page.is_file() else ""
                shown = name == "index" or ">3\n" in text
                if not (shown and text.rstrip().endswith("</html>")):
                    found.append(f"the page {name} is missing or cut short")
        return found + ["left: unfinished pages"] * (whole and (home / "unfinished").exists())
