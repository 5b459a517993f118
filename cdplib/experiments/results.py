"""Published results: one CSV a experiment in ``book/results``, written by ``cdp sweep --publish``.

One row is one trained point. Rows of a preset with its own settings have an empty ``variant``;
others name what was changed (``critic=clip``), so ablations never mix with the main table.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdplib.errors import DataError, unknown
from cdplib.experiments.table import get
from cdplib.storage import files, paths

#: Leading columns, in order; those that a row adds (other classifiers' error rates) follow.
COLUMNS = (
    *("experiment", "preset", "variant", "dataset", "restorer", "classifier"),
    *("alpha", "beta", "gamma", "seed"),
    *("mse", "mse_se", "error_rate", "error_rate_se", "ce", "p_critic", "p_judge", "p_judge_se"),
    *("sliced_w2", "frechet", "psnr", "ssim"),
)
#: Trailing columns: what it took and where.
PROVENANCE = (
    *("steps", "seconds", "device", "precision", "threads", "hardware"),
    *("config_hash", "code_version", "torch"),
)
_WEIGHTS = ["alpha", "beta", "gamma"]
_KEY = ["preset", "variant", "dataset", "restorer", *_WEIGHTS, "seed"]
_NUMBERS = (*COLUMNS[COLUMNS.index("alpha") :], "steps", "seconds", "threads")
#: Sample images that are no point's: the same test images as they were.
_SHARED = ("clean", "degraded", "labels")


def path(experiment: str) -> Path:
    """The published table of ``experiment``."""
    return paths.PUBLISHED / f"{get(experiment).name}.csv"


def frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a table with its columns in their order, sorted; failed points are left out."""
    table = pd.DataFrame([dict(row) for row in rows if not row.get("failed")])
    if table.empty:
        return pd.DataFrame(columns=[*COLUMNS, *PROVENANCE])
    table = table.drop(columns=["failed"], errors="ignore")
    middle = sorted(set(table.columns) - set(COLUMNS) - set(PROVENANCE))
    table = table.reindex(columns=[*COLUMNS, *middle, *PROVENANCE])
    return table.sort_values([*_KEY, "config_hash"], ignore_index=True)


def load(
    experiment: str,
    *,
    preset: str | None = None,
    variant: str | None = "",
    dataset: str | None = "default",
    **columns: Any,
) -> pd.DataFrame:
    """The published rows, one per (preset, restorer, alpha, beta, gamma, seed).

    ``variant=""`` (default) leaves ablations out, ``None`` takes all; ``dataset="default"`` is the
    experiment's own in Table 1, ``None`` all that it was run on; further ``columns`` select
    by value (``restorer="paper"``). Raises :class:`InputError` for an unknown experiment or column
    and :class:`DataError` where nothing is published or the file cannot be read.
    """
    file = path(experiment)
    if not file.is_file():
        raise DataError(f"{experiment}: nothing is published in {file.parent.name}/{file.name} yet")
    table = read(file)
    own = get(experiment).dataset if dataset == "default" else dataset
    wanted = {"preset": preset, "variant": variant, "dataset": own, **columns}
    for column, value in wanted.items():
        if column not in table:
            raise unknown(f"column of {file.name}", column, table.columns)
        if value is not None:
            table = table[table[column] == value]
    return table.reset_index(drop=True)


def read(file: Path) -> pd.DataFrame:
    """A results table from its CSV file; :class:`DataError` where it is no such table."""
    try:
        table = pd.read_csv(
            file,
            dtype={"variant": str, "config_hash": str, "code_version": str},
            float_precision="round_trip",  # weights must come back as the very numbers
        )
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read ({str(error).splitlines()[0]})") from None
    missing = [c for c in (*COLUMNS, *PROVENANCE) if c not in table]
    if missing:
        raise DataError(f"{file}: not a table of results: no column {', '.join(missing)}")
    table["variant"] = table["variant"].fillna("")
    for column in _NUMBERS if len(table) else ():
        numbers = pd.to_numeric(table[column], errors="coerce")
        wrong = numbers.isna() & table[column].notna()
        if column in (*_KEY, "mse", "error_rate"):
            wrong |= ~np.isfinite(numbers)
        if wrong.any():
            raise DataError(
                f"{file}, line {int(np.argmax(wrong)) + 2}: {column} is "
                f"{str(table[column][wrong].iloc[0])!r}: expected a number"
            )
    return table


def publish(experiment: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Merge rows into the published table (same preset and point: replaced); its path.

    Without a row that has not failed nothing is written.
    """
    file = path(experiment)
    new = frame(rows)
    if new.empty:
        return file
    if file.is_file():
        old = read(file)
        known = set(new[_KEY].itertuples(index=False, name=None))
        old = old[[pair not in known for pair in old[_KEY].itertuples(index=False, name=None)]]
        new = frame([*old.to_dict("records"), *new.to_dict("records")])
    new[_WEIGHTS] = new[_WEIGHTS].map(_exact)
    files.write_table(file, new)
    return file


def _exact(weight: float) -> str:
    """A weight in the digits that give it back: by it a row is found again."""
    short = f"{weight:.9g}"
    return short if float(short) == weight else repr(float(weight))


def samples_path(experiment: str) -> Path:
    """The published sample images of ``experiment``."""
    return paths.PUBLISHED / f"{get(experiment).name}_samples.npz"


def samples(experiment: str) -> dict[str, np.ndarray]:
    """Published sample images, uint8 (n, c, h, w), by ``config_hash``; and ``clean``,
    ``degraded`` (clipped to [0, 1]) and ``labels`` of the same test images."""
    file = samples_path(experiment)
    if not file.is_file():
        raise DataError(f"{experiment}: no sample images are published yet")
    try:
        # Read whole: of a damaged archive np.load would leave the file open.
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file}: damaged ({str(error).splitlines()[0]})") from None


def publish_samples(experiment: str, images: Mapping[str, np.ndarray]) -> Path:
    """Merge sample images into the published ones, without those of no row; their path."""
    file = samples_path(experiment)
    known = {
        *_SHARED,
        *(read(path(experiment))["config_hash"] if path(experiment).is_file() else ()),
    }
    old = samples(experiment) if file.is_file() else {}
    merged = {**{name: array for name, array in old.items() if name in known}, **images}
    with files.atomic(file) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **dict(sorted(merged.items())))
    return file
