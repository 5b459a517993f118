"""Points that are trained as one take the steps that each would take alone."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from cdplib.errors import InputError
from cdplib.experiments import classifiers, restoration, settings, stacked
from cdplib.experiments.material import Material

CPU = torch.device("cpu")


def material(n: int = 60, size: int = 28) -> Material:
    generator = torch.Generator().manual_seed(0)
    clean = torch.randint(0, 256, (n, 1, size, size), generator=generator, dtype=torch.uint8)
    labels = torch.arange(n) % 10
    shown = clean.float().div(255)
    return Material(clean, labels, None, 1.0, (shown + 0.5, shown, labels))


def points(**given: object) -> list[settings.Point]:
    few = {"steps": 3, "batch": 4, "betas": [0.0, 0.03], "gammas": [0.0, 0.02], "width": 8}
    return settings.plan("exp2", "smoke", {**few, **given})


def pair(point: settings.Point) -> tuple[nn.Module, nn.Module]:
    return restoration.new_restorer(point), restoration.new_critic(point)


def against() -> list[nn.Module]:
    return [classifiers.build("logistic", "mnist").eval().requires_grad_(False)]


def gradients(trainer: restoration.Trainer) -> list[torch.Tensor]:
    """Of one step's loss, as the optimiser sees them; the critic takes no step before it."""
    restored, clean, labels = trainer.restored()
    trainer.restorer.zero_grad()
    trainer.loss(restored, clean, labels, 1).backward()
    return [parameter.grad for parameter in trainer.restorer.parameters()]


@pytest.mark.parametrize("given", [{}, {"critic": "clip"}, {"anneal_alpha": True}])
def test_the_gradients_of_a_stack_are_those_of_its_points_alone(given):
    some, data, nets = points(**given), material(), against()
    pairs = [pair(point) for point in some]
    alone = [
        gradients(restoration.Trainer(point, data, CPU, *copy.deepcopy(networks), nets))
        for point, networks in zip(some, pairs, strict=True)
    ]
    trainer = stacked.Trainer(some, data, CPU, *zip(*pairs, strict=True), nets)
    together = gradients(trainer)
    for i, own in enumerate(alone):
        for one, all_of_them in zip(own, together, strict=True):
            torch.testing.assert_close(all_of_them[i], one, rtol=1e-4, atol=1e-5)
    # And they differ between points: beta and gamma arrive.
    assert float((together[0][0] - together[0][3]).abs().max()) > 1e-5


@pytest.mark.parametrize("critic", ["gp", "clip"])
def test_the_critic_s_gradients_are_those_of_a_point_alone(critic):
    some, data, nets = points(critic=critic), material(), against()
    pairs = [pair(point) for point in some]
    real, fake = torch.rand(4, 1, 28, 28), torch.rand(4, 1, 28, 28)
    alone = restoration.CriticTrainer(copy.deepcopy(pairs[0][1]), some[0], CPU)
    gap = alone.step(real, fake)
    trainer = stacked.Trainer(some, data, CPU, *zip(*pairs, strict=True), nets)
    both = (images.repeat_interleave(len(some), 0) for images in (real, fake))
    torch.testing.assert_close(trainer.critic.step(*both), gap)
    for one, all_of_them in zip(
        alone.critic.parameters(), trainer.critic.critic.parameters(), strict=True
    ):
        torch.testing.assert_close(all_of_them.grad[1], one.grad, rtol=1e-3, atol=1e-5)


def test_a_training_of_a_stack_without_batch_norm_is_that_of_its_points():
    some = settings.plan(
        "exp4", "smoke", {"steps": 4, "batch": 4, "betas": [0.0, 0.03], "gammas": [0.0, 0.02]}
    )
    data, nets = material(), against()
    data.degraded = data.clean
    alone = [restoration.train(point, data, CPU, *pair(point), nets) for point in some]
    pairs = zip(*[pair(point) for point in some], strict=True)
    together = stacked.train(some, data, CPU, *pairs, nets)
    for one, other in zip(alone, together, strict=True):
        assert other.curve[-1] == pytest.approx(one.curve[-1], rel=1e-4, abs=1e-5)
        for mine, its in zip(other.restorer.parameters(), one.restorer.parameters(), strict=True):
            torch.testing.assert_close(mine, its, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [28, 14, 7])
def test_a_convolution_on_blocks_is_the_one_of_stride_two(size):
    plain = nn.Conv2d(3, 5, 5, stride=2, padding=2)
    other = copy.deepcopy(plain)
    other.__class__ = stacked._Halving
    images = torch.randn(2, 3, size, size)
    torch.testing.assert_close(other(images), plain(images))


def test_batch_norm_in_elementary_operations_is_torch_s_with_its_running_statistics():
    plain = nn.BatchNorm2d(3)
    other = copy.deepcopy(plain)
    other.__class__ = stacked._Norm
    for _ in range(3):
        images = torch.randn(4, 3, 5, 5)
        torch.testing.assert_close(other(images), plain(images))
    torch.testing.assert_close(other.eval()(images), plain.eval()(images))
    for one, its in zip(other.state_dict().values(), plain.state_dict().values(), strict=True):
        torch.testing.assert_close(one, its)


def test_the_models_are_views_of_their_stack():
    models = [nn.Linear(2, 1), nn.Linear(2, 1)]
    stack = stacked.Stack(models)
    apart = (models[0].weight - models[1].weight).detach().clone()
    with torch.no_grad():
        next(iter(stack.parameters())).add_(1.0)
    torch.testing.assert_close((models[0].weight - models[1].weight).detach(), apart)
    torch.testing.assert_close(next(iter(stack.parameters())).data[1], models[1].weight.data)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"noise_input": True}, "one by one"), ({"seeds": [0, 1]}, "one experiment, seed")],
)
def test_points_that_cannot_be_trained_as_one_are_refused_in_one_line(given, said):
    with pytest.raises(InputError, match=said):
        stacked.check(points(**given))
