"""One restorer for the whole surface: beta and gamma of Eq. 16 are inputs of the network.

A restorer and its critic get a scale and a shift of every hidden channel from (beta, gamma): FiLM
(Perez et al. 2018), in the manner of networks that are trained once for all weights of a loss
(Dosovitskiy and Djolonga 2020).  Every image of a batch has weights of its own, drawn log-uniformly
and, for a share, 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments import device, losses, networks, restoration
from cdplib.experiments.material import Material, batches, stream
from cdplib.experiments.settings import Point

#: Ranges of beta and gamma in training, their least values but 0, and the share that is 0.
RANGES = {"beta": (0.002, 0.12), "gamma": (0.002, 0.04)}
NOTHING = 0.15

_FEATURES = 32


class Film(nn.Module):
    """A scale and a shift of every channel of (n, c, h, w), from the code (n, features)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.affine = nn.Linear(_FEATURES, 2 * channels)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)
        self.code = torch.zeros(1, _FEATURES)

    def forward(self, images: Tensor) -> Tensor:
        scale, shift = self.affine(self.code)[:, :, None, None].chunk(2, dim=1)
        return images * (1 + scale) + shift


class Conditional(nn.Module):
    """``inner``, a restorer or a critic, with FiLM before every activation between convolutions.

    :meth:`given` sets the weights: one pair for all images, or one an image.  ``inner`` is changed.
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = _with_film(inner)
        self.embed = nn.Sequential(
            nn.Linear(2, _FEATURES), nn.ReLU(), nn.Linear(_FEATURES, _FEATURES), nn.ReLU()
        )
        self.films = [part for part in inner.modules() if isinstance(part, Film)]
        self.weights = torch.zeros(1, 2)

    def given(self, weights: Tensor) -> Conditional:
        """This network at ``weights`` (1, 2) or (n, 2): beta and gamma, at least 0.

        Raises :class:`InputError` for another shape or a negative number.
        """
        if weights.ndim != 2 or weights.shape[1] != 2 or not bool((weights >= 0).all()):
            raise InputError(f"weights {weights.tolist()!s:.60}: expected rows (beta, gamma) >= 0")
        self.weights = weights
        return self

    def forward(self, images: Tensor, *rest: torch.Generator | None) -> Tensor:
        code = self.embed(features(self.weights.to(images.device)))
        if len(code) > 1:  # a critic sees real and restored images of one batch together
            code = code.repeat(len(images) // len(code), 1)
        for film in self.films:
            film.code = code
        return torch.as_tensor(self.inner(images, *rest))


def features(weights: Tensor) -> Tensor:
    """(beta, gamma) (n, 2) as (n, 2) in about [0, 1]: linear up to the least weight, then log."""
    least, most = (torch.tensor([r[i] for r in RANGES.values()]) for i in (0, 1))
    least, most = least.to(weights), most.to(weights)
    return torch.log1p(weights / least) / torch.log1p(most / least)


def _with_film(network: nn.Module) -> nn.Module:
    """``network`` with FiLM before each activation in its sequences."""
    for name, part in network.named_children():
        if isinstance(part, nn.Sequential):
            layers, channels = list[nn.Module](), 0
            for layer in part:
                channels = layer.out_channels if isinstance(layer, nn.Conv2d) else channels
                if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                    layers.append(Film(channels))
                layers.append(_with_film(layer))
            setattr(network, name, nn.Sequential(*layers))
        else:
            _with_film(part)
    return network


def new(point: Point, start: Mapping[str, Tensor], critic: Mapping[str, Tensor]) -> Networks:
    """Both networks of ``point``, FiLM without effect: they restore and score as the starts do.

    ``start``, ``critic``: states of :func:`.restoration.new_restorer` and ``new_critic``.
    """
    pair = []
    for purpose, make, state in (
        ("restorer", restoration.new_restorer, start),
        ("critic", restoration.new_critic, critic),
    ):
        inner: nn.Module = make(point)
        inner.load_state_dict(dict(state))
        network = Conditional(inner)
        networks.initialise(network.embed, stream(point, f"conditional {purpose}"))
        pair.append(network)
    return Networks(*pair)


@dataclass
class Networks:
    """The conditional restorer and its critic."""

    restorer: Conditional
    critic: Conditional


def draw(n: int, generator: torch.Generator) -> Tensor:
    """Weights (n, 2) of a batch: beta and gamma each 0 for a share, else log-uniform."""
    columns = []
    for least, most in RANGES.values():
        there = torch.rand(n, generator=generator) >= NOTHING
        share = torch.rand(n, generator=generator)
        columns.append(there * torch.exp(math.log(least) + share * math.log(most / least)))
    return torch.stack(columns, dim=1)


class Trainer:
    """Both networks on their way: one critic's step and one restorer's a batch, as Eq. 16's."""

    def __init__(
        self, point: Point, material: Material, where: torch.device, pair: Networks, net: losses.Net
    ) -> None:
        s = point.settings
        self.pair, self.material, self.where, self.net = pair, material, where, net
        for network in (pair.restorer, pair.critic):
            device.to_device(network, where)
        self.critic = restoration.CriticTrainer(pair.critic, point, where)
        self.optimizer = torch.optim.Adam(pair.restorer.parameters(), lr=s.lr, betas=(0.5, 0.9))
        rate = restoration.rates("cosine", s.steps)
        self.schedules = [
            torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
            for optimizer in (self.optimizer, self.critic.optimizer)
        ]
        self.generator = stream(point, "conditional")
        self.order = batches(len(material.clean), s.batch, self.generator)

    def step(self) -> None:
        """One batch: its weights are drawn, the critic steps, the restorer steps."""
        degraded, clean, labels = self.material.batch(next(self.order), self.generator)
        weights = draw(len(clean), self.generator)
        restorer, critic = self.pair.restorer.given(weights), self.pair.critic.given(weights)
        each = torch.cat([torch.ones(1, len(clean)), weights.T]).to(self.where)
        with device.autocast(self.where):
            restored = restorer.train()(device.channels_last(degraded), self.generator).float()
        self.critic.step(clean, restored)
        with device.autocast(self.where):
            found = losses.weighted_loss(restored, clean, labels, critic, [self.net], each)
        restoration.descend(self.optimizer, found)
        for schedule in self.schedules:
            schedule.step()


def at(network: Conditional, beta: float, gamma: float) -> Callable[[Tensor], Tensor]:
    """``network`` in evaluation at one pair of weights: images to restored images."""
    weights = torch.tensor([[beta, gamma]], dtype=torch.float32)

    def restore(images: Tensor) -> Tensor:
        with networks.evaluating(network.given(weights)):
            return torch.cat([network(part).float() for part in images.split(50)])

    return restore
