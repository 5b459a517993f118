"""Published points run again with the same seed: the difference of every column, and its band.

On one machine a run repeats itself exactly. Elsewhere sums are taken in another order, and a
thousand steps of training amplify that: a band says how far an honest re-run may come out.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cdplib.errors import DataError, InputError, unknown
from cdplib.experiments import device, generation, results, settings
from cdplib.experiments.settings import Point
from cdplib.experiments.table import EXPERIMENTS, get
from cdplib.storage import files, paths
from cdplib.sweeps import configuration, jobs

#: (relative, absolute) half-width of the band of each column; error rates also get 3 standard
#: errors. Columns that are not here are not compared.
BANDS: dict[str, tuple[float, float]] = {
    "mse": (0.05, 0.0),
    "error_rate": (0.05, 0.005),
    "ce": (0.10, 0.02),
    "p_critic": (0.35, 0.10),
    "p_judge": (0.25, 0.05),
    "sliced_w2": (0.20, 0.005),
    "frechet": (0.25, 1.0),
    "psnr": (0.0, 0.3),
    "ssim": (0.0, 0.02),
}


def band(column: str, row: Mapping[str, Any]) -> float:
    """Half-width of the band of ``column`` around the published value in ``row``."""
    relative, absolute = BANDS["error_rate" if column.startswith("error_rate") else column]
    width = relative * abs(float(row[column])) + absolute
    if column.startswith("error_rate"):
        n = int(row.get("test_images", 10_000))
        rate = float(row[column])
        width = max(width, 3 * math.sqrt(max(rate * (1 - rate), 1e-9) / n))
    return width


def differences(published: Mapping[str, Any], again: Mapping[str, Any]) -> pd.DataFrame:
    """One line a compared column: published, again, difference, band and whether it is inside."""
    lines = []
    for column in published:
        known = column in BANDS or (column.startswith("error_rate_") and not column.endswith("_se"))
        if not known or column not in again or pd.isna(published[column]):
            continue
        gap, width = float(again[column]) - float(published[column]), band(column, published)
        lines.append(
            {
                "column": column,
                "published": float(published[column]),
                "again": float(again[column]),
                "difference": gap,
                "band": width,
                "inside": abs(gap) <= width,
            }
        )
    return pd.DataFrame(lines)


def point_of(row: Mapping[str, Any], where: str = "cpu") -> Point:
    """The point that a published row was trained as, found in its preset and variant.

    Raises :class:`DataError` where today's settings no longer describe that row, and
    :class:`InputError` where no settings do, or it is no row of a trained point.
    """
    _check_identity(row)
    given: dict[str, Any] = {"dataset": row["dataset"], "restorer": row["restorer"]}
    for part in str(row.get("variant") or "").split():
        name, _, value = part.partition("=")
        if name not in settings.declared():
            raise unknown(f"setting in the variant {row['variant']!r}", name, settings.declared())
        given[name] = _typed(value, settings.declared()[name].kind)
    given["grid"] = ""  # the row has its weights itself
    for name in ("alpha", "beta", "gamma"):
        given[f"{name}s"] = [float(row[name])]
    given["seeds"] = [int(row["seed"])]
    experiment, preset = str(row["experiment"]), str(row["preset"])
    (point,) = settings.plan(experiment, preset, given)
    key = configuration.key(point, where, row["precision"])
    if key != row["config_hash"] and not generation.changed():
        raise DataError(
            f"{point.label()}: preset {preset} has changed since this row was published "
            f"(its configuration is {str(row['config_hash'])[:12]}, today's {key[:12]})"
        )
    return point


def _check_identity(row: Mapping[str, Any]) -> None:
    """Refuse a row whose seed, precision or hash no published row can have."""
    known = {
        "seed": (float(row["seed"]).is_integer(), "a whole number"),
        "precision": (row["precision"] in device.PRECISIONS, f"{' or '.join(device.PRECISIONS)}"),
        "config_hash": (
            re.fullmatch(r"[0-9a-f]{64}", str(row["config_hash"])),
            "64 hexadecimal digits",
        ),
    }
    for name, (right, expected) in known.items():
        if not right:
            raise InputError(
                f"a row of {row['experiment']} has {name}={row[name]!r}: expected {expected}"
            )


def _typed(text: str, kind: str) -> bool | int | float | str:
    """A setting's value from the text in a row's ``variant``; the text where it is no such value.

    Settings are checked later, all alike.
    """
    if kind == "bool":
        return {"True": True, "False": False}.get(text, text)
    try:
        return int(text) if kind == "int" else float(text) if kind == "float" else text
    except ValueError:
        return text


def again(row: Mapping[str, Any], *, where: str = "cpu", shipped: bool = True) -> dict[str, Any]:
    """Train and measure the point of a published row now, whatever the store holds; its new row."""
    point = point_of(row, where)
    (outcome,) = jobs.run(jobs.Job("points", point), jobs.Site(where, shipped))
    if outcome.row.get("failed"):
        raise DataError(f"{point.label()}: failed this time, {outcome.row['failed']}")
    return outcome.row


def cheapest(rows: pd.DataFrame) -> dict[str, Any]:
    """The row whose training took least time."""
    return rows.sort_values(["seconds", "config_hash"]).iloc[0].to_dict()


def record(row: Mapping[str, Any], new: Mapping[str, Any], found: pd.DataFrame) -> None:
    """Publish how a second training of a row came out: when, where, and each column."""
    today = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    facts = {"config_hash": row["config_hash"], "date": today}
    facts |= {name: new[name] for name in ("hardware", "precision", "torch", "code_version")}
    table = found.assign(**facts)
    if _recorded().is_file():
        old = pd.read_csv(_recorded(), float_precision="round_trip")
        table = pd.concat([old[old["config_hash"] != row["config_hash"]], table])
    files.write_table(_recorded(), table)


def recorded(row: Mapping[str, Any]) -> pd.DataFrame:
    """The last second training of a row that is on record, as :func:`differences`, and when and
    where it was done; empty where there is none, or the published values have changed since."""
    if not _recorded().is_file():
        return pd.DataFrame()
    table = pd.read_csv(_recorded(), float_precision="round_trip")
    table = table[table["config_hash"] == row["config_hash"]].reset_index(drop=True)
    same = [math.isclose(row[c], v, rel_tol=1e-6) for c, v in table[["column", "published"]].values]
    return table if all(same) else pd.DataFrame()


def _recorded() -> Path:
    return paths.PUBLISHED / "compared.csv"


def command(path: Path, *, experiments: Sequence[str] = (), publish: bool = False) -> int:
    """``cdp compare``: the cheapest published point of each experiment, run again.

    Status 1 where a column leaves its band; ``publish`` records what came out, for the pages.
    ``path`` is a folder of tables, or one table.
    Raises :class:`InputError` or :class:`DataError` before any training where there is nothing to
    compare, or a row that says of no point how it was trained.
    """
    for name in experiments:
        get(name)
    if not path.exists():
        raise InputError(f"{str(path)!r}: no such folder or table: expected e.g. book/results")
    files = [path] if path.is_file() else [path / f"{name}.csv" for name in EXPERIMENTS]
    tables = {file: results.read(file) for file in files if file.is_file()}
    if not tables:
        raise InputError(f"{str(path)!r}: holds no table of results (exp1.csv ... exp5.csv)")
    rows = {
        name: cheapest(rows)
        for table in tables.values()
        for name, rows in table.groupby("experiment")
        if not experiments or name in experiments
    }
    absent = [name for name in experiments if name not in rows]
    if absent or not rows:
        wanted = ", ".join(absent) or "any experiment"
        raise InputError(f"{str(path)!r}: holds no row of {wanted}")
    points = {name: point_of(row) for name, row in rows.items()}
    outside = 0
    for name, row in rows.items():
        print(f"{points[name].label()} (preset {row['preset']}, {row['hardware']}):")
        new = again(row)
        found = differences(row, new)
        print(found.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
        outside += int((~found["inside"]).sum())
        if publish:
            record(row, new, found)
    print("every column is inside its band" if not outside else f"{outside} outside their bands")
    return int(outside > 0)
