"""How a restorer is trained, for all five experiments: in up to three stages, each seeded alone.

The restorer on the MSE alone (:func:`pretrain`), the critic alone against that restorer
(:func:`warm`), and the point itself (:func:`train`), a :class:`Trainer` that descends Eq. 16, from
both ("star") or from nothing ("scratch").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdplib.experiments import datasets, device, losses, networks
from cdplib.experiments.material import Material, batches, stream
from cdplib.experiments.settings import Point

_DIVERGED = 1e6
#: Steps between two looks at the losses where a look makes the host wait for a GPU.
LOOKED_EVERY = 50


class Diverged(RuntimeError):
    """A loss that is not finite, or far beyond any use: the point has failed."""


def new_restorer(point: Point) -> networks.Restorer:
    """The point's restorer, untrained, initialised from its seed."""
    s, row = point.settings, point.row
    images = datasets.get(s.dataset)
    shape = {"factor": row.factor, "size": images.size, "width": s.width}
    model = networks.restorer(
        s.restorer, row.task, images.channels, **shape, noise_input=s.noise_input
    )
    networks.initialise(model, stream(point, "restorer"))
    return model


def new_critic(point: Point) -> networks.Critic:
    """The point's critic, untrained, initialised from its seed."""
    s = point.settings
    channels = datasets.get(s.dataset).channels
    model = networks.Critic(channels, width=s.critic_width, batch_norm=s.critic == "clip")
    networks.initialise(model, stream(point, "critic"))
    return model


#: Called before every step of a training.
Tick = Callable[[], None]


def pretrain(
    point: Point, material: Material, where: torch.device, tick: Tick = lambda: None
) -> tuple[networks.Restorer, list[dict[str, float]]]:
    """The restorer on the MSE alone, one cycle of the learning rate; and its validation curve."""
    s = point.settings
    model = new_restorer(point)
    device.to_device(model, where)
    curve: list[dict[str, float]] = []
    if not s.pretrain_steps:
        return model, curve
    generator = stream(point, "pretraining")
    optimizer = torch.optim.Adam(model.parameters(), lr=s.pretrain_lr)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, s.pretrain_lr, total_steps=s.pretrain_steps, pct_start=0.2, cycle_momentum=False
    )
    order = batches(len(material.clean), s.batch, generator)
    every = max(50, s.pretrain_steps // 10)
    guard = Guard("pre-training MSE", where)
    for step in range(1, s.pretrain_steps + 1):
        tick()
        degraded, clean, _ = material.batch(next(order), generator)
        with device.autocast(where):
            restored = model(device.channels_last(degraded), generator)
        loss = F.mse_loss(restored.float(), clean)
        guard.see(loss, step)
        descend(optimizer, loss)
        cycle.step()
        if step % every == 0 or step == s.pretrain_steps:
            guard.look(step)
            curve.append({"step": step, **watch(model, material, s.statistics)})
    return model, curve


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of ``optimizer`` down the gradient of ``loss``."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def _check(value: float, what: str, step: int) -> None:
    if not math.isfinite(value) or abs(value) > _DIVERGED:
        raise Diverged(f"{what} is {value:g} at step {step}")


class Guard:
    """Raises :class:`Diverged` for a loss that is not finite, or far beyond any use.

    On a CPU at once; on a GPU, which a look at a number would stop, every :data:`LOOKED_EVERY`
    steps for the worst since the last look.
    """

    def __init__(self, what: str, where: torch.device) -> None:
        self.what, self.every = what, 1 if where.type == "cpu" else LOOKED_EVERY
        self.worst: Tensor | None = None

    def see(self, loss: Tensor, step: int) -> None:
        """Take in the loss of a step; look where it is time."""
        size = loss.detach().abs()
        # The larger of the two, and nan if either is.
        self.worst = size if self.worst is None else torch.maximum(self.worst, size)
        if step % self.every == 0:
            self.look(step)

    def look(self, step: int) -> None:
        """Raise :class:`Diverged` if any loss since the last look was beyond use."""
        if self.worst is not None:
            value, self.worst = float(self.worst), None
            _check(value, f"{self.what}, in size,", step)


@torch.no_grad()
def watch(
    model: networks.Restorer,
    material: Material,
    statistics: str,
    classifier: losses.Net | None = None,
    critic: networks.Critic | None = None,
) -> dict[str, float]:
    """MSE on the watched validation images, with a classifier its error and cross entropy, with a
    critic its gap E critic(clean) - E critic(restored)."""
    degraded, clean, labels = material.validation
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


def p_critic(critic: networks.Critic, clean: Tensor, restored: Tensor) -> float:
    """E critic(clean) - E critic(restored), (n, c, h, w) each: P as the critic sees it."""
    return float((scores(critic, clean) - scores(critic, restored)).double().mean())


class CriticTrainer:
    """A critic with its optimiser: ascends E critic(real) - E critic(fake) within its bound.

    ``gp`` adds the gradient penalty of WGAN-GP; ``clip`` bounds every parameter, as released.
    """

    #: How many images in a row are of one image: more than one where networks are stacked.
    copies = 1

    def __init__(self, critic: nn.Module, point: Point, where: torch.device) -> None:
        self.critic, self.settings, self.where = critic, point.settings, where
        self.optimizer = torch.optim.Adam(
            critic.parameters(), lr=point.settings.critic_lr, betas=(0.5, 0.9)
        )
        self.generator = stream(point, "penalty")
        self.guard = Guard("critic's loss", where)
        self.steps = 0

    def step(self, real: Tensor, fake: Tensor) -> Tensor:
        """One step on a batch (n, c, h, w) of each; the gap before it."""
        s, critic = self.settings, self.critic
        critic.requires_grad_(True).train()
        penalty = s.penalty if s.critic == "gp" else 0.0
        with device.autocast(self.where):
            loss, gap = losses.critic_loss(
                critic, real, fake.detach(), penalty, self.generator, self.copies
            )
        self.steps += 1
        self.guard.see(loss, self.steps)
        descend(self.optimizer, loss)
        if s.critic == "clip":
            with torch.no_grad():
                for parameter in critic.parameters():
                    parameter.clamp_(-s.clip, s.clip)
        critic.requires_grad_(False)
        return gap.detach()


def warm(
    point: Point,
    material: Material,
    restorer: networks.Restorer,
    where: torch.device,
    tick: Tick = lambda: None,
) -> networks.Critic:
    """A critic fitted to the pre-trained restorer alone, so that points start from a useful one."""
    s = point.settings
    critic = new_critic(point)
    device.to_device(critic, where)
    trainer = CriticTrainer(critic, point, where)
    generator = stream(point, "warming")
    order = batches(len(material.clean), s.batch, generator)
    for _ in range(s.warm_steps):
        tick()
        degraded, clean, _labels = material.batch(next(order), generator)
        with networks.evaluating(restorer, "batch"), device.autocast(where):
            fake = restorer(device.channels_last(degraded), generator).float()
        trainer.step(clean, fake)
    trainer.guard.look(trainer.steps)
    return critic


class Trainer:
    """A restorer that descends Eq. 16, with its optimiser, its critic's trainer and its batches.

    ``against`` are the frozen classifiers whose cross entropies are averaged.
    """

    def __init__(
        self,
        point: Point,
        material: Material,
        where: torch.device,
        restorer: networks.Restorer,
        critic: nn.Module,
        against: Sequence[losses.Net],
    ) -> None:
        s = point.settings
        self.point, self.material, self.where = point, material, where
        self.restorer, self.against = restorer, against
        self.critic = CriticTrainer(critic, point, where)
        self.guard = Guard("loss", where)
        self.optimizer = torch.optim.Adam(restorer.parameters(), lr=s.lr, betas=(0.5, 0.9))
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, rates(s.schedule, s.steps)
        )
        self.generator = stream(point, "point")
        self.order = batches(len(material.clean), s.batch, self.generator)

    def restored(self) -> tuple[Tensor, Tensor, Tensor]:
        """The next batch's images as they are restored now, the clean ones, and their labels."""
        degraded, clean, labels = self.material.batch(next(self.order), self.generator)
        with device.autocast(self.where):
            found = self.restorer.train()(device.channels_last(degraded), self.generator)
        return found.float(), clean, labels

    def step(self, number: int) -> None:
        """One training step: the critic's steps, then the restorer's on the last batch of them.

        The critic's other steps (``critic_steps`` above 1) take a fresh batch each.
        """
        s = self.point.settings
        for _ in range(s.critic_steps - 1):
            with torch.no_grad():
                fake, clean, _labels = self.restored()
            self.critic.step(clean, fake)
        restored, clean, labels = self.restored()
        self.critic.step(clean, restored)
        with device.autocast(self.where):
            loss = self.loss(restored, clean, labels, number)
        self.guard.see(loss, number)
        descend(self.optimizer, loss)
        self.scheduler.step()

    def loss(self, restored: Tensor, clean: Tensor, labels: Tensor, number: int) -> Tensor:
        """Eq. 16 in step ``number``."""
        weights = (annealed(self.point, number), self.point.beta, self.point.gamma)
        critic = self.critic.critic
        return losses.restorer_loss(restored, clean, labels, critic, self.against, weights)


def annealed(point: Point, number: int) -> float:
    """The weight of the MSE in step ``number``: annealed from 1, as released, if asked."""
    if not point.settings.anneal_alpha:
        return point.alpha
    return max(point.alpha, 1 - number / 299)


@dataclass
class Trained:
    """A trained point: its networks (evaluation mode) and validation curve."""

    restorer: networks.Restorer
    critic: networks.Critic
    curve: list[dict[str, float]] = field(default_factory=list)


class Watcher:
    """The validation curve of a point in training, and what ``select`` keeps of it.

    With ``select`` the restorer of the least validation loss in the last three eighths is kept, as
    released, with the critic of that step. The loss has the cross entropy that trains: the mean
    over ``against``.
    """

    def __init__(
        self,
        point: Point,
        material: Material,
        restorer: networks.Restorer,
        critic: networks.Critic,
        against: Sequence[losses.Net],
    ) -> None:
        self.point, self.material, self.against = point, material, against
        self.restorer, self.critic = restorer, critic
        self.curve: list[dict[str, float]] = []
        self.best: tuple[float, list[dict[str, Tensor]]] = (math.inf, [])

    def look(self, step: int) -> None:
        """Measure the networks as they are; raises :class:`Diverged`."""
        s = self.point.settings
        first, *rest = self.against
        found = watch(self.restorer, self.material, s.statistics, first, self.critic)
        _check(sum(found.values()), "validation", step)
        self.curve.append({"step": step, **found})
        if s.select and step > 0.625 * s.steps:
            others = [watch(self.restorer, self.material, s.statistics, net)["ce"] for net in rest]
            loss = (
                self.point.alpha * found["mse"]
                + self.point.beta * found["p_critic"]
                + self.point.gamma * (found["ce"] + sum(others)) / len(self.against)
            )
            if loss < self.best[0]:
                self.best = (loss, [copied(network) for network in (self.restorer, self.critic)])

    def trained(self) -> Trained:
        """The networks that are kept, in evaluation mode, with the curve."""
        for network, state in zip((self.restorer, self.critic), self.best[1], strict=False):
            network.load_state_dict(state)
        return Trained(self.restorer.eval(), self.critic.eval(), self.curve)


def train(
    point: Point,
    material: Material,
    where: torch.device,
    restorer: networks.Restorer,
    critic: networks.Critic,
    against: Sequence[losses.Net],
    tick: Tick = lambda: None,
) -> Trained:
    """The point itself, from the given networks, which are changed: as :class:`Trainer`.

    What is kept says :class:`Watcher`. Raises :class:`Diverged`.
    """
    watcher = Watcher(point, material, restorer, critic, against)
    run(Trainer(point, material, where, restorer, critic, against), [watcher], tick)
    return watcher.trained()


def run(trainer: Trainer, watchers: Sequence[Watcher], tick: Tick) -> None:
    """All steps of a training, with a look before the first and every few of them."""
    s = trainer.point.settings
    every = max(1 if s.select else 50, s.steps // (80 if s.select else 5))

    def look(step: int) -> None:
        for guard in (trainer.guard, trainer.critic.guard):
            guard.look(step)
        for watcher in watchers:
            watcher.look(step)

    look(0)
    for step in range(1, s.steps + 1):
        tick()
        trainer.step(step)
        if step % every == 0 or step == s.steps:
            look(step)


def copied(network: nn.Module) -> dict[str, Tensor]:
    """A copy of a network's state as it is now."""
    return {name: values.detach().clone() for name, values in network.state_dict().items()}


def rates(schedule: str, steps: int) -> Callable[[int], float]:
    """The learning rate's factor by step: half a cosine down to 2 %, or a fifth a quarter."""
    if schedule == "release":
        return lambda step: 0.2 ** min(3, 4 * step // steps)
    return lambda step: 0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, step / steps)))
