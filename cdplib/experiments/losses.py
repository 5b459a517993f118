"""What is descended: the restorer's loss (Eq. 16), the critic's loss, and the critic's penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from cdplib.experiments import device

#: Images (n, c, h, w) to scores (n,) or logits (n, classes).
Net = Callable[[Tensor], Tensor]
Nets = Sequence[Net]
#: alpha, beta and gamma of Eq. 16.
Weights = tuple[float, float, float]


def restorer_loss(
    restored: Tensor, clean: Tensor, labels: Tensor, critic: Net, against: Nets, weights: Weights
) -> Tensor:
    """Eq. 16: alpha MSE - beta E critic(restored) + gamma CE, the mean over ``against``."""
    alpha, beta, gamma = weights
    loss = alpha * F.mse_loss(restored, clean)
    if beta:
        loss = loss - beta * critic(restored).float().mean()
    if gamma:
        entropies = [F.cross_entropy(net(restored).float(), labels) for net in against]
        loss = loss + gamma * torch.stack(entropies).mean()
    return loss


def weighted_loss(
    restored: Tensor, clean: Tensor, labels: Tensor, critic: Net, against: Nets, weights: Tensor
) -> Tensor:
    """Eq. 16 with alpha, beta and gamma (3, n) of its own for each image; the mean over images."""
    alpha, beta, gamma = weights
    errors = (restored - clean).square().flatten(1).mean(1)
    entropies = [
        F.cross_entropy(net(restored).float(), labels, reduction="none") for net in against
    ]
    entropy = torch.stack(entropies).mean(0)
    return (alpha * errors - beta * critic(restored).float() + gamma * entropy).mean()


def critic_gap(critic: Net, real: Tensor, fake: Tensor, *, apart: bool = False) -> Tensor:
    """E critic(real) - E critic(fake): in P's place, as far as the critic can tell.

    ``apart`` scores the two batches one after the other, so that batch-norm never mixes them.
    """
    if apart:
        one, other = (critic(device.channels_last(images)).float() for images in (real, fake))
        return one.mean() - other.mean()
    both = critic(device.channels_last(torch.cat([real, fake]))).float()
    return both[: len(real)].mean() - both[len(real) :].mean()


def critic_loss(
    critic: Net,
    real: Tensor,
    fake: Tensor,
    penalty: float,
    generator: torch.Generator,
    copies: int = 1,
) -> tuple[Tensor, Tensor]:
    """What the critic descends, ``penalty`` times its gradient's penalty less the gap; the gap.

    With ``penalty`` 0 it is the release's critic: batch-normalised, and bounded by clipping.
    ``copies``: so many images in a row are of one image, and share the penalty's place between.
    """
    gap = critic_gap(critic, real, fake, apart=not penalty)
    if not penalty:
        return -gap, gap
    mix = torch.rand(len(real) // copies, 1, 1, 1, generator=generator).to(real.device)
    mix = mix.repeat_interleave(copies, 0)
    return -gap + penalty * gradient_penalty(critic, real, fake, mix), gap


def gradient_penalty(critic: Net, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Mean of (|gradient| - 1)^2 between real and restored images (Gulrajani et al. 2017), at
    the share ``mix`` (n, 1, 1, 1) of the way."""
    between = torch.lerp(real, fake, mix).requires_grad_(True)
    # Slopes of slopes are taken in float32, whatever the precision of the rest.
    with torch.autocast(real.device.type, enabled=False):
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
