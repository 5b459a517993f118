"""Theory laid over trained points: does each lie on the supporting plane of its own weights?

Weights (alpha, beta, gamma) of Eq. 16 are a plane through the point that was trained with them. If
the point minimises its own loss over the cloud, no other point lies below that plane: here is
counted how often that is so, against chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cdpbook.statistics.estimates import Interval, student
from cdpbook.statistics.trends import WEIGHTS, in_every_seed

Array = NDArray[np.float64]
_TIE = 1e-9  # as a share of the spread: what differs by less is the same


class Statistic(NamedTuple):
    """A mean over seeds with its interval, cut at what is possible; what chance gives; and p: the
    share of random assignments of points to weights that do at least as well."""

    found: Interval
    chance: float
    p_value: float


@dataclass(frozen=True)
class Revealed:
    """What the points reveal about the weights they were trained with.

    ``own``: share of triples whose own point is the least of the cloud in its own loss. ``regret``:
    own loss less the least one, where 1 is the regret of a point drawn at random; mean over
    triples. ``violated``: share of the ``pairs`` with <w - w', x - x'> > 0. ``table``: the triples,
    and which are ``beaten`` (one and the same rival is below it in every seed).
    """

    table: pd.DataFrame
    own: Statistic
    regret: Statistic
    violated: Statistic
    pairs: int
    seeds: int


def revealed(
    frame: pd.DataFrame,
    perception: str = "p_critic",
    error: str = "ce",
    permutations: int = 999,
    seed: int = 0,
) -> Revealed:
    """Is each point the minimiser of alpha D + beta P + gamma C, by its own weights, in the cloud?

    D is ``mse``; P and C are the columns ``perception`` and ``error`` (what Eq. 16 trains is
    ``p_critic`` and ``ce``, in nats). Each seed is a cloud of its own; triples that a seed lacks
    are left out. Chance gives the points to the triples at random, the same way in all seeds.
    The pairwise inequality is monotonicity (Rockafellar 1970, section 24); minimisers obey it.

    Raises :class:`InputError` for a column that is missing or not measured, or if fewer than two
    triples are left.
    """
    weights, clouds = in_every_seed(frame, ["mse", perception, error])
    n = len(weights)
    values = np.stack([weights @ cloud.T for cloud in clouds])  # (seeds, triples, points)
    least = values.min(axis=2, keepdims=True)
    tie = _TIE * (np.ptp(values, axis=2, keepdims=True) + np.abs(least) * 1e-6)
    room = values.mean(axis=2, keepdims=True) - least
    regrets = np.where(room > tie, (values - least) / np.where(room > tie, room, 1.0), 0.0)
    rng = np.random.default_rng(seed)
    shuffles = np.array([rng.permutation(n) for _ in range(permutations)])
    every = np.arange(n)
    first, second = np.nonzero(np.triu((weights[:, None] != weights).any(axis=2), 1))

    def violated(order: NDArray[np.int64]) -> Array:
        a, b = order[first], order[second]
        gap = values[:, first, a] - values[:, first, b]
        gap += values[:, second, b] - values[:, second, a]
        return np.asarray((gap > tie[:, first, 0] + tie[:, second, 0]).mean(axis=1))

    random = np.array([violated(order).mean() for order in shuffles])
    mine = values[:, every, every][..., None] - tie
    return Revealed(
        table=pd.DataFrame(weights, columns=list(WEIGHTS)).assign(
            beaten=(values < mine).all(axis=0).any(axis=1)
        ),
        own=_assigned((values <= least + tie).astype(float), shuffles, more_is_better=True),
        regret=_assigned(regrets, shuffles, np.inf),
        violated=_statistic(violated(every), float(random.mean()), random),
        pairs=len(first),
        seeds=len(clouds),
    )


def _assigned(
    scores: Array, shuffles: NDArray[np.int64], most: float = 1.0, more_is_better: bool = False
) -> Statistic:
    """The mean of scores[seed, triple, its own point], against points given out at random."""
    every = np.arange(scores.shape[1])
    mean = scores.mean(axis=0)
    random, own = mean[every, shuffles].mean(axis=1), scores[:, every, every].mean(axis=1)
    return _statistic(own, mean.mean(), random, most, more_is_better)


def _statistic(
    own: Array, chance: float, random: Array, most: float = 1.0, more_is_better: bool = False
) -> Statistic:
    found = student(own)
    as_good = random >= found.value - 1e-12 if more_is_better else random <= found.value + 1e-12
    if found.known:  # cut at what is possible
        found = Interval(found.value, max(found.lower, 0.0), min(found.upper, most))
    return Statistic(found, float(chance), float((1 + np.sum(as_good)) / (1 + len(random))))
