"""A restorer of another family: a short flow from the posterior mean to the law of images.

Posterior-mean rectified flow (PMRF; Ohayon, Michaeli and Elad, ICLR 2025).  Of all restorers whose
outputs have the law of images, the optimal transport of the posterior mean to that law has the
least D (Freirich et al. 2021).  A rectified flow (Liu et al. 2023) comes near a transport: a
restored image and its original are joined by a straight line, a network learns the mean velocity
at every place and time, and Euler steps follow it.  No critic, no classifier, no label.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments import device, networks, restoration

#: From images (n, c, h, w), or any (n, ...), and times (n,) in [0, 1] to a change per unit of time.
Field = Callable[[Tensor, Tensor], Tensor]
#: From a generator to a batch: where lines start and where they end, (n, ...) each.
Pairs = Callable[[torch.Generator], tuple[Tensor, Tensor]]

_FREQUENCIES = 4


class Velocity(nn.Module):
    """The velocity of (n, 1, h, w) at times (n,): two scales, each layer told the time by FiLM.

    It sees the image on its way and nothing of y: with y it would learn to draw from the
    posterior, which doubles D.  ``h`` and ``w`` are multiples of 4.
    """

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(2 * _FREQUENCIES, 64), nn.SiLU())
        self.first = nn.Conv2d(4, width, 3, padding=1)
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.fine = nn.ModuleList(_Layer(width) for _ in range(2))
        self.coarse = nn.ModuleList(_Layer(2 * width) for _ in range(3))
        self.up = nn.Conv2d(2 * width, 4 * width, 3, padding=1)
        self.after = nn.ModuleList(_Layer(width) for _ in range(2))
        self.last = nn.Conv2d(width, 4, 3, padding=1)

    def forward(self, images: Tensor, time: Tensor) -> Tensor:
        if images.ndim != 4 or images.shape[1] != 1 or any(s % 4 for s in images.shape[2:]):
            shape = tuple(images.shape)
            raise InputError(f"images of shape {shape}: expected (n, 1, h, w), h and w by fours")
        angles = math.pi * time[:, None] * 2.0 ** torch.arange(_FREQUENCIES, device=time.device) / 2
        code = self.time(torch.cat([angles.sin(), angles.cos()], dim=1))
        fine = F.silu(self.first(F.pixel_unshuffle(images, 2)))
        for layer in self.fine:
            fine = layer(fine, code)
        coarse = F.silu(self.down(fine))
        for layer in self.coarse:
            coarse = layer(coarse, code)
        fine = fine + F.pixel_shuffle(self.up(coarse), 2)
        for layer in self.after:
            fine = layer(fine, code)
        return F.pixel_shuffle(self.last(fine), 2)


class _Layer(nn.Module):
    """What a convolution adds to its input, scaled and shifted by the code of the time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(64, 2 * width)

    def forward(self, images: Tensor, code: Tensor) -> Tensor:
        scale, shift = self.film(code)[:, :, None, None].chunk(2, dim=1)
        return images + F.silu(self.convolution(images) * (1 + scale) + shift)


def new(width: int, generator: torch.Generator) -> Velocity:
    """An untrained velocity that is 0 everywhere: weights that end in it or in FiLM start at 0.

    Started at random like the other networks, it was worse after 1,500 batches than 0 is.
    """
    velocity = Velocity(width)
    networks.initialise(velocity, generator)
    nn.init.zeros_(velocity.last.weight)
    for part in velocity.modules():
        if isinstance(part, _Layer):
            nn.init.zeros_(part.film.weight)
    return velocity


@dataclass(frozen=True)
class Starts:
    """Restored training images and their originals, float16 (n, c, h, w): the ends of the lines.

    A batch has ``size`` of them and N(0, ``noise`` squared) added to the restored ones, afresh: a
    restored image alone fills no volume, from which a law that does could be reached.
    """

    restored: Tensor
    clean: Tensor
    noise: float
    size: int

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(self.clean), (self.size,), generator=generator)
        restored, clean = (part[chosen].float() for part in (self.restored, self.clean))
        return spread(restored, self.noise, generator), clean


def spread(restored: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Where the flow starts: ``restored`` with N(0, ``noise`` squared) added."""
    return restored + noise * torch.randn(restored.shape, generator=generator).to(restored.device)


def loss(velocity: Field, start: Tensor, clean: Tensor, time: Tensor) -> Tensor:
    """The squared error of the velocity on the lines from ``start`` to ``clean``, (n, ...) each.

    Its least value has the mean of ``clean - start`` over all lines through a place at a time.
    """
    along = time.view(-1, *[1] * (start.ndim - 1))
    return F.mse_loss(velocity(torch.lerp(start, clean, along), time), clean - start)


def train(
    velocity: nn.Module, pairs: Pairs, steps: int, rate: float, generator: torch.Generator
) -> nn.Module:
    """``velocity`` after so many batches of ``pairs``, one cycle of the learning rate."""
    optimizer = torch.optim.Adam(velocity.parameters(), lr=rate)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=0.1, cycle_momentum=False
    )
    for _ in range(steps):
        start, clean = pairs(generator)
        time = torch.rand(len(start), generator=generator).to(start.device)
        restoration.descend(optimizer, loss(velocity, start, clean, time))
        cycle.step()
    return velocity


@torch.no_grad()
def follow(velocity: Field, start: Tensor, steps: int) -> Tensor:
    """Where ``steps`` Euler steps of equal length lead from ``start``, (n, ...), in time 1.

    One step is a regression, ``start + velocity(start, 0)``: the mean of the original given the
    start, of least D.  Many follow the flow, whose end has the law of the originals.
    Raises :class:`InputError` for fewer than one step.
    """
    if steps < 1:
        raise InputError(f"steps={steps!r}: expected 1 or more")
    for step in range(steps):
        time = torch.full((len(start),), step / steps, device=start.device)
        start = start + velocity(start, time) / steps
    return start


def restore(velocity: Field, restored: Tensor, noise: float, steps: int, seed: int) -> Tensor:
    """``restored`` (n, 1, h, w) carried to the law of images, clipped to [0, 1], by batches.

    ``seed``: of the noise that the start is given, the only lot that is drawn.
    """
    start = spread(restored, noise, torch.Generator().manual_seed(seed))
    parts = [follow(velocity, device.channels_last(part), steps) for part in start.split(50)]
    return torch.cat(parts).clamp(0, 1)
