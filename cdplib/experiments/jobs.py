"""The jobs that a sweep consists of: a classifier, a warmed start, a point; and their hashes.

Each job needs only its description and its weights' cache, so it runs in any process on any
machine; what it made comes back as bytes.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from cdplib import __version__, paths
from cdplib.experiments import classifiers, data, device, measures, restoration, store
from cdplib.experiments.settings import GRID, VERSION, Point

#: Test images kept with a point, as restored, for pictures like the paper's Fig. 4.
SAMPLES = 20
_POINT_ONLY = (*GRID, "lr", "steps", "schedule", "anneal_alpha", "select", "critic_steps")


@dataclass(frozen=True)
class Job:
    """``classifier`` (of ``point``'s data set, called ``name``), ``start`` or ``point``."""

    kind: str
    point: Point
    name: str = ""

    def label(self) -> str:
        """What is being done, for messages."""
        if self.kind == "classifier":
            return f"classifier {self.name} on {self.point.settings.dataset}"
        if self.kind == "start":
            s = self.point.settings
            return f"pre-training {s.restorer} on {s.dataset} seed={self.point.seed}"
        return self.point.label()


@dataclass(frozen=True)
class Place:
    """Where and how jobs run: ``device`` by name, ``shipped`` weights allowed or not.

    ``parent`` is the process whose death ends the job (0: none); ``packed`` are weights by file
    name for a machine that does not share this one's disk.
    """

    device: str = "cpu"
    shipped: bool = True
    parent: int = 0


def start_configuration(point: Point) -> dict[str, Any]:
    """What the pre-trained restorer depends on; Exp-1 to Exp-3 share theirs."""
    s = point.settings
    return {
        "kind": "restorer",
        "version": VERSION,
        "data": data.load(s.dataset).digest,
        "task": point.row.task,
        "factor": point.row.factor,
        "seed": point.seed,
        **{
            name: getattr(s, name)
            for name in ("restorer", "width", "noise_input", "noise_sigma")
            + ("pretrain_steps", "pretrain_lr", "batch")
        },
    }


def warm_configuration(point: Point) -> dict[str, Any]:
    """What the warmed critic depends on."""
    s = point.settings
    names = ("critic", "critic_width", "critic_lr", "warm_steps")
    bound = "penalty" if s.critic == "gp" else "clip"
    return {
        **start_configuration(point),
        "kind": "critic",
        **{name: getattr(s, name) for name in (*names, bound)},
    }


def configuration(point: Point, where: str = "cpu") -> dict[str, Any]:
    """The whole configuration of a point: whatever can change its numbers beyond rounding."""
    s = point.settings
    return {
        **s._asdict(),
        **dict.fromkeys(GRID),
        "kind": "point",
        "version": VERSION,
        "experiment": point.experiment,
        "data": data.load(s.dataset).digest,
        "against": [classifiers.key(name, s.dataset) for name in against(point)],
        "start": store.digest(start_configuration(point)) if s.start == "star" else "scratch",
        "alpha": point.alpha,
        "beta": point.beta,
        "gamma": point.gamma,
        "seed": point.seed,
        "precision": device.precision(device.choose(where).type),
        "measures": getattr(measures, "VERSION", 1),
    }


def key(point: Point, where: str = "cpu") -> str:
    """The point's ``config_hash``."""
    return store.digest(configuration(point, where))


def against(point: Point) -> tuple[str, ...]:
    """Names of the classifiers that the point trains against; the predefined one is first."""
    s = point.settings
    if s.against == "one":
        return (s.classifier,)
    return tuple(dict.fromkeys((s.classifier, *classifiers.ENSEMBLE[s.dataset])))


def needed(job: Job) -> list[tuple[str, str]]:
    """Weights that a job reads, as (kind, key)."""
    point = job.point
    if job.kind == "classifier":
        return []
    keys = []
    if point.settings.start == "star":
        keys.append(("restorer", store.digest(start_configuration(point))))
        keys.append(("critic", store.digest(warm_configuration(point))))
    if job.kind == "point":
        dataset = point.settings.dataset
        keys += [("classifier", classifiers.key(n, dataset)) for n in classifiers.names(dataset)]
    return keys


def run(job: Job, place: Place, packed: dict[str, bytes] | None = None) -> Any:
    """Do a job: the :class:`store.Outcome` of a point, the packed weights of any other."""
    store.unpack(packed or {})
    with device.one_thread():
        if job.kind == "classifier":
            dataset = job.point.settings.dataset
            classifiers.get(job.name, dataset, shipped=place.shipped)
            return store.pack(
                [("classifier", classifiers.key(job.name, dataset))], shipped=place.shipped
            )
        where = device.choose(place.device)
        if job.kind == "start":
            _start(job.point, where, place)
            return store.pack(needed(job), shipped=place.shipped)
        return _point(job.point, where, place)


def _tick(place: Place) -> Callable[[], None]:
    def tick() -> None:
        if place.parent and os.getppid() != place.parent:
            raise SystemExit("the sweep that asked for this point has ended")

    return tick


def _start(point: Point, where: torch.device, place: Place) -> tuple[Any, Any]:
    """The pre-trained restorer and the warmed critic, trained where they are not kept yet."""
    restorer, critic = restoration.new_restorer(point), restoration.new_critic(point)
    (_, start_key), (_, warm_key) = needed(Job("start", point))
    stock: restoration.Material | None = None
    lock = store.claim(store.weights_path("restorer", start_key).with_suffix(".lock"), wait=True)
    assert lock is not None
    try:
        kept = store.load_weights("restorer", start_key, shipped=place.shipped)
        if kept is None:
            began = time.perf_counter()
            stock = restoration.material(point, where)
            restorer, curve = restoration.pretrain(point, stock, where, _tick(place))
            facts = {"curve": repr(curve), "seconds": f"{time.perf_counter() - began:.1f}"}
            store.save_weights("restorer", start_key, restorer.state_dict(), facts)
        else:
            restorer.load_state_dict(kept[0])
        kept = store.load_weights("critic", warm_key, shipped=place.shipped)
        if kept is None:
            stock = stock or restoration.material(point, where)
            restoration.place(restorer, where)
            critic = restoration.warm(point, stock, restorer, where, _tick(place))
            store.save_weights("critic", warm_key, critic.state_dict(), {})
        else:
            critic.load_state_dict(kept[0])
    finally:
        lock.release()
    return restorer, critic


def _point(point: Point, where: torch.device, place: Place) -> store.Outcome:
    began = time.perf_counter()
    s = point.settings
    # Through the cache even in the process that trained them: every point starts from equal bits.
    if s.start == "star":
        restorer, critic = _start(point, where, place)
    else:
        restorer, critic = restoration.new_restorer(point), restoration.new_critic(point)
    restoration.place(restorer, where)
    restoration.place(critic, where)
    models = {
        name: classifiers.get(name, s.dataset, shipped=place.shipped, where=str(where))
        for name in classifiers.names(s.dataset)
    }
    row = identity(point, where)
    try:
        trained = restoration.train(
            point,
            restoration.material(point, where),
            where,
            restorer,
            critic,
            [models[name] for name in against(point)],
            _tick(place),
        )
    except restoration.Diverged as failure:
        row["failed"] = str(failure)
        return store.Outcome(row, [], np.zeros((0, 1, 1, 1), np.uint8), b"")
    found, restored = evaluate(point, trained, models, where)
    row |= found | {"seconds": round(time.perf_counter() - began, 1)}
    samples = restored[:SAMPLES].mul(255).round().to(torch.uint8).cpu().numpy()
    weights = store.to_bytes(trained.restorer.state_dict(), {"config_hash": row["config_hash"]})
    return store.Outcome(row, trained.curve, samples, weights)


def evaluate(
    point: Point,
    trained: restoration.Trained,
    models: dict[str, classifiers.Classifier],
    where: torch.device,
) -> tuple[dict[str, float], torch.Tensor]:
    """Every measure of a trained point on the whole test set, and the restored test images."""
    raise NotImplementedError
