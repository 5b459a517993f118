"""The flow from the posterior mean: trained once, followed in few and in many steps, published.

``python -m cdpbook.flow`` trains :class:`cdplib.experiments.flow.Velocity` from what the network
near the bound restores at beta = gamma = 0 (:mod:`cdpbook.near`, the same seed), and writes
``book/results/flow.csv``, a row a number of steps as soon as it is measured; rows that are there
are not measured again.  ``python -m cdpbook.flow 1 2``: seeds 1 and 2 alone.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cdpbook import evidence, kept, near
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
from cdplib.storage import files, paths, store

EXPERIMENT = near.EXPERIMENT
SEEDS = (0, 1, 2)
#: Euler steps; each is a restorer of its own, all of one network.
STEPS = (1, 2, 4, 8, 16)
#: (steps, draw) that a seed is measured at besides: other noise at the start, for what a row owes
#: to that lot.
AGAIN = {0: [(4, 1), (4, 2)]}
#: Standard deviation of that noise.
NOISE = 0.05
#: The velocity's width and its training: restored images that lines start from, images a batch,
#: batches, peak of the learning rate.
WIDTH, IMAGES, BATCH, BATCHES, RATE = 24, 25_000, 64, 3000, 2e-3
#: Test images that are kept at the end of each number of steps.
SHOWN = 10
COMMAND = "python -m cdpbook.flow"


def key() -> str:
    """What every row depends on but its seed, steps and draw: the start, settings and code."""
    roots = ("flow.Velocity", "flow.Starts", "flow.train", "flow.restore")
    return store.digest({
        "start": near.key(), "settings": [NOISE, WIDTH, IMAGES, BATCH, BATCHES, RATE],
        "code": generation.digest(*roots, "attending.observe", "measures.evaluate"),
    })[:16]  # fmt: skip


def published() -> pd.DataFrame:
    """The rows of ``flow.csv`` for the present :func:`key`; :class:`DataError` for none."""
    return kept.published("flow", key(), COMMAND)


def at(seed: int) -> dict[str, float]:
    """The row of near.csv that the flow of a seed starts from; its bits are named like that."""
    return {"beta": 0.0, "gamma": 0.0, "seed": seed}


def named(classifier: str, steps: int, draw: int = 0) -> str:
    """A classifier of the images after so many steps, as evidence image by image names it."""
    return f"{classifier} steps={steps}" + (f" draw={draw}" if draw else "")


def samples() -> dict[str, np.ndarray]:
    """The first :data:`SHOWN` test images, ``clean``, ``noisy``, ``restored`` and by steps of seed
    0 (``"4"``), uint8 (n, 1, h, w)."""
    with np.load(_samples(), allow_pickle=False) as content:
        return {name: content[name] for name in content.files}


def _samples() -> Path:
    return paths.PUBLISHED / "flow_samples.npz"


def wanted(seed: int) -> list[tuple[int, int]]:
    """The (steps, draw) that a seed is measured at."""
    return [(steps, 0) for steps in STEPS] + AGAIN.get(seed, [])


def starts(model: networks.Restorer, seed: int, on: torch.device) -> flow.Starts:
    """The training images under fresh noise, restored; none sees itself in its posterior mean."""
    p = near.point(seed=seed)
    images, _labels = data.load(p.settings.dataset).train.tensors(device=on)
    own, sigma = torch.arange(IMAGES, device=on), p.settings.noise_sigma
    noise = torch.randn(images[:IMAGES].shape, generator=stream(p, "flow starts")).to(on)
    seen = attending.observe(images[:IMAGES] + sigma * noise, images, sigma, own)
    restored = networks.restore(model, seen)
    return flow.Starts(_bytes(restored), _bytes(images[:IMAGES]), NOISE, BATCH)


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
    names = classifiers.names(p.settings.dataset)
    nets = {name: classifiers.get(name, p.settings.dataset, where=str(on)) for name in names}
    features = nets[classifiers.extractor(p.settings.dataset)].features
    for seed in seeds:
        rows = kept.rows("flow", key())
        done = {(r.steps, r.draw) for r in rows.itertuples() if r.seed == seed}
        missing = [one for one in wanted(seed) if one not in done]
        if not missing:
            continue
        model, velocity = trained(seed, on)
        seen = attending.observed_test(p, on)
        restored = networks.restore(model, seen)
        for steps, draw in missing:
            began = time.process_time()
            images = flow.restore(velocity, restored, NOISE, steps, draw)
            spent = round(time.process_time() - began, 1)
            found = measures.evaluate(
                images, clean, labels, nets[p.settings.classifier], None, features
            )
            readers = {named(name, steps, draw): net for name, net in nets.items()}
            bits = evidence.of(at(seed), readers, images, labels)
            for name, own in zip(nets, bits.values(), strict=True):
                if name != p.settings.classifier:
                    found[f"error_rate_{name}"] = float(np.unpackbits(own).mean())
            row = {"seed": seed, "steps": steps, "draw": draw, **found, "restoring_cpu_s": spent}
            with store.lock(paths.cache() / "flow.lock"):  # another process may have other seeds
                kept.add("flow", key(), row)
                evidence.add("flow", bits)
                if seed == draw == 0:
                    seen = seen[:SHOWN]
                    shown = {"clean": clean, "noisy": seen[:, :1], "restored": restored}
                    _show({**shown, str(steps): images})
            print(f"seed {seed}, {steps} steps, draw {draw}: mse {found['mse']:.5f} "
                  f"p_judge {found['p_judge']:.3f} error {found['error_rate']:.4f}",
                  flush=True)  # fmt: skip


def _show(images: dict[str, Tensor]) -> None:
    """Keep the first :data:`SHOWN` of ``images`` in :func:`samples`."""
    known = samples() if _samples().is_file() else {}
    new = {name: _bytes(part[:SHOWN].clamp(0, 1)).cpu().numpy() for name, part in images.items()}
    content = io.BytesIO()
    np.savez_compressed(content, **dict(sorted({**known, **new}.items())))  # type: ignore[arg-type]
    files.write_bytes(_samples(), content.getvalue())


if __name__ == "__main__":
    with device.one_thread():
        write(tuple(map(int, sys.argv[1:])) or SEEDS)
