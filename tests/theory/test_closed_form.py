"""C(inf, P) in closed form at its edges; elsewhere tests/theory/test_exact.py compares it."""

import math

import numpy as np
import pytest

from cdplib.theory import exact

NAMES = ["tv", "kl", "reverse_kl", "hellinger2", "chi2", "renyi:0.5", "renyi:2", "renyi:inf"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", [0, 1])
def test_a_side_of_the_classifier_without_mass_under_p_x(name, other):
    """Where p_X(R) is 0 or 1 any law on the empty side will do."""
    labels = np.array([other, other, 1 - other, 1 - other])
    joint = np.array([[0.35, 0.1, 0, 0], [0.05, 0.5, 0, 0]])
    channel = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0.5, 0.5]])
    problem = exact.make_problem(joint, channel, np.zeros((4, 4)), labels)
    values = []
    for P in (0.0, 0.05, 0.4, 2.0, math.inf):
        closed = float(exact.least_error(problem, name, P))
        assert closed == pytest.approx(exact.solve(problem, name, math.inf, P).value, abs=2e-7)
        values.append(closed)
    if name != "reverse_kl":  # KL(r || p) allows nothing there
        assert values[0] > values[-1] + 0.01


def test_a_classifier_that_never_says_a_class():
    problem = exact.make_problem([[0.6, 0.1], [0.1, 0.2]], np.eye(2), np.zeros((2, 2)), [1, 1])
    assert float(exact.least_error(problem, "kl", 0.1)) == pytest.approx(0.7)
