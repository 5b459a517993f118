"""A finite restoration problem X -> Y -> X^, reduced to what C(D,P) depends on (Eq. 1-7).

The law of (class, X), the channel p(y|x), the distortion and the classifier enter C(D,P) only
through p_Y, p_X and two conditional expectations given Y; everything else in this package works on
these four arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cdplib.errors import InputError

Array = NDArray[np.float64]

#: Laws given by a user may miss 1 by this much, or by the rounding that their decimals state
#: (0.333333 + 0.666666), where they have at least four; they are then normalised.
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Problem:
    """The reduced problem: minimise <err, W> over couplings W of Y (m letters) and X^ (n letters).

    ``px`` (n,): the law of X on the alphabet of X^.  ``py`` (m,): the law of Y.
    ``delta`` (m, n): E[Delta(X, x^) | y].  ``err`` (m, n): P(class != c0(x^) | y), in [0, 1].
    ``x`` (n,): positions of the letters, used by W1 and by figures.  ``labels`` (n,): c0(x^).
    Rows of letters y without mass hold the unconditional expectations; nothing depends on them.
    """

    px: Array
    py: Array
    delta: Array
    err: Array
    x: Array
    labels: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n): the numbers of letters of Y and of X^."""
        return self.delta.shape[0], self.delta.shape[1]

    def distortion(self, plan: Array) -> float:
        """E[Delta(X, X^)] of the joint law ``plan`` (m, n) of (Y, X^) (Eq. 1)."""
        return float(np.vdot(self.delta, plan))

    def error_rate(self, plan: Array) -> float:
        """The classifier's error rate on X^ under the joint law ``plan`` (m, n) (Eq. 6)."""
        return float(np.vdot(self.err, plan))

    def plan(self, restorer: ArrayLike) -> Array:
        """The joint law (m, n) of (Y, X^) under the restorer q(x^|y), (m, n), rows summing to 1."""
        q = _table(restorer, "restorer", self.shape)
        _rows_of_laws(q, "restorer")
        return self.py[:, None] * q

    def deterministic(self, letters: ArrayLike) -> Array:
        """The joint law (m, n) of the restorer that sends y to the letter ``letters[y]``, (m,)."""
        plan = np.zeros(self.shape)
        plan[np.arange(self.py.size), np.asarray(letters, dtype=int)] = self.py
        return plan


def make_problem(
    joint: ArrayLike,
    channel: ArrayLike,
    distortion: ArrayLike,
    labels: ArrayLike,
    x: ArrayLike | None = None,
    px: ArrayLike | None = None,
) -> Problem:
    """Reduce a restoration problem with L classes and alphabets of sizes k (X), m (Y), n (X^).

    ``joint`` (L, k): p(class, x).  ``channel`` (k, m): p(y|x), rows summing to 1 (rows of letters
    x without mass are not looked at beyond that).  ``distortion`` (k, n): Delta(x, x^), finite.
    ``labels`` (n,): the class, 0 to L-1, that the predefined classifier decides at x^.
    ``x`` (n,): positions of the letters of X^ on a line (default 0, 1, ..., n-1).
    ``px`` (n,): the law that d compares with; the law of X when k = n, to be given otherwise.

    Raises :class:`InputError` for wrong shapes, negative or non-finite entries, sums that are
    not 1 (to 1e-6), unknown classes.
    """
    law = _table(joint, "joint")
    classes, k = law.shape
    if not _is_law(law):
        raise InputError(f"joint sums to {law.sum():.9g}, least {law.min():.3g}: expected a law")
    law = law / law.sum()
    forward = _table(channel, "channel")
    if forward.shape[0] != k:
        raise InputError(f"channel has {forward.shape[0]} rows: expected {k}, as joint's columns")
    _rows_of_laws(forward, "channel")
    forward = forward / forward.sum(axis=1, keepdims=True)
    cost = _table(distortion, "distortion")
    if cost.shape[0] != k:
        raise InputError(f"distortion has {cost.shape[0]} rows: expected {k}, as joint's columns")
    n = cost.shape[1]
    decided = _labels(labels, n, classes)
    positions = np.arange(n, dtype=float) if x is None else _vector(x, "x", n)
    if px is not None:
        target = _vector(px, "px", n)
        if not _is_law(target):
            raise InputError(f"px sums to {target.sum():.9g}: expected a law on {n} letters")
        target = target / target.sum()
    elif k == n:
        target = law.sum(axis=0)
    else:
        raise InputError(f"X has {k} letters and X^ has {n}: expected px, a law on X^'s letters")

    with_y = law @ forward  # (L, m): p(class, y)
    py = with_y.sum(axis=0)
    mass = py > 0
    given_y = np.broadcast_to(law.sum(axis=1)[:, None], with_y.shape).copy()
    given_y[:, mass] = with_y[:, mass] / py[mass]
    x_and_y = law.sum(axis=0)[:, None] * forward  # (k, m)
    x_given_y = np.broadcast_to(law.sum(axis=0)[:, None], x_and_y.shape).copy()
    x_given_y[:, mass] = x_and_y[:, mass] / py[mass]
    with np.errstate(over="ignore"):
        delta = x_given_y.T @ cost
    if not np.isfinite(delta).all():
        raise InputError("distortion has entries whose mean overflows: expected a smaller unit")
    return Problem(
        px=target,
        py=py / py.sum(),
        delta=delta,
        err=np.clip(1.0 - given_y.T[:, decided], 0.0, 1.0),
        x=positions,
        labels=decided,
    )


def gaussian_mixture_problem(
    n: int, width: float = 12.0, threshold: float | None = None
) -> Problem:
    """The paper's toy (Section 2.3) on one grid of ``n`` >= 2 points for X, Y and X^.

    Grid x_k = t* + (k - n/2 + 1/2) width / n with t* = log(7/3) / 2, the Bayes threshold of X;
    p(x|class) proportional to the densities of N(-1, 1) and N(1, 1), priors .7 and .3, p(y|x) to
    that of N(x, 1), each normalised on the grid; squared error.  Class 1 (label 0) is decided
    where x^ < ``threshold`` (None: t*).  Raises :class:`InputError` for n < 2 or width <= 0.
    """
    if n != int(n) or n < 2:
        raise InputError(f"n is {n}: expected a whole number, at least 2")
    if not (width > 0 and math.isfinite(width)):
        raise InputError(f"width is {width}: expected a positive number")
    bayes = 0.5 * math.log(7 / 3)
    x = bayes + (np.arange(int(n)) - n / 2 + 0.5) * (width / n)

    def bell(centre: ArrayLike) -> Array:
        table = np.exp(-0.5 * (x - np.asarray(centre, dtype=float)[..., None]) ** 2)
        return np.asarray(table / table.sum(axis=-1, keepdims=True))

    cut = bayes if threshold is None else float(threshold)
    return make_problem(
        joint=np.array([0.7, 0.3])[:, None] * bell([-1.0, 1.0]),
        channel=bell(x),
        distortion=(x[:, None] - x[None, :]) ** 2,
        labels=np.where(x < cut, 0, 1),
        x=x,
    )


def distortion_budget(D: float) -> float:
    """``D`` as a number in (-inf, inf], or an :class:`InputError`."""
    try:
        value = float(D)
    except (TypeError, ValueError):
        raise InputError(f"D is {D!r}: expected a number or inf") from None
    if math.isnan(value) or value == -math.inf:
        raise InputError(f"D is {value}: expected a number or inf")
    return value


def _table(values: ArrayLike, name: str, shape: tuple[int, int] | None = None) -> Array:
    try:
        table = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} is no rectangular table of numbers") from None
    if table.ndim != 2 or 0 in table.shape or (shape is not None and table.shape != shape):
        raise InputError(f"{name} has shape {table.shape}: expected {shape or 'a table'}")
    if not np.isfinite(table).all():
        raise InputError(f"{name} has an entry that is not finite")
    return table


def _vector(values: ArrayLike, name: str, n: int) -> Array:
    try:
        vector = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} is no list of numbers") from None
    if vector.shape != (n,) or not np.isfinite(vector).all():
        raise InputError(f"{name} has shape {vector.shape}: expected {n} finite numbers")
    return vector


def _is_law(values: Array) -> bool:
    if (values < 0).any():
        return False
    off = abs(float(values.sum()) - 1)
    if off <= SUM_TOLERANCE:
        return True
    listed = values.ravel().tolist()
    decimals = max(-int(Decimal(repr(v)).as_tuple().exponent) for v in listed)
    # half a last digit each, and the rounding of the sum itself
    return decimals >= 4 and off <= 0.5 * len(listed) * 10.0**-decimals * (1 + 1e-9) + 1e-15


def _rows_of_laws(table: Array, name: str) -> None:
    sums = table.sum(axis=1)
    suspect = (table < 0).any(axis=1) | (abs(sums - 1) > SUM_TOLERANCE)
    for row in np.flatnonzero(suspect):
        if not _is_law(table[row]):
            raise InputError(f"{name} row {row} sums to {sums[row]:.9g}: expected a law")


def _labels(values: ArrayLike, n: int, classes: int) -> NDArray[np.int64]:
    try:
        labels = np.asarray(values)
        whole = labels.astype(np.int64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"labels is {values!r:.60}: expected {n} class numbers") from None
    if labels.shape != (n,) or (whole != labels).any():
        raise InputError(f"labels has shape {labels.shape}: expected {n} class numbers")
    if (whole < 0).any() or (whole >= classes).any():
        raise InputError(f"labels has the class {whole.max()}: expected 0 to {classes - 1}")
    return whole
