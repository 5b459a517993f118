"""The one network for the whole surface of Exp-2: trained once, measured, and published.

``python -m cdpbook.conditional`` trains it if the store has it not (a curve is written as it
goes), measures it at the weights of the published grid and at a finer one, and writes
``book/results/conditional.csv``, its curve and its weights, half precision, into ``book/results``.
"""

from __future__ import annotations

import io
import itertools
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch

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


def curve_file() -> Any:
    """Where the validation curve is written while it trains."""
    return paths.PUBLISHED / "conditional_curve.csv"


def train(on: torch.device) -> conditional.Networks:
    """The trained pair, both in evaluation; a line a :data:`EVERY` steps says how far it is."""
    p = point()
    start, critic = jobs._start(p, on, jobs.Site(str(on)))
    pair = conditional.new(p, start.state_dict(), critic.state_dict())
    kept = [store.load_weights(f"conditional-{name}", key()) for name in ("restorer", "critic")]
    if all(kept):
        for network, found in zip((pair.restorer, pair.critic), kept, strict=True):
            assert found is not None
            store.fill(network, found[0], "conditional network")
        return pair
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
        _write(curve_file(), pd.DataFrame(curve))
        print(f"step {step}, {spent:.0f} CPU s: {curve[-3]}", flush=True)

    look(0)
    for step in range(1, p.settings.steps + 1):
        trainer.step()
        if step % EVERY == 0:
            look(step)
    for name, network in (("restorer", pair.restorer), ("critic", pair.critic)):
        state = store.rounded(network.state_dict())
        network.load_state_dict(state)
        network.eval()
        store.save_weights(f"conditional-{name}", key(), state, {})
    return pair


def published() -> pd.DataFrame:
    """The rows of ``conditional.csv`` for the present :func:`key`: ``part`` is grid or surface.

    ``grid`` has all measures on the whole test set at the weights of the published rows;
    ``surface`` has mse, error_rate, ce and p_critic on the first :data:`IMAGES` test images.
    Raises :class:`DataError` where nothing is published for this code.
    """
    file = paths.PUBLISHED / "conditional.csv"
    table = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=["key"])
    table = table[table["key"] == key()]
    if table.empty:
        raise DataError(f"{file.name}: nothing is published for this code; run: {COMMAND}")
    return table.reset_index(drop=True)


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


def measure(pair: conditional.Networks, on: torch.device) -> pd.DataFrame:
    """Every row of both parts; rows that are in the file already are taken from it."""
    p, rows = point(), list[dict[str, Any]]()
    file = paths.PUBLISHED / "conditional.csv"
    known = pd.read_csv(file) if file.is_file() else pd.DataFrame(columns=["key"])
    known = known[known["key"] == key()]
    for part in ("grid", "surface"):
        for beta, gamma in weights_of(part):
            at = {"key": key(), "part": part, "beta": beta, "gamma": gamma}
            there = known
            for name in ("part", "beta", "gamma"):
                there = there[there[name] == at[name]] if len(there) else there
            if len(there):
                rows.append(there.iloc[0].to_dict())
                continue
            few = (
                p
                if part == "grid"
                else replace(p, settings=p.settings._replace(test_images=IMAGES))
            )
            weights = torch.tensor([[beta, gamma]])
            restorer: Any = pair.restorer.given(weights)
            critic: Any = pair.critic.given(weights)
            found = (
                jobs.evaluate(few, restorer, on, critic=critic)[0]
                if part == "grid"
                else _quickly(few, restorer, critic, on)
            )
            rows.append({**at, **found})
            _write(file, pd.DataFrame(rows))
            print(part, beta, gamma, {k: round(rows[-1][k], 4) for k in COLUMNS}, flush=True)
    return pd.DataFrame(rows)


def _quickly(p: Point, restorer: Any, critic: Any, on: torch.device) -> dict[str, float]:
    images, clean, labels = jobs.restored(p, restorer, on)
    net = classifiers.get(p.settings.classifier, p.settings.dataset, where=str(on))
    logits = measures.outputs(net, images)
    gap = restoration.scores(critic, clean) - restoration.scores(critic, images)
    return {
        "mse": measures.mean(measures.squared_error(images, clean)),
        "error_rate": measures.mean(measures.wrong(logits, labels)),
        "ce": measures.mean(measures.cross_entropy(logits, labels)),
        "p_critic": float(gap.double().mean()),
    }


def restorer() -> conditional.Conditional:
    """The shipped network, in evaluation; raises :class:`DataError` where it is not shipped."""
    kept = store.load_weights(KIND, key())
    if kept is None:
        raise DataError(f"the one network is not shipped for this code; run: {COMMAND}")
    p = point()
    pair = conditional.new(
        p, restoration.new_restorer(p).state_dict(), restoration.new_critic(p).state_dict()
    )
    store.fill(pair.restorer, kept[0], "the one network")
    pair.restorer.eval()
    return pair.restorer


def _write(file: Any, table: pd.DataFrame) -> None:
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    files.write_text(file, text.getvalue())


def main() -> int:
    with device.one_thread():
        on = device.choose("auto")
        pair = train(on)
        store.ship({store.shipped_name(KIND, key()): store.weights_path(KIND, key())})
        measure(pair, on)
    return 0


if __name__ == "__main__":
    sys.exit(main())
