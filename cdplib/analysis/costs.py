"""What the published results cost, and on which machine: tables from rows and kept benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from cdplib import paths
from cdplib.analysis.claims import NAMES
from cdplib.analysis.overview import markdown
from cdplib.errors import DataError
from cdplib.experiments import classifiers, compare, jobs, results, store
from cdplib.experiments.table import EXPERIMENTS

TUNING = paths.PUBLISHED / "tuning.csv"
BENCH = paths.BOOK / "_static" / "bench.json"


def published() -> pd.DataFrame:
    """Every published row of every experiment, ablations too; no rows if nothing is published."""
    tables = []
    for name in EXPERIMENTS:
        try:
            tables.append(results.load(name, variant=None, dataset=None))
        except DataError:
            continue
    return pd.concat(tables, ignore_index=True) if tables else results.frame([])


def sweeps(table: pd.DataFrame) -> str:
    """Core-minutes and machine of each published sweep, as Markdown.

    Seconds of a point are its training and measuring on one thread; pre-training, which all points
    of a seed share, is not among them.
    """
    if table.empty:
        return "Nothing is published yet."
    keys = ["experiment", "dataset", "preset", "restorer", "variant"]
    rows = []
    for key, part in table.groupby(keys):
        experiment, dataset, preset, restorer, variant = key
        rows.append(
            (
                f"{{ref}}`{str(experiment).replace('exp', 'Exp-')} <ch:{experiment}>`",
                dataset,
                f"`{preset}`" + (f", {variant}" if variant else ""),
                f"`{restorer}`",
                len(part),
                part["seed"].nunique(),
                f"{part['seconds'].sum() / 60:.0f}",
                ", ".join(sorted(set(part["precision"]))),
                ", ".join(sorted(set(part["hardware"]))),
            )
        )
    head = ["experiment", "data", "preset, change", "restorer", "points", "seeds", "core-minutes"]
    return markdown([*head, "trained in", "machine"], rows)


def versions(table: pd.DataFrame) -> str:
    """Commits and torch versions of the published rows, as Markdown; ``+``: with changes."""
    rows = [
        (f"`{code}`", torch, len(part))
        for (code, torch), part in table.groupby(["code_version", "torch"])
    ]
    return markdown(["commit of the code", "torch", "points"], rows)


def classifier_costs() -> str:
    """Seconds and accuracies of every classifier that the book ships, as Markdown."""
    rows = []
    for dataset in ("mnist", "cifar10"):
        for name in classifiers.names(dataset):
            facts = classifiers.facts(name, dataset)
            if facts:
                rows.append(
                    (NAMES[name], dataset, f"{100 * facts['test_accuracy']:.2f}",
                     f"{100 * facts['validation_accuracy']:.2f}", f"{facts['seconds'] / 60:.1f}")
                )  # fmt: skip
    return markdown(["classifier", "data", "test (%)", "validation (%)", "minutes"], rows)


def tuning(file: Path = TUNING) -> str:
    """The schedules that were tried, pre-training first, on validation images, as Markdown."""
    if not file.is_file():
        return "Nothing was tried yet."
    table = pd.read_csv(file).sort_values("stage", ascending=False, kind="stable")
    rows = [
        (line.experiment, f"`{line.restorer}`", line.stage.replace("pretrain", "pre-training"),
         *((f"{line.beta:g}", f"{line.gamma:g}") if line.stage == "point" else ("", "")),
         f"{line.steps:,}", line.batch, f"{line.lr:g}", f"{line.mse:.5f}",
         f"{100 * line.error_rate:.2f}", f"{line.p_judge:.2f}" if line.p_judge > -1 else "",
         f"{line.cpu_seconds:.0f}")
        for line in table.itertuples()
    ]  # fmt: skip
    head = ["experiment", "restorer", "stage", "β", "γ", "steps", "images a step", "peak rate"]
    return markdown([*head, "D", "C (%)", "P", "CPU seconds"], rows)


def bench(file: Path = BENCH) -> str:
    """The kept run of ``make bench``: a training step as released against ours, as Markdown."""
    if not file.is_file():
        return "No run of the benchmark is kept."
    found = json.loads(file.read_text(encoding="utf-8"))
    steps = [(n, f"{r['ms']:.0f} ms", f"{r['times']:.1f}") for n, r in found["step"].items()]
    rows = [
        *steps,
        ("sweep on 2 processes against 1, steps a second", "", f"{found['processes']:.2f}"),
        ("overhead of the Dask path, jobs of 5 s", f"{100 * found['dask_overhead']:.1f} %", ""),
        *(
            (f"peak memory of a worker, {k}", f"{v:.2f} GB", "")
            for k, v in found["peak_gb"].items()
        ),
    ]
    where = (
        f"{found['hardware']}, torch {found['torch']}, {found['precision']}, one thread a process"
    )
    return f"Measured on {where}.\n\n{markdown(['', 'measured', 'times'], rows)}"


def pretrainings(table: pd.DataFrame) -> dict[str, list[list[dict[str, float]]]]:
    """The validation curves of the shipped pre-trainings that published points started from.

    ``table`` as :func:`published` gives it; title to one curve a seed, each a list of
    ``{"step", "mse"}``. Experiments that share a pre-training share its entry.
    """
    titles: dict[str, list[str]] = {}
    curves: dict[str, list[list[dict[str, float]]]] = {}
    plain = table[(table["variant"] == "") & (table["pretrain_steps"] > 0)]
    for (experiment, preset, restorer), part in plain.groupby(["experiment", "preset", "restorer"]):
        rows = part[part["dataset"] == EXPERIMENTS[str(experiment)].dataset]
        found, name = [], ""
        for row in rows.drop_duplicates("seed").sort_values("seed").to_dict("records"):
            key = store.digest(jobs.start_configuration(compare.point_of(row)))
            kept = store.load_weights("restorer", key)
            if kept is not None and "curve" in kept[1]:
                found.append(json.loads(kept[1]["curve"]))
                name = name or key
        if found:
            label = f"{str(experiment).replace('exp', 'Exp-')}"
            titles.setdefault(f"{name} {preset} {restorer}", []).append(label)
            curves[f"{name} {preset} {restorer}"] = found
    return {
        f"{', '.join(titles[key])}: {key.split()[2]} restorer, preset {key.split()[1]}": value
        for key, value in curves.items()
    }
