"""The network near the bound and the one network: what the published rows say, and made-up ones."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cdpbook import conditional, evidence, near
from cdpbook.figures import near as draw
from cdpbook.studies import attainable
from cdpbook.studies import near as study
from cdplib.errors import DataError
from cdplib.storage import paths


@pytest.fixture(scope="module")
def run():
    return study.single_points()


def test_the_corner_has_the_best_of_each_kind(run):
    table = study.corner(run)
    published = table[table["what"].str.startswith("published")]
    assert published["mse"].iloc[0] == pytest.approx(run.points()["mse"].min())
    assert published["error"].iloc[1].value == pytest.approx(run.points()["error_rate"].min())
    bound = table[table["what"].str.startswith("near the bound")]
    means = near.published().groupby(["beta", "gamma"])["error_rate"].mean()
    assert bound["error"].iloc[-1].value == pytest.approx(means.min())
    for error in table["error"]:
        assert error.lower < error.value < error.upper
    assert math.isnan(table["mse"].iloc[-1])  # nothing is restored there


def test_published_bits_give_the_published_error_rates():
    for row in near.published().to_dict("records"):
        for name in ("cnn1", "cnn2", "logistic"):
            column = "error_rate" if name == study.CLASSIFIER else f"error_rate_{name}"
            wrong = evidence.wrong("near", row, name)
            assert wrong.mean() == pytest.approx(row[column], abs=1e-6)


def test_gains_are_paired_and_agree_with_the_rows():
    table = near.published()
    found = study.gains()
    assert [gain.beta for gain in found] == sorted(table["beta"].unique())
    for gain in found:
        at = table[table["beta"] == gain.beta].set_index(["seed", "gamma"])
        rates = [at.xs(g, level="gamma")["error_rate"].mean() for g in (0.0, gain.gamma)]
        assert gain.error.value == pytest.approx(rates[1] - rates[0], abs=1e-6)
        # pairing narrows: two independent rates of n images would be known less well
        ends = [{"beta": gain.beta, "gamma": g, "seed": 0} for g in (0.0, gain.gamma)]
        one = evidence.difference("near", *ends, study.CLASSIFIER)
        rate = at["error_rate"].mean()
        assert one.upper - one.value < 1.96 * math.sqrt(2 * rate * (1 - rate) / 10_000)


def test_a_row_of_other_code_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    for module, name in ((near, "near.csv"), (conditional, "conditional.csv")):
        (tmp_path / name).write_text("key,part,beta,gamma\nother,grid,0,0\n")
        with pytest.raises(DataError, match=f"{name}: nothing is published for this code; run"):
            module.published()


def test_one_against_many_is_at_the_published_weights(run):
    found = study.one_against_many(run)
    assert len(found) == len(run.points())
    grid = conditional.published()
    one = grid[(grid["part"] == "grid") & (grid["beta"] == 0.01) & (grid["gamma"] == 0.03)].iloc[0]
    row = found[(found["beta"] == 0.01) & (found["gamma"] == 0.03)].iloc[0]
    assert row["mse"] * (1 + row["d_mse"]) == pytest.approx(one["mse"])
    assert row["error_rate"] + row["d_error"] == pytest.approx(one["error_rate"])


def test_monotony_is_counted_between_neighbours():
    rising = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 2.5]])
    found = study.Surface(np.arange(2), np.arange(3), {"mse": rising})
    assert found.rising("mse", 0) == pytest.approx(2 / 3)
    assert found.rising("mse", 1) == pytest.approx(3 / 4)


def test_the_shipped_network_gives_its_published_row():
    from cdplib.experiments import conditional as one
    from cdplib.experiments import data
    from cdplib.experiments.material import degraded_split

    part = conditional.published()
    part = part[part["part"] == "surface"]
    row = part.iloc[len(part) // 2]
    clean, labels = data.load("mnist").test.tensors(slice(0, conditional.IMAGES))
    noisy = degraded_split(conditional.point(), "test")[: conditional.IMAGES]
    restored = one.at(conditional.restorer(), row["beta"], row["gamma"])(noisy)
    error, mse = study.read(restored, clean, labels)
    assert mse == pytest.approx(row["mse"], rel=1e-4)
    assert error == pytest.approx(row["error_rate"], abs=2e-3)


def test_the_figures_show_every_row(run):
    table = near.published()
    figure = draw.plane(run.points(), table, attainable.beside(run))
    axes = figure.axes[0]
    lines = [line for line in axes.get_lines() if len(line.get_xdata()) > 1]
    drawn = sum(len(line.get_xdata()) for line in lines if line.get_marker() == "o")
    assert drawn == len(table.drop_duplicates(["beta", "gamma"]))
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    maps = draw.maps(study.surface())
    assert len(maps.figures) == 3
    curve = draw.learning(pd.DataFrame(conditional.curve()))
    assert len(curve.figures) == 3
