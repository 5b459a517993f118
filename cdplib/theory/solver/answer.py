"""What a solver hands over, to be judged by a certificate that knows nothing of the solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Coefficients beyond this are cut in a solver's model: it could not use them, only stumble.
LARGEST = 1e9


@dataclass(frozen=True)
class Answer:
    """A plan W (m, n) and multipliers lam, u (n,), each to be repaired and checked."""

    plan: Array
    lam: float
    u: Array
