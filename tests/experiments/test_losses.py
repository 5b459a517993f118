"""The losses against values worked out by hand: each sign, each weight, each mean."""

import math

import pytest
import torch

from cdplib.experiments import losses

CLEAN = torch.zeros(2, 1, 2, 2)
RESTORED = torch.full((2, 1, 2, 2), 0.5)
LABELS = torch.tensor([0, 1])


def total(images):
    """A critic: the sum of an image's pixels, (n,)."""
    return images.flatten(1).sum(1)


def net(odds):
    """A classifier that gives class 0 the logit log(odds), whatever it sees."""
    return lambda images: torch.tensor([[math.log(odds), 0.0]]).expand(len(images), 2)


THREE_TO_ONE = (net(3.0),)


def loss(weights, against=THREE_TO_ONE):
    return float(losses.restorer_loss(RESTORED, CLEAN, LABELS, total, against, weights))


def test_eq_16_is_the_weighted_sum_of_its_three_terms():
    # 2/3 and 1/3 of log(4/3) and log 4: the cross entropies of odds of three to one.
    entropy = 0.5 * (math.log(4 / 3) + math.log(4))
    other = math.log(2)
    assert loss((1, 0, 0)) == pytest.approx(0.25)
    assert loss((3, 0, 0)) == pytest.approx(0.75)
    assert loss((0, 1, 0)) == pytest.approx(-2)  # a critic that likes what it sees lowers it
    assert loss((0, 0, 1)) == pytest.approx(entropy)
    assert loss((0, 0, 1), (net(3.0), net(1.0))) == pytest.approx(0.5 * (entropy + other))
    assert loss((2, 0.5, 0.1)) == pytest.approx(0.5 - 1 + 0.1 * entropy)


def test_a_term_of_weight_zero_is_not_even_computed():
    def never(images):
        raise AssertionError("it was asked")

    assert float(losses.restorer_loss(RESTORED, CLEAN, LABELS, never, (never,), (1, 0, 0))) == 0.25


@pytest.mark.parametrize("apart", [False, True])
def test_the_gap_is_of_the_real_ones_minus_the_fake(apart):
    real, fake = torch.ones(3, 1, 2, 2), RESTORED
    assert float(losses.critic_gap(total, real, fake, apart=apart)) == pytest.approx(4 - 2)
    sizes = []

    def counting(images):
        sizes.append(len(images))
        return total(images)

    losses.critic_gap(counting, real, fake, apart=apart)
    assert sizes == ([3, 2] if apart else [5])


def test_the_penalty_is_of_the_norm_of_the_gradient_between():
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.ones(2, 1, 2, 2), CLEAN.clone()
    # The gradient of the sum of four pixels has norm 2; of half of it, norm 1.

    def penalty(critic):
        mix = torch.rand(len(real), 1, 1, 1, generator=generator)
        return losses.gradient_penalty(critic, real, fake, mix).item()

    assert penalty(total) == pytest.approx(1)
    assert penalty(lambda x: total(x) / 2) == pytest.approx(0, abs=1e-12)
    # Of the square of a sum the gradient's norm says where it was taken: at least 0, at most 16.
    seen = [math.sqrt(penalty(lambda x: total(x) ** 2 / 4)) for _ in range(20)]
    assert 0.5 < sum(seen) / len(seen) < 2.5
    assert max(seen) - min(seen) > 0.2


@pytest.mark.parametrize("penalty", [0.0, 10.0])
def test_the_critic_descends_the_penalty_less_the_gap(penalty):
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.ones(2, 1, 2, 2), CLEAN.clone()
    found, gap = losses.critic_loss(total, real, fake, penalty, generator)
    assert gap.item() == pytest.approx(4)
    assert found.item() == pytest.approx(penalty * 1 - 4)
    asked = []
    losses.critic_loss(lambda x: asked.append(len(x)) or total(x), real, fake, 0.0, generator)
    assert asked == [2, 2]  # one after the other: the release's critic has batch-norm
