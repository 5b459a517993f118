"""Spoilt images are what they are called, and measures of P say of them what is known."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import torch

from cdpbook.studies import spoilt
from cdplib.errors import InputError
from cdplib.experiments import data, perception


def test_spoilt_images_are_what_their_names_say():
    real = torch.rand((20, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    kinds = spoilt.spoil(real, seed=1)
    assert kinds["real"] is real
    assert all(images.shape == real.shape for images in kinds.values())
    assert torch.equal(kinds["half contrast"] * 2, real)
    assert torch.equal(kinds["mean image"][0], kinds["mean image"][7])
    assert float(kinds["noise alone"].std()) == pytest.approx(1, abs=0.02)
    assert kinds["blurred"].var() < 0.3 * real.var()
    assert not torch.equal(kinds["slightly noisy"], spoilt.spoil(real, 2)["slightly noisy"])


def test_exact_w1_of_samples_shrinks_with_their_size_and_a_constant_images_does_not():
    real = torch.rand((400, 1, 6, 6), generator=torch.Generator().manual_seed(0))
    kinds = {k: v for k, v in spoilt.spoil(real).items() if k in ("real", "mean image")}
    found = spoilt.exact_w1_by_samples(kinds, [20, 200, 9999])
    assert (list(found), list(found.index)) == (list(kinds), [20, 200])
    assert found["real"][200] < 0.9 * found["real"][20]
    assert found["mean image"][200] == pytest.approx(found["mean image"][20], rel=0.05)
    with pytest.raises(InputError, match="expected one in"):
        spoilt.exact_w1_by_samples(kinds, [999])


def test_the_distance_to_the_originals_is_zero_for_real_and_that_of_a_shift():
    real = torch.rand((10, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    found = spoilt.paired_distance({"real": real, "brighter": real + 0.5})
    assert found["real"] == 0
    assert found["brighter"] == pytest.approx(2.0)  # 0.5 times the root of 16 pixels


def test_exact_w1_of_small_samples_breaks_the_upper_bound_of_the_true_distance():
    real = torch.rand((400, 1, 6, 6), generator=torch.Generator().manual_seed(0))
    kinds = {"real": real, "brighter": real + 0.01}
    bound = spoilt.paired_distance(kinds)
    assert perception.exact_w1(kinds["brighter"], real) > 10 * bound["brighter"]
    judged = perception.judge(kinds["brighter"], real, paired=True)
    assert judged.value < 1.2 * bound["brighter"]


def test_the_frechet_distance_is_convex_in_its_second_law():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        real, one, other = (
            torch.randn((400, 3), generator=generator, dtype=torch.float64)
            @ torch.randn((3, 3), generator=generator, dtype=torch.float64)
            + torch.randn(3, generator=generator, dtype=torch.float64)
            for _ in range(3)
        )
        mixed = perception.frechet(torch.cat([one, other]), real)
        assert mixed <= (perception.frechet(one, real) + perception.frechet(other, real)) / 2 + 1e-9


def test_how_many_images_halve_the_floor_is_read_off_a_power_law():
    found = pd.Series([8.0, 4.0, 2.0], index=[10, 1000, 100_000])
    assert spoilt.halving(found) == pytest.approx(100)
    assert spoilt.halving(found.iloc[:1]) == spoilt.halving(1 / found) == math.inf


@pytest.mark.data
def test_every_measure_but_exact_w1_puts_real_digits_first(monkeypatch):
    monkeypatch.setattr(spoilt, "floor", lambda dataset, name: 0.0)
    real, _ = data.load("mnist").test.tensors(slice(0, 600))
    kinds = {k: v for k, v in spoilt.spoil(real).items() if k in ("real", "blurred")}
    found = spoilt.measure(kinds, "mnist")
    for name in ("p_judge", "sliced_w2", "frechet"):
        assert found[name]["real"] < found[name]["blurred"], name
    assert found["exact_w1"]["real"] > found["exact_w1"]["blurred"]
    assert (found.filter(like="_seconds").median() > 0).all()
