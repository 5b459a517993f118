"""The posterior under training images is Bayes' rule; its restorers are what they are called."""

from __future__ import annotations

import pytest
import torch

from cdplib.errors import InputError
from cdplib.experiments import posterior
from cdplib.experiments.posterior import Prior


@pytest.fixture
def prior():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(60, 1, 2, 2, generator=generator)
    labels = torch.randint(4, (60,), generator=generator)
    return Prior.of(images, images, labels, 0.3)


def observed(n, seed=1):
    return 0.5 + 0.4 * torch.randn(n, 1, 2, 2, generator=torch.Generator().manual_seed(seed))


def weights(prior, y):
    """Bayes' rule in float64, image by image."""
    x, y = prior.observed.double(), y.double().flatten(1)
    density = torch.exp(-((y[:, None] - x[None]) ** 2).sum(2) / (2 * prior.width**2))
    return density / density.sum(1, keepdim=True)


def test_mean_and_class_are_those_of_bayes_rule(prior):
    y = observed(40)
    found, w = posterior.restore(prior, y), weights(prior, y)
    of_class = torch.stack([w[:, prior.labels == k].sum(1) for k in range(4)], dim=1)
    assert (found.label == of_class.argmax(1)).all()
    mean = w @ prior.images.flatten(1).double()
    assert torch.allclose(found.images["mean"].flatten(1).double(), mean, atol=1e-5)
    kept = torch.where(prior.labels[None] == found.label[:, None], w, 0.0)
    given = (kept / kept.sum(1, keepdim=True)) @ prior.images.flatten(1).double()
    assert torch.allclose(found.images["class_mean"].flatten(1).double(), given, atol=1e-5)


def test_the_most_probable_image_is_the_nearest_one(prior):
    y = observed(40)
    nearest = torch.cdist(y.flatten(1), prior.observed).argmin(1)
    assert torch.equal(posterior.restore(prior, y).images["most_probable"], prior.images[nearest])


def test_samples_have_the_frequencies_of_the_weights_and_keep_to_their_class(prior):
    y = observed(1).expand(20_000, 1, 2, 2)
    found, w = posterior.restore(prior, y, seed=3), weights(prior, y[:1])[0]

    def drawn(name):
        return torch.cdist(found.images[name].flatten(1), prior.images.flatten(1)).argmin(1)

    shares = torch.bincount(drawn("sample"), minlength=60) / len(y)
    assert (shares - w).abs().max() < 5 * (0.25 / len(y)) ** 0.5
    assert (prior.labels[drawn("class_sample")] == found.label).all()
    assert (prior.labels[drawn("sample")] != found.label).any()
    again = posterior.restore(prior, y, seed=3).images["sample"]
    assert torch.equal(found.images["sample"], again)
    assert not torch.equal(again, posterior.restore(prior, y, seed=4).images["sample"])


def test_of_a_right_prior_a_blend_has_the_mse_of_the_mean_and_its_share_squared_of_it_again(prior):
    generator = torch.Generator().manual_seed(5)
    clean = prior.images[torch.randint(60, (20_000,), generator=generator)]
    y = clean + prior.width * torch.randn(clean.shape, generator=generator)
    found = posterior.restore(prior, y)

    def mse(images):
        return float((images - clean).square().mean())

    least = mse(found.images["mean"])
    for share in (0.0, 0.5, 1.0):
        expected = (1 + share**2) * least
        assert mse(posterior.blend(found, share)) == pytest.approx(expected, rel=0.03)
    assert mse(found.images["most_probable"]) > least


def test_wrong_input_is_refused_in_one_line(prior):
    with pytest.raises(InputError, match=r"3 values: expected 4"):
        posterior.restore(prior, torch.zeros(2, 3))
    with pytest.raises(InputError, match=r"width=0.0"):
        Prior.of(prior.images, prior.images, prior.labels, 0.0)
    with pytest.raises(InputError, match=r"60, 60 and 59"):
        Prior.of(prior.images, prior.images, prior.labels[1:], 1.0)
    with pytest.raises(InputError, match=r"share=1.5"):
        posterior.blend(posterior.restore(prior, observed(2)), 1.5)
