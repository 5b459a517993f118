"""The one network for the whole surface of Exp-2: trained once, measured, and published.

``python -m cdpbook.conditional`` trains it if the store has it not (a curve is written as it
goes), measures it at the weights of the published grid and at a finer one, and writes
``book/results/conditional.csv``, its curve and its weights, half precision, into ``book/results``.
"""

from __future__ import annotations

import itertools
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cdpbook import kept
from cdplib.errors import DataError
from cdplib.experiments import (
    classifiers,
    conditional,
    datasets,
    device,
    generation,
    measures,
    restoration,
)
from cdplib.experiments.material import Material
from cdplib.experiments.settings import Point, resolve
from cdplib.storage import files, paths, store
from cdplib.sweeps import jobs

EXPERIMENT = "exp2"
#: What differs from the preset ``full``: the largest network that a page restores with at once.
SETTINGS = {"restorer": "fast-large", "width": 48, "steps": 15_000, "seeds": [0]}
#: Weights at which validation is watched while it trains: the corners, and the middle.
WATCHED = ((0.0, 0.0), (0.0, 0.03), (0.01, 0.003), (0.03, 0.0), (0.1, 0.03))
EVERY = 1000
#: Weights a side of the fine grid, and the test images that measure it.
SIDE, IMAGES = 20, 2000
COLUMNS = ("mse", "error_rate", "ce", "p_critic")
PAIR = ("restorer", "critic")
KIND = "conditional-restorer"
COMMAND = "python -m cdpbook.conditional"


def point() -> Point:
    """The training: Exp-2's row with :data:`SETTINGS`; its beta and gamma are not used."""
    return Point(EXPERIMENT, "full", resolve(EXPERIMENT, "full", SETTINGS), 1.0, 0.0, 0.0, 0)


def key() -> str:
    """What the network depends on: settings, data, classifier, ranges and code."""
    p = point()
    code = ("conditional.Trainer", "conditional.new", *generation.ROOTS["critic"])
    return store.digest({
        "settings": p.settings._asdict(), "data": datasets.get(p.settings.dataset).digest,
        "classifier": classifiers.key(p.settings.classifier, p.settings.dataset),
        "ranges": [*conditional.RANGES.values(), conditional.NOTHING],
        "code": generation.digest(*code),
    })[:16]  # fmt: skip


def curve_file() -> Path:
    """Where the validation curve is written while it trains."""
    return paths.PUBLISHED / "conditional_curve.csv"


def train(on: torch.device) -> conditional.Networks:
    """The trained pair, both in evaluation; a line a :data:`EVERY` steps says how far it is."""
    p = point()
    kept_ones = [store.load_weights(f"conditional-{name}", key()) for name in PAIR]
    if all(kept_ones):
        pair = _untrained()
        for name, found in zip(PAIR, kept_ones, strict=True):
            assert found is not None
            store.fill(getattr(pair, name).eval(), found[0], "the one network")
        return pair
    start = jobs.Job("start", p)
    jobs.run(start, jobs.Site(str(on)))
    states = [store.load_weights(*named) for named in jobs.needed(start)]
    pair = conditional.new(p, *(found[0] for found in states if found is not None))
    net = classifiers.get(p.settings.classifier, p.settings.dataset, where=str(on))
    material = Material.load(p, on)
    trainer = conditional.Trainer(p, material, on, pair, net)
    curve, began = list[dict[str, Any]](), time.process_time()

    def look(step: int) -> None:
        spent = round(time.process_time() - began, 1)
        for beta, gamma in WATCHED:
            at = torch.tensor([[beta, gamma]])
            now: Any = (pair.restorer.given(at), material, "running", net, pair.critic.given(at))
            found = {name: round(v, 6) for name, v in restoration.watch(*now).items()}
            where = {"key": key(), "step": step, "beta": beta, "gamma": gamma}
            curve.append({**where, **found, "cpu_s": spent})
        files.write_table(curve_file(), pd.DataFrame(curve))
        print(f"step {step}, {spent:.0f} CPU s: {curve[-3]}", flush=True)

    look(0)
    for step in range(1, p.settings.steps + 1):
        trainer.step()
        if step % EVERY == 0:
            look(step)
    for name in PAIR:
        network = getattr(pair, name)
        state = store.rounded(network.state_dict())
        store.fill(network.eval(), state, "the one network")
        store.save_weights(f"conditional-{name}", key(), state, {})
    return pair


def _untrained() -> conditional.Networks:
    """The pair as it is before it is given any weights."""
    p = point()
    parts = restoration.new_restorer(p), restoration.new_critic(p)
    return conditional.new(p, *(part.state_dict() for part in parts))


def published() -> pd.DataFrame:
    """The rows of ``conditional.csv`` for the present :func:`key`: ``part`` is grid or surface.

    ``grid`` has all measures on the whole test set at the weights of the published rows;
    ``surface`` has mse, error_rate, ce and p_critic on the first :data:`IMAGES` test images.
    Raises :class:`DataError` where nothing is published for this code.
    """
    return kept.published("conditional", key(), COMMAND)


def curve() -> pd.DataFrame:
    """The validation curve of the training, a row a watched pair of weights."""
    return pd.read_csv(curve_file())


def weights_of(part: str) -> list[tuple[float, float]]:
    """The (beta, gamma) of ``grid``, the preset's, or of ``surface``, 0 and log steps."""
    s = point().settings
    if part == "grid":
        return list(itertools.product(s.betas, s.gammas))
    axes = [
        np.concatenate([[0.0], np.geomspace(least, most, SIDE - 1)])
        for least, most in ((0.002, 0.1), (0.002, 0.03))
    ]
    return [(round(float(b), 6), round(float(g), 6)) for b, g in itertools.product(*axes)]


def measure(pair: conditional.Networks, on: torch.device) -> None:
    """Measure and publish what is missing of both parts."""
    rows = kept.rows("conditional", key())
    done = {(r.part, r.beta, r.gamma) for r in rows.itertuples()}
    for part in ("grid", "surface"):
        for beta, gamma in weights_of(part):
            if (part, beta, gamma) in done:
                continue
            weights = torch.tensor([[beta, gamma]])
            # both take the place of a point's own networks
            restorer, critic = pair.restorer.given(weights), pair.critic.given(weights)
            found = (_wholly if part == "grid" else _quickly)(restorer, critic, on)
            kept.add("conditional", key(), {"part": part, "beta": beta, "gamma": gamma, **found})
            print(part, beta, gamma, {k: round(found[k], 4) for k in COLUMNS}, flush=True)


def _wholly(restorer: Any, critic: Any, on: torch.device) -> dict[str, float]:
    """Every measure on the whole test set, as of a point."""
    return jobs.evaluate(point(), restorer, on, critic=critic)[0]


def _quickly(restorer: Any, critic: Any, on: torch.device) -> dict[str, float]:
    """:data:`COLUMNS` on the first :data:`IMAGES` test images."""
    p = point()
    few = replace(p, settings=p.settings._replace(test_images=IMAGES))
    images, clean, labels = jobs.restored(few, restorer, on)
    net = classifiers.get(p.settings.classifier, p.settings.dataset, where=str(on))
    logits = measures.outputs(net, images)
    return {
        "mse": measures.mean(measures.squared_error(images, clean)),
        "error_rate": measures.mean(measures.wrong(logits, labels)),
        "ce": measures.mean(measures.cross_entropy(logits, labels)),
        "p_critic": restoration.p_critic(critic, clean, images),
    }


def restorer() -> conditional.Conditional:
    """The shipped network, in evaluation; raises :class:`DataError` where it is not shipped."""
    found = store.load_weights(KIND, key())
    if found is None:
        raise DataError(f"the one network is not shipped for this code; run: {COMMAND}")
    network = _untrained().restorer
    store.fill(network.eval(), found[0], "the one network")
    return network


def main() -> int:
    with device.one_thread():
        on = device.choose("auto")
        pair = train(on)
        store.ship({store.shipped_name(KIND, key()): store.weights_path(KIND, key())})
        measure(pair, on)
    return 0


if __name__ == "__main__":
    sys.exit(main())
