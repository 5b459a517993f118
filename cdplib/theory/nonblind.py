"""The classifier chosen too: C*(D,P), the least error of any classifier of any restoration.

The minima over restorations and over classifiers exchange, so C*(D,P) is the least of the L^n
functions C_c(D,P), one for each labeling c of the n letters of X^.  It is non-increasing and at
least the Bayes error of Y; a minimum of convex functions, it need not be convex.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError
from cdplib.theory import exact
from cdplib.theory.divergences import Divergence

_MOST_LABELINGS = 1000


@dataclass(frozen=True, eq=False)
class Best:
    """C* at one pair of budgets: ``lower`` <= C* <= ``upper`` = ``value`` over the labelings tried.

    ``labels`` (n,): the best classifier. ``at``: the exact solution with it predefined.
    ``status``: "optimal" where every labeling is certified, "infeasible", or "uncertified".
    """

    status: str
    value: float
    lower: float
    upper: float
    labels: NDArray[np.int64]
    at: exact.Solution


def solve(
    joint: ArrayLike,
    channel: ArrayLike,
    distortion: ArrayLike,
    divergence: str | Divergence,
    D: float,
    P: float,
    *,
    px: ArrayLike | None = None,
    x: ArrayLike | None = None,
    labelings: Iterable[ArrayLike] | None = None,
) -> Best:
    """C*(D,P); ``joint``, ``channel``, ``distortion``, ``px``, ``x`` as of ``exact.make_problem``.

    ``labelings``: the classifiers that may be chosen, each (n,); None are all L^n of them. Raises
    :class:`InputError` if these are more than 1000, or if none is given.
    """
    classes, letters = np.shape(joint)[0], np.shape(distortion)[1]
    if labelings is None:
        if classes**letters > _MOST_LABELINGS:
            raise InputError(
                f"{classes}^{letters} classifiers: expected at most {_MOST_LABELINGS}, or a list"
            )
        labelings = np.ndindex(*(classes,) * letters)
    found = []
    for labels in labelings:
        problem = exact.make_problem(joint, channel, distortion, np.asarray(labels), x=x, px=px)
        found.append((exact.solve(problem, divergence, D, P), problem.labels))
    if not found:
        raise InputError("no classifiers: expected at least one labeling")
    best, labels = min(found, key=lambda pair: pair[0].upper)
    certified = all(at.status != "uncertified" for at, _ in found)
    return Best(
        status=best.status if certified else "uncertified",
        value=best.upper,
        lower=min(at.lower for at, _ in found),
        upper=best.upper,
        labels=labels,
        at=best,
    )


def thresholds(n: int) -> NDArray[np.int64]:
    """The n + 1 threshold classifiers of n ordered letters, (n + 1, n): 0 below, 1 from k on."""
    return (np.arange(n) >= np.arange(n + 1)[:, None]).astype(np.int64)
