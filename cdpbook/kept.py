"""What a page computes that nothing changes: computed once, published, and shown while it holds.

A table is known by a digest of what was asked, the data and the code that answers; any other is
computed where it is asked for. With ``CDP_KEEP`` set a page computes anew and publishes what it
has: ``CDP_KEEP=1 cdp run 13_measuring_perception``.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from cdplib.errors import DataError
from cdplib.experiments import datasets, device, generation
from cdplib.storage import files, paths, store


def table(
    name: str,
    given: Mapping[str, Any],
    code: Iterable[ModuleType],
    compute: Callable[[], pd.DataFrame],
) -> pd.DataFrame:
    """``compute()``, a table of numbers indexed by text or numbers; as published where it holds.

    ``name`` is the file, ``book/results/NAME.csv``; ``given`` are the arguments, a ``dataset``
    among them; ``code`` are the modules that answer. The column ``hardware`` says where.
    """
    key = _rests_on(given, code)
    file = paths.PUBLISHED / f"{name}.csv"
    if file.is_file() and not os.environ.get("CDP_KEEP"):
        found = pd.read_csv(
            file, index_col=0, dtype={"rests_on": str}, float_precision="round_trip"
        )
        if (found.pop("rests_on") == key).all():
            return found
    found = compute()
    found["hardware"] = device.hardware("cpu")
    if os.environ.get("CDP_KEEP"):
        files.write_table(file, found.assign(rests_on=key), index=True)
    return found


def rows(name: str, key: str) -> pd.DataFrame:
    """The rows of ``book/results/NAME.csv`` whose column ``key`` is ``key``; empty for none."""
    file = paths.PUBLISHED / f"{name}.csv"
    found = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=["key"])
    return found[found["key"] == key].reset_index(drop=True)


def published(name: str, key: str, command: str) -> pd.DataFrame:
    """:func:`rows`; :class:`DataError`, naming the ``command`` that makes them, for none."""
    found = rows(name, key)
    if found.empty:
        raise DataError(f"{name}.csv: nothing is published for this code; run: {command}")
    return found


def add(name: str, key: str, row: Mapping[str, Any]) -> None:
    """Add ``row`` to :func:`rows`; rows of any other key go."""
    table = pd.DataFrame([*rows(name, key).to_dict("records"), {"key": key, **row}])
    files.write_table(paths.PUBLISHED / f"{name}.csv", table)


def _rests_on(given: Mapping[str, Any], code: Iterable[ModuleType]) -> str:
    """A digest of the arguments, the data set and the modules, without comments and layout."""
    read = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in code]
    trees = [generation.plain(ast.parse(text)) for text in read]
    data = datasets.get(given["dataset"]).digest
    return store.digest({"given": dict(given), "data": data, "code": trees})[:16]
