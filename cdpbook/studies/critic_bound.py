"""The release's critic: the bound on its gap, a critic that nearly meets it, and fits of it.

Its last convolution is batch-normalised and every parameter is clipped, so the gap of its mean
scores is bounded whatever the images: :func:`bound` has the proof in short, the chapter on
measuring perception at length. A gap is in the units of the scores, which have none.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments import device, networks, restoration, settings
from cdplib.experiments.material import stream
from cdplib.experiments.networks import Critic

#: The release's: bound on every parameter, and the images of one batch statistic.
CLIP = 0.01
BATCH = 50


def bound(critic: Critic, clip: float = CLIP) -> float:
    """The largest gap |E critic(real) - E critic(fake)| with every parameter in [-clip, clip].

    ``2 F clip^2`` for F inputs of the linear layer, whatever the images, the earlier layers and
    the batches, as long as each batch is all real or all fake and is normalised by its own
    statistics. Proof: normalised activations of one channel have mean square at most 1 over a
    batch and its P positions, so mean modulus at most 1 (Cauchy-Schwarz). LeakyReLU is
    1-Lipschitz, so at one position real and fake outputs ``lrelu(s z + o)`` differ by at most
    ``|s| (|z_real| + |z_fake|)``: the offset o cancels. Averaged over positions that is at most
    ``2 clip``, times F weights of at most ``clip``. :func:`extremal` meets it up to the eps of
    batch-norm.

    Raises:
        InputError: ``clip`` is not positive, or the critic's last convolution has no batch-norm.
    """
    if not clip > 0:
        raise InputError(f"clip={clip!r}: expected a positive number")
    _, linear = _end(critic)
    return 2 * linear.in_features * clip**2


def own_bound(critic: Critic) -> float:
    """The largest gap that this critic can show for any images: :func:`bound` for its own numbers.

    ``2 sqrt(P) sum_c |s_c| ||w_c||`` over the last channels c, with s_c the batch-norm scale and
    ||w_c|| the Euclidean norm of the channel's P linear weights (Cauchy-Schwarz over positions as
    well). At most ``bound(critic, clip)`` if the parameters are clipped, and true if they are not.

    Raises:
        InputError: the critic's last convolution has no batch-norm.
    """
    norm, linear = _end(critic)
    weights = linear.weight.detach().double().view(norm.num_features, -1)
    scale = norm.weight.detach().double().abs()
    return float(2 * weights.shape[1] ** 0.5 * (scale * weights.norm(dim=1)).sum())


def _end(critic: Critic) -> tuple[nn.BatchNorm2d, nn.Linear]:
    """The last batch-norm and the linear layer after it."""
    norm, linear = critic.body[-4], critic.body[-1]
    if not isinstance(norm, nn.BatchNorm2d) or not isinstance(linear, nn.Linear):
        raise InputError("a critic without batch-norm: its gap has no bound, expected batch_norm")
    return norm, linear


@torch.no_grad()
def clipped(critic: Critic, clip: float = CLIP) -> Critic:
    """``critic`` with every parameter clipped to [-clip, clip], in place, as after each step."""
    for parameter in critic.parameters():
        parameter.clamp_(-clip, clip)
    return critic


def gap(critic: Critic, real: Tensor, fake: Tensor, batch: int = BATCH) -> float:
    """E critic(real) - E critic(fake), the paper's P as the release reads it.

    Args:
        real, fake: float32 (n, c, h, w) and (m, c, h, w).
        batch: images normalised together; real and fake ones never are.

    Raises:
        InputError: there are no images, or of another shape than each other.
    """
    if real.shape[1:] != fake.shape[1:] or real.ndim != 4 or not (len(real) and len(fake)):
        shapes = f"{tuple(real.shape)} and {tuple(fake.shape)}"
        raise InputError(f"images of shapes {shapes}: expected (n, c, h, w) and (m, c, h, w)")
    one, other = (restoration.scores(critic, images, batch).double() for images in (real, fake))
    return float(one.mean() - other.mean())


def fit(
    real: Tensor,
    fake: Tensor,
    *,
    clip: float = CLIP,
    steps: int = 100,
    rate: float = 3e-4,
    width: int = 32,
    seed: int = 0,
) -> Critic:
    """The release's critic, fitted to tell ``fake`` from ``real``: Adam ascent and clipping.

    The engine's own critic step (:class:`.restoration.CriticTrainer` with ``critic=clip``), on
    batches of 50 of each, at a higher learning rate than the release's 1e-4 to need fewer steps;
    a parameter needs about ``2 clip / rate`` of them to cross its range.

    Args:
        real, fake: float32 (n, c, h, w) of 28 or 32 pixels a side; ``n`` may differ.

    Raises:
        InputError: fewer than 50 images of a kind.
    """
    if min(len(real), len(fake)) < BATCH:
        raise InputError(f"{min(len(real), len(fake))} images: expected {BATCH} or more")
    given = {"clip": clip, "critic_lr": rate, "critic_width": width, "seeds": [seed]}
    release = settings.resolve("exp2", "paper", given)
    point = settings.points("exp2", "paper", release)[0]
    where = torch.device("cpu")
    critic = Critic(real.shape[1], width=width, batch_norm=True)
    networks.initialise(critic, stream(point, "critic"))
    device.to_device(critic, where)
    trainer = restoration.CriticTrainer(critic, point, where)
    generator = stream(point, "warming")
    for _ in range(steps):
        chosen = [torch.randint(len(x), (BATCH,), generator=generator) for x in (real, fake)]
        trainer.step(real[chosen[0]], fake[chosen[1]])
    return critic


def extremal(clip: float = CLIP, width: int = 32, n: int = BATCH) -> tuple[Critic, Tensor, Tensor]:
    """A critic and two kinds of images whose gap nearly is :func:`bound`: it is sharp.

    "Real" images (n, 1, 28, 28) are white on the left half and black on the right, "fake" ones
    mirrored. All taps that are used are ``clip``, so every last channel is high where an image is
    white; scale and offset are ``clip``, so nothing is below zero and the last LeakyReLU does
    nothing; the linear weights are ``clip`` on the left, ``-clip`` on the right. What is missing
    is the share of batch-norm's eps, and goes to zero as ``clip`` grows.
    """
    critic = Critic(1, width=width, batch_norm=True)
    first, second, third = (m for m in critic.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.zero_()
        for layer in (first, second):  # 2 x 2 taps: inside the image at every position
            layer.weight[:, :, 2:4, 2:4] = clip
        third.weight[:, :, 2, 2] = clip
        for module in critic.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.fill_(clip)
                module.bias.fill_(clip)
        sign = torch.tensor([clip, clip, -clip, -clip])
        _, linear = _end(critic)
        linear.weight.copy_(sign.expand(4 * width, 4, 4).reshape(1, -1))
    real = torch.zeros(n, 1, 28, 28)
    real[..., :14] = 1
    return critic, real, real.flip(3)


def without_first_offsets(critic: Critic) -> Critic:
    """A copy of ``critic`` whose first layer has no biases: it cannot see contrast.

    Then ``f(a x) = f(x)`` for every a > 0 and batch x, up to the eps of batch-norm: the first
    convolution and LeakyReLU are homogeneous, and the first batch-norm divides by the scale.
    """
    changed = copy.deepcopy(critic)
    first = next(m for m in changed.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        if first.bias is not None:
            first.bias.zero_()
    return changed
