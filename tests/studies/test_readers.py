"""Readers of other kinds: what is published agrees with itself, and the new kinds read digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cdpbook import readers as published
from cdpbook.figures import transfer as draw
from cdpbook.studies import readers
from cdplib.experiments.data import Dataset, Split


def toy(n: int = 40) -> Dataset:
    """Digits of two classes that any reader tells apart: bright on the left, or on the right."""
    labels = np.arange(n, dtype=np.uint8) % 2
    images = np.zeros((n, 1, 28, 28), np.uint8)
    images[labels == 0, :, :, :14] = 200
    images[labels == 1, :, :, 14:] = 200
    images[:, 0, 0, :] += np.arange(n, dtype=np.uint8)[:, None]  # no two are equal
    split = Split(images, labels)
    return Dataset("toy", split, split, split)


def test_nearest_neighbours_vote_and_the_nearest_decides_where_votes_are_equal():
    whole = toy()
    images, labels = whole.test.tensors()
    votes = published.neighbours(whole)(images)
    assert votes.shape == (40, 10)
    assert torch.equal(votes.argmax(1), labels)
    assert votes.sum(1).tolist() == pytest.approx([3.1] * 40)


def test_the_support_vector_machine_learns_and_its_features_are_those_of_its_seed():
    whole = toy(400)
    images, labels = whole.test.tensors()
    model = published.machine(whole, epochs=2)
    assert float((model(images).argmax(1) == labels).float().mean()) == 1.0
    again = published.Machine(torch.Generator().manual_seed(0))
    assert torch.equal(model.directions, again.directions)


def test_every_row_has_been_read_by_all_and_both_ends_of_gamma_are_there():
    rows = readers.table()
    assert not rows[[f"error_rate_{name}" for name in published.TITLES]].isna().any(axis=None)
    assert rows.groupby(["beta", "seed"]).size().eq(2).all()
    assert len(readers.names(rows)) == 9


def test_the_parts_are_ratios_of_the_changes_where_cnn_1_gains():
    found = readers.parts(readers.table())
    for row in found.itertuples():
        if np.isfinite(row.part.value):
            assert row.part.value == pytest.approx(row.other.value / row.own.value)
            assert row.own.value < 0


def test_the_figure_has_a_line_a_reader():
    figure = draw.parts(readers.parts(readers.table()))
    lines = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2]
    assert len(lines) == 9
