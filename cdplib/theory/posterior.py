"""A restoration problem made of samples: X one of N images, Y = X + Gaussian noise, m noisy images.

Bayes' rule is exact for a prior of N images, whatever their dimension: p(x_k | y) is a softmax of
-|y - x_k|^2 / (2 sigma^2).  So p_X, E[Delta | y] and the class's law given y are known to rounding,
and the reduced problem is one that :mod:`cdplib.theory.exact` solves with a certificate.

*Exact* is about that finite problem.  Its Y is one of m given images, each with p_Y = 1/m, where
the model's Y has a density: the mean of the m posteriors is only nearly p_X, and C(D,P) of the
sample is an estimate of the model's.  Its spread shows over fresh samples of Y.  d compares with
p_X itself, the uniform law on the N images, and not with that mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from cdplib.errors import InputError
from cdplib.theory.problem import Problem

Array = NDArray[np.float64]

#: Images (n, ...) to the classes (n,) that are decided for them.
Decide = Callable[[Array], ArrayLike]


def posterior(images: ArrayLike, noisy: ArrayLike, sigma: float) -> Array:
    """p(x_k | y), (m, N), rows sum to 1: ``images`` (N, ...) uniform a priori, noise N(0, sigma^2).

    ``noisy`` (m, ...): the y's, in the images' unit and shape.  ``sigma`` > 0, a pixel's deviation.
    """
    x = _flat(images, "images")
    y = _flat(noisy, "noisy", x.shape[1])
    if not (sigma > 0 and math.isfinite(sigma)):
        raise InputError(f"sigma is {sigma}: expected a positive number")
    logs = cdist(y / sigma, x / sigma, "sqeuclidean") / -2
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def posterior_problem(
    images: ArrayLike,
    labels: ArrayLike,
    noisy: ArrayLike,
    sigma: float,
    classifier: ArrayLike | Decide,
    added: ArrayLike | None = None,
) -> Problem:
    """The problem of the sample, with N + k output letters: the images, then the ``added`` ones.

    ``images`` (N, ...), ``labels`` (N,): the prior, uniform over these pairs; classes are whole
    numbers from 0.  ``noisy`` (m, ...), ``sigma``: as in :func:`posterior`.  ``added`` (k, ...):
    further letters of X^, such as posterior means; p_X has no mass on them.  ``classifier``: the
    classes decided at the letters, (N + k,), or a function that decides them.

    Delta is the squared error per pixel, (mean) |x - x^|^2; a class that no label has is always an
    error.  Raises :class:`InputError` for shapes that do not fit, entries that are not finite,
    classes that are no whole numbers, and sigma <= 0.
    """
    x = _flat(images, "images")
    count, pixels = x.shape
    classes = _classes(labels, "labels", count)
    letters = x if added is None else np.concatenate([x, _flat(added, "added", pixels)])
    if callable(classifier):
        classifier = classifier(letters.reshape(-1, *np.shape(images)[1:]))
    decided = _classes(classifier, "classifier", len(letters))
    weights = posterior(x, noisy, sigma)

    given = np.zeros((len(weights), 1 + max(classes.max(), decided.max())))
    for k in np.unique(classes):
        given[:, k] = weights[:, classes == k].sum(axis=1)
    # E|X - x^|^2 = E|X - mean|^2 + |mean - x^|^2: both are sums of squares, so that nothing cancels
    away = cdist(weights @ x, letters, "sqeuclidean") / pixels
    left = np.einsum("yk,yk->y", weights, away[:, :count])
    return Problem(
        px=np.concatenate([np.full(count, 1 / count), np.zeros(len(letters) - count)]),
        py=np.full(len(weights), 1 / len(weights)),
        delta=away + left[:, None],
        err=np.clip(1.0 - given[:, decided], 0.0, 1.0),
        x=np.arange(len(letters), dtype=float),
        labels=decided,
    )


def _flat(values: ArrayLike, name: str, pixels: int | None = None) -> Array:
    """Images as rows (n, pixels) of float64."""
    try:
        rows = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} is no array of images") from None
    if rows.ndim < 2 or 0 in rows.shape:
        raise InputError(f"{name} has shape {rows.shape}: expected images (n, ...), at least one")
    flat = rows.reshape(len(rows), -1)
    if pixels is not None and flat.shape[1] != pixels:
        raise InputError(f"{name} has shape {rows.shape}: expected {pixels} numbers an image")
    if not np.isfinite(flat).all():
        raise InputError(f"{name} has an entry that is not finite")
    return flat


def _classes(values: ArrayLike, name: str, n: int) -> NDArray[np.int64]:
    given = np.asarray(values)
    if given.shape != (n,):
        raise InputError(f"{name} has shape {given.shape}: expected {n} classes")
    if given.dtype.kind not in "iu":
        raise InputError(f"{name} has type {given.dtype}: expected whole numbers")
    if given.min() < 0:
        raise InputError(f"{name} has the class {given.min()}: expected 0 or more")
    return given.astype(np.int64)
