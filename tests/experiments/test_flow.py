"""The flow from the posterior mean: its network, and a Gaussian toy whose flow is known exactly."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from cdplib.errors import InputError
from cdplib.experiments import attending, flow, networks

#: X ~ N(0, 1), Y = X + N(0, .8 squared): the posterior mean SHARE * Y has variance SHARE.
SHARE = 1 / (1 + 0.8**2)


def pairs(n: int, noise: float = 0.0) -> flow.Pairs:
    def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        clean = torch.randn(n, 1, generator=generator)
        mean = SHARE * (clean + 0.8 * torch.randn(n, 1, generator=generator))
        return flow.spread(mean, noise, generator), clean

    return draw


def variance(time: float | Tensor) -> float | Tensor:
    """That of (1 - t) mean + t X; the covariance of X and its posterior mean is SHARE."""
    return (1 - time) ** 2 * SHARE + 2 * time * (1 - time) * SHARE + time**2


def exact(place: Tensor, time: Tensor) -> Tensor:
    """E[X - mean | place]: linear, by half the slope of the variance over the variance."""
    slope = time * (1 - SHARE)
    return place * (slope / variance(time)).view(-1, 1)


def of(seed: int = 0, n: int = 40_000) -> tuple[Tensor, Tensor]:
    return pairs(n)(torch.Generator().manual_seed(seed))


def test_the_exact_velocity_of_the_toy_has_the_least_loss() -> None:
    start, clean = of()
    time = torch.rand(len(start), generator=torch.Generator().manual_seed(1))
    least = float(flow.loss(exact, start, clean, time))
    for share in (0.8, 1.2):
        worse = flow.loss(lambda z, t, share=share: share * exact(z, t), start, clean, time)
        assert float(worse) > least


def test_one_step_is_the_regression() -> None:
    start, clean = of()
    one = flow.follow(exact, start, 1)
    # the start is the posterior mean already: nothing is added, and D is the least
    torch.testing.assert_close(one, start)
    assert float((one - clean).square().mean()) == pytest.approx(1 - SHARE, rel=0.02)


def test_many_steps_have_the_law_of_the_originals_and_the_least_distortion_of_it() -> None:
    start, clean = of()
    away = []
    for steps in (2, 8, 32, 128):
        end = flow.follow(exact, start, steps)
        away.append(abs(float(end.std()) / float(start.std()) - 1 / math.sqrt(SHARE)))
    assert away == sorted(away, reverse=True)
    assert away[0] > 10 * away[-1]
    assert away[-1] < 3e-3
    # Freirich et al.: |X - mean|^2 plus the squared W2 of the two normal laws, below 2 MMSE.
    least = (1 - SHARE) + (1 - math.sqrt(SHARE)) ** 2
    assert float((end - clean).square().mean()) == pytest.approx(least, rel=0.02)
    assert least < 2 * (1 - SHARE)


class Linear(nn.Module):
    """v(z, t) = g(t) z, the family that has the toy's flow; g is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, place: Tensor, time: Tensor) -> Tensor:
        return self.gain(time[:, None]) * place


def test_a_trained_velocity_finds_the_flow_of_the_toy() -> None:
    torch.manual_seed(0)
    trained = flow.train(Linear(), pairs(512), 600, 0.02, torch.Generator().manual_seed(0))
    start, _ = of(1)
    assert float(flow.follow(trained, start, 64).var()) == pytest.approx(1, abs=0.06)
    assert float(flow.follow(trained, start, 1).var()) == pytest.approx(SHARE, abs=0.06)


def test_the_velocity_has_the_shape_of_the_images_and_knows_the_time() -> None:
    torch.manual_seed(0)
    velocity = flow.Velocity(8)
    images = torch.rand(3, 1, 28, 28)
    early, late = (velocity(images, torch.full((3,), t)) for t in (0.0, 0.9))
    assert early.shape == images.shape
    assert not torch.allclose(early, late, atol=1e-3)
    each = velocity(images, torch.tensor([0.0, 0.9, 0.0]))
    torch.testing.assert_close(each[1], late[1])  # every image has its own time
    assert networks.count(flow.Velocity()) < 1.1 * networks.count(attending.Attending())
    for shape in ((3, 2, 28, 28), (3, 1, 26, 28), (3, 784)):
        with pytest.raises(InputError, match="expected \\(n, 1, h, w\\)"):
            velocity(torch.rand(shape), torch.zeros(3))


def test_an_untrained_velocity_moves_nothing_and_learns_at_once() -> None:
    velocity = flow.new(4, torch.Generator().manual_seed(0))
    images, time = torch.rand(8, 1, 8, 8), torch.rand(8)
    assert not velocity(images, time).any()
    flow.loss(velocity, images, images.square(), time).backward()
    assert velocity.last.weight.grad is not None
    assert velocity.last.weight.grad.any()
    other = flow.new(4, torch.Generator().manual_seed(1))
    assert not torch.equal(velocity.first.weight, other.first.weight)


def test_steps_below_one_are_refused() -> None:
    with pytest.raises(InputError, match="steps=0: expected 1 or more"):
        flow.follow(exact, torch.zeros(2, 1), 0)


def test_starts_are_pairs_of_one_image_with_fresh_noise() -> None:
    ends = torch.arange(5).half().div(8).view(5, 1, 1, 1).expand(5, 1, 20, 20)
    batch = flow.Starts(ends, ends, 0.1, 64)
    start, clean = batch(torch.Generator().manual_seed(0))
    assert start.shape == clean.shape == (64, 1, 20, 20)
    assert [8 * v for v in clean.unique().tolist()] == [0, 1, 2, 3, 4]
    assert float((start - clean).std()) == pytest.approx(0.1, rel=0.05)
    again, _ = batch(torch.Generator().manual_seed(1))
    assert not torch.allclose(start, again)


def test_restoring_draws_only_the_noise_of_the_start() -> None:
    torch.manual_seed(0)
    velocity, restored = flow.Velocity(4), torch.rand(60, 1, 8, 8)
    one, same, other = (flow.restore(velocity, restored, 0.1, 3, seed) for seed in (0, 0, 1))
    torch.testing.assert_close(one, same)
    assert not torch.allclose(one, other)
    assert float(one.min()) >= 0
    assert float(one.max()) <= 1
    still = [flow.restore(velocity, restored, 0.0, 3, seed) for seed in (0, 1)]
    torch.testing.assert_close(*still)  # without noise it is a function
