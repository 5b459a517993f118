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


def test_weights_of_its_own_for_each_image_are_eq_16_image_by_image():
    clean = torch.tensor([0.0, 0.25]).reshape(2, 1, 1, 1).expand(2, 1, 2, 2)
    weights = torch.tensor([[1.0, 2.0], [0.5, 0.0], [0.1, 3.0]])  # alpha, beta, gamma; two images
    entropies = torch.tensor([[math.log(4 / 3), math.log(4)], [math.log(2)] * 2]).mean(0)
    by_hand = [0.25 - 0.5 * 2 + 0.1 * entropies[0], 2 * 0.0625 - 0 + 3 * entropies[1]]
    against = (net(3.0), net(1.0))
    found = losses.weighted_loss(RESTORED, clean, LABELS, total, against, weights)
    assert found.item() == pytest.approx(float(sum(by_hand)) / 2)
    same = torch.tensor([[2.0] * 2, [0.5] * 2, [0.1] * 2])
    assert losses.weighted_loss(
        RESTORED, CLEAN, LABELS, total, THREE_TO_ONE, same
    ).item() == pytest.approx(loss((2, 0.5, 0.1)))


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
    losses.critic_gap(counting, real, fake)
    assert sizes[-1] == 5  # together, unless it is asked otherwise


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
    of_norm_three, _ = losses.critic_loss(lambda x: 1.5 * total(x), real, fake, penalty, generator)
    assert of_norm_three.item() == pytest.approx(penalty * 4 - 6)
    asked = []
    losses.critic_loss(lambda x: asked.append(len(x)) or total(x), real, fake, 0.0, generator)
    assert asked == [2, 2]  # one after the other: the release's critic has batch-norm


def places(copies, n=4):
    """Where between fake (0) and real (1) the critic's slope is looked at, (n, c, h, w)."""
    seen = []

    def watching(images):
        seen.append(images.detach())
        return total(images)

    real, fake = torch.ones(n, 1, 2, 2), torch.zeros(n, 1, 2, 2)
    more = () if copies is None else (copies,)
    losses.critic_loss(watching, real, fake, 10.0, torch.Generator().manual_seed(0), *more)
    return seen[-1]


def test_copies_of_an_image_share_a_place_and_no_others_do():
    apart, pairs = places(None), places(2)
    assert apart.shape == pairs.shape == (4, 1, 2, 2)
    assert ((apart >= 0) & (apart <= 1)).all()
    for found in (apart, pairs):  # one place for all the pixels of an image
        assert torch.equal(found, found[:, :, :1, :1].expand_as(found))
    assert len(apart[:, 0, 0, 0].unique()) == 4
    one, two, three, four = pairs[:, 0, 0, 0].tolist()
    assert one == two != three == four
    # So many places are drawn as there are images, whatever the copies.
    assert pairs[::2, 0, 0, 0].tolist() == apart[:2, 0, 0, 0].tolist()


def test_the_penalty_has_a_slope_and_is_taken_in_float32():
    weight = torch.tensor(1.5, requires_grad=True)
    real, fake, kinds = torch.ones(2, 1, 2, 2), CLEAN.clone(), []

    def critic(images):
        scores = torch.nn.functional.linear(images.flatten(1), weight.expand(1, 4))[:, 0]
        kinds.append(scores.dtype)
        return scores

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = losses.gradient_penalty(critic, real, fake, torch.full((2, 1, 1, 1), 0.3))
    assert kinds == [torch.float32]
    found.backward()  # (2 w - 1)^2, whose slope is 4 (2 w - 1)
    assert (found.item(), weight.grad.item()) == (pytest.approx(4), pytest.approx(8))
