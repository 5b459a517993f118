"""D, C and P of a restorer's output on a whole split: the columns of the results table.

Every measure has one value an image first; means and standard errors (standard deviation of
those values over the root of their number) come last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments import device, perception

#: Anything from images ``(n, c, h, w)`` to ``(n, d)``: logits of a classifier, or features.
Network = Callable[[Tensor], Tensor]
#: Bumped when the same images would be given other numbers: a part of every point's hash.
VERSION = 1

#: Small batches, channels last: convolutions of 28 x 28 images are twice as fast as at 500.
_BATCH = 50


def squared_error(restored: Tensor, clean: Tensor) -> Tensor:
    """D of each image, ``(n,)``: the mean over its pixels of the squared difference."""
    return (restored - clean).square().flatten(1).mean(1)


def psnr(restored: Tensor, clean: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in dB, for pixels in [0, 1]; inf if equal."""
    return -10 * squared_error(restored, clean).log10()


def ssim(restored: Tensor, clean: Tensor) -> Tensor:
    """Structural similarity of each image (torchmetrics' defaults, Wang et al. 2004), at most 1."""
    # Here, because it takes as long to import as everything else that a page needs.
    from torchmetrics.functional.image import structural_similarity_index_measure

    parts = zip(restored.split(_BATCH), clean.split(_BATCH), strict=True)
    values = [
        structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
        for a, b in parts
    ]
    return torch.cat([torch.as_tensor(v).reshape(-1) for v in values])


@torch.no_grad()
def outputs(network: Network, images: Tensor) -> Tensor:
    """``network``'s output for all the images, ``(n, d)``, in evaluation mode, by batches."""
    training = isinstance(network, nn.Module) and network.training
    if isinstance(network, nn.Module):
        network.eval()
    try:
        parts = [
            network(device.channels_last(part)).float().flatten(1) for part in images.split(_BATCH)
        ]
    finally:
        if isinstance(network, nn.Module):
            network.train(training)
    return torch.cat(parts)


def wrong(logits: Tensor, labels: Tensor) -> Tensor:
    """C of each image, ``(n,)``: 1 where the classifier errs, else 0."""
    return (logits.argmax(1) != labels).float()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The cross entropy of each image in nats, ``(n,)``: what Eq. 16 trains in place of C."""
    return F.cross_entropy(logits, labels, reduction="none")


def mean(values: Tensor) -> float:
    """The mean of one value an image."""
    return float(values.double().mean())


def standard_error(values: Tensor) -> float:
    """The standard error of :func:`mean`."""
    return float(values.double().std()) / math.sqrt(len(values))


def evaluate(
    restored: Tensor,
    clean: Tensor,
    labels: Tensor,
    classifier: Network,
    others: Mapping[str, Network] | None = None,
    feature_net: Network | None = None,
    seed: int = 0,
) -> dict[str, float]:
    """One row's measures: D, C and P of the images a restorer gave for a whole split.

    Args:
        restored, clean: float32 ``(n, c, h, w)``; ``clean`` in [0, 1]; in the same order.
        labels: int64 ``(n,)``.
        classifier: the predefined one, images to logits ``(n, 10)``.
        others: other classifiers by name, which give ``error_rate_NAME`` each.
        feature_net: images to features ``(n, d)`` of a classifier that took no part in training;
            None leaves ``frechet`` NaN.
        seed: of the halves, the judge and the projections; the same for all rows of a table.

    Returns:
        ``mse, mse_se, psnr`` (dB)``, ssim, error_rate, error_rate_se, ce`` (nats)``, p_judge,
        p_judge_se, sliced_w2, frechet, error_rate_NAME ...``. Rates are in [0, 1].

    Raises:
        InputError: shapes do not fit, or an image is not finite.
    """
    if restored.shape != clean.shape or labels.shape != clean.shape[:1]:
        shapes = f"{tuple(restored.shape)}, {tuple(clean.shape)} and {tuple(labels.shape)}"
        raise InputError(
            f"images and labels of shapes {shapes}: expected (n, c, h, w) x 2 and (n,)"
        )
    if not bool(torch.isfinite(restored).all()):
        raise InputError("the restored images are not all finite: expected values near [0, 1]")
    errors = squared_error(restored, clean)
    logits = outputs(classifier, restored)
    mistakes = wrong(logits, labels)
    row = {
        "mse": mean(errors),
        "mse_se": standard_error(errors),
        "psnr": mean(psnr(restored, clean)),
        "ssim": mean(ssim(restored, clean)),
        "error_rate": mean(mistakes),
        "error_rate_se": standard_error(mistakes),
        "ce": mean(cross_entropy(logits, labels)),
    }
    judged = perception.judge(restored, clean, seed, paired=True)
    row |= {"p_judge": judged.value, "p_judge_se": judged.se}
    row["sliced_w2"] = perception.sliced_w2(restored, clean, seed)
    row["frechet"] = math.nan
    if feature_net is not None:
        one, other = perception.halves(len(clean), seed)
        row["frechet"] = perception.frechet(
            outputs(feature_net, restored[one]), outputs(feature_net, clean[other])
        )
    for name, network in (others or {}).items():
        row[f"error_rate_{name}"] = mean(wrong(outputs(network, restored), labels))
    return row
