"""The posterior mean as an input: closed forms, a training image never sees itself."""

from __future__ import annotations

import pytest
import torch

from cdplib.experiments import attending, posterior


def some(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 1, 4, 5, generator=torch.Generator().manual_seed(seed))


def test_the_second_channel_is_the_posterior_mean() -> None:
    images, noisy, sigma = some(9), some(4, 1) + 0.3, 0.5
    found = attending.observe(noisy, images, sigma)
    assert found.shape == (4, 2, 4, 5)
    torch.testing.assert_close(found[:, :1], noisy)
    prior = posterior.Prior.of(images, images, torch.zeros(9, dtype=torch.int64), sigma)
    expected = posterior.restore(prior, noisy).images["mean"]
    torch.testing.assert_close(found[:, 1:], expected, rtol=1e-5, atol=1e-6)


def test_two_images_have_a_mean_in_closed_form() -> None:
    images = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    y = torch.full((1, 1, 2, 2), 0.7)
    share = 1 / (1 + torch.exp(torch.tensor(-(4 * 0.7 - 2) / 0.8**2)))
    found = attending.observe(y, images, 0.8)[0, 1]
    torch.testing.assert_close(found, share.expand(2, 2))


def test_an_image_does_not_see_itself() -> None:
    images = some(6)
    seen = attending.observe(images, images, 1e-2)[:, 1:]
    torch.testing.assert_close(seen, images, rtol=0, atol=1e-5)
    others = attending.observe(images, images, 1e-2, torch.arange(6))[:, 1:]
    assert float((others - images).square().mean()) > 0.01


def test_without_a_correction_the_mean_is_restored() -> None:
    network = attending.Attending(width=4, depth=3)
    for part in network.parameters():
        part.data.zero_()
    shown = torch.rand(3, 2, 28, 28, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(network.eval()(shown), shown[:, 1:])
    shown[:, 1] += 1  # beyond the range of pixels
    assert float(network(shown).detach().max()) <= 1


def test_a_batch_takes_one_draw_an_image() -> None:
    clean = some(5).mul(255).to(torch.uint8)
    material = attending.Observed(clean, torch.arange(5), None, 1.0, (some(1),) * 3)
    material.draws = torch.stack([torch.full((5, 2, 4, 5), float(k)) for k in range(3)]).half()
    generator = torch.Generator().manual_seed(0)
    drawn = [material.batch(torch.tensor([4, 1]), generator) for _ in range(40)]
    assert {float(v) for one, _, _ in drawn for v in one[:, 0, 0, 0]} == {0.0, 1.0, 2.0}
    degraded, images, labels = drawn[0]
    assert degraded.dtype == torch.float32
    assert labels.tolist() == [4, 1]
    torch.testing.assert_close(images, clean[[4, 1]].float() / 255)
    with pytest.raises(IndexError):
        material.batch(torch.tensor([5]), generator)
