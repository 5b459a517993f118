"""The flow from the posterior mean: trained once, followed in few and in many steps, published.

``python -m cdpbook.flow`` trains :class:`cdplib.experiments.flow.Velocity` from what the network
near the bound restores at beta = gamma = 0 (:mod:`cdpbook.near`, the same seed), and writes
``book/results/flow.csv``, a row a number of steps as soon as it is measured; rows that are there
are not measured again.  ``python -m cdpbook.flow 1 2``: seeds 1 and 2 alone.
"""

from __future__ import annotations

import sys
import time

import pandas as pd
import torch
from torch import Tensor

from cdpbook import kept, near
from cdplib.experiments import (
    attending,
    classifiers,
    data,
    device,
    flow,
    generation,
    measures,
    networks,
)
from cdplib.experiments.material import stream
from cdplib.storage import store

EXPERIMENT = near.EXPERIMENT
SEEDS = (0, 1, 2)
#: Euler steps; each is a restorer of its own, all of one network.
STEPS = (1, 2, 3, 4, 8, 16)
#: Draws of the noise that the start is given, by seed: how much a row owes to that lot.
AGAIN = {0: (1, 2)}
AGAIN_STEPS = (4,)
#: Standard deviation of that noise.
NOISE = 0.1
#: The velocity's width and its training: images a batch, batches, peak of the learning rate.
WIDTH, BATCH, BATCHES, RATE = 24, 64, 4000, 2e-3
COMMAND = "python -m cdpbook.flow"


def key() -> str:
    """What every row depends on but its seed, steps and draw: the start, settings and code."""
    roots = ("flow.Velocity", "flow.Starts", "flow.train", "flow.restore")
    return store.digest({
        "start": near.key(), "settings": [NOISE, WIDTH, BATCH, BATCHES, RATE],
        "code": generation.digest(*roots, "attending.observe", "measures.evaluate"),
    })[:16]  # fmt: skip


def published() -> pd.DataFrame:
    """The rows of ``flow.csv`` for the present :func:`key`; :class:`DataError` for none."""
    return kept.published("flow", key(), COMMAND)


def wanted(seed: int) -> list[tuple[int, int]]:
    """The (steps, draw) that a seed is measured at."""
    again = [(steps, draw) for steps in AGAIN_STEPS for draw in AGAIN.get(seed, ())]
    return [(steps, 0) for steps in STEPS] + again


def starts(model: networks.Restorer, seed: int, on: torch.device) -> flow.Starts:
    """The training images under fresh noise, restored; none sees itself in its posterior mean."""
    images, _labels = data.load(near.point().settings.dataset).train.tensors(device=on)
    own, sigma = torch.arange(len(images), device=on), near.point().settings.noise_sigma
    noise = torch.randn(images.shape, generator=stream(near.point(seed=seed), "flow starts"))
    seen = attending.observe(images + sigma * noise.to(on), images, sigma, own)
    restored = networks.restore(model, seen)
    return flow.Starts(_bytes(restored), _bytes(images), NOISE, BATCH)


def _bytes(images: Tensor) -> Tensor:
    return images.mul(255).round().to(torch.uint8)


def trained(seed: int, on: torch.device) -> tuple[networks.Restorer, flow.Velocity]:
    """The network that the flow starts from and the velocity, both of ``seed``."""
    model, velocity = near.pretrained(seed, on), flow.Velocity(WIDTH)
    name = f"{key()}-{seed}"
    found = store.load_weights("flow", name)
    if found is None:
        began = time.process_time()
        networks.initialise(velocity, stream(near.point(seed=seed), "flow"))
        device.to_device(velocity, on)
        pairs = starts(model, seed, on)
        print(f"seed {seed}: starts in {time.process_time() - began:.0f} CPU s", flush=True)
        generator = stream(near.point(seed=seed), "flow training")
        flow.train(velocity, pairs, BATCHES, RATE, generator)
        spent = time.process_time() - began
        print(f"seed {seed}: trained in {spent:.0f} CPU s", flush=True)
        found = store.rounded(velocity.state_dict()), {"cpu_s": f"{spent:.0f}"}
        store.save_weights("flow", name, *found)
    store.fill(velocity, found[0], "the flow")
    return model, device.to_device(velocity, on)  # type: ignore[return-value]


def write(seeds: tuple[int, ...] = SEEDS) -> None:
    """Train, measure and publish what is missing, seed by seed."""
    on, p = device.choose("auto"), near.point()
    clean, labels = data.load(p.settings.dataset).test.tensors(device=on)
    nets = {
        name: classifiers.get(name, p.settings.dataset, where=str(on))
        for name in classifiers.names(p.settings.dataset)
    }
    own = nets.pop(p.settings.classifier)
    features = nets[classifiers.extractor(p.settings.dataset)].features
    for seed in seeds:
        rows = kept.rows("flow", key())
        done = {(r.steps, r.draw) for r in rows.itertuples() if r.seed == seed}
        missing = [one for one in wanted(seed) if one not in done]
        if not missing:
            continue
        model, velocity = trained(seed, on)
        restored = networks.restore(model, attending.observed_test(p, on))
        for steps, draw in missing:
            began = time.process_time()
            images = flow.restore(velocity, restored, NOISE, steps, draw)
            spent = round(time.process_time() - began, 1)
            found = measures.evaluate(images, clean, labels, own, nets, features)
            kept.add("flow", key(), {"seed": seed, "steps": steps, "draw": draw, **found,
                                     "restoring_cpu_s": spent})  # fmt: skip
            print(f"seed {seed}, {steps} steps, draw {draw}: mse {found['mse']:.5f} "
                  f"p_judge {found['p_judge']:.3f} error {found['error_rate']:.4f}",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    with device.one_thread():
        write(tuple(map(int, sys.argv[1:])) or SEEDS)
