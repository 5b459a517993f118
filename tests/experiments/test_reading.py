"""Classifiers of Y see degraded images, in training as in the test, and learn from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cdplib.errors import InputError
from cdplib.experiments import data, degradations, reading
from cdplib.experiments.fitting import Recipe
from cdplib.experiments.reading import READERS, Noise


@pytest.fixture
def whole():
    """Images that are bright above or below the middle: two classes that noise hardly hides."""

    def split(n, seed):
        random = np.random.RandomState(seed)
        labels = random.randint(0, 2, n).astype(np.uint8)
        images = np.zeros((n, 1, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 14 * label : 14 * (label + 1)] = 128
        return data.Split(images, labels)

    return data.Dataset("mnist", split(600, 0), split(200, 1), split(200, 2))


def reader(kind, name):
    return next(r for r in reading.readers("mnist", kind) if r.classifier == name)


def test_validation_and_test_images_have_the_fixed_noise_that_restorers_get(whole):
    shown = reading.observed(reader("noise", "cnn1"), whole)
    for name in ("validation", "test"):
        images, labels = shown.split(name).tensors()
        assert torch.equal(images, degradations.degrade("noise", whole, name))
        assert torch.equal(labels, whole.split(name).tensors()[1])
    assert shown.train is whole.train  # the network adds noise itself


def test_noise_is_fresh_in_training_and_absent_at_test():
    layer, images = Noise(2.0), torch.zeros(400, 1, 10, 10)
    one, other = layer(images), layer(images)
    assert not torch.equal(one, other)
    assert float(one.std()) == pytest.approx(2.0, rel=0.02)
    assert layer.eval()(images) is images


def test_a_reader_learns_from_noisy_images_and_repeats_itself(whole):
    short = replace(reader("noise", "cnn1"), recipe=Recipe(6, 0.02, "sgd", batch=20))
    shown = reading.observed(short, whole)
    _, facts = reading.fit(short, shown, seed=1)
    assert float(facts["test_accuracy"]) > 0.9
    again = reading.fit(short, shown, seed=1)[1]
    assert {**again, "seconds": ""} == {**facts, "seconds": ""}


@pytest.mark.parametrize("one", READERS, ids=lambda r: f"{r.degradation}-{r.classifier}")
def test_every_reader_takes_the_images_that_it_is_shown(one):
    channels, size = (3, 12) if one.low else (1, 28)
    for batch_norm in (False, True):
        logits = reading.network(one, batch_norm).eval()(torch.zeros(2, channels, size, size))
        assert logits.shape == (2, 10)


def test_images_that_nobody_reads_are_refused():
    with pytest.raises(InputError, match="mnist/sr3"):
        reading.readers("mnist", "sr3")
