"""The kept test images of two restorers, without and with gamma, as classifiers read them.

Single images show what an error rate counts: a class that one classifier gained while another
lost it. Only the few images that come with the published rows are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from cdpbook import claims
from cdpbook.runs import Run
from cdplib.errors import DataError
from cdplib.experiments import classifiers, data, results

#: Kinds of example, the most telling first, each as a test on what four readings are right:
#: the predefined classifier's before and with gamma, another's before and with gamma.
KINDS = {
    "won by one alone": "the predefined classifier is right with γ only, and another is wrong",
    "lost by one alone": "the predefined classifier is right without γ only, another is right with",
    "lost by another": "the predefined classifier is right both times, another without γ only",
}


@dataclass(frozen=True)
class Readings:
    """Images (n, c, h, w) in [0, 1], ``before`` (least gamma) and ``after`` (greatest), beta least.

    ``read`` holds for each classifier the classes before and after, two arrays (n,); the first
    is the predefined one.
    """

    experiment: str
    gammas: tuple[float, float]
    beta: float
    seed: int
    labels: np.ndarray
    clean: np.ndarray
    degraded: np.ndarray
    before: np.ndarray
    after: np.ndarray
    read: Mapping[str, tuple[np.ndarray, np.ndarray]]
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
    table = table[table["beta"] == table["beta"].min()].sort_values("gamma")
    ends = table.iloc[[0, -1]]
    try:
        kept = results.samples(run.experiment)
    except DataError:
        return None
    keys = [str(key) for key in ends["config_hash"]]
    if not set(keys) <= set(kept) or keys[0] == keys[1]:
        return None
    before, after = (data.to_tensor(kept[key]) for key in keys)
    read = {}
    for name in dict.fromkeys((run.settings.classifier, *names)):
        model = classifiers.get(name, run.settings.dataset)
        with torch.no_grad():
            read[name] = (model(before).argmax(1).numpy(), model(after).argmax(1).numpy())
    return Readings(
        experiment=run.experiment,
        gammas=(float(ends["gamma"].iloc[0]), float(ends["gamma"].iloc[1])),
        beta=float(ends["beta"].iloc[0]),
        seed=int(ends["seed"].iloc[0]),
        labels=kept["labels"][: len(before)],
        clean=data.to_tensor(kept["clean"]).numpy()[: len(before)],
        degraded=data.to_tensor(kept["degraded"]).numpy()[: len(before)],
        before=before.numpy(),
        after=after.numpy(),
        read=read,
        dataset=run.settings.dataset,
    )


def of_kind(kind: str, own: np.ndarray, other: np.ndarray) -> np.ndarray:
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
            for index in np.nonzero(of_kind(kind, right[own], right[other]))[0]:
                listed.setdefault(int(index), Example(found, int(index), kind, other))
    order = list(KINDS)
    return sorted(listed.values(), key=lambda e: (order.index(e.kind), e.index))


def chosen(found: Iterable[Readings | None], most: int) -> list[Example]:
    """At most ``most`` examples, in turn from each experiment, the most telling kinds first."""
    order = list(KINDS)
    lists = [examples(one) for one in found if one is not None]
    ranked = [
        (order.index(e.kind), place, which, e)
        for which, one in enumerate(lists)
        for place, e in enumerate(one)
    ]
    picked = [e for *_, e in sorted(ranked, key=lambda r: r[:3])[:most]]
    return sorted(picked, key=lambda e: e.readings.experiment)


def markdown(found: Mapping[str, Readings | None]) -> str:
    """How many images of each kind there are, as a Markdown list; also where there are none."""
    if not found:
        return "No images: nothing is published yet."
    lines = []
    for experiment, one in found.items():
        title = experiment.replace("exp", "**Exp\u2011") + "**"
        if one is None:
            lines.append(f"* {title}: the images of the two restorers are not published.")
            continue
        kinds = [e.kind for e in examples(one)]
        names = ", ".join(claims.NAMES.get(name, name) for name in list(one.read)[1:])
        said = ", ".join(f"{kinds.count(kind)} {kind}" for kind in KINDS if kind in kinds)
        lines.append(
            f"* {title}: of {len(one.labels)} images (β = {one.beta:g}, seed {one.seed}, "
            f"γ = {one.gammas[0]:g} and {one.gammas[1]:g}; others: {names}) "
            + (f"{said}." if said else "none is an example of any kind.")
        )
    return "\n".join(lines)
