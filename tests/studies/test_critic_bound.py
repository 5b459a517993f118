"""No clipped, batch-normalised critic exceeds the bound; one meets it; others are not bound."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cdpbook.studies import critic_bound
from cdplib.errors import InputError
from cdplib.experiments import networks


def _critic(seed=0, width=4, batch_norm=True):
    """A small critic with every parameter, of batch-norm too, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    critic = networks.Critic(1, width=width, batch_norm=batch_norm)
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.normal_(generator=generator)
    return critic


@torch.no_grad()
def clipped(critic, clip):
    """``critic`` with every parameter clipped to [-clip, clip], in place, as after each step."""
    for parameter in critic.parameters():
        parameter.clamp_(-clip, clip)
    return critic


def extremal(clip=0.01, width=32, n=50):
    """A critic and two kinds of images whose gap nearly is the bound: it is sharp.

    "Real" images are white on the left half and black on the right, "fake" ones mirrored. All taps
    that are used are ``clip``, so every last channel is high where an image is white; scale and
    offset are ``clip``, so nothing is below zero and the last LeakyReLU does nothing; the linear
    weights are ``clip`` on the left, ``-clip`` on the right. What is missing is the share of
    batch-norm's eps, and goes to zero as ``clip`` grows.
    """
    critic = networks.Critic(1, width=width, batch_norm=True)
    first, second, third = (m for m in critic.modules() if isinstance(m, torch.nn.Conv2d))
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.zero_()
        for layer in (first, second):  # 2 x 2 taps: inside the image at every position
            layer.weight[:, :, 2:4, 2:4] = clip
        third.weight[:, :, 2, 2] = clip
        for module in critic.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.fill_(clip)
                module.bias.fill_(clip)
        sign = torch.tensor([clip, clip, -clip, -clip])
        critic.body[-1].weight.copy_(sign.expand(4 * width, 4, 4).reshape(1, -1))
    real = torch.zeros(n, 1, 28, 28)
    real[..., :14] = 1
    return critic, real, real.flip(3)


def _images(seed, n=8, scale=1.0):
    return scale * torch.randn((n, 1, 28, 28), generator=torch.Generator().manual_seed(seed))


def test_the_papers_critic_has_2048_features_and_the_bound_0_41():
    for channels in (1, 3):
        critic = networks.Critic(channels, width=32, batch_norm=True)
        assert critic_bound.bound(critic) == pytest.approx(2 * 2048 * 0.01**2)
    assert critic_bound.bound(critic, clip=1.0) == 4096


@given(
    seed=st.integers(0, 2**20),
    clip=st.sampled_from([0.001, 0.01, 0.3, 1.0]),
    scale=st.sampled_from([0.01, 1.0, 1000.0]),
    fake=st.sampled_from(["noise", "constant", "mirrored", "same"]),
)
@settings(max_examples=40, deadline=None)
def test_no_random_clipped_critic_exceeds_the_bound_on_any_images(seed, clip, scale, fake):
    critic = clipped(_critic(seed), clip)
    real = _images(seed + 1, scale=scale)
    images = {
        "noise": _images(seed + 2),
        "constant": torch.full_like(real, scale),
        "mirrored": real.flip(3),
        "same": real[:1].expand_as(real),
    }[fake]
    found = abs(critic_bound.gap(critic, real, images, batch=4))
    assert found <= critic_bound.bound(critic, clip) * (1 + 1e-4)


def test_batches_of_different_sizes_obey_the_bound_too():
    critic, real, fake = extremal(clip=1.0, width=4, n=7)
    found = critic_bound.gap(critic, real, fake[:5], batch=3)
    assert found <= critic_bound.bound(critic, 1.0) * (1 + 1e-5)


def test_the_bound_is_sharp_up_to_the_eps_of_batch_norm():
    for clip, least in ((0.01, 0.9), (0.02, 0.99), (1.0, 1 - 1e-6)):
        critic, real, fake = extremal(clip)
        assert max(float(p.detach().abs().max()) for p in critic.parameters()) <= clip + 1e-9
        share = critic_bound.gap(critic, real, fake) / critic_bound.bound(critic, clip)
        assert least < share <= 1 + 1e-6, clip


def test_gradient_ascent_on_the_images_of_the_sharpest_critic_does_not_break_the_bound():
    critic, real, fake = extremal(clip=0.01, width=8, n=4)
    pixels = [x.clone().requires_grad_() for x in (real, fake)]
    optimizer = torch.optim.Adam(pixels, lr=0.3)
    for _ in range(40):
        optimizer.zero_grad()
        (critic(pixels[1]).mean() - critic(pixels[0]).mean()).backward()
        optimizer.step()
    found = critic_bound.gap(critic, *(x.detach() for x in pixels))
    bound = critic_bound.bound(critic)
    assert critic_bound.gap(critic, real, fake) < found <= bound * (1 + 1e-6)


def test_training_against_white_images_comes_within_a_factor_of_the_bound_and_keeps_the_clip():
    real = _images(0, 60).abs().clamp(0, 1)
    critic = critic_bound.fit(real, torch.ones_like(real), steps=120, rate=5e-4, width=8)
    assert max(float(p.detach().abs().max()) for p in critic.parameters()) <= 0.01 + 1e-9
    found = critic_bound.gap(critic, real, torch.ones_like(real))
    bound = critic_bound.bound(critic)
    assert 0.3 * bound < found <= bound


def test_a_fit_depends_on_its_seed_alone():
    real = _images(0, 60).abs().clamp(0, 1)
    torch.manual_seed(1)
    one, again, other = (
        critic_bound.fit(real, 0.5 * real, steps=2, width=4, seed=s).body[0].weight
        for s in (0, 0, 1)
    )
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_without_clipping_the_bound_is_exceeded():
    critic, real, fake = extremal(clip=1.0, width=4)
    found = critic_bound.gap(critic, real, fake)
    assert found > 1000 * critic_bound.bound(critic, 0.01)


def test_without_batch_norm_a_clipped_critic_exceeds_the_number_and_has_no_bound():
    critic = networks.Critic(1, width=4)
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.fill_(0.01)
    bright = torch.full((4, 1, 28, 28), 1e7)
    assert critic_bound.gap(critic, bright, 0 * bright) > 2 * 256 * 0.01**2
    with pytest.raises(InputError, match="batch-norm"):
        critic_bound.bound(critic)


@pytest.mark.parametrize(
    "call",
    [
        lambda: critic_bound.bound(_critic(), 0.0),
        lambda: critic_bound.bound(_critic(), float("nan")),
        lambda: critic_bound.gap(_critic(), _images(0), _images(0)[:0]),
        lambda: critic_bound.gap(_critic(), _images(0), _images(0)[..., :20]),
        lambda: critic_bound.fit(_images(0), _images(1)),
    ],
)
def test_wrong_input_is_refused(call):
    with pytest.raises(InputError):
        call()
