"""The budget picker: a certified grid of C(D,P) with plans, for ``book/_static/budget.js``."""

from __future__ import annotations

from typing import Any

import numpy as np

from cdpbook.figures import answers
from cdplib.theory import exact
from cdplib.theory.exact import Problem, Surface

_LEAST = 0.005  # a plan's probabilities below are not drawn
_STILL = (
    "Choosing budgets needs scripts; the surface above and the plans below show the same, still."
)


def data(problem: Problem, divergence: str, surface: Surface, every: int = 2) -> dict[str, Any]:
    """The whole ``surface``, and at every so many of its budgets, D and P, a solution of its own.

    ``points[i][j]`` has the value with its certified bounds, the prices lam and mu, and the plan as
    [y, x^, thousandths of p(x^|y), ...]; null where no restoration meets the budgets.
    """
    Ds, Ps = surface.Ds[::every], surface.Ps[::every]
    return {
        "Ds": surface.Ds, "Ps": surface.Ps, "C": surface.value, "every": every, "x": problem.x,
        "points": [[_point(problem, divergence, float(D), float(P)) for P in Ps] for D in Ds],
    }  # fmt: skip


def _point(problem: Problem, divergence: str, D: float, P: float) -> dict[str, Any] | None:
    found = exact.solve(problem, divergence, D, P)
    if found.status == "infeasible" or found.plan is None:
        return None
    restorer = found.plan / problem.py[:, None]
    y, x = np.nonzero(restorer > _LEAST)
    plan = np.column_stack([y, x, np.rint(1000 * restorer[y, x]).astype(int)])
    numbers = ("value", "lower", "upper", "lam", "mu")
    return {**{name: getattr(found, name) for name in numbers}, "plan": plan.ravel()}


def picker(
    problem: Problem, divergence: str, surface: Surface, threshold: float, every: int = 2
) -> str:
    """HTML of the budget picker; ``threshold`` is the classifier's, drawn into the plan."""
    given = data(problem, divergence, surface, every)
    given |= {"threshold": threshold, "divergence": divergence}
    return answers.moving("budget", given, "Budget picker: choose D and P", _STILL)
