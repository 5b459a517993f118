"""The network near the bound, and its grid: trained once, measured, and published.

``python -m cdpbook.near`` trains :class:`cdplib.experiments.attending.Attending` on the MSE, then
Eq. 16 at each of :data:`WEIGHTS` from there, and writes ``book/results/near.csv``, a row a point
as soon as it is measured; rows that are there are not trained again.
"""

from __future__ import annotations

import copy
import itertools
import sys
import time
from typing import Any

import pandas as pd
import torch

from cdpbook import evidence, kept
from cdplib.experiments import (
    attending,
    classifiers,
    data,
    datasets,
    device,
    generation,
    measures,
    networks,
    restoration,
)
from cdplib.experiments.settings import Point, resolve
from cdplib.storage import store

EXPERIMENT = "exp2"
SETTINGS = {"restorer": "fast-large", "pretrain_steps": 10_000, "steps": 400}
#: (beta, gamma) in the order of their worth: nothing, gamma alone, then the rest.
WEIGHTS = [(0.0, 0.0), (0.0, 0.03), (0.01, 0.0), (0.01, 0.03), (0.03, 0.0), (0.03, 0.03)]
WEIGHTS += [w for w in itertools.product((0.0, 0.01, 0.03), (0.01,)) if w not in WEIGHTS]
SEEDS = (0, 1, 2)
COMMAND = "python -m cdpbook.near"


def point(beta: float = 0.0, gamma: float = 0.0, seed: int = 0) -> Point:
    """A point of the grid; its settings are those of the preset ``full`` and :data:`SETTINGS`."""
    return Point(EXPERIMENT, "full", resolve(EXPERIMENT, "full", SETTINGS), 1.0, beta, gamma, seed)


def key() -> str:
    """What every row depends on but its weights and seed: settings, data, classifier and code."""
    s = point().settings
    code = ("attending.Observed", "attending.observed_test", "attending.pretrain")
    return store.digest({
        "settings": s._asdict(), "data": datasets.get(s.dataset).digest,
        "classifier": classifiers.key(s.classifier, s.dataset),
        "code": generation.digest(*code, *generation.ROOTS["point"]),
    })[:16]  # fmt: skip


def published() -> pd.DataFrame:
    """The rows of ``near.csv`` for the present :func:`key`; :class:`DataError` for none."""
    return kept.published("near", key(), COMMAND)


def pretrained(
    seed: int, on: torch.device, material: attending.Observed | None = None
) -> attending.Attending:
    """The network at beta = gamma = 0, on ``on``: as it is kept, else trained on ``material``
    (None: observed first, which takes minutes)."""
    name, model = f"{key()}-{seed}", attending.Attending()
    found = store.load_weights("attending", name)
    if found is None:
        p = point(seed=seed)
        model = attending.pretrain(p, material or attending.Observed.load(p, on), on)
        found = store.rounded(model.state_dict()), {}
        store.save_weights("attending", name, *found)
    store.fill(model, found[0], "the network near the bound")
    device.to_device(model, on)
    return model


def _start(p: Point, material: attending.Observed, on: torch.device) -> tuple[Any, Any, float]:
    """The network after its pre-training with a critic warmed against it; CPU seconds."""
    began = time.process_time()
    model = pretrained(p.seed, on, material)
    return model, restoration.warm(p, material, model, on), time.process_time() - began


def train(seeds: tuple[int, ...] = SEEDS) -> None:
    """Train and publish what is missing, seed by seed."""
    on = device.choose("auto")
    material = test = None
    clean, labels = data.load(point().settings.dataset).test.tensors()
    names = classifiers.names(point().settings.dataset)
    nets = {name: classifiers.get(name, point().settings.dataset, where=str(on)) for name in names}
    own = point().settings.classifier
    features = nets[classifiers.extractor(point().settings.dataset)].features
    for seed in seeds:
        rows = kept.rows("near", key())
        done = {(r.beta, r.gamma) for r in rows.itertuples() if r.seed == seed}
        if done >= set(WEIGHTS):
            continue
        if material is None or test is None:
            began = time.process_time()
            material = attending.Observed.load(point(), on)
            print(f"observed in {time.process_time() - began:.0f} CPU s", flush=True)
            test = attending.observed_test(point(), on)
        model, critic, seconds = _start(point(seed=seed), material, on)
        print(f"seed {seed}: started in {seconds:.0f} CPU s", flush=True)
        for beta, gamma in WEIGHTS:
            if (beta, gamma) in done:
                continue
            p, began = point(beta, gamma, seed), time.process_time()
            pair = copy.deepcopy(model), copy.deepcopy(critic)
            if beta or gamma:
                trained = restoration.train(p, material, on, *pair, [nets[own]])
                pair = trained.restorer, trained.critic
            restored = networks.restore(pair[0], test)
            others = {name: net for name, net in nets.items() if name != own}
            found = measures.evaluate(restored, clean, labels, nets[own], others, features)
            at = {"beta": beta, "gamma": gamma, "seed": seed}
            evidence.add("near", evidence.of(at, nets, restored, labels))
            found["p_critic"] = restoration.p_critic(pair[1], clean, restored)
            about = {"steps": p.settings.steps, "cpu_s": round(time.process_time() - began, 1)}
            kept.add("near", key(), {**at, **found, **about})
            print(f"{p.label()}: mse {found['mse']:.4f} error {found['error_rate']:.4f} "
                  f"p_judge {found['p_judge']:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    with device.one_thread():
        train(tuple(map(int, sys.argv[1:])) or SEEDS)
