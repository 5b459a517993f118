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
    critic: Net, real: Tensor, fake: Tensor, penalty: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """What the critic descends, ``penalty`` times its gradient's penalty less the gap; the gap.

    With ``penalty`` 0 it is the release's critic: batch-normalised, and bounded by clipping.
    """
    gap = critic_gap(critic, real, fake, apart=not penalty)
    if not penalty:
        return -gap, gap
    return -gap + penalty * gradient_penalty(critic, real, fake, generator), gap


def gradient_penalty(critic: Net, real: Tensor, fake: Tensor, generator: torch.Generator) -> Tensor:
    """Mean of (|gradient| - 1)^2 between real and restored images (Gulrajani et al. 2017)."""
    mix = torch.rand(len(real), 1, 1, 1, generator=generator).to(real.device)
    between = torch.lerp(real, fake, mix).requires_grad_(True)
    # Slopes of slopes are taken in float32, whatever the precision of the rest.
    with torch.autocast(real.device.type, enabled=False):
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()
