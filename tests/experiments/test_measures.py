"""D and C against values worked out by hand; one row with every column of the table."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import nn

from cdplib.errors import InputError
from cdplib.experiments import measures, perception


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((40, 1, 28, 28), generator=torch.Generator().manual_seed(0)) * 0.8


@pytest.fixture
def hasty_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge with 5 iterations, where its value does not matter."""
    hasty = functools.partial(perception.judge, iterations=5)
    monkeypatch.setattr(perception, "judge", hasty)


def test_distortion_by_hand(images):
    shifted = images + 0.1
    assert measures.mean(measures.squared_error(shifted, images)) == pytest.approx(0.01, rel=1e-4)
    assert measures.mean(measures.psnr(shifted, images)) == pytest.approx(20, rel=1e-4)
    assert measures.squared_error(images, images).max() == 0
    colour = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 3, 1, 1).expand(2, 3, 4, 4)
    assert measures.squared_error(colour, 0 * colour).tolist() == pytest.approx([1.25 / 3] * 2)
    assert measures.psnr(colour, 0 * colour).shape == (2,)
    assert measures.psnr(images, images).min() == math.inf


def test_ssim_is_one_for_equal_images_and_less_for_others(images):
    torch.testing.assert_close(measures.ssim(images, images), torch.ones(40))
    assert measures.ssim(1 - images, images).max() < 0.5


def test_ssim_of_even_images_by_hand():
    """Without any contrast it is (2 a b + c) / (a^2 + b^2 + c), c = 0.01^2 for pixels in [0, 1]."""
    black, white = torch.zeros(2, 1, 28, 28), torch.ones(2, 1, 28, 28)
    expected = torch.full((2,), 1e-4 / (1 + 1e-4))
    torch.testing.assert_close(measures.ssim(black, white), expected, rtol=1e-3, atol=0)


def test_ssim_of_an_image_does_not_depend_on_its_batch(images):
    other = images.flip(3)
    torch.testing.assert_close(
        measures.ssim(other, images)[7:8], measures.ssim(other[7:8], images[7:8])
    )


def test_ssim_is_of_as_many_images_as_there_are_clean_ones(images):
    with pytest.raises(ValueError, match="shorter"):  # by batches of 50
        measures.ssim(images.repeat(3, 1, 1, 1)[:100], images.repeat(2, 1, 1, 1)[:50])


def test_classification_by_hand():
    logits = torch.tensor([[0.0, math.log(3.0)], [0.0, math.log(3.0)], [5.0, 0.0], [0.0, 5.0]])
    labels = torch.tensor([1, 0, 0, 1])
    mistakes = measures.wrong(logits, labels)
    assert mistakes.tolist() == [0, 1, 0, 0]
    assert measures.mean(mistakes) == 0.25
    # Of a rate: sqrt(p (1-p) / (n-1)).
    assert measures.standard_error(mistakes) == pytest.approx(math.sqrt(0.25 * 0.75 / 3))
    entropy = measures.cross_entropy(logits, labels)[:2]
    assert entropy.tolist() == pytest.approx([math.log(4 / 3), math.log(4)], rel=1e-5)


def test_networks_are_run_in_evaluation_mode_and_left_as_they_were(images):
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10)).train()
    one, two = (measures.outputs(network, images) for _ in range(2))
    assert torch.equal(one, two)
    assert not one.requires_grad
    assert network.training
    measures.outputs(network.eval(), images)
    assert not network.training
    # What is no network but a function has no mode.
    assert torch.equal(measures.outputs(lambda part: part, images), images.flatten(1))


def test_one_row_has_every_column_and_is_the_same_twice(images, hasty_judge):
    torch.manual_seed(0)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    labels = torch.arange(40) % 10
    restored = (images + 0.05).clamp(0, 1)
    arguments = (restored, images, labels, classifier, {"logistic": classifier}, classifier)
    row = measures.evaluate(*arguments)
    assert set(row) == {
        *("mse", "mse_se", "psnr", "ssim", "error_rate", "error_rate_se", "ce"),
        *("p_judge", "p_judge_se", "sliced_w2", "frechet", "error_rate_logistic"),
    }
    assert all(type(value) is float and math.isfinite(value) for value in row.values())
    assert row["error_rate_logistic"] == row["error_rate"]
    torch.manual_seed(5)
    assert measures.evaluate(*arguments) == row
    assert math.isnan(measures.evaluate(*arguments[:4])["frechet"])


def test_the_standard_error_of_p_is_of_paired_differences(images, hasty_judge):
    """Each restored image is made from its own clean one: as such they are compared."""
    labels = torch.arange(40) % 10
    restored = (images + 0.05 * images.flip(0)).clamp(0, 1)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    row = measures.evaluate(restored, images, labels, classifier)
    paired, apart = (perception.judge(restored, images, 0, paired=p) for p in (True, False))
    assert row["p_judge"] == paired.value == apart.value
    assert row["p_judge_se"] == paired.se != apart.se


def test_other_measures_are_of_the_restored_against_the_clean(images, hasty_judge, monkeypatch):
    monkeypatch.setattr(measures, "ssim", lambda one, other: torch.zeros(40))
    labels = torch.arange(40) % 10
    restored = (images + 0.05).clamp(0, 1)
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    row = measures.evaluate(restored, images, labels, classifier, feature_net=classifier, seed=3)
    assert row["sliced_w2"] == perception.sliced_w2(restored, images, 3)
    one, other = perception.halves(40, 3)
    features = (measures.outputs(classifier, part) for part in (restored[one], images[other]))
    assert row["frechet"] == perception.frechet(*features)
    assert row["ce"] == measures.mean(
        measures.cross_entropy(measures.outputs(classifier, restored), labels)
    )
    assert row["mse_se"] == measures.standard_error(measures.squared_error(restored, images))


def test_wrong_shapes_and_values_that_are_not_finite_are_refused(images):
    labels = torch.zeros(40, dtype=torch.long)
    with pytest.raises(InputError, match="images and labels of shapes"):
        measures.evaluate(images[:39], images, labels, nn.Flatten())
    with pytest.raises(InputError, match="images and labels of shapes"):
        measures.evaluate(images, images, labels[:39], nn.Flatten())
    broken = images.clone()
    broken[3, 0, 4, 4] = math.nan
    with pytest.raises(InputError, match="not all finite"):
        measures.evaluate(broken, images, labels, nn.Flatten())
