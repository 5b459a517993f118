"""P: how far the law of the restored images is from that of real ones, measured in four ways.

Theorem 1's divergence is between distributions, so no measure here pairs a restoration with its
own original. In all of them **lower is better**. Halves are drawn at random by a seed: MNIST's
test set is ordered by its writers, and its first half is not like its second.

None of these reaches 0 on real images: what each gives for real against real is its floor
(:func:`cdpbook.runs.floor`), and a point at the floor cannot be told from real images
by it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cdplib.errors import InputError

#: The judge is the same for every point ever measured: changing these makes old rows void.
JUDGE_ITERATIONS = 250
JUDGE_BATCH = 32
JUDGE_RATE = 3e-3
JUDGE_PENALTY = 10.0
JUDGE_WIDTH = 8

PROJECTIONS = 1_000


@dataclass(frozen=True)
class Estimate:
    """A measured value and its standard error over the images it was read on."""

    value: float
    se: float


class Judge(nn.Module):
    """The judge critic: the paper's three stride-2 5x5 convolutions, narrower, no batch-norm.

    Batch-norm would make a score depend on the other images of its batch, and the gradient
    penalty (which is one image's) meaningless.
    """

    def __init__(self, channels: int, size: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = (channels, JUDGE_WIDTH, 2 * JUDGE_WIDTH, 4 * JUDGE_WIDTH)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 5, stride=2, padding=2), nn.LeakyReLU(0.2)]
            size = (size + 1) // 2
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * size**2, 1))
        with torch.no_grad():  # from the generator alone, whatever torch's global seed is
            for name, weight in self.named_parameters():
                if name.endswith("bias"):
                    weight.zero_()
                else:
                    fan_in = weight[0].numel()
                    weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)

    def forward(self, images: Tensor) -> Tensor:
        """One score an image, ``(n,)``; higher means more like a real one."""
        return self.body(images)[:, 0]


def judge(
    restored: Tensor,
    real: Tensor,
    seed: int = 0,
    *,
    paired: bool = False,
    iterations: int = JUDGE_ITERATIONS,
) -> Estimate:
    """Wasserstein-1 distance as one and the same critic sees it (the paper's P, made comparable).

    A new critic with gradient penalty (Gulrajani et al. 2017), always from the same start and
    with the same budget, is fitted on a random half of the images, and the gap of its mean
    scores, real minus restored, is read on the other half and divided by the critic's slope there
    (root mean square norm of its gradient on lines between the two kinds of images), which a
    small budget leaves between 1 and 2 where W1 asks for 1. In units of Euclidean distance
    between images of pixels in [0, 1]; it tends to be below W1, as a small budget finds no better
    critic. Held-out reading makes its floor 0 up to the standard error (it can be negative), not
    the bias that a critic has on the images it was fitted on.

    Args:
        restored, real: float32 ``(n, c, h, w)`` in [0, 1], on one device; equal ``n``.
        seed: of the halves, the critic's start and its batches.
        paired: ``restored[i]`` is made from ``real[i]``; the standard error then is that of the
            paired differences. It changes nothing else.
        iterations: budget; only for tests, as values of different budgets do not compare.

    Raises:
        InputError: shapes differ, or fewer than 4 images.
    """
    _check(restored, real)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(real), generator=generator)
    half = len(real) // 2
    fit, read = order[:half], order[half:]
    critic = _fitted(restored[fit], real[fit], generator, iterations)
    with torch.no_grad():
        scores = [
            torch.cat([critic(part) for part in images[read].split(1000)]).double().cpu()
            for images in (real, restored)
        ]
    real_scores, restored_scores = scores
    value = float(real_scores.mean() - restored_scores.mean())
    if paired:
        variance = (real_scores - restored_scores).var()
    else:
        variance = real_scores.var() + restored_scores.var()
    slope = _slope(critic, restored[read], real[read], generator)
    return Estimate(value / slope, float((variance / len(read)).sqrt()) / slope)


def _slope(critic: Judge, fake: Tensor, real: Tensor, generator: torch.Generator) -> float:
    """Root mean square norm of the critic's gradient on lines between fake and real images."""
    partner = torch.randperm(len(real), generator=generator)[:1000]
    real = real[:1000]
    mix = torch.rand((len(partner), 1, 1, 1), generator=generator).to(real.device)
    between = (fake[partner] + mix * (real - fake[partner])).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between)
    return float(slope.flatten(1).norm(dim=1).square().mean().sqrt())


def _fitted(fake: Tensor, real: Tensor, generator: torch.Generator, iterations: int) -> Judge:
    """The judge, fitted to tell ``fake`` from ``real``."""
    channels, size = real.shape[1], real.shape[2]
    with torch.random.fork_rng(devices=[]):  # layers draw a start of their own when made
        critic = Judge(channels, size, generator).to(real.device)
    optimiser = torch.optim.Adam(critic.parameters(), lr=JUDGE_RATE, betas=(0.5, 0.9))
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, iterations)
    batch = min(JUDGE_BATCH, len(real))
    for _ in range(iterations):
        a, b = (torch.randint(len(real), (batch,), generator=generator) for _ in range(2))
        mix = torch.rand((batch, 1, 1, 1), generator=generator).to(real.device)
        x, y = real[a], fake[b]
        between = (y + mix * (x - y)).requires_grad_()
        score_x, score_y, score_between = critic(torch.cat([x, y, between])).split(batch)
        (slope,) = torch.autograd.grad(score_between.sum(), between, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        optimiser.zero_grad(set_to_none=True)
        (score_y.mean() - score_x.mean() + JUDGE_PENALTY * penalty).backward()
        optimiser.step()
        schedule.step()
    return critic


def halves(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two disjoint random halves of ``range(n)``, fixed by the seed."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return order[: n // 2], order[n // 2 : 2 * (n // 2)]


def sliced_w2(restored: Tensor, real: Tensor, seed: int = 0) -> float:
    """Sliced Wasserstein-2 distance of pixels: restored images of one half, real of the other.

    The root of the mean squared W2 over PROJECTIONS random directions (POT); in units of the
    pixel range along a unit direction. The same halves and directions for every point. On MNIST
    its floor is about .01 with 5,000 images a side; on CIFAR-10 good restorations reach it.

    Raises:
        InputError: shapes differ, or fewer than 4 images.
    """
    _check(restored, real)
    one, other = halves(len(real), seed)
    return _sliced(restored[one], real[other], seed)


def _sliced(a: Tensor, b: Tensor, seed: int) -> float:
    x, y = (images.flatten(1).to("cpu", torch.float32).numpy() for images in (a, b))
    import ot  # slow to import: only where it is used

    return float(ot.sliced_wasserstein_distance(x, y, n_projections=PROJECTIONS, p=2, seed=seed))


def frechet(features: Tensor, real_features: Tensor) -> float:
    """Frechet distance of two sets of features, each taken as Gaussian (Heusel et al. 2017).

    ``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))`` of features ``(n, d)``; a squared distance in
    the units of the features. The features must come from a classifier that no restorer was
    trained against, or the training games the measure.

    Raises:
        InputError: widths differ, or fewer than 2 rows.
    """
    if features.ndim != 2 or real_features.ndim != 2 or features.shape[1] != real_features.shape[1]:
        shapes = f"{tuple(features.shape)} and {tuple(real_features.shape)}"
        raise InputError(f"features of shapes {shapes}: expected (n, d) and (m, d)")
    if min(len(features), len(real_features)) < 2:
        raise InputError("features of one image: expected two or more")
    a, b = (f.detach().to("cpu", torch.float64).numpy() for f in (features, real_features))
    shift = a.mean(0) - b.mean(0)
    cov_a, cov_b = (np.cov(f, rowvar=False).reshape(f.shape[1], -1) for f in (a, b))
    # tr (S1 S2)^(1/2) by the symmetric matrix with the same eigenvalues, S1^(1/2) S2 S1^(1/2).
    values, vectors = np.linalg.eigh(cov_a)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    return float(shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def exact_w1(restored: Tensor, real: Tensor, seed: int = 0, samples: int = 1_000) -> float:
    """W1 of two samples of pixels, solved exactly: restored of one half, real of the other.

    In Euclidean distance between images. **Not** a usable P: between samples of this size in so
    many dimensions it measures how far apart *images* are, and smooth averages, near to all,
    score better than real images. It is here to show that.

    Raises:
        InputError: shapes differ, or fewer than 4 images.
    """
    _check(restored, real)
    one, other = (h[:samples] for h in halves(len(real), seed))
    a, b = (x.flatten(1).to("cpu", torch.float64).numpy() for x in (restored[one], real[other]))
    import ot

    cost = ot.dist(a, b, metric="euclidean")
    return float(ot.emd2([], [], cost, numItermax=10_000_000))


def _check(restored: Tensor, real: Tensor) -> None:
    if restored.shape != real.shape or real.ndim != 4 or len(real) < 4:
        shapes = f"{tuple(restored.shape)} and {tuple(real.shape)}"
        raise InputError(f"images of shapes {shapes}: expected the same (n, c, h, w), n >= 4")
