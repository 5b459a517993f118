"""Images spoilt on purpose, and what the measures of P say of them, where the truth is bounded."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from cdpbook.runs import floor
from cdplib.errors import InputError
from cdplib.experiments import classifiers, measures, perception

#: The modules that what is measured here rests on, besides the classifier of Fréchet's features.
CODE = (sys.modules[__name__], measures, perception)


def spoil(images: Tensor, seed: int = 0) -> dict[str, Tensor]:
    """Images (n, c, h, w) in [0, 1] spoilt in ways whose badness the eye can judge, by name.

    ``noise alone`` is N(0, 1), not clipped, and holds no image; ``mean image`` is n times the
    average of them all.
    """
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
    return {
        "real": images,
        "slightly noisy": (images + 0.1 * noise).clamp(0, 1),
        "half contrast": images / 2,
        "blurred": F.avg_pool2d(images, 5, stride=1, padding=2),
        "mean image": images.mean(0, keepdim=True).expand_as(images).contiguous(),
        "noise alone": noise,
    }


def paired_distance(kinds: Mapping[str, Tensor]) -> dict[str, float]:
    """Mean Euclidean distance of each image to its original: at least W1 to the real images' law.

    ``kinds`` as :func:`spoil` gives them, in the order of the originals; for ``real`` it is 0.
    """
    apart = {kind: images - kinds["real"] for kind, images in kinds.items()}
    return {kind: float(x.flatten(1).norm(dim=1).double().mean()) for kind, x in apart.items()}


def measure(kinds: Mapping[str, Tensor], dataset: str, seed: int = 0) -> pd.DataFrame:
    """Judge, sliced W2, Fréchet and exact W1 of each kind against ``kinds["real"]``.

    One row a kind; ``<measure>_seconds`` are CPU seconds that the value took here. For the real
    images the judge's value is its floor on the whole test set (:func:`.chapter.floor`), and has
    no seconds; every other measure compares different halves anyway.
    """
    real = kinds["real"]
    one, other = perception.halves(len(real), seed)
    network = classifiers.get(classifiers.extractor(dataset), dataset).features

    calls: dict[str, Callable[[Tensor], float]] = {
        "p_judge": lambda images: perception.judge(images, real, seed, paired=True).value,
        "sliced_w2": lambda images: perception.sliced_w2(images, real, seed),
        "frechet": lambda images: perception.frechet(
            *(measures.outputs(network, x) for x in (images[one], real[other]))
        ),
        "exact_w1": lambda images: perception.exact_w1(images, real, seed),
    }
    rows = {kind: {"p_judge": floor(dataset, "p_judge") or 0.0} for kind in kinds}
    for kind, images in kinds.items():
        for name, call in calls.items():
            if name != "p_judge" or images is not real:
                start = time.process_time()
                rows[kind][name] = call(images)
                rows[kind][f"{name}_seconds"] = time.process_time() - start
    return pd.DataFrame.from_dict(rows, orient="index")


def exact_w1_by_samples(
    kinds: Mapping[str, Tensor], samples: Iterable[int], repeats: int = 5
) -> pd.DataFrame:
    """Exact W1 between n images of each kind and n other real ones: a row each n of ``samples``.

    Means over random halves, ``repeats`` of them at most, fewer for large n (their time grows
    faster than n^2). Sizes above half the images are left out; :class:`InputError` if none is left.
    """
    real = kinds["real"]
    sizes = [n for n in sorted(set(samples)) if 2 <= n <= len(real) // 2]
    if not sizes:
        raise InputError(f"samples={list(samples)}: expected one in [2, {len(real) // 2}]")
    rows: dict[int, dict[str, float]] = {}
    for n in sizes:
        seeds = range(max(1, min(repeats, sizes[-1] // n)))
        rows[n] = {
            kind: float(np.mean([perception.exact_w1(images, real, seed, n) for seed in seeds]))
            for kind, images in kinds.items()
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("n")


def halving(values: pd.Series) -> float:
    """By what factor n must grow to halve ``values``, whose index is n, by the power law that fits.

    inf with one size, or no decrease.
    """
    if len(values) < 2:
        return np.inf
    rate = -float(np.polyfit(np.log(values.index), np.log(values), 1)[0])
    return 2 ** (1 / rate) if rate > 0 else np.inf
