"""What the published results cost, and on which machine: tables from rows and kept benchmarks."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from cdpbook import claims
from cdpbook import text as words
from cdpbook.claims import NAMES
from cdpbook.overview import markdown
from cdpbook.runs import PREFERRED, published_run
from cdpbook.statistics import trends
from cdpbook.text import signed
from cdplib.errors import DataError
from cdplib.experiments import classifiers, results
from cdplib.experiments.datasets import DATASETS
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import paths, store
from cdplib.sweeps import compare, configuration

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

    Of the points: training and measuring, on one thread. Of the pre-trainings: the sum over the
    kept ones that its seeds started from; ``shared`` where another line started from one of them
    too. The warming of the critics is in neither.
    """
    if table.empty:
        return "Nothing is published yet."
    keys = ["experiment", "dataset", "preset", "restorer", "variant"]
    parts = {key: (part, starts(part)) for key, part in table.groupby(keys)}
    used = Counter(start for _, found in parts.values() for start in found)
    rows = []
    for key, (part, found) in parts.items():
        experiment, dataset, preset, restorer, variant = key
        rows.append(
            (
                f"{{ref}}`{words.title(experiment)} <ch:{experiment}>`",
                dataset,
                f"`{preset}`, `{restorer}`" + (f", {variant}" if variant else ""),
                len(part),
                part["seed"].nunique(),
                f"{part['seconds'].sum() / 60:.0f}",
                _pretraining_minutes(part, found)
                + (" (shared)" if any(used[start] > 1 for start in found) else ""),
            )
        )
    head = ["experiment", "data", "preset, restorer, change", "points", "seeds"]
    head += ["core-minutes of the points", "of the pre-trainings"]
    machines = table.groupby(["hardware", "precision"]).size()
    said = "; ".join(
        f"{n} points on {where}, trained in {kind}" for (where, kind), n in machines.items()
    )
    return f"{markdown(head, rows)}\n\n{said}."


def _pretraining_minutes(part: pd.DataFrame, found: Mapping[str, Mapping[str, str]]) -> str:
    if not (part["pretrain_steps"] > 0).any():
        return "none"
    if len(found) < part["seed"].nunique():
        return "not kept"
    return f"{sum(float(facts['seconds']) for facts in found.values()) / 60:.1f}"


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
    for dataset in (row.name for row in DATASETS.values() if row.paper):
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
        (line.experiment, f"`{line.restorer}`",
         f"β = {line.beta:g}, γ = {line.gamma:g}" if line.stage == "point" else "pre-training",
         f"{line.steps:,}", line.batch, f"{line.lr:g}", f"{line.mse:.5f}",
         f"{100 * line.error_rate:.2f}", f"{line.p_judge:.2f}" if line.p_judge > -1 else "",
         f"{line.cpu_seconds:.0f}")
        for line in table.itertuples()
    ]  # fmt: skip
    head = ["", "restorer", "what", "steps", "images a step", "peak rate", "D", "C (%)", "P"]
    return markdown([*head, "CPU seconds"], rows)


def longer(file: Path = TUNING) -> str:
    """What the longest schedule still gains over the next shorter one, in a sentence.

    For every kind of training of which several lengths were tried, all else equal; beside it what
    gamma changes about C in the published rows of those experiments.
    """
    if not file.is_file():
        return ""
    keys = ["experiment", "restorer", "stage", "batch", "lr", "beta", "gamma"]
    said, runs = [], {}
    for key, part in pd.read_csv(file).groupby(keys):
        experiment, restorer, stage, batch, *_ = key
        if part["steps"].nunique() < 2:
            continue
        before, after = part.sort_values("steps").iloc[-2:].to_dict("records")
        gain = [
            factor * (after[c] - before[c]) for c, factor in (("error_rate", 100), ("mse", 1000))
        ]
        what = "points" if stage == "point" else f"pre-training, {batch} images a step"
        said.append(
            f"{words.title(experiment)}, `{restorer}`, {what}, from {before['steps']:,} to "
            f"{after['steps']:,} steps: C {signed(gain[0], 1)} points, D "
            f"{signed(gain[1], 2)} · 10⁻³"
        )
        known = [pair for pair in PREFERRED if pair[1] == restorer]
        run = published_run(experiment, known) or published_run(experiment)
        if run is not None:
            runs[f"{words.title(experiment)}, `{run.settings.restorer}`, preset `{run.preset}`"] = (
                run
            )
    if not said:
        return ""
    text = f"**What more steps still give** (validation images, one seed): {'; '.join(said)}."
    whole = [
        f"{title}: {claims.effect_text(trends.effect(run.table, 'gamma', 'error_rate'))}"
        for title, run in runs.items()
    ]
    return f"{text} γ's whole effect on C, to compare: {'; '.join(whole)}." if whole else text


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
    return f"Measured on {where}.\n\n{markdown(['', 'measured', 'times as fast'], rows)}"


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
        kept = {key: facts for key, facts in starts(rows).items() if "curve" in facts}
        found, name = [json.loads(facts["curve"]) for facts in kept.values()], next(iter(kept), "")
        if found:
            titles.setdefault(f"{name} {preset} {restorer}", []).append(words.title(experiment))
            curves[f"{name} {preset} {restorer}"] = found
    return {
        f"{', '.join(titles[key])}: {key.split()[2]} restorer, preset {key.split()[1]}": value
        for key, value in curves.items()
    }
