"""The one network for the whole surface of Exp-2: trained once, measured, and published.

``python -m cdpbook.conditional`` trains it if the store has it not (a curve is written as it
goes), measures it at the weights of the published grid and at a finer one, and writes
``book/results/conditional.csv``, its curve and its weights, half precision, into ``book/results``.
"""

from __future__ import annotations

import io
import sys
import time
from typing import Any

import pandas as pd
import torch

from cdplib.experiments import classifiers, conditional, datasets, device, generation, restoration
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


def _write(file: Any, table: pd.DataFrame) -> None:
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    files.write_text(file, text.getvalue())


def main() -> int:
    with device.one_thread():
        train(device.choose("auto"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
