"""What the published results cost, and on which machine: numbers from rows and kept benchmarks."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path

import pandas as pd

from cdpbook import text
from cdpbook.claims import NAMES
from cdpbook.runs import PREFERRED, published_run
from cdpbook.statistics import trends
from cdplib.errors import DataError
from cdplib.experiments import classifiers, results
from cdplib.experiments.datasets import DATASETS
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import paths, store
from cdplib.sweeps import compare, configuration

TUNING = paths.PUBLISHED / "tuning.csv"
BENCH = paths.BOOK / "_static" / "bench.json"


def published() -> pd.DataFrame:
    """Every published row of every experiment, ablations too; no rows if nothing is published.

    A training that two sweeps publish is there once: in the main table, if it is one of the two.
    """
    tables = []
    for name in EXPERIMENTS:
        with contextlib.suppress(DataError):
            tables.append(results.load(name, variant=None, dataset=None))
    if not tables:
        return results.frame([])
    return pd.concat(tables).drop_duplicates("config_hash", ignore_index=True)


def sweeps(table: pd.DataFrame) -> pd.DataFrame:
    """One row a published sweep: its points, seeds, and core-minutes.

    ``minutes`` of the points: training and measuring, on one thread. ``pretraining``: minutes of
    the kept ones that its seeds started from, ``shared`` where another sweep started from one of
    them too. The warming of the critics is in neither.
    """
    keys = ["experiment", "dataset", "preset", "restorer", "variant"]
    parts = {key: (part, starts(part)) for key, part in table.groupby(keys)}
    used = Counter(start for _, found in parts.values() for start in found)
    rows = []
    for (experiment, dataset, preset, restorer, variant), (part, found) in parts.items():
        before = f"{sum(float(facts['seconds']) for facts in found.values()) / 60:.1f}"
        before += " (shared)" * any(used[start] > 1 for start in found)
        if not (part["pretrain_steps"] > 0).any():
            before = "none"
        elif len(found) < part["seed"].nunique():
            before = "not kept"
        trained = f"`{preset}`, `{restorer}`" + (f", {variant}" if variant else "")
        rows.append(
            {
                "experiment": f"{{ref}}`{text.title(experiment)} <ch:{experiment}>`",
                **{"data": dataset, "preset, restorer, change": trained, "points": len(part)},
                **{"seeds": part["seed"].nunique(), "minutes": part["seconds"].sum() / 60},
                "pretraining": before,
            }
        )
    return pd.DataFrame(rows)


def starts(rows: pd.DataFrame) -> dict[str, dict[str, str]]:
    """The kept pre-trainings that ``rows`` of one sweep started from: facts by key, seed by seed.

    Those of rows that today's settings no longer describe are left out.
    """
    found = {}
    begun = rows[rows["pretrain_steps"] > 0]
    for row in begun.drop_duplicates("seed").sort_values("seed").to_dict("records"):
        with contextlib.suppress(DataError):
            key = store.digest(configuration.of_start(compare.point_of(row)))
            kept = store.load_weights("restorer", key)
            if kept is not None:
                found[key] = kept[1]
    return found


def classifier_costs() -> pd.DataFrame:
    """Accuracies and minutes of every classifier that the book ships."""
    rows = []
    for dataset in (row.name for row in DATASETS.values() if row.paper):
        for name in classifiers.names(dataset):
            if facts := classifiers.facts(name, dataset):
                accuracies = (facts["test_accuracy"], facts["validation_accuracy"])
                rows.append((NAMES[name], dataset, *accuracies, facts["seconds"] / 60))
    return pd.DataFrame(rows, columns=["classifier", "data", "test", "validation", "minutes"])


def tuning(file: Path | None = None) -> pd.DataFrame:
    """The schedules that were tried, pre-training first, on validation images; maybe none."""
    file = file or TUNING
    columns = ["experiment", "restorer", "stage", "steps", "batch", "lr", "beta", "gamma", "mse"]
    columns += ["error_rate", "cpu_seconds", "p_judge"]
    table = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=columns)
    return table.sort_values("stage", ascending=False, kind="stable")


def longest(table: pd.DataFrame) -> pd.DataFrame:
    """What the longest schedule of :func:`tuning` still gains over the next shorter one.

    One row for every kind of training of which several lengths were tried, all else equal:
    ``error_rate`` and ``mse`` are changes; ``gamma``, an :class:`.Interval`, is what gamma changes
    about C in the published rows of that experiment and restorer, to compare.
    """
    keys = ["experiment", "restorer", "stage", "batch", "lr", "beta", "gamma"]
    found = []
    for key, part in table.groupby(keys):
        if part["steps"].nunique() < 2:
            continue
        before, after = part.sort_values("steps").iloc[-2:].to_dict("records")
        known = [pair for pair in PREFERRED if pair[1] == key[1]]
        run = published_run(key[0], known) or published_run(key[0])
        gains = {name: after[name] - before[name] for name in ("error_rate", "mse")}
        whole = run and trends.effect(run.table, "gamma", "error_rate").interval
        line = {**before, **gains, "before": before["steps"], "after": after["steps"]}
        found.append({**line, "gamma": whole})
    return pd.DataFrame(found)


def bench(file: Path = BENCH) -> pd.DataFrame:
    """The kept run of ``make bench``: a training step as released against ours; maybe none."""
    if not file.is_file():
        return pd.DataFrame()
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = [(name, f"{r['ms']:.0f} ms", f"{r['times']:.1f}") for name, r in found["step"].items()]
    rows.append(("sweep on 2 processes against 1, steps a second", "", f"{found['processes']:.2f}"))
    overhead = f"{100 * found['dask_overhead']:.1f} %"
    rows.append(("overhead of the Dask path, jobs of 5 s", overhead, ""))
    for name, size in found["peak_gb"].items():
        rows.append((f"peak memory of a worker, {name}", f"{size:.2f} GB", ""))
    made = (text.plain(found[name]) for name in ("hardware", "torch", "precision"))
    where = "{}, torch {}, {}, one thread".format(*made)
    return pd.DataFrame(rows, columns=[f"on {where}", "measured", "times as fast"])


def pretrainings(table: pd.DataFrame) -> dict[str, list[list[dict[str, float]]]]:
    """The validation curves of the shipped pre-trainings that published points started from.

    ``table`` as :func:`published` gives it; title to one curve a seed, each a list of
    ``{"step", "mse"}``. Experiments that share a pre-training share its entry.
    """
    found: dict[tuple[str, ...], tuple[list[str], list[list[dict[str, float]]]]] = {}
    plain = table[(table["variant"] == "") & (table["pretrain_steps"] > 0)]
    for (experiment, preset, restorer), part in plain.groupby(["experiment", "preset", "restorer"]):
        rows = part[part["dataset"] == EXPERIMENTS[str(experiment)].dataset]
        kept = {key: facts for key, facts in starts(rows).items() if "curve" in facts}
        if kept:
            curves = [json.loads(facts["curve"]) for facts in kept.values()]
            known = found.setdefault((next(iter(kept)), preset, restorer), ([], curves))
            known[0].append(text.title(experiment))
    return {
        f"{', '.join(titles)}: {restorer} restorer, preset {preset}": curves
        for (_, preset, restorer), (titles, curves) in found.items()
    }
