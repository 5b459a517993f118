"""A classifier that may be chosen: the least of the functions of all classifiers, and no less."""

import numpy as np
import pytest

from cdplib.errors import InputError
from cdplib.theory import checks, exact, nonblind

#: A bit, flipped with probability 0.2, where a false 1 is ten times as bad as a missed one.
JOINT, CHANNEL = np.diag([0.4, 0.6]), np.array([[0.8, 0.2], [0.2, 0.8]])
BIT = nonblind.every_classifier(JOINT, CHANNEL, [[0, 10], [1, 0]])


def test_it_is_the_least_over_all_labelings():
    random = np.random.default_rng(5)
    joint = random.dirichlet(np.ones(6)).reshape(2, 3)
    channel, cost = random.dirichlet(np.ones(4), size=3), random.random((3, 3))
    found = nonblind.solve(nonblind.every_classifier(joint, channel, cost), "tv", 0.5, 0.1)
    values = {
        labels: exact.solve(exact.make_problem(joint, channel, cost, labels), "tv", 0.5, 0.1).value
        for labels in np.ndindex(2, 2, 2)
    }
    assert found.value == pytest.approx(min(values.values()), abs=1e-12)
    assert values[tuple(found.labels)] == found.value
    assert found.status == "optimal"
    assert found.lower <= found.value


def test_it_is_at_least_the_bayes_error_of_y_and_reaches_it():
    bayes = 1 - (JOINT @ CHANNEL).max(axis=0).sum()
    values = [nonblind.solve(BIT, "tv", D, np.inf).value for D in np.linspace(0.6, 1.2, 13)]
    assert min(values) == pytest.approx(bayes)
    assert (np.diff(values) <= 1e-12).all()
    assert min(values) >= bayes - 1e-12


def test_it_is_not_convex_and_the_bounds_prove_it():
    low, middle, high = (nonblind.solve(BIT, "tv", D, np.inf) for D in (0.6, 0.76, 0.92))
    assert middle.lower - 0.5 * (low.upper + high.upper) > 0.08
    for problem in BIT:  # with the classifier predefined it is
        line = [nonblind.solve([problem], "tv", D, np.inf).value for D in (0.6, 0.76, 0.92)]
        assert checks.midpoint_excess([line])[0] <= 1e-9


def test_an_adapted_classifier_is_not_convex():
    S, T = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    joint = np.where(T == [[0], [1]], [[0.35], [0.15]], 0.0)
    delta = (S[:, None] != [0, 1]).astype(float)
    every = nonblind.every_classifier(joint, np.eye(4), delta, px=[0.5, 0.5])
    values = [nonblind.solve(every, "tv", D, np.inf).value for D in (0.0, 0.25, 0.5)]
    assert values == pytest.approx([0.3, 0.25, 0.0])
    assert checks.midpoint_excess(np.array(values)[None])[0] == pytest.approx(0.1)


def test_on_finer_grids_of_the_line_nothing_is_left_to_trade():
    excess = []
    for n in (16, 64):
        toy = exact.gaussian_mixture_problem(n)
        at = (float(exact.least_distortion(toy, "tv", 0.0)) + 1e-9, 0.0)
        cuts = np.append(toy.x, np.inf)
        every = [exact.gaussian_mixture_problem(n, threshold=t) for t in cuts]
        assert [problem.labels.sum() for problem in every] == list(range(n, -1, -1))
        excess.append(nonblind.solve(every, "tv", *at).value - toy.py @ toy.err.min(axis=1))
    assert 0 <= excess[1] < 3e-4 < excess[0]


def test_infeasible_budgets_and_wrong_input():
    found = nonblind.solve(BIT, "tv", 0.1, np.inf)
    assert (found.status, found.value, found.lower) == ("infeasible", np.inf, np.inf)
    with pytest.raises(InputError, match="no problems"):
        nonblind.solve([], "tv", 1, 1)
    with pytest.raises(InputError, match="2\\^10 classifiers"):
        nonblind.every_classifier(np.ones((2, 10)) / 20, np.eye(10), np.ones((10, 10)))
