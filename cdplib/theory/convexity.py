"""Which divergences are convex in their second argument, as Theorem 1 asks: Eq. (13) by search.

Random search cannot prove convexity (the chapter does), but it finds a violation within a few
triples of laws where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cdplib.errors import InputError
from cdplib.theory import divergences, transport

Array = NDArray[np.float64]
Distance = Callable[[Array, Array], float]


def w2_squared(p: Array, q: Array) -> float:
    """The squared Wasserstein-2 distance on the letters 0, 1, ..., n-1."""
    letters = np.arange(p.size)
    return transport.w2_squared(p, q, letters, letters)


def js(p: Array, q: Array) -> float:
    """The Jensen-Shannon divergence, in nats."""
    kl, middle = divergences.get("kl"), 0.5 * (p + q)
    return 0.5 * kl.value(p, middle) + 0.5 * kl.value(q, middle)


#: Measures that are no entry of :mod:`cdplib.theory.divergences`: the last three are not convex.
MORE: dict[str, Distance] = {
    "js": js,
    "w2_squared": w2_squared,
    "w2": lambda p, q: math.sqrt(w2_squared(p, q)),
    "hellinger": lambda p, q: math.sqrt(divergences.get("hellinger2").value(p, q)),
    "sqrt_tv": lambda p, q: math.sqrt(divergences.get("tv").value(p, q)),
}


def distance(name: str) -> Distance:
    """The function d(p, q) of a name in :data:`MORE` or of ``divergences.get``."""
    return MORE[name] if name in MORE else divergences.get(name).value


@dataclass(frozen=True)
class Slack:
    """mean of d at the ends - d at the middle: negative where convexity fails; the laws and weight.

    ``fixed`` (n,) is the argument held fixed, ``first`` and ``second`` (n,) the ends of the other.
    """

    value: float
    fixed: Array
    first: Array
    second: Array
    weight: float


def worst_slack(
    name: str,
    random: np.random.Generator,
    letters: int = 3,
    trials: int = 1000,
    argument: int = 2,
) -> Slack:
    """The least slack of convexity in one argument over random laws, some of them with zeros.

    ``argument``: 2, as the theorem asks for, or 1. Pairs with an infinite mean say nothing.
    """
    if argument not in (1, 2):
        raise InputError(f"argument {argument}: expected 1 or 2")
    d = distance(name)
    worst: Slack | None = None
    for _ in range(trials):
        rows = random.dirichlet(np.full(letters, random.choice([0.2, 1.0, 5.0])), size=3)
        if random.random() < 0.3:  # the edges of the simplex are where convexity breaks first
            rows = np.where(rows < 0.1, 0.0, rows)
            rows /= rows.sum(axis=1, keepdims=True)
        fixed, first, second = rows
        weight = float(random.random())
        values = [
            d(fixed, law) if argument == 2 else d(law, fixed)
            for law in (first, second, weight * first + (1 - weight) * second)
        ]
        mean = weight * values[0] + (1 - weight) * values[1] if weight > 0 else values[1]
        slack = mean - values[2] if math.isfinite(mean) else math.inf
        if worst is None or slack < worst.value:
            worst = Slack(slack, fixed, first, second, weight)
    assert worst is not None
    return worst
