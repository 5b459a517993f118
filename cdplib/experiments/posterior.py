"""Restorers without training: the posterior over training images, given what was observed.

The *empirical prior* puts mass 1/n on each of the n training images. Given Y it becomes weights
over them, and with these the restorers of theory can be written down: posterior mean (least D),
posterior sample (P of the prior), the most probable image and class. They are exact under that
prior, which is not the law of digits: no test digit is among the training digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cdplib.errors import InputError
from cdplib.experiments import data, degradations

#: Observed images at a time: weights over 55,000 training images then take 55 MB.
_BLOCK = 250
#: Kernel widths that are tried where the degradation has no noise; in units of the pixel range,
#: of the Euclidean distance between two reduced images.
WIDTHS = tuple(float(w) for w in np.geomspace(0.05, 0.8, 13))


@dataclass(frozen=True)
class Prior:
    """Training images in the order of their classes, and how each would be observed.

    Attributes:
        images: (n, c, h, w) float32 in [0, 1].
        observed: (n, m) float32, each of them degraded without noise.
        labels: (n,) int64, never falling.
        width: standard deviation of an observation around ``observed``, a coordinate.
    """

    images: Tensor
    observed: Tensor
    labels: Tensor
    width: float

    @classmethod
    def of(cls, images: Tensor, observed: Tensor, labels: Tensor, width: float) -> Prior:
        """The prior of images in any order; :class:`InputError` unless ``width`` is positive."""
        if not (width > 0 and math.isfinite(width)):
            raise InputError(f"width={width!r}: expected a positive number")
        if not len(images) == len(observed) == len(labels) > 0:
            counts = f"{len(images)}, {len(observed)} and {len(labels)}"
            raise InputError(f"{counts} images, observations and labels: expected equally many")
        order = labels.argsort(stable=True)
        return cls(images[order], observed.flatten(1)[order], labels[order], width)


@dataclass(frozen=True)
class Restored:
    """What the restorers make of the observed images; each of ``images`` is (n, c, h, w).

    ``label`` is the most probable class, (n,): a classifier that reads Y itself.
    """

    images: dict[str, Tensor]
    label: Tensor


def mnist_prior(kind: str, whole: data.Dataset, width: float | None = None) -> Prior:
    """The prior of ``whole``'s training images under a degradation of :mod:`.degradations`.

    Denoising needs no choice: ``width`` is the sigma of the noise. A reduced image has no noise,
    its exact posterior is a search for training images that reduce to the very same 5 x 5 pixels,
    and there is none. So it is smoothed by a Gaussian kernel, as in Nadaraya (1964) and Watson
    (1964), of ``width`` in the pixels of the reduced image; :func:`chosen_width` if None.
    """
    images, labels = whole.train.tensors()
    if kind == "noise":
        return Prior.of(images, images, labels, width or degradations.get(kind).sigma)
    observed = degradations.degrade(kind, whole, "train", low_resolution=True)
    return Prior.of(images, observed, labels, width or chosen_width(kind, whole)[0])


def chosen_width(kind: str, whole: data.Dataset) -> tuple[float, dict[float, float]]:
    """The width of :data:`WIDTHS` whose mean has the least MSE on the validation images.

    Also every width's MSE. No classifier takes part in the choice.
    """
    clean, _ = whole.validation.tensors()
    shown = degradations.degrade(kind, whole, "validation", low_resolution=True)
    found = {}
    for width in WIDTHS:
        prior = mnist_prior(kind, whole, width)
        mean = torch.cat([_weights(prior, y)[0] @ prior.images.flatten(1) for y in _blocks(shown)])
        found[width] = float((mean - clean.flatten(1)).square().mean(dtype=torch.float64))
    return min(found, key=lambda width: found[width]), found


def _blocks(observed: Tensor) -> tuple[Tensor, ...]:
    return observed.flatten(1).split(_BLOCK)


def _weights(prior: Prior, y: Tensor) -> tuple[Tensor, Tensor]:
    """Posterior weights of a block, (b, n) float32 that sum to one, and the largest one's index.

    ``-|y - o_i|^2 / 2 width^2`` without ``|y|^2``: the product in float32, as its size is at most
    some hundreds; the sum of 55,000 exponentials in float64.
    """
    log = torch.addmm(-0.5 * prior.observed.square().sum(1), y, prior.observed.T)
    log /= prior.width**2
    top, most = log.max(dim=1, keepdim=True)
    weights = (log - top).exp_()
    weights /= weights.sum(dim=1, keepdim=True, dtype=torch.float64).float()
    return weights, most[:, 0]


@torch.no_grad()
def restore(prior: Prior, observed: Tensor, seed: int = 0) -> Restored:
    """Every restorer's images for ``observed``, (k, ...) with as many values as ``prior``'s.

    ``mean``, ``sample``, ``most_probable`` (one training image: that nearest to Y),
    ``class_mean`` and ``class_sample``: given that the most probable class is the true one.
    ``seed`` is of the samples, each of which takes one uniform number.

    Raises:
        InputError: the observations have another number of values than the prior's.
    """
    if observed[0].numel() != prior.observed.shape[1]:
        raise InputError(
            f"observations of {observed[0].numel()} values: expected {prior.observed.shape[1]}"
        )
    flat, shape = prior.images.flatten(1), prior.images.shape[1:]
    bounds = torch.searchsorted(prior.labels, torch.arange(int(prior.labels.max()) + 2))
    uniform = torch.rand(
        len(observed), 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    parts: dict[str, list[Tensor]] = {}
    for y, u in zip(_blocks(observed), uniform.split(_BLOCK), strict=True):
        weights, most = _weights(prior, y)
        whole = weights.cumsum(dim=1, dtype=torch.float64)
        below = torch.cat([whole.new_zeros(len(y), 1), whole], dim=1)[:, bounds]
        label = below.diff(dim=1).argmax(dim=1)
        class_mean = torch.empty(len(y), flat.shape[1])
        for k in label.unique().tolist():
            rows, of_class = label == k, slice(int(bounds[k]), int(bounds[k + 1]))
            mass = weights[rows, of_class]
            total = mass.sum(dim=1, keepdim=True, dtype=torch.float64).float()
            class_mean[rows] = (mass / total) @ flat[of_class]
        start, end = (below.gather(1, (label + j)[:, None])[:, 0] for j in (0, 1))
        found = {
            "mean": weights @ flat,
            "sample": flat[_at(whole, u[:, 0] * whole[:, -1])],
            "most_probable": flat[most],
            "class_mean": class_mean,
            "class_sample": flat[_at(whole, start + u[:, 1] * (end - start))],
            "label": label,
        }
        for name, images in found.items():
            parts.setdefault(name, []).append(images)
    joined = {name: torch.cat(images) for name, images in parts.items()}
    label = joined.pop("label")
    # Float32 sums may leave [0, 1] by a rounding.
    clamped = {name: images.clamp(0, 1).unflatten(1, shape) for name, images in joined.items()}
    return Restored(clamped, label)


def _at(cumulated: Tensor, height: Tensor) -> Tensor:
    """The first index at which each row of ``cumulated`` exceeds ``height``."""
    found = torch.searchsorted(cumulated, height[:, None].contiguous(), right=True)[:, 0]
    return found.clamp(max=cumulated.shape[1] - 1)


def blend(restored: Restored, share: float) -> Tensor:
    """``share`` of the posterior sample and the rest of the posterior mean.

    Its expected D is that of the mean and ``share^2`` times the posterior's variance: of a right
    prior these two are equal. Freirich et al. (2021) show that for MSE and Wasserstein-2 a line
    is the whole D-P function, if at its other end stands the optimal transport of the mean to the
    prior; a posterior sample has the same law and a larger D, so these blends are above the line.
    Raises :class:`InputError` for a share outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise InputError(f"share={share!r}: expected a number in [0, 1]")
    return torch.lerp(restored.images["mean"], restored.images["sample"], share)
