"""The release's critic: the bound on its gap, and fits of it.

Its last convolution is batch-normalised and every parameter is clipped, so the gap of its mean
scores is bounded whatever the images: :func:`bound` has the proof in short, the chapter on
measuring perception at length. A gap is in the units of the scores, which have none.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pandas as pd
import torch
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments import device, losses, networks, restoration, settings
from cdplib.experiments.material import stream
from cdplib.experiments.networks import Critic

#: The release's: bound on every parameter, and the images of one batch statistic.
CLIP = 0.01
BATCH = 50
#: The modules that a fit and its gap rest on.
CODE = (sys.modules[__name__], losses, networks, restoration)


def bound(critic: Critic, clip: float = CLIP) -> float:
    """The largest gap |E critic(real) - E critic(fake)| with every parameter in [-clip, clip].

    ``2 F clip^2`` for F inputs of the linear layer, whatever the images, the earlier layers and
    the batches, as long as each batch is all real or all fake and is normalised by its own
    statistics. Proof: normalised activations of one channel have mean square at most 1 over a
    batch and its P positions, so mean modulus at most 1 (Cauchy-Schwarz). LeakyReLU is
    1-Lipschitz, so at one position real and fake outputs ``lrelu(s z + o)`` differ by at most
    ``|s| (|z_real| + |z_fake|)``: the offset o cancels. Averaged over positions that is at most
    ``2 clip``, times F weights of at most ``clip``. A test builds a critic that meets it up to
    the eps of batch-norm.

    Raises:
        InputError: ``clip`` is not positive, or the critic's last convolution has no batch-norm.
    """
    if not clip > 0:
        raise InputError(f"clip={clip!r}: expected a positive number")
    norm, linear = critic.body[-4], critic.body[-1]
    if not isinstance(norm, nn.BatchNorm2d) or not isinstance(linear, nn.Linear):
        raise InputError("a critic without batch-norm: its gap has no bound, expected batch_norm")
    return 2 * linear.in_features * clip**2


def gap(critic: Critic, real: Tensor, fake: Tensor, batch: int = BATCH) -> float:
    """E critic(real) - E critic(fake), the paper's P as the release reads it.

    ``real, fake``: float32 (n, c, h, w) and (m, c, h, w), else :class:`InputError`; ``batch``
    images are normalised together, real and fake ones never.
    """
    if real.shape[1:] != fake.shape[1:] or real.ndim != 4 or not (len(real) and len(fake)):
        shapes = f"{tuple(real.shape)} and {tuple(fake.shape)}"
        raise InputError(f"images of shapes {shapes}: expected (n, c, h, w) and (m, c, h, w)")
    one, other = (restoration.scores(critic, images, batch).double() for images in (real, fake))
    return float(one.mean() - other.mean())


def gaps(
    critics: Mapping[str, Critic], real: Tensor, fakes: Mapping[str, Tensor], blind: str
) -> pd.DataFrame:
    """The gaps of ``fakes``: each kind's ``own`` critic's, and the ``other``, of ``blind``."""
    own = {kind: gap(critic, real, fakes[kind]) for kind, critic in critics.items()}
    other = {kind: gap(critics[blind], real, fakes[kind]) for kind in critics}
    return pd.DataFrame({"own": own, "other": other})


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
    batches of 50 of each, at a higher learning rate than the release's 1e-4 to need fewer steps.
    ``real, fake``: float32 (n, c, h, w) of 28 or 32 pixels a side, of any n; :class:`InputError`
    for fewer than 50 images of a kind.
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
