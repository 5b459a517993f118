"""One network for all weights: FiLM starts without effect, and each image has its own weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cdplib.errors import InputError
from cdplib.experiments import classifiers, conditional, losses, networks, restoration
from cdplib.experiments.material import Material
from cdplib.experiments.settings import Point, resolve


@pytest.fixture
def point() -> Point:
    asked = {"restorer": "fast-large", "width": 8, "critic_width": 4, "steps": 4, "batch": 6}
    return Point("exp2", "smoke", resolve("exp2", "smoke", asked), 1.0, 0.0, 0.0, 0)


@pytest.fixture
def pair(point: Point) -> conditional.Networks:
    start, critic = restoration.new_restorer(point), restoration.new_critic(point)
    return conditional.new(point, start.state_dict(), critic.state_dict())


def stirred(network: conditional.Conditional) -> conditional.Conditional:
    """The network with FiLM and batch-norm that do something."""
    generator = torch.Generator().manual_seed(3)
    for film in network.films:
        film.affine.weight.data.normal_(0, 0.1, generator=generator)
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_(0, 0.3, generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
    return network


def images(n: int) -> Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(n))


def test_it_starts_as_the_plain_networks(point: Point, pair: conditional.Networks) -> None:
    shown, weights = images(5), torch.tensor([[0.03, 0.01]])
    plain = networks.restore(restoration.new_restorer(point), shown)
    torch.testing.assert_close(networks.restore(pair.restorer.given(weights), shown), plain)
    scores = restoration.scores(restoration.new_critic(point), shown)
    torch.testing.assert_close(restoration.scores(pair.critic.given(weights), shown), scores)
    moved = networks.restore(stirred(pair.restorer).given(weights), shown)
    assert float((moved - plain).abs().max()) > 1e-3


def test_one_restorer_serves_every_pair_of_weights(pair: conditional.Networks) -> None:
    network, shown = stirred(pair.restorer), images(4)
    ends = [conditional.at(network, *weights)(shown) for weights in ((0.0, 0.0), (0.05, 0.02))]
    assert float((ends[0] - ends[1]).abs().max()) > 1e-3
    each = torch.tensor([[0.0, 0.0], [0.05, 0.02], [0.0, 0.0], [0.05, 0.02]])
    mixed = networks.restore(network.given(each), shown, batch=4)
    for k in range(4):  # an image's weights are its own
        torch.testing.assert_close(mixed[k], ends[k % 2][k], rtol=0, atol=1e-6)


def test_equal_weights_give_equation_16(pair: conditional.Networks) -> None:
    restored, clean, labels = images(7), images(8)[:7], torch.arange(7)
    net = classifiers.build("logistic", "mnist")
    critic = restoration.new_critic(
        Point("exp2", "smoke", resolve("exp2", "smoke"), 1.0, 0.0, 0.0, 0)
    )
    weights = torch.tensor([1.0, 0.02, 0.3])[:, None].repeat(1, 7)
    one = losses.weighted_loss(restored, clean, labels, critic, [net], weights)
    other = losses.restorer_loss(restored, clean, labels, critic, [net], (1.0, 0.02, 0.3))
    torch.testing.assert_close(one, other)
    mixed = weights * torch.arange(7)
    each = [
        losses.weighted_loss(
            *(images[k : k + 1] for images in (restored, clean, labels)),
            critic,
            [net],
            mixed[:, k : k + 1],
        )
        for k in range(7)
    ]
    together = losses.weighted_loss(restored, clean, labels, critic, [net], mixed)
    torch.testing.assert_close(torch.stack(each).mean(), together)


def test_a_batch_has_zeros_and_weights_of_the_whole_range() -> None:
    drawn = conditional.draw(20_000, torch.Generator().manual_seed(0))
    for column, (least, most) in zip(drawn.T, conditional.RANGES.values(), strict=True):
        assert float((column == 0).float().mean()) == pytest.approx(conditional.NOTHING, abs=0.01)
        there = column[column > 0]
        assert float(there.min()) >= least * (1 - 1e-6)
        assert float(there.max()) <= most * (1 + 1e-6)
        middle = (least * most) ** 0.5  # log-uniform: half are below the geometric mean
        assert float((there < middle).float().mean()) == pytest.approx(0.5, abs=0.015)


@pytest.mark.parametrize("bad", [[0.1, 0.1], [[-0.1, 0.0]], [[0.1, 0.2, 0.3]]])
def test_weights_of_another_shape_or_sign_are_refused(
    bad: list[object], pair: conditional.Networks
) -> None:
    with pytest.raises(InputError, match=r"expected rows \(beta, gamma\)"):
        pair.restorer.given(torch.tensor(bad))


def test_a_step_moves_both_networks(point: Point, pair: conditional.Networks) -> None:
    clean = images(12).mul(255).to(torch.uint8)
    labels = torch.arange(12) % 10
    material = Material(clean, labels, None, 1.0, (images(2), images(2), labels[:2]))
    net = classifiers.build("logistic", "mnist")
    p = replace(point, settings=point.settings._replace(steps=3))
    trainer = conditional.Trainer(p, material, torch.device("cpu"), pair, net)
    before = [restoration.copied(n) for n in (pair.restorer, pair.critic)]
    for _ in range(3):
        trainer.step()
    for network, old in zip((pair.restorer, pair.critic), before, strict=True):
        moved = [k for k, v in network.state_dict().items() if not torch.equal(v, old[k])]
        assert any("affine" in name for name in moved)
        assert any("body" in name for name in moved)
        assert all(bool(torch.isfinite(v).all()) for v in network.state_dict().values())
