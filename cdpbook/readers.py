"""Readers of other kinds, and how seldom they err on what trained restorers give.

No restorer was trained against any of them and none shares a layer with CNN-1: a residual network,
one that was trained on noisy digits, a support vector machine, nearest neighbours. ``python -m
cdpbook.readers`` trains them and writes ``book/results/readers.csv``: a row for clean and one for
noisy digits, then one for each restorer of Exp-2's preset ``converged`` that is kept here, as soon
as it is read.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdpbook import kept
from cdplib.experiments import (
    classifiers,
    data,
    datasets,
    device,
    fitting,
    generation,
    measures,
    networks,
    reading,
    restoration,
    results,
)
from cdplib.experiments.material import degraded_split
from cdplib.storage import store
from cdplib.sweeps import compare

EXPERIMENT, PRESET, DATASET = "exp2", "converged", "mnist"
TITLES = {
    "resnet": "small ResNet",
    "noisy": "strided CNN, trained on noisy digits",
    "svm": "support vector machine",
    "knn": "3 nearest neighbours",
}
#: Seeds whose restorers are read.
SEEDS = 3
COMMAND = "python -m cdpbook.readers"
#: Standard deviation of the noise that ``noisy`` is trained with.
NOISE = 0.3
#: Random features of the SVM's kernel, and its length in Euclidean distance between digits.
FEATURES, LENGTH = 2000, 5.0
_NEIGHBOURS = 3

Reader = Callable[[Tensor], Tensor]


def key() -> str:
    """What every row depends on: the digits, and this module."""
    code = generation.plain(ast.parse(Path(__file__).read_text(encoding="utf-8")))
    return store.digest({"data": datasets.get(DATASET).digest, "code": code})[:16]


class Machine(nn.Module):
    """Digits (n, 1, 28, 28) to ten scores: linear in random features of a Gaussian kernel (Rahimi
    and Recht 2007), which are drawn and not trained."""

    directions: Tensor
    phases: Tensor

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        directions = torch.randn(784, FEATURES, generator=generator) / LENGTH
        phases = 2 * math.pi * torch.rand(FEATURES, generator=generator)
        self.register_buffer("directions", directions)
        self.register_buffer("phases", phases)
        self.scores = nn.Linear(FEATURES, 10)

    def forward(self, images: Tensor) -> Tensor:
        waves = torch.cos(images.flatten(1) @ self.directions + self.phases)
        return torch.as_tensor(self.scores(waves * math.sqrt(2 / FEATURES)))


def machine(whole: data.Dataset, epochs: int = 6) -> Machine:
    """:class:`Machine` with its multi-class hinge loss descended (Crammer and Singer 2001)."""
    generator = torch.Generator().manual_seed(0)
    model = Machine(generator)
    torch.nn.init.zeros_(model.scores.weight)
    images, labels = whole.train.tensors()
    steps = epochs * (len(images) // 100)
    optimizer = torch.optim.Adam(model.scores.parameters(), lr=0.1)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(100):
            loss = F.multi_margin_loss(model(images[chosen]), labels[chosen])
            restoration.descend(optimizer, loss)
            cycle.step()
    return model.eval()


def neighbours(whole: data.Dataset) -> Reader:
    """Digits to votes for ten classes: those of the nearest training digits, the nearest's first
    where votes are equal."""
    known, labels = whole.train.tensors()
    known = known.flatten(1)
    norms = known.square().sum(1)

    def votes(images: Tensor) -> Tensor:
        found = []
        for part in images.flatten(1).split(500):
            near = (norms - 2 * part @ known.T).topk(_NEIGHBOURS, largest=False).indices
            weights = torch.tensor([1.0 + 0.1 * (k == 0) for k in range(_NEIGHBOURS)])
            each = F.one_hot(labels[near], 10).float() * weights[:, None]
            found.append(each.sum(1))
        return torch.cat(found)

    return votes


def readers() -> dict[str, Reader]:
    """All four, trained where they are not cached."""
    whole = data.load(DATASET)
    images = datasets.get(DATASET)

    def residual() -> classifiers.Classifier:
        built = classifiers.resnet(images.channels, 32, False)  # its shortcuts halve 32 pixels
        return classifiers.Classifier(nn.Sequential(nn.ZeroPad2d(2), built.body), built.head)

    def noisy() -> classifiers.Classifier:
        built = classifiers.convbn(images.channels, images.size, False)
        return classifiers.Classifier(nn.Sequential(reading.Noise(NOISE), built.body), built.head)

    found: dict[str, Reader] = {"knn": neighbours(whole)}
    recipe = fitting.Recipe(4, 0.01, shift=1)
    for name, make in (("resnet", residual), ("noisy", noisy)):
        model = make()
        _filled(name, model, lambda: fitting.train(lambda _: make(), recipe, whole)[0])  # noqa: B023
        found[name] = model.eval()
    svm = Machine(torch.Generator().manual_seed(0))
    _filled("svm", svm, lambda: machine(whole))
    return {**found, "svm": svm.eval()}


def _filled(name: str, model: nn.Module, train: Callable[[], nn.Module]) -> None:
    """Give ``model`` the cached weights of reader ``name``, trained first where there are none."""
    cached = store.load_weights("reader", f"{key()}-{name}")
    if cached is None:
        print(f"training {name}", flush=True)
        cached = train().state_dict(), {}
        store.save_weights("reader", f"{key()}-{name}", *cached)
    store.fill(model, cached[0], f"reader {name}")


@torch.no_grad()
def read(nets: dict[str, Reader], images: Tensor, labels: Tensor) -> dict[str, float]:
    """The error rate of each, as a column of the results."""
    return {
        f"error_rate_{name}": measures.mean(measures.wrong(measures.outputs(net, images), labels))
        for name, net in nets.items()
    }


def published() -> pd.DataFrame:
    """The rows of ``readers.csv`` for the present :func:`key`; :class:`DataError` for none."""
    return kept.published("readers", key(), COMMAND)


def write() -> None:
    """Train what is missing, read and publish, one thread."""
    table = results.load(EXPERIMENT, preset=PRESET)
    ends = table["gamma"].isin([table["gamma"].min(), table["gamma"].max()])
    rows = table[ends & (table["seed"] < SEEDS)].sort_values("seed").to_dict("records")
    whole, done = data.load(DATASET), set(kept.rows("readers", key()).get("config_hash", []))
    clean, labels = whole.test.tensors()
    point = compare.point_of(rows[0])
    noisy = degraded_split(point, "test")
    nets = readers()
    for name, images in (("clean", clean), ("noisy", noisy)):
        if name not in done:
            nothing = {"config_hash": name, "beta": np.nan, "gamma": np.nan, "seed": -1}
            kept.add("readers", key(), {**nothing, **read(nets, images, labels)})
    for row in rows:
        file = store.Store().weights_file(str(row["config_hash"]))
        if row["config_hash"] in done or not file.is_file():
            continue
        model = restoration.new_restorer(replace(point, seed=int(row["seed"])))
        model.load_state_dict(safetensors.torch.load_file(file))
        device.to_device(model, torch.device("cpu"))
        restored = networks.restore(model, noisy)
        named = {name: row[name] for name in ("config_hash", "beta", "gamma", "seed")}
        kept.add("readers", key(), {**named, **read(nets, restored, labels)})
        print(named, flush=True)


if __name__ == "__main__":
    with device.one_thread():
        write()
