"""The interior-point method for couplings: small steps of algebra against dense linear algebra."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cdplib.theory import divergences, exact
from cdplib.theory.posterior import posterior, posterior_problem
from cdplib.theory.solver.newton import LIGHT, Ball, NewtonModel, State, _Step

NAMES = ("kl", "reverse_kl", "hellinger2", "chi2", "renyi:0.3", "renyi:3", "renyi:20")


def some_model(
    m: int, n: int, name: str, cut: bool = False, massless: int = 0
) -> tuple[exact.Problem, NewtonModel, np.ndarray]:
    rng = np.random.default_rng([m, n])
    joint = rng.dirichlet(np.ones(2 * n)).reshape(2, n)
    joint[:, :massless] = 0.0
    problem = exact.make_problem(
        joint / joint.sum(), rng.dirichlet(np.ones(m), size=n), rng.random((n, n)),
        rng.integers(0, 2, n),
    )  # fmt: skip
    allowed = np.ones((m, n), dtype=bool)
    if cut:
        allowed[0, 0] = False
    return problem, NewtonModel(problem, divergences.get(name), problem.err, allowed), allowed


@pytest.mark.parametrize("name", NAMES)
def test_the_ball_is_the_divergence_and_its_derivatives_are_its_differences(name: str) -> None:
    rng = np.random.default_rng(5)
    p, r = rng.dirichlet(np.ones(6), size=2)
    d, P = divergences.get(name), 0.2
    ball = Ball(d, p, P)
    phi, grad, h, rank = ball.at(r)
    assert (phi <= 1) == (d.value(p, r) <= P)
    step = rng.normal(size=6)
    step -= step.mean()
    eps = 1e-6
    ahead, behind = (ball.at(r + sign * eps * step) for sign in (1, -1))
    assert (ahead[0] - behind[0]) / (2 * eps) == pytest.approx(float(grad @ step), rel=1e-6)
    curved = h * step - rank * float(grad @ step) * grad
    difference = (ahead[1] - behind[1]) / (2 * eps)
    # a law's sum is 1: gradients count up to a constant, so do their differences
    assert np.allclose(difference - difference.mean(), curved - curved.mean(), rtol=1e-4, atol=1e-6)


def test_a_law_at_the_budget_has_phi_one() -> None:
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    for name in NAMES:
        d = divergences.get(name)
        assert Ball(d, p, d.value(p, q)).at(q)[0] == pytest.approx(1, rel=1e-12)
        assert Ball(d, p, 0.5 * d.value(p, q)).at(q)[0] > 1


@pytest.mark.parametrize("shape", [(4, 7), (7, 4)])
@pytest.mark.parametrize("name", ["kl", "renyi:3"])
@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("massless", [0, 2])
def test_a_direction_solves_the_linearised_conditions(
    shape: tuple[int, int], name: str, cut: bool, massless: int
) -> None:
    problem, model, allowed = some_model(*shape, name, cut, massless)
    D = float(problem.py @ (problem.delta @ problem.px)) * 0.9
    s = model._cold(D)
    step = _Step(model, s, Ball(model.divergence, problem.px, 0.1), D)
    target = np.where(allowed, 0.01 - s.W * s.z, 0.0)
    go = step._direction(target, 0.02, 0.03)
    _phi, grad, h, rank = step.ball.at(step.r)
    dr = go.W.sum(axis=0)
    assert (h[:massless] == 0).all()
    h = np.where(step.bends, np.maximum(h, 1e-12), 0.0)
    H = s.mu * (np.diag(h) - rank * np.outer(grad, grad))
    left = [
        np.where(allowed, s.z * go.W + s.W * go.z - target, 0.0),
        np.where(allowed, go.z + go.v[:, None] + go.u - go.lam * problem.delta - step.dual, 0.0),
        go.W.sum(axis=1) - step.row,
        H @ dr + grad * go.mu + go.u - step.turn,
        np.vdot(problem.delta, go.W) + go.slack_D - step.far,
        grad @ dr + go.slack_P - step.out,
        s.lam * go.slack_D + s.slack_D * go.lam - 0.02,
        s.mu * go.slack_P + s.slack_P * go.mu - 0.03,
    ]
    for part in left:
        assert np.abs(part).max() < 1e-9
    assert go.W[~allowed].sum() == 0


def test_answers_come_closer_and_a_neighbour_starts_warm() -> None:
    problem = exact.gaussian_mixture_problem(32, threshold=1.2)
    model = NewtonModel(problem, divergences.get("kl"), problem.err, np.ones((32, 32), dtype=bool))
    gaps = []
    for answer in model.answers(0.9, 0.05, 1e-4):
        low = exact.certify(problem, "kl", 0.9, 0.05, answer.lam, answer.u)
        gaps.append(problem.error_rate(answer.plan) - low)
    assert len(gaps) > 5
    assert gaps[-1] < 1e-8
    assert gaps[0] > gaps[-1]
    cold = model._cold(0.9)
    warm = model._warm(0.92, 0.05)
    assert warm.gap < 1e-3 * cold.gap


def test_letters_that_hardly_exist_do_not_bend_the_ball() -> None:
    p = np.array([1 - 1e-13, 1e-13])
    assert p[1] < LIGHT
    phi = Ball(divergences.get("chi2"), p, 0.1).at(np.array([1.0, 1e-40]))[0]
    assert phi < 1
    assert math.isfinite(phi)


@pytest.mark.parametrize(("name", "P"), [("kl", 0.1), ("hellinger2", 0.3), ("renyi:3", 1.0)])
def test_points_near_the_edge_are_certified_where_most_letters_have_no_mass(
    name: str, P: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, follow = [0], _Step.next

    def counted(self: _Step, target: float, centred: float) -> State:
        steps[0] += 1
        return follow(self, target, centred)

    monkeypatch.setattr(_Step, "next", counted)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4))
    y = x[rng.permutation(40)[:20]] + rng.normal(size=(20, 4))
    problem = posterior_problem(
        x, (x[:, 0] > 0) + (x[:, 1] > 0.5).astype(int), y, 1.0,
        lambda letters: (letters[:, 0] > 0.2).astype(int), added=posterior(x, y, 1.0) @ x,
    )  # fmt: skip
    edge = exact.least_distortion(problem, name, P)
    assert edge.status == "optimal"
    # with a made-up curvature on those letters the edge alone took the 90 steps that were allowed
    assert steps[0] < 60
    at = exact.solve(problem, name, 1.01 * float(edge), P)
    assert at.status == "optimal"
    assert at.gap < 1e-7
