"""C(D,P) of MNIST itself: X is one of N training digits, Y that digit under noise, all is finite.

The alphabet of X^ has the digits and, for every y, images of its own: the posterior mean, and the
mean moved to where the classifier reads a likelier class.  Under total variation nothing else is
worth an output letter, since mass off the digits counts in total only (:ref:`ch:real-digits`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from cdplib.errors import InputError, unknown
from cdplib.experiments import classifiers, data, measures, relabelling
from cdplib.theory import exact
from cdplib.theory.ground import Transport, euclidean
from cdplib.theory.posterior import posterior, posterior_problem
from cdplib.theory.problem import Problem

Array = NDArray[np.float64]

#: Alphabets of X^: the prior's digits; with each y's own images; with images half-way to a digit.
ALPHABETS = ("digits", "own", "blends")


@dataclass(frozen=True)
class Setting:
    """What makes a sample: the first of ``block`` blocks of ``digits`` training digits, and so on.

    ``noisy`` (m): how many y's, each from another digit as far as there are any (so that the mean
    posterior is as near to p_X as a sample allows); ``seed``: of their noise, N(0, sigma^2).
    """

    classifier: str = "cnn1"
    sigma: float = 2.0
    digits: int = 1000
    noisy: int = 1000
    alphabet: str = "own"
    seed: int = 0
    block: int = 0


@dataclass(frozen=True, eq=False)
class Sample:
    """A sample and its problem; images are (n, 28, 28) float64, in [0, 1] but for noise.

    ``truth`` (m,): the digit behind each y.  ``weights`` (m, N): the posteriors.  ``letters``: the
    alphabet of X^; ``own`` says for each letter whose it is: a y's number, or -1 for all.
    """

    setting: Setting
    images: Array
    labels: NDArray[np.int64]
    truth: NDArray[np.int64]
    noisy: Array
    weights: Array
    letters: Array
    own: NDArray[np.int64]
    problem: Problem

    @property
    def means(self) -> Array:
        """The posterior means (m, 28, 28)."""
        return np.tensordot(self.weights, self.images, 1)

    def ground(self) -> Transport:
        """W1's cost between letters: the Euclidean distance between images."""
        return euclidean(self.letters)


def reader(classifier: str) -> relabelling.Classifier:
    """The predefined classifier called ``classifier``, in evaluation mode."""
    return classifiers.get(classifier, "mnist")


def read(network: relabelling.Classifier, images: Array) -> NDArray[np.int64]:
    """The classes (n,) that ``network`` reads in ``images`` (n, 28, 28)."""
    return np.asarray(measures.outputs(network, _tensor(images)).argmax(1).numpy())


def _tensor(images: Array) -> torch.Tensor:
    return torch.from_numpy(images.astype(np.float32))[:, None]


def digits(setting: Setting) -> tuple[Array, NDArray[np.int64]]:
    """The prior: images (N, 28, 28) in [0, 1] and labels (N,)."""
    train = data.load("mnist").train
    first = setting.block * setting.digits
    if first + setting.digits > len(train):
        raise InputError(f"digits={setting.digits}, block={setting.block}: expected {len(train)}")
    chosen = slice(first, first + setting.digits)
    return train.images[chosen, 0] / 255.0, train.labels[chosen].astype(np.int64)


def degraded(images: Array, setting: Setting) -> tuple[NDArray[np.int64], Array]:
    """Which digit is behind each y (m,), and the y's (m, 28, 28)."""
    random = np.random.RandomState([setting.seed, setting.block])  # a stream that is kept for good
    count, m = len(images), setting.noisy
    truth = np.arange(m) * count // m if m < count else np.arange(m) % count
    noise = random.standard_normal((m, *images.shape[1:]))
    return truth, images[truth] + setting.sigma * noise


@functools.lru_cache(maxsize=3)
def sample(setting: Setting) -> Sample:
    """The sample of ``setting`` and its problem.  Raises :class:`InputError` for unknown names."""
    if setting.alphabet not in ALPHABETS:
        raise unknown("alphabet", setting.alphabet, ALPHABETS)
    images, labels = digits(setting)
    truth, noisy = degraded(images, setting)
    weights = posterior(images, noisy, setting.sigma)
    network = reader(setting.classifier)
    added, own = np.zeros((0, 28, 28)), np.zeros(0, dtype=np.int64)
    if setting.alphabet != "digits":
        added, own = own_letters(network, images, labels, weights)
    if setting.alphabet == "blends":
        nearest = images[weights.argmax(axis=1)]
        added = np.concatenate([added, (np.tensordot(weights, images, 1) + nearest) / 2])
        own = np.concatenate([own, np.arange(len(noisy))])
    return Sample(
        setting, images, labels, truth, noisy, weights,
        letters=np.concatenate([images, added]),
        own=np.concatenate([np.full(len(images), -1), own]),
        problem=posterior_problem(
            images, labels, noisy, setting.sigma, functools.partial(read, network),
            added if len(added) else None,
        ),
    )  # fmt: skip


def own_letters(
    network: relabelling.Classifier, images: Array, labels: NDArray[np.int64], weights: Array
) -> tuple[Array, NDArray[np.int64]]:
    """Every y's posterior mean, then the nearest images that are read as likelier classes.

    A class that is not likelier than the one that the mean is read as costs distortion for nothing.
    Returns the letters (k, 28, 28) and whose they are (k,).
    """
    means = np.tensordot(weights, images, 1)
    given = np.stack([weights[:, labels == k].sum(axis=1) for k in range(10)], axis=1)
    now = np.take_along_axis(given, read(network, means)[:, None], axis=1)
    seen = read(network, images)
    there = np.isin(np.arange(10), seen)
    y, wanted = np.nonzero((given > now + 1e-12) & there)
    like = np.where(seen == wanted[:, None], weights[y], -1.0).argmax(axis=1)
    moved = relabelling.nearest(network, _tensor(means[y]), _tensor(images[like]))
    letters = np.concatenate([means, moved[:, 0].double().numpy()])
    return letters, np.concatenate([np.arange(len(means)), y])


def with_letters(of: Sample, letters: Array) -> Sample:
    """The same with further ``letters`` (k, 28, 28) of nobody in particular."""
    added = np.concatenate([of.letters[len(of.images) :], letters])
    decide = functools.partial(read, reader(of.setting.classifier))
    problem = posterior_problem(of.images, of.labels, of.noisy, of.setting.sigma, decide, added)
    own = np.concatenate([of.own, np.full(len(letters), -1)])
    return replace(of, letters=np.concatenate([of.letters, letters]), own=own, problem=problem)


# -- restorers that have names ---------------------------------------------------------------------


def restorers(of: Sample) -> dict[str, Array]:
    """Plans (m, n) of restorers that need no training, by name."""
    problem, m = of.problem, len(of.noisy)
    count = len(of.images)
    mean = problem.deterministic(count + np.arange(m))
    draw = np.zeros(problem.shape)
    draw[:, :count] = of.weights * problem.py[:, None]
    least = problem.err <= problem.err.min(axis=1, keepdims=True) + 1e-12
    return {
        "posterior mean": mean,
        "posterior sample": draw,
        "either, by a coin": (mean + draw) / 2,
        "likeliest digit (MAP)": problem.deterministic(of.weights.argmax(axis=1)),
        "least error, then least D": problem.deterministic(
            np.where(least, problem.delta, np.inf).argmin(axis=1)
        ),
    }


def floor(of: Sample) -> dict[str, float]:
    """What the least error costs where P is no matter: no program is needed.

    ``bayes``: the least error of any restorer.  ``mse``, ``error_rate``: of the posterior mean.
    ``price``: the D that reaches ``bayes`` beyond the least.  ``moved``: the root mean square
    change of a pixel in the images that had to be changed, and ``changed`` their share.
    """
    problem, m, count = of.problem, len(of.noisy), len(of.images)
    rows = np.arange(m)
    least = problem.err <= problem.err.min(axis=1, keepdims=True) + 1e-12
    to = np.where(least, problem.delta, np.inf).argmin(axis=1)
    pay = problem.delta[rows, to] - problem.delta[rows, count + rows]
    changed = pay > 1e-15
    return {
        "bayes": float(problem.err.min(axis=1).mean()),
        "mse": float(problem.delta[rows, count + rows].mean()),
        "error_rate": float(problem.err[rows, count + rows].mean()),
        "price": float(pay.mean()),
        "changed": float(changed.mean()),
        "moved": float(np.sqrt(pay[changed].mean())) if changed.any() else 0.0,
    }


def budgets(of: Sample, side: int = 10) -> tuple[Array, Array]:
    """Budgets of a surface: D from the least at any P to a little above the least at P = 0."""
    least, perfect = (float(exact.least_distortion(of.problem, "tv", P)) for P in (1.0, 0.0))
    share = np.linspace(0, 1, side - 1) ** 1.5
    share = np.append(np.maximum(share, 1e-3), 1.1)
    share[-2] += 1e-6  # a hair inside, not on the edge
    return least + (perfect - least) * share, np.array([0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0])


# -- the prior grows -------------------------------------------------------------------------------


def ladder(setting: Setting, sizes: list[int], fresh: int = 500) -> pd.DataFrame:
    """What a prior of N digits knows: on its own digits, and on ``fresh`` test digits.

    Columns ``mse``, ``error_rate``: least E|X - X^|^2 per pixel and least error under the prior,
    from ``setting.noisy`` draws; ``fresh_mse``, ``fresh_error``: of the same two rules on test
    digits that the prior does not hold; ``_se``: standard errors over the y's.
    """
    clean, wanted, noisy = unseen(setting, fresh)
    rows = []
    for size in sizes:
        images, labels = digits(replace(setting, digits=size))
        _, own = degraded(images, replace(setting, digits=size))
        (spread, wrong), _ = _known(images, labels, own, setting.sigma)
        _, (means, classes) = _known(images, labels, noisy, setting.sigma)
        away = ((means - clean) ** 2).mean(axis=(1, 2))
        values = {"mse": spread, "error_rate": wrong, "fresh_mse": away}
        values["fresh_error"] = (classes != wanted).astype(float)
        rows.append({"digits": size} | _with_errors(values))
    return pd.DataFrame(rows)


def unseen(setting: Setting, count: int = 500) -> tuple[Array, NDArray[np.int64], Array]:
    """The first test digits, which no prior holds: clean (n, 28, 28), labels, and noisy."""
    test = data.load("mnist").test
    clean, labels = test.images[:count, 0] / 255.0, test.labels[:count].astype(np.int64)
    random = np.random.RandomState([setting.seed, 10_000])
    return clean, labels, clean + setting.sigma * random.standard_normal(clean.shape)


def _known(
    images: Array, labels: NDArray[np.int64], noisy: Array, sigma: float
) -> tuple[tuple[Array, Array], tuple[Array, NDArray[np.int64]]]:
    """Per y: the spread and the error that the posterior leaves; its mean, its likeliest class."""
    weights = posterior(images, noisy, sigma)
    means = np.tensordot(weights, images, 1)
    second = weights @ (images**2).mean(axis=(1, 2))
    given = np.stack([weights[:, labels == k].sum(axis=1) for k in range(10)], axis=1)
    spread = np.maximum(second - (means**2).mean(axis=(1, 2)), 0.0)
    return (spread, 1 - given.max(axis=1)), (means, given.argmax(axis=1))


def _with_errors(values: dict[str, Array]) -> dict[str, float]:
    found = {name: float(v.mean()) for name, v in values.items()}
    return found | {f"{n}_se": float(v.std(ddof=1) / np.sqrt(v.size)) for n, v in values.items()}


def as_restored(of: Sample, restored: Array) -> dict[str, float]:
    """D, C and W1 of a deterministic restorer that sends y to ``restored[y]``, (m, 28, 28).

    All three are exact for the finite problem: its X^ has m letters.  TV is 1 wherever no output
    is a digit of the prior, to the last bit, so it is not given.
    """
    decide = functools.partial(read, reader(of.setting.classifier))
    problem = posterior_problem(of.images, of.labels, of.noisy, of.setting.sigma, decide, restored)
    rows = np.arange(len(restored))
    to = len(of.images) + rows
    return {
        "mse": float(problem.delta[rows, to].mean()),
        "error_rate": float(problem.err[rows, to].mean()),
        "w1": w1(of.images, restored),
    }


def w1(one: Array, other: Array) -> float:
    """The exact W1 between the uniform laws on two sets of images, under the Euclidean distance."""
    import ot

    a, b = one.reshape(len(one), -1), other.reshape(len(other), -1)
    return float(ot.emd2([], [], cdist(a, b), numItermax=10_000_000))
