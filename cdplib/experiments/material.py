"""What a training reads: images on one device, batches in a seeded order, streams of randomness."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cdplib.experiments import data, degradations
from cdplib.experiments.settings import Point

#: Validation images that are looked at while a network trains.
WATCHED = 500


@dataclass
class Material:
    """What a training reads, on one device: pixels stay ``uint8`` until they are in a batch.

    ``degraded`` is None for denoising, whose noise is drawn afresh for every batch.
    """

    clean: Tensor
    labels: Tensor
    degraded: Tensor | None
    sigma: float
    validation: tuple[Tensor, Tensor, Tensor]

    @classmethod
    def load(cls, point: Point, where: torch.device) -> Material:
        """The training and validation data of ``point`` on device ``where``."""
        whole = data.load(point.settings.dataset)
        degraded = None
        if point.row.task == "sr":
            pixels = degradations.reduced(point.row.degradation, whole, "train")
            degraded = _view(pixels).to(where)
        clean, labels = whole.validation.tensors(slice(0, WATCHED), where)
        return cls(
            clean=_view(whole.train.images).to(where),
            labels=torch.from_numpy(whole.train.labels.astype("int64")).to(where),
            degraded=degraded,
            sigma=point.settings.noise_sigma,
            validation=(degraded_split(point, "validation")[:WATCHED].to(where), clean, labels),
        )

    def batch(self, chosen: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Degraded images, clean ones (float32, [0, 1]) and labels of the chosen indices."""
        chosen = chosen.to(self.clean.device)
        clean = self.clean[chosen].float().div_(255)
        if self.degraded is None:
            noise = torch.randn(clean.shape, generator=generator).to(clean.device)
            return clean + self.sigma * noise, clean, self.labels[chosen]
        return self.degraded[chosen].float().div_(255), clean, self.labels[chosen]


def degraded_split(point: Point, split: str) -> Tensor:
    """A split of the point's data set as it is degraded for validation and test: fixed by seed 0.

    float32 (n, c, h, w); noise is not clipped.
    """
    whole = data.load(point.settings.dataset)
    if point.row.task == "sr":
        return degradations.degrade(point.row.degradation, whole, split)
    noise = replace(degradations.get("noise"), sigma=point.settings.noise_sigma)
    images = whole.split(split).images
    return data.to_tensor(images).add_(degradations.fixed_noise(images.shape, split, 0, noise))


def batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices of batches without end: every epoch is a new permutation of ``n``."""
    while True:
        order = torch.randperm(n, generator=generator)
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]


def stream(point: Point, purpose: str) -> torch.Generator:
    """A generator for one purpose of one seed: streams do not depend on each other's use."""
    text = f"{purpose}/{point.seed}".encode()
    seed = int.from_bytes(hashlib.sha256(text).digest()[:7], "big")
    return torch.Generator().manual_seed(seed)


def _view(pixels: np.ndarray) -> Tensor:
    """A tensor over the array's own memory, which is mapped from disk and only ever read."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(pixels)
