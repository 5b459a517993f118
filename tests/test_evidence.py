"""A bit an image: what is put in comes out, and rows are compared on the same images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cdpbook import evidence
from cdplib.errors import DataError
from cdplib.storage import paths

ONE, OTHER = ({"beta": 0.01, "gamma": gamma, "seed": 0} for gamma in (0.0, 0.03))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    return tmp_path


def test_bits_come_back_and_are_an_eighth_of_a_byte() -> None:
    labels = torch.arange(100) % 10
    logits = torch.nn.functional.one_hot(labels, 10).float()
    logits[::7] = logits[::7].flip(1)  # k is read as 9 - k
    shown = logits[:, :, None, None]
    bits = evidence.of(ONE, {"net": lambda images: images}, shown, labels)
    assert [b.nbytes for b in bits.values()] == [13]
    evidence.add("rows", bits)
    expected = (torch.arange(100) % 7 == 0).numpy()
    assert (evidence.wrong("rows", ONE, "net", 100) == expected).all()


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(0)
    first = rng.random(10_000) < 0.2
    second = first.copy()
    second[np.flatnonzero(first)[:100]] = False
    for row, wrong in ((ONE, first), (OTHER, second)):
        evidence.add("rows", {evidence.label(row, "cnn1"): np.packbits(wrong)})
    found = evidence.difference("rows", ONE, OTHER, "cnn1")
    assert found.value == pytest.approx(-0.01)
    # sqrt(share (1 - share) / n), where unpaired rates would have four times that
    assert found.upper - found.value == pytest.approx(1.96 * np.sqrt(0.01 * 0.99 / 10_000), 0.01)


def test_what_is_not_there_is_said(elsewhere: Path) -> None:
    with pytest.raises(DataError, match=r"rows_bits.npz: no bits of 10000 images"):
        evidence.wrong("rows", ONE, "cnn1")
    evidence.add("rows", {evidence.label(ONE, "cnn1"): np.zeros(10, np.uint8)})
    with pytest.raises(DataError, match="cnn2"):
        evidence.wrong("rows", ONE, "cnn2")
    with pytest.raises(DataError, match="of 10000 images"):  # 80 bits are no 10,000 images
        evidence.wrong("rows", ONE, "cnn1")
    assert [file.name for file in elsewhere.iterdir()] == ["rows_bits.npz"]
