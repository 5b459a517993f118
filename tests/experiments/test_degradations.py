"""The degradations are the release's: by hand on small images, by digest and MSE on real ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from cdplib.errors import InputError
from cdplib.experiments import data, degradations


def _small(n: int = 6, channels: int = 1, size: int = 28) -> data.Dataset:
    images = np.random.RandomState(1).randint(0, 256, (n, channels, size, size), np.uint8)
    split = data.Split(images, np.zeros(n, np.uint8))
    return data.Dataset("mnist", split, split, split)


def test_noise_has_unit_variance_and_is_not_clipped():
    dataset = _small(50)
    clean = data.to_tensor(dataset.test.images)
    noisy = degradations.degrade("noise", dataset, "test")
    assert float((noisy - clean).mean()) == pytest.approx(0, abs=0.02)
    assert float((noisy - clean).var()) == pytest.approx(1, abs=0.03)
    assert noisy.min() < -1
    assert noisy.max() > 2
    half = degradations.fixed_noise(
        clean.shape, "test", 0, dataclasses.replace(degradations.get("noise"), sigma=0.5)
    )
    torch.testing.assert_close(half, (noisy - clean) / 2, rtol=1e-4, atol=1e-6)


def test_fixed_noise_depends_on_seed_and_split_and_on_nothing_else():
    dataset = _small()
    first = degradations.degrade("noise", dataset, "test", seed=3)
    torch.manual_seed(99)
    assert torch.equal(first, degradations.degrade("noise", dataset, "test", seed=3))
    assert not torch.equal(first, degradations.degrade("noise", dataset, "test", seed=4))
    assert not torch.equal(first, degradations.degrade("noise", dataset, "validation", seed=3))


def test_padding_is_one_pixel_for_mnist_and_two_for_cifar():
    assert degradations.padding(28, 6) == 1
    assert degradations.padding(32, 3) == 2
    with pytest.raises(InputError, match="fits no symmetric padding"):
        degradations.padding(27, 6)


def test_reduction_by_hand():
    image = _small(1, 3, 32).test.images
    padded = Image.fromarray(np.pad(image[0].transpose(1, 2, 0), ((2, 2), (2, 2), (0, 0)), "edge"))
    low = padded.resize((12, 12), Image.Resampling.BICUBIC)
    back = np.asarray(low.resize((36, 36), Image.Resampling.BICUBIC))[2:34, 2:34]
    assert np.array_equal(
        degradations.low_resolution(image, 3)[0], np.asarray(low).transpose(2, 0, 1)
    )
    assert np.array_equal(degradations.bicubic(image, 3)[0], back.transpose(2, 0, 1))


def test_a_constant_image_survives_reduction():
    flat = np.full((2, 1, 28, 28), 77, np.uint8)
    assert np.array_equal(degradations.bicubic(flat, 6), flat)
    assert degradations.low_resolution(flat, 6).shape == (2, 1, 5, 5)


def test_reduced_images_are_kept_and_made_again_if_the_file_is_harmed(monkeypatch, tmp_path):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    dataset = _small()
    first = degradations.degrade("sr6", dataset, "test")
    assert torch.equal(first, data.to_tensor(degradations.bicubic(dataset.test.images, 6)))
    (path,) = tmp_path.rglob("*.npy")
    harmed = bytearray(path.read_bytes())
    harmed[-1] ^= 255
    path.write_bytes(bytes(harmed))
    assert torch.equal(first, degradations.degrade("sr6", dataset, "test"))
    monkeypatch.setattr(degradations, "bicubic", None)  # now it must come from the disk
    assert torch.equal(first, degradations.degrade("sr6", dataset, "test"))


def test_wrong_input_is_refused():
    dataset = _small()
    with pytest.raises(InputError, match="degradation 'blur': expected noise"):
        degradations.degrade("blur", dataset, "test")
    with pytest.raises(InputError, match="unknown split 'tests'"):
        degradations.degrade("noise", dataset, "tests")
    with pytest.raises(InputError, match="expected sr6 or sr3"):
        degradations.degrade("noise", dataset, "test", low_resolution=True)
    with pytest.raises(InputError, match="expected uint8"):
        degradations.low_resolution(dataset.test.images.astype(float), 6)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "kind", "anchor", "digest"),
    [
        ("mnist", "sr6", 0.0537, "10ee23ef0c4f352e"),
        ("cifar10", "sr3", 0.0056, "8e573343d236a081"),
    ],
)
def test_bicubic_test_images_have_the_known_digest_and_the_releases_mse(name, kind, anchor, digest):
    dataset = data.load(name)
    reduced = degradations.reduced(kind, dataset, "test")
    assert data.digest(np.asarray(reduced)).startswith(digest)
    clean = data.to_tensor(dataset.test.images)
    assert float((data.to_tensor(reduced) - clean).square().mean()) == pytest.approx(
        anchor, abs=5e-5
    )


@pytest.mark.data
def test_the_noisy_test_images_have_unit_mse():
    dataset = data.load("mnist")
    noisy = degradations.degrade("noise", dataset, "test")
    noise = noisy - data.to_tensor(dataset.test.images)
    assert float(noise.square().mean()) == pytest.approx(1.0, abs=2e-3)
    # The first values of a stream that never changes: the same test noise for every reader.
    assert noise[0, 0, 0, :3].tolist() == pytest.approx(
        [-0.1938252, 0.3122865, -0.811158], abs=1e-6
    )
