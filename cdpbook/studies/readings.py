"""The published test images of two restorers, without and with gamma, as classifiers read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from cdpbook.runs import Run
from cdpbook.text import title
from cdplib.errors import DataError
from cdplib.experiments import classifiers, data, results

#: Kinds of example, the most telling first: the predefined classifier is right with gamma only and
#: another wrong with it; the reverse; it is right both times, and another without gamma only.
KINDS = ("won by one alone", "lost by one alone", "lost by another")


@dataclass(frozen=True)
class Readings:
    """Images (n, c, h, w) in [0, 1], ``before`` (least gamma) and ``after`` (greatest), beta least.

    ``read`` holds for each classifier the classes before and after, two arrays (n,); the first
    is the predefined one.
    """

    experiment: str
    gammas: tuple[float, float]
    labels: np.ndarray
    clean: np.ndarray
    degraded: np.ndarray
    before: np.ndarray
    after: np.ndarray
    read: Mapping[str, tuple[np.ndarray, ...]]
    dataset: str = "mnist"


@dataclass(frozen=True)
class Example:
    """One image of ``readings``: its place, its kind, and who reads it otherwise."""

    readings: Readings
    index: int
    kind: str
    other: str


def readings(run: Run, names: Sequence[str]) -> Readings | None:
    """The published images of ``run``, read by its predefined classifier and by ``names``.

    None where the images of one of the two restorers are not published.
    """
    table = run.table[run.table["seed"] == run.table["seed"].min()]
    ends = table[table["beta"] == table["beta"].min()].sort_values("gamma").iloc[[0, -1]]
    keys = [str(key) for key in ends["config_hash"]]
    try:
        kept = results.samples(run.experiment)
    except DataError:
        return None
    if not set(keys) <= set(kept) or keys[0] == keys[1]:
        return None
    stacks = [data.to_tensor(kept[key]) for key in ("clean", "degraded", *keys)]
    read = {}
    for name in dict.fromkeys((run.settings.classifier, *names)):
        model = classifiers.get(name, run.settings.dataset)
        with torch.no_grad():
            read[name] = tuple(model(stack).argmax(1).numpy() for stack in stacks[2:])
    clean, degraded, before, after = (stack.numpy()[: len(stacks[2])] for stack in stacks)
    return Readings(
        run.experiment, (float(ends["gamma"].min()), float(ends["gamma"].max())),
        kept["labels"][: len(before)], clean, degraded, before, after, read, run.settings.dataset,
    )  # fmt: skip


def _of_kind(kind: str, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which images are of ``kind``; ``own``, ``other``: bool (2, n), right before and after."""
    if kind == "won by one alone":
        return ~own[0] & own[1] & ~other[1]
    if kind == "lost by one alone":
        return own[0] & ~own[1] & other[1]
    return own[0] & own[1] & other[0] & ~other[1]


def examples(found: Readings) -> list[Example]:
    """Every image of a kind in :data:`KINDS`, once each: by kind, then in the images' order.

    Of several classifiers that read an image otherwise, the first that was read is named.
    """
    right = {name: np.stack(pair) == found.labels for name, pair in found.read.items()}
    (own, *others) = found.read
    listed: dict[int, Example] = {}
    for kind in KINDS:
        for other in others:
            for index in np.nonzero(_of_kind(kind, right[own], right[other]))[0]:
                listed.setdefault(int(index), Example(found, int(index), kind, other))
    return sorted(listed.values(), key=lambda e: (KINDS.index(e.kind), e.index))


def chosen(found: Iterable[Readings | None], most: int) -> list[Example]:
    """At most ``most`` examples, in turn from each experiment, the most telling kinds first."""
    lists = [examples(one) for one in found if one is not None]
    ranked = [
        (KINDS.index(e.kind), place, which, e)
        for which, one in enumerate(lists)
        for place, e in enumerate(one)
    ]
    picked = [e for *_, e in sorted(ranked, key=lambda r: r[:3])[:most]]
    return sorted(picked, key=lambda e: e.readings.experiment)


def counts(found: Mapping[str, Readings | None]) -> pd.DataFrame:
    """How many images of each kind there are, by experiment whose images are published."""
    rows = []
    for experiment, one in found.items():
        if one is not None:
            kinds = [e.kind for e in examples(one)]
            row = {"": title(experiment), "images": len(one.labels)}
            rows.append({**row, **{kind: kinds.count(kind) for kind in KINDS}})
    return pd.DataFrame(rows)
