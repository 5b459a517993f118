"""C(D,P) in closed form for the two simplest sources: a flipped bit, and a Gaussian in noise.

The restoration counterparts of what is known for compression with a constraint on classification
(binary and Gaussian sources): the rate is unlimited, the encoder sees Y alone, and classification
is the error rate of a predefined classifier instead of the uncertainty that is left of the class.
"""

from __future__ import annotations

import math

from cdplib.errors import InputError
from cdplib.theory import divergences


def bit(prior: float, flip: float, D: float, P: float, doubt: float = 0.0) -> float:
    """C(D,P) of a bit: Hamming distortion, total variation, the class decided is the bit restored.

    X is 0 with probability ``prior`` in [1/2, 1) and is flipped with probability ``flip`` in
    [0, 1/2]; the true class is X, wrongly so with probability ``doubt`` in [0, 1/2].

    Error is doubt + (1 - 2 doubt) Pr(X != X^), so C is that of the least distortion E(P) at P.
    Without a budget X^ = Y where flip < 1 - prior, else X^ = 0; it misses p_X by a mass, all of it
    at y = 1, and each unit put right costs |1 - prior - flip| / Pr(Y = 1). inf below E(P).
    """
    if not 0.5 <= prior < 1:
        raise InputError(f"prior is {prior}: expected a probability in [0.5, 1)")
    for name, value in (("flip", flip), ("doubt", doubt)):
        if not 0 <= value <= 0.5:
            raise InputError(f"{name} is {value}: expected a probability in [0, 0.5]")
    ones = prior * flip + (1 - prior) * (1 - flip)  # Pr(Y = 1)
    price = abs(1 - prior - flip) / ones
    least = min(flip, 1 - prior) + price * max(0.0, skew(prior, flip) - divergences.budget(P))
    return doubt + (1 - 2 * doubt) * least if least <= D else math.inf


def skew(prior: float, flip: float) -> float:
    """The total variation P_0 of the least distorted restoration of :func:`bit` from its law."""
    return flip * (2 * prior - 1) if flip < 1 - prior else 1 - prior


def gaussian_edge(sigma: float, noise: float, P: float) -> float:
    """The least squared error of restoring N(0, sigma^2) from Y = X + N(0, noise^2) at W2 <= P.

    D* + [(P* - P)+]^2 with D* = sigma^2 noise^2 / S^2, P* = sigma - sigma^2 / S and
    S^2 = sigma^2 + noise^2: the posterior mean has the standard deviation sigma^2 / S.
    """
    _positive(sigma=sigma, noise=noise)
    total = math.hypot(sigma, noise)
    span = sigma - sigma**2 / total
    return (sigma * noise / total) ** 2 + max(0.0, span - divergences.budget(P)) ** 2


def gaussian(sigma: float, noise: float, D: float, P: float, correlation: float = 1.0) -> float:
    """C(D,P) of that source for d = W2 and the class sign(S), decided by the sign of X^.

    S is Gaussian with ``correlation`` in [0, 1] to X (1: the class is the sign of X). The
    restorations on the edge are multiples of Y, whose sign is the best decision there is, so that C
    is arccos(correlation sigma / S) / pi wherever the budgets are feasible; inf elsewhere.
    """
    if not 0 <= correlation <= 1:
        raise InputError(f"correlation is {correlation}: expected a number in [0, 1]")
    if gaussian_edge(sigma, noise, P) > D:
        return math.inf
    return math.acos(correlation * sigma / math.hypot(sigma, noise)) / math.pi


def _positive(**given: float) -> None:
    for name, value in given.items():
        if not 0 < value < math.inf:
            raise InputError(f"{name} is {value}: expected a positive number")
