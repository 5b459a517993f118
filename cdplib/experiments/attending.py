"""A restorer near the bound: beside y it sees the posterior mean under all training digits.

What a small network of convolutions cannot know is which digits there are.  :func:`observe` gives
it the mean of the training images weighted by how likely each is given y, as attention with fixed
keys would (and as :mod:`.posterior` restores without any training); a training image never sees
itself.  :class:`Attending` corrects that mean.  Denoising of digits only: sigma must be known.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cdplib.experiments import data, degradations, device, networks, restoration
from cdplib.experiments.material import Material, batches, stream
from cdplib.experiments.settings import Point

#: Draws of the noise a training image is observed with: attention is too dear for a fresh one.
DRAWS = 3

_BLOCK = 500


class Attending(networks.Restorer):
    """From (n, 2, h, w), y and the posterior mean, to (n, 1, h, w) in [0, 1]: the mean, corrected.

    The correction is :func:`.networks.fast_denoiser` with one more input channel.
    """

    def __init__(self, width: int = 64, depth: int = 6) -> None:
        plain = networks.fast_denoiser(1, width=width, depth=depth, noise_input=True)
        super().__init__(plain.body)

    def forward(self, degraded: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return (degraded[:, 1:] + self.body(degraded)).clamp(0, 1)


@torch.no_grad()
def observe(noisy: Tensor, images: Tensor, sigma: float, own: Tensor | None = None) -> Tensor:
    """y and its posterior mean, (n, 2, h, w): ``noisy`` (n, 1, h, w), the prior's ``images``.

    ``own`` (n,): the index in ``images`` that y was made of, which is left out; None: none was.
    """
    flat, square = images.flatten(1), -0.5 * images.flatten(1).square().sum(1)
    means = []
    for start in range(0, len(noisy), _BLOCK):
        y = noisy[start : start + _BLOCK].flatten(1)
        log = torch.addmm(square, y, flat.T).div_(sigma**2)
        if own is not None:
            log[torch.arange(len(y)), own[start : start + _BLOCK]] = -torch.inf
        means.append(torch.softmax(log, dim=1) @ flat)
    return torch.cat([noisy, torch.cat(means).view_as(noisy)], dim=1)


class Observed(Material):
    """Training images, each observed :data:`DRAWS` times; a batch takes one of them at random."""

    draws: Tensor

    @classmethod
    def load(cls, point: Point, where: torch.device) -> Observed:
        """As :meth:`.Material.load`, the prior being the training images."""
        plain = Material.load(point, where)
        whole, sigma = data.load(point.settings.dataset), point.settings.noise_sigma
        images, _labels = whole.train.tensors()
        images, own = images.to(where), torch.arange(len(images), device=where)
        draws = []
        for draw in range(DRAWS):
            generator = torch.Generator().manual_seed(1000 + draw)
            noise = torch.randn(images.shape, generator=generator).to(where)
            draws.append(observe(images + sigma * noise, images, sigma, own).half())
        degraded, clean, labels = plain.validation
        found = cls(plain.clean, plain.labels, None, sigma,
                    (observe(degraded, images, sigma), clean, labels))  # fmt: skip
        found.draws = torch.stack(draws)
        return found

    def batch(self, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(y, mean) float32 (n, 2, h, w), clean images and labels of the chosen indices."""
        which = torch.randint(len(self.draws), chosen.shape, generator=generator)
        which, chosen = which.to(self.clean.device), chosen.to(self.clean.device)
        clean = self.clean[chosen].float().div_(255)
        return self.draws[which, chosen].float(), clean, self.labels[chosen]


def observed_test(point: Point, where: torch.device) -> Tensor:
    """The test images of the published draw of the noise, observed: (n, 2, h, w)."""
    whole = data.load(point.settings.dataset)
    images, _labels = whole.train.tensors()
    noisy = degradations.degrade("noise", whole, "test")
    return observe(noisy.to(where), images.to(where), point.settings.noise_sigma)


def pretrain(point: Point, material: Observed, where: torch.device) -> Attending:
    """The network on the MSE alone, as :func:`.restoration.pretrain` does with a plain one."""
    s, model = point.settings, Attending()
    networks.initialise(model, stream(point, "attending"))
    device.to_device(model, where)
    generator = stream(point, "attending pretraining")
    optimizer = torch.optim.Adam(model.parameters(), lr=s.pretrain_lr)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, s.pretrain_lr, total_steps=s.pretrain_steps, pct_start=0.2, cycle_momentum=False
    )
    order = batches(len(material.clean), s.batch, generator)
    for _ in range(s.pretrain_steps):
        degraded, clean, _labels = material.batch(next(order), generator)
        with device.autocast(where):
            restored = model(device.channels_last(degraded), generator)
        restoration.descend(optimizer, F.mse_loss(restored.float(), clean))
        cycle.step()
    return model
