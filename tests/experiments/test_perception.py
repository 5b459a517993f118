"""P against closed forms, its floors, and its order on digits whose order is known."""

from __future__ import annotations

import math

import ot
import pytest
import torch

from cdplib.errors import InputError
from cdplib.experiments import data, degradations, perception


def _images(n: int = 600, seed: int = 0) -> torch.Tensor:
    return torch.rand((n, 1, 12, 12), generator=torch.Generator().manual_seed(seed)) * 0.8


def test_the_judge_is_at_zero_for_the_same_law():
    estimate = perception.judge(_images(seed=1), _images(seed=2), iterations=60)
    assert abs(estimate.value) < 4 * estimate.se
    assert estimate.se > 0


def test_the_judge_is_exactly_zero_for_the_same_images_paired():
    real = _images()
    assert perception.judge(real, real, paired=True, iterations=5) == perception.Estimate(0.0, 0.0)


def test_the_judge_finds_a_shift_in_units_of_euclidean_distance():
    real = _images()
    estimate = perception.judge(real + 0.1, real, paired=True)
    assert estimate.value == pytest.approx(0.1 * math.sqrt(real[0].numel()), rel=0.15)


def test_the_judge_is_repeatable_and_leaves_torchs_generator_alone():
    real = _images()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = perception.judge(real.flip(3) * 0.9, real, seed=4, iterations=20)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert one == perception.judge(real.flip(3) * 0.9, real, seed=4, iterations=20)
    assert one != perception.judge(real.flip(3) * 0.9, real, seed=5, iterations=20)


def test_pairing_changes_only_the_standard_error():
    real = _images()
    together, apart = (
        perception.judge(real + 0.05, real, paired=p, iterations=20) for p in (True, False)
    )
    assert together.value == apart.value
    assert together.se < apart.se


def test_halves_are_disjoint_and_random():
    one, other = perception.halves(11, 3)
    assert len(one) == len(other) == 5
    assert len(set(one.tolist()) | set(other.tolist())) == 10
    assert one.tolist() != sorted(one.tolist())


def test_in_one_dimension_the_sliced_distance_is_the_exact_one():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn((400, 1, 1, 1), generator=generator) * s + s for s in (1.0, 1.5))
    exact = math.sqrt(ot.wasserstein_1d(a.flatten().numpy(), b.flatten().numpy(), p=2))
    assert perception._sliced(a, b, 0) == pytest.approx(exact, rel=1e-4)


def test_the_sliced_distance_of_a_shift_is_its_length_over_the_root_of_the_dimension():
    real = _images(200)
    value = perception._sliced(real, real + 0.1, 0)
    # E <u, s>^2 = |s|^2 / d for directions u uniform on the sphere.
    assert value == pytest.approx(0.1, rel=0.1)
    assert perception._sliced(real, real, 0) == 0


def test_frechet_of_known_gaussians():
    generator = torch.Generator().manual_seed(0)
    base = torch.randn((500, 3), generator=generator, dtype=torch.float64)
    base -= base.mean(0)
    root = torch.linalg.inv(torch.linalg.cholesky(torch.cov(base.T)))
    white = base @ root.T  # mean 0 and covariance 1, exactly
    scale, shift = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([0.5, 0.0, -1.0]).double()
    expected = float(shift.square().sum() + (scale - 1).square().sum())
    assert perception.frechet(white * scale + shift, white) == pytest.approx(expected, rel=1e-6)
    assert perception.frechet(white, white) == pytest.approx(0, abs=1e-9)


def test_frechet_of_covariances_that_do_not_commute():
    generator = torch.Generator().manual_seed(1)
    a, b = (torch.randn((50, 4), generator=generator, dtype=torch.float64) for _ in range(2))
    b = b @ torch.randn((4, 4), generator=generator, dtype=torch.float64)
    product = torch.cov(a.T) @ torch.cov(b.T)
    cross = torch.linalg.eigvals(product).real.sqrt().sum()
    expected = (a.mean(0) - b.mean(0)).square().sum() + torch.cov(a.T).trace()
    expected = expected + torch.cov(b.T).trace() - 2 * cross
    assert perception.frechet(a, b) == pytest.approx(float(expected), rel=1e-9)
    assert perception.frechet(a, b) == pytest.approx(perception.frechet(b, a), rel=1e-9)


def test_exact_w1_of_a_shift_far_larger_than_the_images_is_its_length():
    real = _images(60)
    far = 50.0
    value = perception.exact_w1(real + far, real)
    assert value == pytest.approx(far * math.sqrt(real[0].numel()), rel=0.02)


def test_wrong_shapes_are_refused():
    real = _images(8)
    for measure in (perception.judge, perception.sliced_w2, perception.exact_w1):
        with pytest.raises(InputError, match="expected the same"):
            measure(real[:7], real)
        with pytest.raises(InputError, match="expected the same"):
            measure(real[:3], real[:3])
    with pytest.raises(InputError, match="expected \\(n, d\\)"):
        perception.frechet(torch.zeros(5, 3), torch.zeros(5, 4))
    with pytest.raises(InputError, match="two or more"):
        perception.frechet(torch.zeros(1, 3), torch.zeros(5, 3))


@pytest.mark.data
def test_every_measure_orders_real_mixed_bicubic_and_noisy_digits():
    test = data.load("mnist").test
    real, _ = test.tensors(slice(0, 1000))
    bicubic = data.to_tensor(degradations.bicubic(test.images[:1000], 6))
    noise = degradations.fixed_noise((1000, 1, 28, 28), "test")
    ladder = [real, (real + bicubic) / 2, bicubic, real + noise]
    one, other = perception.halves(len(real))
    measured = {
        "judge": [perception.judge(x, real, paired=True, iterations=40).value for x in ladder],
        "sliced": [perception.sliced_w2(x, real) for x in ladder],
        "frechet": [
            perception.frechet(x[one].flatten(1)[:, ::7], real[other].flatten(1)[:, ::7])
            for x in ladder
        ],
    }
    for name, values in measured.items():
        assert values == sorted(values), name
        assert values[1] > 2 * values[0], name


@pytest.mark.data
def test_exact_w1_between_samples_calls_a_blank_average_better_than_it_is():
    """Why W1 of samples is no measure of P here: the mean digit scores near real digits."""
    real, _ = data.load("mnist").test.tensors(slice(0, 2000))
    average = real.mean(0, keepdim=True).expand_as(real)
    floor = perception.exact_w1(real, real, samples=300)
    assert perception.exact_w1(average, real, samples=300) < 1.4 * floor
    assert perception.sliced_w2(average, real) > 5 * perception.sliced_w2(real, real)
