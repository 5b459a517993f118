"""The classifier chosen too: C*(D,P), the least error of any classifier of any restoration.

The minima over restorations and over classifiers exchange, so C*(D,P) is the least of the
functions C_c(D,P) of the classifiers c that may be chosen: on n letters, the L^n labelings.  It is
non-increasing and at least the Bayes error of Y; a minimum of convex functions, it need not be
convex.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError
from cdplib.theory import exact
from cdplib.theory.divergences import Divergence

_MOST_LABELINGS = 1000


@dataclass(frozen=True, eq=False)
class Best:
    """C* at one pair of budgets: ``lower`` <= C* <= ``upper`` = ``value`` over the problems tried.

    ``labels`` (n,): the best classifier. ``at``: the exact solution with it predefined.
    ``status``: "optimal" where every problem is certified, "infeasible", or "uncertified".
    """

    status: str
    value: float
    lower: float
    upper: float
    labels: NDArray[np.int64]
    at: exact.Solution


def solve(
    problems: Sequence[exact.Problem], divergence: str | Divergence, D: float, P: float
) -> Best:
    """The least C(D,P) of ``problems``, one for each classifier that may be chosen.

    Raises :class:`InputError` if there is none.
    """
    if len(problems) == 0:
        raise InputError("no problems: expected one for each classifier")
    found = [exact.solve(problem, divergence, D, P) for problem in problems]
    best = min(range(len(found)), key=lambda k: found[k].upper)
    certified = all(at.status != "uncertified" for at in found)
    return Best(
        status=found[best].status if certified else "uncertified",
        value=found[best].upper,
        lower=min(at.lower for at in found),
        upper=found[best].upper,
        labels=problems[best].labels,
        at=found[best],
    )


def every_classifier(
    joint: ArrayLike,
    channel: ArrayLike,
    distortion: ArrayLike,
    *,
    px: ArrayLike | None = None,
    x: ArrayLike | None = None,
) -> list[exact.Problem]:
    """The problems of all L^n labelings; the arguments are those of ``exact.make_problem``.

    Raises :class:`InputError` if these are more than 1000.
    """
    classes, letters = np.shape(joint)[0], np.shape(distortion)[1]
    if classes**letters > _MOST_LABELINGS:
        raise InputError(f"{classes}^{letters} classifiers: expected at most {_MOST_LABELINGS}")
    return [
        exact.make_problem(joint, channel, distortion, np.array(labels), x=x, px=px)
        for labels in np.ndindex(*(classes,) * letters)
    ]
