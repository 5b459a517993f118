"""Longer trainings: the rule that chooses a length, what gamma gains, and intervals with images."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cdpbook import evidence
from cdpbook.studies import longer
from cdplib.errors import DataError


def table(error: dict[int, float], p: float = 1.0, seeds: int = 3) -> pd.DataFrame:
    """Rows at two gammas; C falls with the length as ``error`` says, gamma 0.03 gains a point."""
    return pd.DataFrame([
        {"steps": steps, "beta": 0.0, "gamma": gamma, "seed": seed, "mse": 0.02, "p_judge": p,
         "error_rate": c - (0.01 + 0.001 * seed) * (gamma > 0)}
        for steps, c in error.items() for gamma in (0.0, 0.03) for seed in range(seeds)
    ])  # fmt: skip


def test_the_least_length_after_which_little_changes_is_asked_for():
    rows = table({400: 0.16, 1200: 0.15, 3600: 0.149, 10_000: 0.1489})
    found = longer.changes(rows)
    assert list(found["enough"]) == [False, True, True]
    assert found["error_rate"].iloc[0] == pytest.approx(0.01)
    assert longer.asked(found) == 1200


def test_the_longest_is_asked_for_where_none_is_enough():
    rows = table({400: 0.16, 1200: 0.15, 3600: 0.14})
    assert longer.asked(longer.changes(rows)) == 3600


def test_a_change_of_p_alone_is_a_change():
    rows = table({400: 0.15, 1200: 0.15})
    rows.loc[rows["steps"] == 1200, "p_judge"] = 1.06
    assert not longer.changes(rows)["enough"].any()
    rows.loc[rows["steps"] == 1200, "p_judge"] = 1.04
    assert longer.changes(rows)["enough"].all()


def test_gains_are_paired_by_seed():
    found = longer.gains(table({400: 0.16}))
    gain = found.loc[400, 0.0]
    assert gain.value == pytest.approx(-0.011)
    # Student's for three seeds whose gains are one tenth of a point apart.
    assert gain.upper - gain.value == pytest.approx(4.3027 * 0.001 / math.sqrt(3), rel=1e-4)


@pytest.fixture
def bits(monkeypatch):
    """Of 1,000 images gamma mends the first 20, of seed 1 the first 30; every draw is the same."""

    def wrong(name, row, classifier, n=1000):
        if row["seed"] == 2 or (classifier.endswith("draw=5") and row["seed"] == 1):
            raise DataError("no bits")
        mended = (20 + 10 * row["seed"]) if row["gamma"] else 0
        return (np.arange(n) < 100) & (np.arange(n) >= mended)

    monkeypatch.setattr(evidence, "wrong", wrong)
    return SimpleNamespace(table=table({400: 0.16}))


def test_intervals_with_images_are_wider_than_those_over_seeds_and_hold_the_same_mean(bits):
    (row,) = longer.images(bits, "cnn1").to_dict("records")
    assert row["seeds"].value == row["published"].value == pytest.approx(-0.025)
    assert row["published_seeds"] == 2
    over_seeds = 12.7062 * 0.01 / math.sqrt(2) / math.sqrt(2)
    assert row["seeds"].upper - row["seeds"].value == pytest.approx(over_seeds, rel=1e-4)
    images = np.where(np.arange(1000) < 20, -1.0, np.where(np.arange(1000) < 30, -0.5, 0.0))
    half = math.hypot(over_seeds, 1.959964 * images.std(ddof=1) / math.sqrt(1000))
    assert row["published"].upper - row["published"].value == pytest.approx(half, rel=1e-4)


def test_seeds_without_bits_are_left_out_and_one_seed_gives_no_interval(bits):
    (row,) = longer.images(bits, "cnn1").to_dict("records")
    assert "fresh" not in row  # seed 1 lacks a draw, so one seed is left


def test_the_curve_has_only_what_was_trained_at_every_length():
    rows = longer.curve()
    sizes = rows.groupby(["beta", "gamma", "seed"])["steps"].nunique()
    assert sizes.nunique() == 1
    assert sizes.iloc[0] == rows["steps"].nunique() > 1
    assert set(rows["steps"]) > {longer.grid().settings.steps}


@pytest.fixture
def kinds(monkeypatch):
    """Published rows, and those of a stronger network: as short (two seeds), and longer."""
    stronger = {
        "preset": "converged", "restorer": "fast-large", "hardware": "a core", "seconds": 60.0
    }  # fmt: skip
    short, long = table({400: 0.14}, seeds=2), table({3600: 0.12}, seeds=2)
    short.loc[short["gamma"] > 0, "error_rate"] += 0.002
    long.loc[long["gamma"] > 0, "error_rate"] += 0.008
    rows = pd.concat([
        table({400: 0.16}).assign(preset="full", restorer="paper", variant=""),
        table({1200: 0.15}).assign(preset="full", restorer="paper", variant="steps=1200"),
        short.assign(variant="steps=400", **stronger),
        table({1200: 0.13}).assign(variant="steps=1200", **stronger),
        long.assign(variant="", **stronger),
    ], ignore_index=True)  # fmt: skip
    monkeypatch.setattr(longer.results, "load", lambda name, variant: rows)
    return rows


def test_what_gamma_changes_is_paired_by_seed_in_every_grid(kinds):
    found = longer.effects("exp4").set_index("grid")
    assert list(found.index) == [longer.PUBLISHED, longer.STRONGER, longer.LONGER]
    assert list(found["seeds"]) == [3, 2, 2]
    assert list(found["steps"]) == [400, 400, 3600]
    assert found.loc[longer.PUBLISHED, "error_rate"].value == pytest.approx(-0.011)
    assert found.loc[longer.LONGER, "error_rate"].value == pytest.approx(-0.0025)
    assert found.loc[longer.LONGER, "mse"].value == 0


def test_network_and_length_have_each_their_share_of_what_becomes_of_the_gain(kinds):
    found = longer.shares("exp4").set_index("by")["change"]
    assert found["the network and its pre-training"].value == pytest.approx(0.002)
    assert found["the length"].value == pytest.approx(0.006)
    said = longer.paid("exp4").replace("\N{NO-BREAK SPACE}", " ")
    assert "the network and its pre-training +0.20 [+0.20, +0.20] points and the length" in said
    assert "at β = 0 C does not clearly move, D does not clearly move" in said
    assert "(4 trainings, 4 minutes of a core.)" in said


def test_an_experiment_of_which_nothing_was_trained_longer_is_left_out(kinds, monkeypatch):
    assert longer.others() == ["exp1", "exp3", "exp4", "exp5"]
    published = kinds[kinds["restorer"] == "paper"]
    monkeypatch.setattr(longer.results, "load", lambda name, variant: published)
    assert longer.others() == []
    assert longer.shares("exp4").empty
    assert list(longer.effects("exp4")["grid"]) == [longer.PUBLISHED]
