"""Batch statistics at test time: measured on shipped restorers, and published as they are."""

import pandas as pd
import pytest

from cdpbook import batches, runs
from cdplib.storage import paths


@pytest.fixture
def run():
    found = runs.published_run("exp2", [("quick", "fast")])
    assert found is not None
    return found


def test_without_shipped_restorers_there_is_nothing(run):
    run.table["config_hash"] = "no such row"
    assert batches.statistics_at_test(run, [1], 100).empty


@pytest.mark.data
def test_batch_statistics_change_shipped_restorers_and_a_batch_of_one_most(run):
    found = batches.statistics_at_test(run, [1, 100], 200).set_index("statistics")
    assert list(found.index) == ["running", "batch of 1", "batch of 100"]
    changes = {kind: found["mse_change"][kind] for kind in found.index}
    assert changes["running"] == (0, 0, 0)
    assert 0 < abs(changes["batch of 100"].value) < abs(changes["batch of 1"].value)
    assert changes["batch of 1"].lower < changes["batch of 1"].value


@pytest.mark.data
def test_what_is_published_is_shown_while_its_restorers_and_images_are_those(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr(batches, "SIZES", (50, 100))
    monkeypatch.setattr(batches, "IMAGES", 100)
    file = tmp_path / "batches.csv"
    monkeypatch.setattr(batches, "FILE", file)  # an absolute path replaces the folder
    batches.write()
    kept = pd.read_csv(file)
    measured = batches._measured(run, batches._kinds([100]), 100).set_index("statistics")
    monkeypatch.setattr(batches, "_measured", lambda *_: pd.DataFrame({"statistics": []}))
    shown = batches.statistics_at_test(run, [100], 100).set_index("statistics")
    assert list(shown.index) == ["running", "batch of 100"]
    for kind in shown.index:
        assert shown["mse"][kind] == pytest.approx(measured["mse"][kind], rel=1e-6)
        assert shown["mse_change"][kind] == pytest.approx(measured["mse_change"][kind], rel=1e-4)
    # Other sizes, other images and other restorers are measured.
    assert batches.statistics_at_test(run, [7], 100).empty
    assert batches.statistics_at_test(run, [100], 99).empty
    kept.assign(rests_on="another").to_csv(file, index=False)
    assert batches.statistics_at_test(run, [100], 100).empty


def test_the_pages_batches_are_published(run):
    assert (paths.PUBLISHED / batches.FILE).is_file()
    known = batches._published(batches._rests_on(run, batches.IMAGES))
    assert list(known.index) == list(batches._kinds(batches.SIZES))
