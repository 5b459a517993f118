"""The answer to an exercise of the exact C(D,P), checked: apart from :mod:`.selfcheck`, so that no
page of an experiment hangs on the solver."""

from __future__ import annotations

import numpy as np

from cdpbook.selfcheck import Wrong, numbers
from cdplib.theory import exact


def certificate(v: float, P_sharp: float) -> None:
    """Exercise 4.1: the dual variable (v, 0) of the skewed bit, and how far it is sharp."""
    bit = exact.make_problem(np.diag([0.7, 0.3]), [[0.8, 0.2], [0.2, 0.8]], 1 - np.eye(2), [0, 1])
    v, P_sharp = (float(numbers(n, a, ())) for n, a in (("v", v), ("P_sharp", P_sharp)))

    def lost(P: float) -> float:
        bound = exact.certify(bit, "tv", np.inf, P, 0.0, [v, 0.0])
        return exact.solve(bit, "tv", np.inf, P).value - bound

    if lost(0.0) > 1e-3:
        price = (bit.err[1, 0] - bit.err[1, 1]) * bit.py[1]
        if abs(v - price) < 1e-3:
            raise Wrong("`v` is a price of all of Y = 1; expected one per unit of its mass")
        raise Wrong(f"at P = 0 the bound is below C by {lost(0.0):.4f}; `v` has to close that gap")
    if not 0 <= P_sharp <= 1 or lost(P_sharp) > 1e-3:
        raise Wrong(f"at P = {P_sharp:g} the bound is below C: sharpness ended before")
    if lost(P_sharp + 0.01) < 1e-3:
        raise Wrong(f"the bound is still sharp a little beyond P = {P_sharp:g}")
    print(f"Right: the bound meets C until P = {P_sharp:g}, and lies below beyond.")
