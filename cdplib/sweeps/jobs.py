"""The jobs that a sweep consists of: a classifier, a warmed start, a point.

Each job needs only its description and its weights' cache, so it runs in any process on any
machine; what it made comes back as bytes.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from cdplib.experiments import classifiers, data, device, measures, networks, restoration, stacked
from cdplib.experiments.material import WATCHED, Material, degraded_split
from cdplib.experiments.settings import Point
from cdplib.storage import store
from cdplib.sweeps import configuration

#: Test images kept with a point, as restored, for pictures like the paper's Fig. 4.
SAMPLES = 20


@dataclass(frozen=True)
class Job:
    """``classifier`` (of ``point``'s data set, called ``name``), ``start`` or ``points``.

    ``others`` are points that are trained as one with ``point`` (:mod:`.stacked`).
    """

    kind: str
    point: Point
    name: str = ""
    others: tuple[Point, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        """All points that the job is of."""
        return (self.point, *self.others)

    def label(self) -> str:
        """What is being done, for messages."""
        if self.kind == "classifier":
            return f"classifier {self.name} on {self.point.settings.dataset}"
        if self.kind == "start":
            s = self.point.settings
            return f"pre-training {s.restorer} on {s.dataset} seed={self.point.seed}"
        more = f" and {len(self.others)} more" if self.others else ""
        return self.point.label() + more


@dataclass(frozen=True)
class Site:
    """Where and how jobs run: ``device`` by name, ``shipped`` weights allowed or not.

    ``parent`` is the process whose death ends the job (0: none). With ``anew`` a classifier or a
    start is trained even where its weights are kept, which are replaced.
    """

    device: str = "cpu"
    shipped: bool = True
    parent: int = 0
    anew: bool = False


def needed(job: Job) -> list[tuple[str, str]]:
    """Weights that a job reads, as (kind, key)."""
    point = job.point
    if job.kind == "classifier":
        return []
    keys = []
    if point.settings.start == "star":
        keys.append(("restorer", store.digest(configuration.of_start(point))))
        keys.append(("critic", store.digest(configuration.of_critic(point))))
    if job.kind == "points":
        dataset = point.settings.dataset
        keys += [("classifier", classifiers.key(n, dataset)) for n in classifiers.names(dataset)]
    return keys


def run(job: Job, site: Site, packed: dict[str, bytes] | None = None) -> Any:
    """Do a job: a list of the :class:`store.Outcome` of points, the packed weights of any other.

    ``packed`` are weights by file name, for a machine that does not share this one's disk.
    """
    store.unpack(packed or {})
    where = device.choose(site.device)
    if site.anew:
        _forget(job)
    with device.one_thread():
        if job.kind == "classifier":
            dataset = job.point.settings.dataset
            classifiers.get(job.name, dataset, shipped=site.shipped, where=str(where))
            return store.pack(
                [("classifier", classifiers.key(job.name, dataset))], shipped=site.shipped
            )
        if job.kind == "start":
            try:
                _start(job.point, where, site)
            except restoration.Diverged:
                return {}  # each of its points will fail, and say why in its row
            return store.pack(needed(job), shipped=site.shipped)
        if job.others:
            try:
                return _stack(job.points, where, site)
            except restoration.Diverged:
                pass  # one of them: alone, each of the others can still be trained
        return [_point(point, where, site) for point in job.points]


def _forget(job: Job) -> None:
    """Remove the cached weights that a classifier's or a start's job makes."""
    made = needed(job)
    if job.kind == "classifier":
        made = [("classifier", classifiers.key(job.name, job.point.settings.dataset))]
        classifiers.get.cache_clear()
    for kind, key in made:
        store.weights_path(kind, key).unlink(missing_ok=True)


def _tick(site: Site) -> Callable[[], None]:
    def tick() -> None:
        if site.parent and os.getppid() != site.parent:
            # The sweep has ended. The pool's loop would catch SystemExit and take the next point;
            # claims are the operating system's locks, so they end here too.
            os._exit(1)

    return tick


def _start(point: Point, where: torch.device, site: Site) -> tuple[Any, Any]:
    """The pre-trained restorer and the warmed critic, trained where they are not kept yet."""
    restorer, critic = restoration.new_restorer(point), restoration.new_critic(point)
    (_, start_key), (_, warm_key) = needed(Job("start", point))
    material: Material | None = None
    with store.lock(store.weights_path("restorer", start_key).with_suffix(".lock")):
        kept = store.load_weights("restorer", start_key, shipped=site.shipped)
        if kept is None:
            began = time.perf_counter()
            material = Material.load(point, where)
            restorer, curve = restoration.pretrain(point, material, where, _tick(site))
            facts = {"curve": json.dumps(curve), "seconds": f"{time.perf_counter() - began:.1f}"}
            kept = store.rounded(restorer.state_dict()), facts
            store.save_weights("restorer", start_key, *kept)
        store.fill(restorer, kept[0], f"restorer {start_key}")
        kept = store.load_weights("critic", warm_key, shipped=site.shipped)
        if kept is None:
            material = material or Material.load(point, where)
            device.to_device(restorer, where)
            critic = restoration.warm(point, material, restorer, where, _tick(site))
            kept = store.rounded(critic.state_dict()), {}
            store.save_weights("critic", warm_key, *kept)
        store.fill(critic, kept[0], f"critic {warm_key}")
    return restorer, critic


def _point(point: Point, where: torch.device, site: Site) -> store.Outcome:
    began = time.perf_counter()
    try:
        trained = train(point, where, site)
    except restoration.Diverged as failure:
        row = configuration.identity(point, where) | {"failed": str(failure)}
        return store.Outcome(row, [], np.zeros((0, 1, 1, 1), np.uint8), b"")
    return _measured(point, trained, where, site, time.perf_counter() - began)


def _measured(
    point: Point, trained: restoration.Trained, where: torch.device, site: Site, seconds: float
) -> store.Outcome:
    """The outcome of a point whose training took ``seconds``."""
    began = time.perf_counter()
    row = configuration.identity(point, where)
    # What is measured is what is kept: the rounded restorer.
    state = store.rounded(trained.restorer.state_dict())
    trained.restorer.load_state_dict(state)
    with device.in_full():
        found, images = evaluate(
            point, trained.restorer, where, critic=trained.critic, shipped=site.shipped
        )
    row |= found | {"seconds": round(seconds + time.perf_counter() - began, 1)}
    samples = images[:SAMPLES].mul(255).round().to(torch.uint8).cpu().numpy()
    weights = store.to_bytes(state, {"config_hash": row["config_hash"]})
    return store.Outcome(row, trained.curve, samples, weights)


def _stack(points: Sequence[Point], where: torch.device, site: Site) -> list[store.Outcome]:
    """The outcomes of ``points`` that are trained as one; each has its share of the seconds."""
    began = time.perf_counter()
    pairs = [_networks(point, where, site) for point in points]
    against, material = _against(points[0], where, site), Material.load(points[0], where)
    restorers, critics = zip(*pairs, strict=True)
    found = stacked.train(points, material, where, restorers, critics, against, _tick(site))
    share = (time.perf_counter() - began) / len(points)
    return [
        _measured(point, trained, where, site, share)
        for point, trained in zip(points, found, strict=True)
    ]


def train(point: Point, where: torch.device, site: Site) -> restoration.Trained:
    """A point's networks, trained from its start; raises :class:`restoration.Diverged`."""
    pair = _networks(point, where, site)
    material = Material.load(point, where)
    against = _against(point, where, site)
    return restoration.train(point, material, where, *pair, against, _tick(site))


def _networks(point: Point, where: torch.device, site: Site) -> tuple[Any, Any]:
    """The restorer and the critic that the training of ``point`` starts from."""
    if point.settings.start == "star":
        # Rounded as they are kept, by whichever process trained them: all start from equal bits.
        restorer, critic = _start(point, where, site)
    else:
        restorer, critic = restoration.new_restorer(point), restoration.new_critic(point)
    device.to_device(restorer, where)
    device.to_device(critic, where)
    return restorer, critic


def _against(point: Point, where: torch.device, site: Site) -> list[Any]:
    """The classifiers whose cross entropies train ``point``."""
    given = {"shipped": site.shipped, "where": str(where)}
    dataset = point.settings.dataset
    return [classifiers.get(name, dataset, **given) for name in configuration.against(point)]


def evaluate(
    point: Point,
    restorer: networks.Restorer,
    where: torch.device,
    *,
    critic: networks.Critic | None = None,
    shipped: bool = True,
) -> tuple[dict[str, float], torch.Tensor]:
    """Every measure of a trained restorer on the test set, and the restored test images.

    With the point's own ``critic`` also ``p_critic``, the paper's P: the gap
    E critic(clean) - E critic(restored).
    """
    s = point.settings
    if device.measuring(where) != where:
        where = device.measuring(where)
        for network in (restorer, *([critic] if critic is not None else [])):
            device.to_device(network, where)
    images, clean, labels = restored(point, restorer, where)
    found = {}
    if critic is not None:
        found["p_critic"] = restoration.p_critic(critic, clean, images)
    models = {
        name: classifiers.get(name, s.dataset, shipped=shipped, where=str(where))
        for name in classifiers.names(s.dataset)
    }
    found |= measures.evaluate(
        images,
        clean,
        labels,
        models[s.classifier],
        {name: model for name, model in models.items() if name != s.classifier},
        models[classifiers.extractor(s.dataset)].features,
    )
    return found, images


def restored(
    point: Point, restorer: networks.Restorer, where: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The point's test images as ``restorer`` restores them, the clean ones, and their labels.

    Images are float32 (n, c, h, w) in [0, 1], labels int64 (n,), on device ``where``.
    """
    s = point.settings
    clean, labels = data.load(s.dataset).test.tensors(slice(0, s.test_images), where)
    degraded = degraded_split(point, "test")[: s.test_images].to(where)
    # In float32 whatever the training's precision: the row then repeats on other machines.
    return networks.restore(restorer, degraded, statistics=s.statistics), clean, labels


def test_samples(point: Point) -> dict[str, np.ndarray]:
    """The first test images: ``clean``, ``degraded`` (clipped to [0, 1]) and their ``labels``."""
    test = data.load(point.settings.dataset).test
    degraded = degraded_split(point, "test")[:SAMPLES].clamp(0, 1)
    return {
        "clean": np.array(test.images[:SAMPLES]),
        "degraded": degraded.mul(255).round().to(torch.uint8).numpy(),
        "labels": np.array(test.labels[:SAMPLES]),
    }


def time_point(point: Point, where: str, steps: int = 6) -> float:
    """Seconds that a point of these settings takes here, from timing a few steps of it.

    Weights do not matter for time, so nothing needs to be trained before.
    """
    target, s = device.choose(where), point.settings
    few = replace(point, settings=s._replace(steps=steps, select=False))
    models = [classifiers.build(name, s.dataset) for name in configuration.against(point)]
    for model in models:
        model.eval().requires_grad_(False).to(target)
    with device.one_thread():
        material = Material.load(point, target)
        restorer, critic = restoration.new_restorer(point), restoration.new_critic(point)
        device.to_device(restorer, target)
        device.to_device(critic, target)
        restoration.watch(restorer, material, s.statistics, models[0], critic)
        began = time.perf_counter()
        restoration.watch(restorer, material, s.statistics, models[0], critic)
        look = time.perf_counter() - began
        begun: list[float] = []
        restoration.train(
            few, material, target, restorer, critic, models,
            lambda: begun.append(time.perf_counter()),
        )  # fmt: skip
    test = s.test_images / WATCHED * look * 3  # every classifier, and the judge
    return _each(begun) * s.steps + look * (80 if s.select else 6) + test


def _each(begun: Sequence[float]) -> float:
    """Seconds a step takes, of steps that began then: the median, as a first one prepares much."""
    return statistics.median(b - a for a, b in itertools.pairwise(begun))


def time_start(point: Point, where: str, steps: int = 6) -> float:
    """Seconds of the pre-training, from timing a few steps."""
    target, s = device.choose(where), point.settings
    if not s.pretrain_steps:
        return 0.0
    few = replace(point, settings=s._replace(pretrain_steps=steps))
    begun: list[float] = []
    with device.one_thread():
        material = Material.load(point, target)
        model, _ = restoration.pretrain(
            few, material, target, lambda: begun.append(time.perf_counter())
        )
        began = time.perf_counter()
        restoration.watch(model, material, s.statistics)
        look = time.perf_counter() - began
    return _each(begun) * (s.pretrain_steps + 3 * s.warm_steps) + 10 * look
