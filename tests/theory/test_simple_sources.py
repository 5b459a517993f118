"""The bit and the Gaussian: closed forms against the certified solvers."""

import math

import numpy as np
import pytest

from cdplib.errors import InputError
from cdplib.theory import exact, simple_sources, w2


@pytest.mark.parametrize("prior", [0.5, 0.6, 0.7, 0.9])
@pytest.mark.parametrize("flip", [0.0, 0.1, 0.3, 0.4, 0.5])
@pytest.mark.parametrize("doubt", [0.0, 0.15])
def test_the_bit_is_what_the_solver_says(prior, flip, doubt):
    joint = np.diag([prior, 1 - prior])
    joint = (1 - doubt) * joint + doubt * joint[::-1]
    channel = [[1 - flip, flip], [flip, 1 - flip]]
    problem = exact.make_problem(joint, channel, 1 - np.eye(2), [0, 1])
    for P in (0.0, 0.02, 0.1, 0.25, 0.6, math.inf):
        for D in (0.05, 0.22, 0.35, math.inf):
            closed = simple_sources.bit(prior, flip, D, P, doubt)
            edge = simple_sources.bit(prior, flip, math.inf, P)
            if abs(edge - D) < 1e-9:
                continue  # on the edge rounding decides
            found = exact.solve(problem, "tv", D, P)
            assert found.status == ("optimal" if closed < math.inf else "infeasible")
            assert found.value == pytest.approx(closed, abs=1e-9)


def gaussian_problem(sigma, noise, n, correlation=1.0):
    """X, Y and X^ on one symmetric grid; the class is the sign of S."""
    from scipy.stats import norm

    x = (np.arange(n) - n / 2 + 0.5) * (9 * sigma / n)
    law = np.exp(-0.5 * (x / sigma) ** 2)
    law /= law.sum()
    rest = math.sqrt(1 - correlation**2)
    below = (x < 0).astype(float) if rest == 0 else norm.cdf(-correlation * x / sigma / rest)
    channel = np.exp(-0.5 * (np.subtract.outer(x, x) / noise) ** 2)
    channel /= channel.sum(axis=1, keepdims=True)
    cost = np.subtract.outer(x, x) ** 2
    return exact.make_problem([law * below, law * (1 - below)], channel, cost, x >= 0, x=x)


@pytest.mark.parametrize("correlation", [1.0, 0.8])
def test_the_gaussian_has_no_trade_off_and_the_solver_agrees(correlation):
    sigma, noise = 1.0, 0.7
    values, edges = [], []
    for n in (24, 64):
        problem = gaussian_problem(sigma, noise, n, correlation)
        closed = [simple_sources.gaussian_edge(sigma, noise, P) for P in (0.0, 0.1)]
        found = [w2.least_distortion(problem, P) for P in (0.0, 0.1)]
        edges.append(max(abs(np.subtract(found, closed))))
        at = w2.solve(problem, found[0] + 0.01, 0.0)
        assert at.status == "optimal"
        values.append(abs(at.value - simple_sources.gaussian(sigma, noise, 1.0, 0.0, correlation)))
    assert edges[1] < 0.4 * edges[0]
    assert edges[1] < 6e-3
    assert values[1] < 3e-3


def test_the_gaussian_by_simulation():
    random = np.random.default_rng(0)
    x = 2.0 * random.normal(size=400_000)
    y = x + 1.5 * random.normal(size=x.size)
    s = 0.6 * x / 2 + 0.8 * random.normal(size=x.size)
    wrong = ((s > 0) != (y > 0)).mean()
    assert wrong == pytest.approx(simple_sources.gaussian(2, 1.5, 9, 9, 0.6), abs=4e-3)
    # a multiple of Y on the edge has both the distortion and the W2 of the closed form
    a = (4 / 2.5 + 0.5 * (2 - 4 / 2.5)) / 2.5
    assert np.mean((x - a * y) ** 2) == pytest.approx(
        simple_sources.gaussian_edge(2, 1.5, 2 - a * 2.5), rel=1e-2
    )


def test_below_the_edge_nothing_is_feasible_and_wrong_input_is_quoted():
    assert simple_sources.gaussian(1, 1, 0.5, 0.0) == math.inf
    assert simple_sources.gaussian(1, 1, 0.5, 0.3) == pytest.approx(0.25)
    with pytest.raises(InputError, match=r"prior is 0\.4"):
        simple_sources.bit(0.4, 0.1, 1, 1)
    with pytest.raises(InputError, match=r"flip is 0\.6"):
        simple_sources.bit(0.6, 0.6, 1, 1)
    with pytest.raises(InputError, match="sigma is 0"):
        simple_sources.gaussian_edge(0, 1, 1)
    with pytest.raises(InputError, match="correlation is 2"):
        simple_sources.gaussian(1, 1, 1, 1, 2)
