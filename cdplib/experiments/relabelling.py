"""The image nearest to a given one that a classifier reads as a given class.

What a restorer pays in distortion to be read as it wants, if nothing asks how natural that looks.
Where logits are linear in the pixels the images of a class are a polyhedron, and the nearest is a
projection: least squares with an unknown for each other class.  Other networks are linearised again
and again where the last projection ended: that ends near the image, but there may be nearer ones.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments.classifiers import Classifier

Array = NDArray[np.float64]

#: By how much the wanted logit exceeds the others at least: rounding does not change the class.
MARGIN = 1e-3


def nearest(classifier: Classifier, images: Tensor, known: Tensor, steps: int = 24) -> Tensor:
    """Images (n, c, h, w) near to ``images`` that ``classifier`` reads as it reads ``known``.

    Exact, up to :data:`MARGIN`, for logistic regression.  Pixels are not kept in [0, 1], as those
    of a restorer are not; an image that is read so already comes back as it is.  ``steps``: how
    often another network is linearised; where none leads to the class, the way from ``known``, of
    the images' shape, does.  Raises :class:`InputError` for shapes that differ.
    """
    if images.shape != known.shape or images.ndim != 4:
        shapes = f"{tuple(images.shape)} and {tuple(known.shape)}"
        raise InputError(f"images of shapes {shapes}: expected the same (n, c, h, w)")
    linear = isinstance(classifier.body, nn.Flatten) and isinstance(classifier.head, nn.Linear)
    with torch.no_grad():
        classes = classifier(known).argmax(1)
        todo = torch.nonzero(classifier(images).argmax(1) != classes)[:, 0]
    start, wanted, best = images[todo], classes[todo], known[todo]
    x = start
    stretch = torch.ones(len(start), 1, 1, 1)  # kinks of a network: beyond where it looks level
    for _ in range(1 if linear else steps):
        logits, slopes = _linearised(classifier, x)
        level = torch.from_numpy(_projections(logits, slopes, x, start, wanted)).to(start)
        x = start + stretch * (level - start)
        read = _lead(classifier, x, wanted) >= MARGIN / 2
        nearer = (x - start).flatten(1).norm(dim=1) < (best - start).flatten(1).norm(dim=1)
        best = torch.where((read & nearer)[:, None, None, None], x, best)
        stretch = torch.where(read[:, None, None, None], stretch, 1.1 * stretch)
    found = images.clone()
    found[todo] = _back(classifier, start, best, wanted)
    return found


@torch.no_grad()
def _lead(classifier: Classifier, images: Tensor, wanted: Tensor) -> Tensor:
    """By how much the wanted class's logit exceeds the largest other one, (n,)."""
    logits = classifier(images)
    others = logits.scatter(1, wanted[:, None], -torch.inf).amax(1)
    return logits.gather(1, wanted[:, None])[:, 0] - others


def _linearised(classifier: Classifier, images: Tensor) -> tuple[Array, Array]:
    """The logits (n, 10) and their slopes (n, 10, pixels)."""
    x = images.clone().requires_grad_(True)
    logits = classifier(x)
    slopes = [torch.autograd.grad(k.sum(), x, retain_graph=True)[0] for k in logits.unbind(1)]
    table = torch.stack([slope.flatten(1) for slope in slopes], dim=1)
    return logits.detach().double().numpy(), table.double().numpy()


def _projections(logits: Array, slopes: Array, at: Tensor, start: Tensor, wanted: Tensor) -> Array:
    """The points nearest to ``start`` where the logits, linear around ``at``, have the margin.

    min |z| with A z >= c is a problem of non-negative least squares (Lawson and Hanson's LDP).
    """
    away = (start - at).double().flatten(1).numpy()
    found = start.double().flatten(1).numpy()
    for row, label in enumerate(wanted.tolist()):
        others = np.delete(np.arange(logits.shape[1]), label)
        A = slopes[row, label] - slopes[row, others]
        lead = logits[row, label] - logits[row, others] + A @ away[row]
        table = np.concatenate([A.T, (MARGIN - lead)[None]])
        goal = np.append(np.zeros(A.shape[1]), 1.0)
        rest = table @ nnls(table, goal)[0] - goal
        found[row] -= rest[:-1] / min(rest[-1], -1e-12)
    return found.reshape(start.shape)


def _back(classifier: Classifier, start: Tensor, end: Tensor, wanted: Tensor) -> Tensor:
    """The first point on the way from ``start`` to ``end`` that is read as wanted, by bisection."""
    low, high = torch.zeros(len(start), 1, 1, 1), torch.ones(len(start), 1, 1, 1)
    for _ in range(20):
        middle = (low + high) / 2
        read = _lead(classifier, start + middle * (end - start), wanted) >= MARGIN / 2
        read = read[:, None, None, None]
        low, high = torch.where(read, low, middle), torch.where(read, middle, high)
    return start + high * (end - start)
