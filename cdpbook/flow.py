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
from cdplib.experiments.material import degraded_split, stream
from cdplib.storage import files, paths, store

EXPERIMENT = near.EXPERIMENT
SEEDS = (0, 1, 2)
#: Euler steps, in the order of their worth; each is a restorer of its own, all of one network.
STEPS = (1, 16, 4, 8, 2)
#: (steps, draw) that a seed is measured at besides: other noise at the start, for what a row owes
#: to that lot.
AGAIN = {0: [(16, 1), (16, 2)]}
#: Standard deviation of that noise; the authors' for denoising.
NOISE = 0.025
#: The velocity's width and its training: restored images that lines start from, images a batch,
#: batches, peak of the learning rate.
WIDTH, IMAGES, BATCH, BATCHES, RATE = 24, 25_000, 32, 6000, 3e-3
#: Test images that are kept at the end of each number of steps.
SHOWN = 10
COMMAND = "python -m cdpbook.flow"


def key() -> str:
    """What every row depends on but its seed, steps and draw: the start, settings and code."""
    roots = ("flow.new", "flow.Starts", "flow.train", "flow.restore")
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


def restored(seed: int, on: torch.device) -> tuple[Tensor, Tensor]:
    """What the flow of ``seed`` starts from: the first :data:`IMAGES` training images, restored
    from fresh noise, in half precision, and the test images of the published draw.

    By the network near the bound of that seed; no training image sees itself in its posterior
    mean. Kept, as attention takes minutes.
    """
    name = f"{near.key()}-{generation.digest('attending.observe')[:8]}-{IMAGES}-{seed}"
    found = store.load_weights("flow-starts", name)
    if found is None:
        p, model = near.point(seed=seed), near.pretrained(seed, on)
        images, _labels = data.load(p.settings.dataset).train.tensors(device=on)
        own, sigma = torch.arange(IMAGES, device=on), p.settings.noise_sigma
        generator = torch.Generator().manual_seed(2000 + seed)  # 1000 and on trained the network
        noisy = images[:IMAGES] + sigma * torch.randn(
            images[:IMAGES].shape, generator=generator
        ).to(on)
        seen = attending.observe(noisy, images, sigma, own), attending.observed_test(p, on)
        train, test = (networks.restore(model, part) for part in seen)
        found = {"train": train.half(), "test": test}, {}
        store.save_weights("flow-starts", name, *found)
    return found[0]["train"].to(on), found[0]["test"].to(on)


def _bytes(images: Tensor) -> Tensor:
    return images.mul(255).round().to(torch.uint8)


def trained(seed: int, train: Tensor) -> flow.Velocity:
    """The velocity of ``seed``, from ``train``, restored training images, to their originals."""
    name, p = f"{key()}-{seed}", near.point(seed=seed)
    velocity = flow.new(WIDTH, stream(p, "flow"))
    found = store.load_weights("flow", name)
    if found is None:
        began = time.process_time()
        device.to_device(velocity, train.device)
        clean, _labels = data.load(p.settings.dataset).train.tensors(slice(0, IMAGES))
        pairs = flow.Starts(train, clean.half().to(train.device), NOISE, BATCH)
        flow.train(velocity, pairs, BATCHES, RATE, stream(p, "flow training"))
        spent = time.process_time() - began
        print(f"seed {seed}: trained in {spent:.0f} CPU s", flush=True)
        found = store.rounded(velocity.state_dict()), {"cpu_s": f"{spent:.0f}"}
        store.save_weights("flow", name, *found)
    store.fill(velocity, found[0], "the flow")
    device.to_device(velocity, train.device)
    return velocity


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
        train, test = restored(seed, on)
        velocity = trained(seed, train)
        for steps, draw in missing:
            began = time.process_time()
            images = flow.restore(velocity, test, NOISE, steps, draw)
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
                    noisy = degraded_split(p, "test")
                    _show({"clean": clean, "noisy": noisy, "restored": test, str(steps): images})
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
