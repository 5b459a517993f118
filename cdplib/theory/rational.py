"""The linear steps of the proof in exact rationals: (4), (11), (14), and TV and W1 in (13).

All tables are numpy arrays of :class:`fractions.Fraction`; equality means equality. Restorations
are tables q(x^|y) of shape (m, n), for any number L of classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cdplib.errors import InputError

Table = NDArray[np.object_]
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, eq=False)
class Instance:
    """A restoration problem with rational entries.

    ``joint`` (L, k): p(class, x). ``channel`` (k, m): p(y|x). ``distortion`` (k, n): any values.
    ``labels`` (n,): the class decided at each letter of X^. X and X^ share k = n letters.
    """

    joint: Table
    channel: Table
    distortion: Table
    labels: NDArray[np.int64]

    def class_laws(self, q: Table) -> Table:
        """P_i times the law of X^ given class i, (L, n): Eq. (4) for every class at once."""
        return np.asarray(self.joint @ self.channel @ q)

    def law(self, q: Table) -> Table:
        """The law of X^, (n,)."""
        return np.asarray(self.class_laws(q).sum(axis=0))

    def distortion_of(self, q: Table) -> Fraction:
        """E[Delta(X, X^)], Eq. (1)."""
        pairs = self.joint.sum(axis=0)[:, None] * (self.channel @ q)
        return _fraction((pairs * self.distortion).sum())

    def error_rate(self, q: Table) -> Fraction:
        """The error rate of the predefined classifier, Eq. (6) for any number of classes."""
        right = self.class_laws(q)[self.labels, np.arange(self.labels.size)]
        return _fraction(ONE - right.sum())

    def bayes_error(self, q: Table | None = None) -> Fraction:
        """The error of the *best* classifier of X^, or of Y where ``q`` is None."""
        laws = self.joint @ self.channel if q is None else self.class_laws(q)
        return _fraction(ONE - laws.max(axis=0).sum())


def steps(problem: Instance, mu: Table, nu: Table, weight: Fraction) -> dict[str, Fraction]:
    """The steps of the proof for restorations ``mu``, ``nu`` mixed with ``weight`` in [0, 1].

    "(4)", "(11)", "(14)": differences of two sides, which must be 0. "(13) tv", "(13) w1",
    "data processing": right side less left side, which must be at least 0; letters of W1 are
    0, 1, ..., n-1. "adapted classifier": the slack that (11) would need to be 0 if the classifier
    were the best one for each X^; nothing forces it to be.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"weight {weight}: expected a number in [0, 1]")
    rest = ONE - weight
    mixed = weight * mu + rest * nu

    def mean(of: Any) -> Any:
        return weight * of(mu) + rest * of(nu)

    p, q = problem.joint.sum(axis=0), problem.law(mixed)
    return {
        "(4)": max(abs(problem.class_laws(mixed) - mean(problem.class_laws)).ravel()),
        "(11)": problem.error_rate(mixed) - mean(problem.error_rate),
        "(14)": problem.distortion_of(mixed) - mean(problem.distortion_of),
        "(13) tv": mean(lambda r: tv(p, problem.law(r))) - tv(p, q),
        "(13) w1": mean(lambda r: w1(p, problem.law(r))) - w1(p, q),
        "data processing": problem.bayes_error(mixed) - problem.bayes_error(),
        "adapted classifier": problem.bayes_error(mixed) - mean(problem.bayes_error),
    }


def tv(p: Table, q: Table) -> Fraction:
    """Total variation."""
    return _fraction(abs(p - q).sum() / 2)


def w1(p: Table, q: Table) -> Fraction:
    """Wasserstein-1 on the letters 0, 1, ..., n-1."""
    return _fraction(abs(np.cumsum(p - q)).sum())


def laws(random: np.random.Generator, rows: int, letters: int) -> Table:
    """Random laws (rows, letters) with small denominators, many with zeros."""
    counts = random.integers(0, 7, size=(rows, letters)) * (random.random((rows, letters)) < 0.8)
    counts[counts.sum(axis=1) == 0, 0] = 1
    return np.array(
        [[Fraction(int(c), int(row.sum())) for c in row] for row in counts], dtype=object
    )


def instance(random: np.random.Generator, classes: int, letters: int, degraded: int) -> Instance:
    """A random instance with ``letters`` letters of X and X^ and ``degraded`` of Y."""
    values = random.integers(-5, 20, size=(letters, letters))  # any sign: no assumption on Delta
    return Instance(
        joint=laws(random, 1, classes * letters).reshape(classes, letters),
        channel=laws(random, letters, degraded),
        distortion=np.array([[Fraction(int(v), 3) for v in row] for row in values], dtype=object),
        labels=random.integers(0, classes, size=letters),
    )


def _fraction(value: Any) -> Fraction:
    return Fraction(value)
