"""The toy in the plane: two Gaussian classes on a square grid, between line and image."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from cdplib.theory import exact
from cdplib.theory.problem import Problem

#: Points along each axis of the published grid, and the divergences and P that it is solved for.
SIDE = 24
BUDGETS = {"tv": (0.0, 0.05, 0.1, 0.2, 0.4), "kl": (0.005, 0.02, 0.1)}


def problem(side: int, width: float = 8.0, prior: float = 0.7) -> Problem:
    """X, Y and X^ on ``side`` x ``side`` points of the square [-width/2, width/2]^2.

    Class 0 (probability ``prior``) is N(0, I) around (-1, 0), class 1 around (1, 0) with twice the
    deviation along the other axis; Y = X + N(0, I), all cut off at the square and normalised;
    squared error; c0 decides class 1 right of x + y = 1, a line that fits neither class.
    """
    axis = (np.arange(side) - (side - 1) / 2) * (width / side)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    apart = ((points[:, None] - points) ** 2).sum(axis=2)
    channel = np.exp(-apart / 2)
    bells = np.stack(
        [np.exp(-((points - centre) ** 2 / (2 * np.array(size) ** 2)).sum(axis=1))
         for centre, size in (((-1, 0), (1, 1)), ((1, 0), (1, 2)))]
    )  # fmt: skip
    bells /= bells.sum(axis=1, keepdims=True)
    return exact.make_problem(
        np.array([prior, 1 - prior])[:, None] * bells,
        channel / channel.sum(axis=1, keepdims=True),
        apart,
        (points.sum(axis=1) > 1).astype(int),
    )


def points(
    side: int, divergence: str, known: Collection[tuple[str, float]] = ()
) -> Iterator[dict[str, Any]]:
    """C a little above the least distortion of each P, as lines of a table.

    ``known``: pairs (name, P) of lines that need not be solved again.
    """
    of = problem(side)
    for P in BUDGETS[divergence]:
        factors = [f for f in (1.005, 1.05, 1.2) if (f"{f:g}", P) not in known]
        if not factors:
            continue
        least = float(exact.least_distortion(of, divergence, P))
        for factor in factors:
            begun = time.perf_counter()
            at = exact.solve(of, divergence, factor * least, P)
            yield {
                "divergence": divergence, "name": f"{factor:g}", "D": factor * least, "P": P,
                "value": at.value, "lower": at.lower, "upper": at.upper, "lam": at.lam,
                "mu": at.mu, "status": at.status, "seconds": time.perf_counter() - begun,
            }  # fmt: skip
