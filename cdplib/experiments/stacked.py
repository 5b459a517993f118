"""Points of one seed trained as one: their networks stacked, their batches shared.

Streams of randomness depend on the seed alone, so points that differ only in the weights of Eq. 16
see equal batches with equal noise. A GPU, which networks as small as these leave idle, takes them
together several times faster than one after another (``make bench`` says how much); a CPU does not.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments import device, losses, networks, restoration
from cdplib.experiments.material import Material
from cdplib.experiments.restoration import Tick, Trained
from cdplib.experiments.settings import GRID, Point


class _Norm(nn.BatchNorm2d):
    """Batch normalisation in elementary operations: vmap has no rule for CUDA's own."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, images: Tensor) -> Tensor:
        mean, variance = self.running_mean, self.running_var
        if self.training:
            variance, mean = torch.var_mean(images.float(), (0, 2, 3), correction=0)
            n, share = images.numel() / images.shape[1], self.momentum or 0.0
            with torch.no_grad():
                self.running_mean.mul_(1 - share).add_(share * mean)
                self.running_var.mul_(1 - share).add_(share * variance * n / (n - 1))
                self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (images * scale[:, None, None] + shift[:, None, None]).to(images.dtype)


class _Halving(nn.Conv2d):
    """A 5x5 convolution of stride 2 as one of 3x3 on 2x2 blocks of pixels, four times the channels:
    the same sums, which a GPU takes several times faster where channels are few."""

    def forward(self, images: Tensor) -> Tensor:
        odd = images.shape[-1] % 2
        blocks = F.pixel_unshuffle(F.pad(images, (0, odd, 0, odd)), 2)
        # Tap k of five is tap k // 2 of three in pixel k % 2 of a block; the sixth is zero.
        taps = F.pad(self.weight, (0, 1, 0, 1)).unflatten(3, (3, 2)).unflatten(2, (3, 2))
        return F.conv2d(blocks, taps.permute(0, 1, 3, 5, 2, 4).flatten(1, 3), self.bias, padding=1)


def _vectorised(model: nn.Module) -> nn.Module:
    """A copy of ``model``'s layers without their weights, in forms that are fast in a stack."""
    found = copy.deepcopy(model).to("meta")
    for part in found.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.__class__ = _Norm
        elif isinstance(part, nn.Conv2d) and (*part.kernel_size, *part.stride) == (5, 5, 2, 2):
            part.__class__ = _Halving
    return found


class Stack(nn.Module):
    """``models`` of one architecture as one network: image i goes through model i mod their number.

    The models become views of the stack, so each is always at what was trained. A loss that is a
    mean over images is one over all models' images; the gradients are scaled back to each model's
    own, so that an optimiser takes the steps that it would take for every model alone.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        self.copies = len(models)
        # In a tuple, so that its parameters are not the stack's.
        self._layers = (_vectorised(models[0]),)
        stacked, self._buffers_of = torch.func.stack_module_state(list(models))
        self._names = list(stacked)
        self._stacked = nn.ParameterList([nn.Parameter(stacked[name]) for name in self._names])
        for parameter in self._stacked:
            parameter.register_hook(lambda gradient: gradient * self.copies)
        both = {**dict(zip(self._names, self._stacked, strict=True)), **self._buffers_of}
        for i, model in enumerate(models):
            for name, values in (*model.named_parameters(), *model.named_buffers()):
                values.data = both[name].data[i]

    def forward(self, images: Tensor, _generator: torch.Generator | None = None) -> Tensor:
        """Images (n * copies, c, h, w), n blocks of one image a model, to what the models give."""
        parameters = dict(zip(self._names, self._stacked, strict=True))
        model = self._layers[0].train(self.training)

        def one(given: dict[str, Tensor], buffers: dict[str, Tensor], images: Tensor) -> Tensor:
            return torch.func.functional_call(model, (given, buffers), (images,))

        each = torch.vmap(one, in_dims=(0, 0, 1), out_dims=1)
        blocks = images.unflatten(0, (-1, self.copies))
        return each(parameters, self._buffers_of, blocks).flatten(0, 1)


class Trainer(restoration.Trainer):
    """:class:`.restoration.Trainer` of a stack: every step is one of each of ``points``."""

    def __init__(
        self,
        points: Sequence[Point],
        material: Material,
        where: torch.device,
        restorers: Sequence[networks.Restorer],
        critics: Sequence[networks.Critic],
        against: Sequence[losses.Net],
    ) -> None:
        stacks = Stack(restorers), Stack(critics)
        super().__init__(points[0], material, where, *stacks, against)  # type: ignore[arg-type]
        self.points, self.critic.copies = points, len(points)
        self.weights = self._weights(1)

    def _weights(self, number: int) -> Tensor:
        """alpha, beta and gamma of every point in step ``number``, (3, points)."""
        each = [(restoration.annealed(p, number), p.beta, p.gamma) for p in self.points]
        return torch.tensor(each, device=self.where).T

    def restored(self) -> tuple[Tensor, Tensor, Tensor]:
        """As of one point, each image once for every point in turn."""
        batch = self.material.batch(next(self.order), self.generator)
        degraded, clean, labels = (part.repeat_interleave(len(self.points), 0) for part in batch)
        with device.autocast(self.where):
            return self.restorer.train()(degraded).float(), clean, labels

    def loss(self, restored: Tensor, clean: Tensor, labels: Tensor, number: int) -> Tensor:
        """Eq. 16, the mean over all points."""
        if self.point.settings.anneal_alpha:  # else they are what they were
            self.weights = self._weights(number)
        each = self.weights.repeat(1, len(restored) // len(self.points))
        critic = self.critic.critic
        return losses.weighted_loss(restored, clean, labels, critic, self.against, each)


def check(points: Sequence[Point]) -> None:
    """Raise :class:`InputError` where ``points`` cannot be trained as one."""
    first = points[0]
    if first.settings.noise_input:
        raise InputError("noise_input: such restorers draw noise, and are trained one by one")
    for point in points:
        apart = dict.fromkeys(GRID)
        same = {**point.settings._asdict(), **apart} == {**first.settings._asdict(), **apart}
        if not same or (point.experiment, point.seed) != (first.experiment, first.seed):
            raise InputError(
                f"{point.label()} and {first.label()}: points that are trained as one are of one "
                "experiment, seed and settings"
            )


def train(
    points: Sequence[Point],
    material: Material,
    where: torch.device,
    restorers: Sequence[networks.Restorer],
    critics: Sequence[networks.Critic],
    against: Sequence[losses.Net],
    tick: Tick = lambda: None,
) -> list[Trained]:
    """:func:`.restoration.train` of every one of ``points``, each with its own networks.

    Raises :class:`.restoration.Diverged` where any of them does, and :class:`InputError` as
    :func:`check`.
    """
    check(points)
    watchers = [
        restoration.Watcher(point, material, restorer, critic, against)
        for point, restorer, critic in zip(points, restorers, critics, strict=True)
    ]
    trainer = Trainer(points, material, where, restorers, critics, against)
    restoration.run(trainer, watchers, tick)
    return [watcher.trained() for watcher in watchers]
