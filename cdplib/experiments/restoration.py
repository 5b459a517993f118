"""Eq. 16 for all five experiments: one loop, alpha MSE + beta adversarial + gamma cross entropy.

A training has up to three stages, each with its own seeded streams: the restorer on the MSE alone
(:func:`pretrain`), the critic alone against that restorer (:func:`warm`), and the point itself
(:func:`train`), which starts from both ("star") or from nothing ("scratch").
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdplib.experiments import classifiers, data, degradations, device, networks
from cdplib.experiments.settings import Point

#: Validation images that are looked at while a network trains.
WATCHED = 500
_DIVERGED = 1e6


class Diverged(RuntimeError):
    """A loss that is not finite, or far beyond any use: the point has failed."""


@dataclass
class Material:
    """What a training reads, on one device: pixels stay ``uint8`` until they are in a batch.

    ``degraded`` is None for denoising, whose noise is drawn afresh for every batch.
    """

    clean: Tensor
    labels: Tensor
    degraded: Tensor | None
    sigma: float
    validation: tuple[Tensor, Tensor, Tensor]

    def batch(self, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Degraded images, clean ones (float32, [0, 1]) and labels of the chosen indices."""
        chosen = chosen.to(self.clean.device)
        clean = self.clean[chosen].float().div_(255)
        if self.degraded is None:
            noise = torch.randn(clean.shape, generator=generator).to(clean.device)
            return clean + self.sigma * noise, clean, self.labels[chosen]
        return self.degraded[chosen].float().div_(255), clean, self.labels[chosen]


def degraded_split(point: Point, split: str) -> Tensor:
    """A split of the point's data set as it is degraded for validation and test: fixed by seed 0.

    float32 (n, c, h, w); noise is not clipped.
    """
    whole = data.load(point.settings.dataset)
    if point.row.task == "sr":
        return degradations.degrade(f"sr{point.row.factor}", whole, split)
    noise = replace(degradations.get("noise"), sigma=point.settings.noise_sigma)
    images = whole.split(split).images
    return data.to_tensor(images).add_(degradations.fixed_noise(images.shape, split, 0, noise))


def material(point: Point, where: torch.device) -> Material:
    """The training and validation data of ``point`` on device ``where``."""
    whole = data.load(point.settings.dataset)
    degraded = None
    if point.row.task == "sr":
        pixels = degradations.reduced(f"sr{point.row.factor}", whole, "train")
        degraded = _view(pixels).to(where)
    clean, labels = whole.validation.tensors(slice(0, WATCHED), where)
    return Material(
        clean=_view(whole.train.images).to(where),
        labels=torch.from_numpy(whole.train.labels.astype("int64")).to(where),
        degraded=degraded,
        sigma=point.settings.noise_sigma,
        validation=(degraded_split(point, "validation")[:WATCHED].to(where), clean, labels),
    )


def _view(pixels: np.ndarray) -> Tensor:
    """A tensor over the array's own memory, which is mapped from disk and only ever read."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(pixels)


def new_restorer(point: Point) -> networks.Restorer:
    """The point's restorer, untrained, initialised from its seed."""
    s, row = point.settings, point.row
    channels, size = data.SHAPES[s.dataset]
    model = networks.restorer(
        s.restorer,
        row.task,
        channels,
        factor=row.factor,
        size=size,
        width=s.width,
        noise_input=s.noise_input,
    )
    networks.initialise(model, stream(point, "restorer"))
    return model


def new_critic(point: Point) -> networks.Critic:
    """The point's critic, untrained, initialised from its seed."""
    s = point.settings
    channels, _ = data.SHAPES[s.dataset]
    model = networks.Critic(channels, width=s.critic_width, batch_norm=s.critic == "clip")
    networks.initialise(model, stream(point, "critic"))
    return model


def stream(point: Point, purpose: str) -> torch.Generator:
    """A generator for one purpose of one seed: streams do not depend on each other's use."""
    text = f"{purpose}/{point.seed}".encode()
    seed = int.from_bytes(hashlib.sha256(text).digest()[:7], "big")
    return torch.Generator().manual_seed(seed)


def batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices of batches without end: every epoch is a new permutation of ``n``."""
    while True:
        order = torch.randperm(n, generator=generator)
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]


def place(model: nn.Module, where: torch.device) -> nn.Module:
    """``model`` on device ``where`` in the memory layout that its convolutions run fastest in."""
    return model.to(where).to(memory_format=torch.channels_last)


Tick = Callable[[], None]


def _nothing() -> None:
    pass


def pretrain(
    point: Point, stock: Material, where: torch.device, tick: Tick = _nothing
) -> tuple[networks.Restorer, list[dict[str, float]]]:
    """The restorer on the MSE alone, one cycle of the learning rate; and its validation curve.

    ``tick`` is called before every step.
    """
    s = point.settings
    model = new_restorer(point)
    place(model, where)
    curve: list[dict[str, float]] = []
    if not s.pretrain_steps:
        return model, curve
    generator = stream(point, "pretraining")
    optimizer = torch.optim.Adam(model.parameters(), lr=s.pretrain_lr)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, s.pretrain_lr, total_steps=s.pretrain_steps, pct_start=0.2, cycle_momentum=False
    )
    order = batches(len(stock.clean), s.batch, generator)
    every = max(50, s.pretrain_steps // 10)
    for step in range(1, s.pretrain_steps + 1):
        tick()
        degraded, clean, _ = stock.batch(next(order), generator)
        with device.autocast(where):
            restored = model(_layout(degraded), generator)
        loss = F.mse_loss(restored.float(), clean)
        _check(loss, "pre-training MSE", step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        cycle.step()
        if step % every == 0 or step == s.pretrain_steps:
            curve.append({"step": step, **watch(model, stock, s.statistics)})
    return model, curve


def _layout(images: Tensor) -> Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def _check(loss: Tensor, what: str, step: int) -> None:
    value = float(loss.detach())
    if not math.isfinite(value) or abs(value) > _DIVERGED:
        raise Diverged(f"{what} is {value:g} at step {step}")


@torch.no_grad()
def watch(
    model: networks.Restorer,
    stock: Material,
    statistics: str,
    classifier: nn.Module | None = None,
    critic: networks.Critic | None = None,
) -> dict[str, float]:
    """MSE on the watched validation images, with a classifier its error and cross entropy, with a
    critic its gap E critic(clean) - E critic(restored)."""
    degraded, clean, labels = stock.validation
    restored = networks.restore(model, degraded, statistics=statistics)
    found = {"mse": float(F.mse_loss(restored, clean))}
    if classifier is not None:
        logits = torch.cat([classifier(part) for part in restored.split(500)])
        found["error_rate"] = float((logits.argmax(1) != labels).float().mean())
        found["ce"] = float(F.cross_entropy(logits, labels))
    if critic is not None:
        found["p_critic"] = float((scores(critic, clean) - scores(critic, restored)).mean())
    return found


def scores(critic: networks.Critic, images: Tensor, batch: int = 50) -> Tensor:
    """The critic's scores (n,), no gradient; a batch-normalised one sees batches of ``batch``."""
    with networks.evaluating(critic, "batch"):
        return torch.cat([critic(part).float() for part in images.split(batch)])


class CriticTrainer:
    """A critic with its optimiser: ascends E critic(real) - E critic(fake) within its bound.

    ``gp`` adds the gradient penalty of WGAN-GP; ``clip`` bounds every parameter, as released.
    """

    def __init__(self, critic: networks.Critic, point: Point, where: torch.device) -> None:
        self.critic, self.settings, self.where = critic, point.settings, where
        self.optimizer = torch.optim.Adam(
            critic.parameters(), lr=point.settings.critic_lr, betas=(0.5, 0.9)
        )
        self.generator = stream(point, "penalty")
        self.steps = 0

    def step(self, real: Tensor, fake: Tensor) -> Tensor:
        """One step on a batch (n, c, h, w) of each; the gap before it."""
        s, critic = self.settings, self.critic
        critic.requires_grad_(True).train()
        fake = fake.detach()
        with device.autocast(self.where):
            if s.critic == "clip":  # batch-norm: real and restored images apart, as released
                gap = critic(_layout(real)).float().mean() - critic(_layout(fake)).float().mean()
            else:
                both = critic(_layout(torch.cat([real, fake]))).float()
                gap = both[: len(real)].mean() - both[len(real) :].mean()
        loss = -gap
        if s.critic == "gp":
            loss = loss + s.penalty * self.slope(real, fake)
        self.steps += 1
        _check(loss, "critic's loss", self.steps)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        if s.critic == "clip":
            with torch.no_grad():
                for parameter in critic.parameters():
                    parameter.clamp_(-s.clip, s.clip)
        critic.requires_grad_(False)
        return gap.detach()

    def slope(self, real: Tensor, fake: Tensor) -> Tensor:
        """Mean of (|gradient| - 1)^2 between real and restored images (Gulrajani et al. 2017)."""
        mix = torch.rand(len(real), 1, 1, 1, generator=self.generator).to(real.device)
        between = torch.lerp(real, fake, mix).requires_grad_(True)
        (gradient,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def warm(
    point: Point,
    stock: Material,
    restorer: networks.Restorer,
    where: torch.device,
    tick: Tick = _nothing,
) -> networks.Critic:
    """A critic fitted to the pre-trained restorer alone, so that points start from a useful one."""
    s = point.settings
    critic = new_critic(point)
    place(critic, where)
    trainer = CriticTrainer(critic, point, where)
    generator = stream(point, "warming")
    order = batches(len(stock.clean), s.batch, generator)
    for _ in range(s.warm_steps):
        tick()
        degraded, clean, _labels = stock.batch(next(order), generator)
        with networks.evaluating(restorer, "batch"), device.autocast(where):
            fake = restorer(_layout(degraded), generator).float()
        trainer.step(clean, fake)
    return critic


@dataclass
class Trained:
    """A trained point: its networks (evaluation mode) and validation curve."""

    restorer: networks.Restorer
    critic: networks.Critic
    curve: list[dict[str, float]] = field(default_factory=list)


def train(
    point: Point,
    stock: Material,
    where: torch.device,
    restorer: networks.Restorer,
    critic: networks.Critic,
    against: list[classifiers.Classifier],
    tick: Tick = _nothing,
) -> Trained:
    """The point itself (Eq. 16), from the given networks, which are changed.

    ``against`` are the frozen classifiers whose cross entropies are averaged. The restorations of
    a step are computed once: the critic steps on them first, then the restorer. Further critic
    steps (``critic_steps``) take fresh batches. Raises :class:`Diverged`.
    """
    s = point.settings
    trainer = CriticTrainer(critic, point, where)
    optimizer = torch.optim.Adam(restorer.parameters(), lr=s.lr, betas=(0.5, 0.9))
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rates(s.schedule, s.steps))
    generator = stream(point, "point")
    order = batches(len(stock.clean), s.batch, generator)
    curve: list[dict[str, float]] = []
    best: tuple[float, dict[str, Tensor]] = (math.inf, {})
    every = max(1 if s.select else 50, s.steps // (80 if s.select else 5))

    def look(step: int) -> None:
        nonlocal best
        found = watch(restorer, stock, s.statistics, against[0], critic)
        _check(torch.tensor(sum(found.values())), "validation", step)
        curve.append({"step": step, **found})
        if s.select and step > 0.625 * s.steps:
            loss = (
                point.alpha * found["mse"]
                + point.beta * found["p_critic"]
                + point.gamma * found["ce"]
            )
            if loss < best[0]:
                state = {k: v.detach().clone() for k, v in restorer.state_dict().items()}
                best = (loss, state)

    look(0)
    for step in range(1, s.steps + 1):
        tick()
        for _ in range(s.critic_steps - 1):
            degraded, clean, _labels = stock.batch(next(order), generator)
            with torch.no_grad(), device.autocast(where):
                fake = restorer.train()(_layout(degraded), generator).float()
            trainer.step(clean, fake)
        degraded, clean, labels = stock.batch(next(order), generator)
        with device.autocast(where):
            restored = restorer.train()(_layout(degraded), generator).float()
        trainer.step(clean, restored)
        alpha = max(point.alpha, 1 - step / 299) if s.anneal_alpha else point.alpha
        loss = alpha * F.mse_loss(restored, clean)
        with device.autocast(where):
            if point.beta:
                loss = loss - point.beta * critic(restored).float().mean()
            if point.gamma:
                entropies = [F.cross_entropy(c(restored).float(), labels) for c in against]
                loss = loss + point.gamma * torch.stack(entropies).mean()
        _check(loss, "loss", step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % every == 0 or step == s.steps:
            look(step)
    if best[1]:
        restorer.load_state_dict(best[1])
    return Trained(restorer.eval(), critic.eval(), curve)


def rates(schedule: str, steps: int) -> Callable[[int], float]:
    """The learning rate's factor by step: half a cosine down to 2 %, or a fifth a quarter."""
    if schedule == "release":
        return lambda step: 0.2 ** min(3, 4 * step // steps)
    return lambda step: 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, step / steps)))
