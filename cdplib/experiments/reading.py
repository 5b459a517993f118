"""Classifiers that read Y itself: what restoring first must be held against.

By data processing no restorer lets any classifier err less than the best classifier of Y, whose
error is the Bayes error of Y. A network trained on Y errs at least as much: its error is a level
that restoring and classifying can reach (draw an image of the class that it read), and an upper
estimate of that bound. It does not prove that nothing is below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cdplib.errors import unknown
from cdplib.experiments import classifiers, data, datasets, degradations
from cdplib.experiments.classifiers import Classifier
from cdplib.experiments.fitting import Recipe, train


@dataclass(frozen=True)
class Reader:
    """A network of :mod:`.classifiers` that is trained on degraded images of ``dataset``.

    ``low``: it reads reduced images as they are, 12 x 12 for ``sr3``, before they are enlarged
    to the size that a restorer gets. (5 x 5 pixels are too few for the layers of CNN-1.)
    """

    dataset: str
    degradation: str
    classifier: str
    recipe: Recipe
    low: bool = False

    @property
    def title(self) -> str:
        """As the text writes it."""
        return classifiers.display(self.classifier)


READERS = (
    Reader("mnist", "noise", "cnn1", Recipe(8, 0.02, "sgd", batch=100)),
    Reader("mnist", "noise", "convbn", Recipe(4, 0.01, shift=1)),
    Reader("mnist", "noise", "cnn2", Recipe(3, 0.1, "sgd", decay=5e-4, shift=1, fold=True)),
    Reader("mnist", "sr6", "cnn1", Recipe(8, 0.02, "sgd", batch=100)),
    Reader("mnist", "sr6", "convbn", Recipe(8, 0.01)),
    Reader("mnist", "sr6", "cnn2", Recipe(2, 0.1, "sgd", decay=5e-4, fold=True)),
    Reader(
        *("cifar10", "sr3", "cnn2c"),
        Recipe(12, 0.25, "sgd", 256, 5e-4, smoothing=0.1, shift=1, flip=True, fold=True),
        low=True,
    ),
    Reader(*("cifar10", "sr3", "convbn"), Recipe(10, 0.01, shift=1, flip=True), low=True),
)


def readers(dataset: str, degradation: str) -> tuple[Reader, ...]:
    """The readers of what ``degradation`` leaves of ``dataset``; :class:`InputError` for none."""
    known = {(r.dataset, r.degradation): "" for r in READERS}
    if (dataset, degradation) not in known:
        asked = f"{dataset}/{degradation}"
        raise unknown("images that are read", asked, ["/".join(pair) for pair in known])
    return tuple(r for r in READERS if (r.dataset, r.degradation) == (dataset, degradation))


class Noise(nn.Module):
    """Fresh Gaussian noise on every batch of a training, as dropout from torch's own generator;
    nothing in evaluation mode, where the images come with noise that is fixed."""

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, images: Tensor) -> Tensor:
        return images + self.sigma * torch.randn_like(images) if self.training else images


@dataclass(frozen=True)
class Shown(data.Split):
    """A split whose tensors are degraded images in place of its own."""

    degraded: Tensor

    def tensors(self, indices=None, device="cpu"):  # type: ignore[no-untyped-def]
        """As :meth:`.data.Split.tensors`."""
        _, labels = super().tensors(indices, device)
        shown = self.degraded if indices is None else self.degraded[indices]
        return shown.to(device), labels


def observed(reader: Reader, whole: data.Dataset) -> data.Dataset:
    """``whole`` as ``reader`` is trained and tested on it.

    Noise is fixed for validation and test, as a restorer sees them; training images of denoising
    stay clean, as the network adds fresh noise itself.
    """

    def shown(name: str) -> data.Split:
        split = whole.split(name)
        if name == "train" and reader.degradation == "noise":
            return split
        degraded = degradations.degrade(reader.degradation, whole, name, low_resolution=reader.low)
        return Shown(split.images, split.labels, degraded)

    return data.Dataset(whole.name, *(shown(name) for name in ("train", "validation", "test")))


def network(reader: Reader, batch_norm: bool) -> Classifier:
    """The untrained network on the images that ``reader`` reads."""
    row, images = (
        classifiers.get_row(reader.classifier, reader.dataset),
        datasets.get(reader.dataset),
    )
    sigma, factor = (getattr(degradations.get(reader.degradation), k) for k in ("sigma", "factor"))
    size = images.size
    if reader.low:
        size = (images.size + 2 * degradations.padding(images.size, factor)) // factor
    built = row.network(images.channels, size, batch_norm)
    return Classifier(nn.Sequential(Noise(sigma), built.body), built.head) if sigma else built


def fit(
    reader: Reader, whole: data.Dataset, seed: int = 0, where: str = "cpu"
) -> tuple[nn.Module, dict[str, str]]:
    """Train ``reader``, keep the epoch that reads most validation images right, and its facts.

    ``whole`` is what :func:`observed` gives.
    """

    def make(batch_norm: bool) -> Classifier:
        return network(reader, batch_norm)

    return train(make, replace(reader.recipe, seed=seed), whole, where)
