"""What needs no training is compared with published points, and only where they are alike."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cdpbook import attainable as published
from cdpbook import floors
from cdpbook.figures import maps, planes
from cdpbook.runs import published_run
from cdpbook.statistics import estimates
from cdpbook.studies import attainable
from cdplib.experiments.reading import READERS
from cdplib.experiments.table import EXPERIMENTS


@pytest.fixture(scope="module")
def run():
    return published_run("exp2")


@pytest.fixture(scope="module")
def other():
    return published_run("exp5")


def test_every_published_restorer_is_of_the_present_code_and_measured_in_full():
    for experiment in ("exp1", "exp2", "exp3"):
        rows = published.table(EXPERIMENTS[experiment])
        shown = rows[rows["draw"] == "published"].set_index("restorer")
        assert set(published.TITLES) == set(shown.index)
        measured = shown.drop(index="label")
        columns = ["mse", "p_judge", "sliced_w2", "frechet", "error_rate"]
        assert np.isfinite(measured[columns].to_numpy(float)).all()
        own = f"error_rate_{EXPERIMENTS[experiment].classifier}"
        assert (measured["error_rate"] == measured[own]).all()
        assert "p_critic" not in shown  # a restorer without training has no critic


def test_rows_of_other_code_do_not_count(monkeypatch):
    monkeypatch.setattr(published, "rests_on", lambda kind: "another")
    assert published.table(EXPERIMENTS["exp2"]).empty
    monkeypatch.setattr(floors, "rests_on", lambda reader: "another")
    assert floors.published().empty


def test_a_run_on_other_images_or_noise_has_nothing_beside_it(run):
    for change in ({"dataset": "fashion-mnist"}, {"noise_sigma": 0.5}):
        apart = attainable.Run(**{**vars(run), "settings": run.settings._replace(**change)})
        found = attainable.beside(apart)
        assert found.points.empty
        assert math.isnan(found.error)
        assert attainable.sentence(apart) == ""


def test_blends_lie_between_the_mean_and_the_sample(run):
    rows = attainable.restorers(run)["mse"]
    line = rows[["mean", "blend_33", "blend_67", "sample"]].to_numpy()
    assert (np.diff(line) > 0).all()
    assert line[1:3] == pytest.approx(
        line[0] + (line[3] - line[0]) * np.array([1, 4]) / 9, rel=0.01
    )


def test_below_the_hull_is_the_difference_and_beyond_reach_is_said(run):
    table = attainable.under_hull(run)
    assert len(table) == len(attainable.LETTERS)
    c, hull, below = (table[k] for k in ("C (%)", "C of the hull (%)", "below (points)"))
    assert np.allclose((hull - c)[np.isfinite(hull)], below[np.isfinite(hull)])
    assert attainable.under_hull(run, "p_critic").empty


def test_the_interval_of_a_reader_has_seeds_and_images_in_it():
    rows = pd.DataFrame({"error_rate": [0.10, 0.11, 0.12], "error_rate_se": [0.003] * 3})
    found = attainable.over_seeds_and_images(rows)
    seeds = 4.302653 * 0.01 / math.sqrt(3)
    assert found.value == pytest.approx(0.11)
    assert found.upper - found.value == pytest.approx(math.hypot(seeds, 1.959964 * 0.003), rel=1e-5)
    one = attainable.over_seeds_and_images(rows.iloc[:1])
    assert one.upper - one.value == pytest.approx(1.959964 * 0.003, rel=1e-5)


def test_the_floor_is_chosen_by_validation_images(run, monkeypatch):
    rows = [
        {"dataset": "mnist", "degradation": "noise", "classifier": name, "seed": 0,
         "error_rate": error, "error_rate_se": 0.003, "validation_error": validation}
        for name, error, validation in (("cnn1", 0.11, 0.13), ("convbn", 0.12, 0.12))
    ]  # fmt: skip
    monkeypatch.setattr(floors, "published", lambda: pd.DataFrame(rows))
    label = attainable.restorers(run).loc["label"]
    assert 0.05 < label["validation_error"] < 0.2
    levels = {level.classifier: level.validation for level in attainable.readers(run)}
    assert list(levels.values()) == sorted(levels.values())
    assert {*levels} == {*("CNN-1 trained on Y", "strided CNN trained on Y", attainable.LIKELIEST)}
    assert levels[attainable.LIKELIEST] == label["validation_error"]
    assert attainable.floor(run).validation == min(0.12, label["validation_error"])
    monkeypatch.setattr(floors, "published", lambda: pd.DataFrame(columns=rows[0]))
    assert attainable.floor(run).error.value == label[published.ERROR_OF_Y]
    assert attainable.floor(published_run("exp5")) is None


def test_what_restoring_adds_is_the_difference_to_the_chosen_classifier_of_y(run, monkeypatch):
    level = attainable.Level("a reader", estimates.Interval(0.05, 0.04, 0.06), "images", 0.05)
    monkeypatch.setattr(attainable, "floor", lambda run: level)
    first = attainable.ways(run)["error"].iloc[0]
    assert attainable.added(run).value == pytest.approx(first.value - 0.05)
    assert "of a reader" in attainable.at_once(run)
    assert "in 1 of 1 experiments" in attainable.finding({"exp2": run})
    monkeypatch.setattr(attainable, "floor", lambda run: None)
    assert not attainable.added(run).known
    assert attainable.at_once(run) == ""


def test_figures_mark_every_restorer_and_the_level(run, other):
    beside = attainable.Beside(attainable.beside(run).points, 0.1)
    panels = planes.three_planes(run.table, "p_judge", None, beside)
    letters = set(beside.points["letter"])
    for figure in panels.figures.values():
        assert {text.get_text() for text in figure.axes[0].texts} == letters
    levels = [
        line
        for figure in panels.figures.values()
        for line in figure.axes[0].lines
        if len(line.get_ydata()) == 2 and set(line.get_ydata()) == {10.0}
    ]
    assert len(levels) == 2  # planes (b) and (c) have C upright
    figure = maps.achieved_map(run.table, "p_judge", None, beside)
    assert {text.get_text() for text in figure.axes[0].texts} == letters
    maps.gaming(other.table, other.shown_others(), other.classifier, attainable.beside(other))


def test_published_readers_are_rows_of_the_table_with_errors_that_can_be():
    rows = floors.published()
    kinds = {(r.dataset, r.degradation, r.classifier) for r in READERS}
    assert kinds >= set(rows[floors._KEY[:3]].itertuples(index=False, name=None))
    assert len(rows) == 0 or ((rows["error_rate"] > 0) & (rows["error_rate"] < 1)).all()
