"""Published tables: the columns that others rely on, merged without loss, failures left out."""

import numpy as np
import pandas as pd
import pytest

from cdplib.errors import DataError, InputError
from cdplib.experiments import results
from cdplib.storage import paths
from cdplib.sweeps import compare, configuration

#: The columns that DESIGN promises.
PROMISED = {
    *("experiment", "preset", "alpha", "beta", "gamma", "seed", "mse", "mse_se", "error_rate"),
    *("error_rate_se", "ce", "p_critic", "p_judge", "p_judge_se", "sliced_w2", "frechet"),
    *("steps", "seconds", "device", "config_hash", "code_version", "torch"),
}


def row(**changes):
    numbers = dict.fromkeys(
        ["mse", "mse_se", "error_rate", "error_rate_se", "ce", "p_critic", "p_judge"], 0.125
    )
    numbers |= dict.fromkeys(["p_judge_se", "sliced_w2", "frechet", "psnr", "ssim"], 0.25)
    return {
        **{"experiment": "exp2", "preset": "quick", "variant": "", "dataset": "mnist"},
        **{"restorer": "fast", "classifier": "cnn1", "alpha": 1.0, "beta": 0.0, "gamma": 0.0},
        **{"seed": 0, "steps": 5, "seconds": 1.0, "device": "cpu", "precision": "fp32"},
        **{"threads": 1, "hardware": "a, b", "config_hash": "a" * 64, "code_version": "1e10"},
        **{"torch": "2", "error_rate_mlp": 0.5, "test_images": 10_000},
        **numbers,
        **changes,
    }


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    return tmp_path


def test_a_table_has_the_promised_columns_and_leaves_failures_out():
    table = results.frame([row(), row(failed="loss is nan at step 3", config_hash="b")])
    assert set(table.columns) >= PROMISED
    assert len(table) == 1
    assert "failed" not in table


def test_published_rows_come_back_as_they_were(published):
    results.publish("exp2", [row(mse=0.1 + 0.2)])
    (found,) = results.load("exp2").to_dict("records")
    assert found["mse"] == pytest.approx(0.3, rel=1e-8)
    assert found["code_version"] == "1e10"
    assert found["variant"] == ""


def test_publishing_again_replaces_its_own_rows_and_keeps_the_others(published):
    results.publish("exp2", [row(), row(config_hash="b", seed=1)])
    results.publish("exp2", [row(mse=0.5)])
    found = results.load("exp2")
    assert list(found["seed"]) == [0, 1]
    assert list(found["mse"]) == [0.5, 0.125]
    before = results.path("exp2").read_text()
    results.publish("exp2", [row(mse=0.5)])
    assert results.path("exp2").read_text() == before


def test_ablations_never_mix_with_the_main_table(published):
    results.publish("exp2", [row(), row(variant="critic=clip", config_hash="c")])
    assert len(results.load("exp2")) == 1
    assert len(results.load("exp2", variant=None)) == 2
    assert len(results.load("exp2", variant="critic=clip", preset="quick")) == 1


def test_rows_of_another_data_set_come_only_when_asked_for(published):
    results.publish("exp2", [row(), row(dataset="fashion-mnist", config_hash="f")])
    assert list(results.load("exp2")["dataset"]) == ["mnist"]
    assert list(results.load("exp2", dataset="fashion-mnist")["config_hash"]) == ["f"]
    assert len(results.load("exp2", dataset=None)) == 2


def test_publishing_nothing_leaves_a_table_as_it_is(published):
    results.publish("exp2", [row()])
    before = results.path("exp2").read_text()
    results.publish("exp2", [])
    results.publish("exp2", [row(failed="loss is nan at step 3")])
    assert results.path("exp2").read_text() == before
    results.publish("exp3", [])
    assert not results.path("exp3").exists()


def test_a_weight_of_many_digits_is_one_row_however_often_it_is_published(published):
    for _ in range(3):
        results.publish("exp2", [row(beta=1 / 3), row(beta=0.1 + 0.2, config_hash="b")])
    assert sorted(results.load("exp2")["beta"]) == [0.1 + 0.2, 1 / 3]


def test_samples_are_merged_and_those_of_no_row_go(published):
    results.publish("exp2", [row(config_hash="a"), row(config_hash="b", seed=1)])
    results.publish_samples("exp2", {"clean": np.ones(1), "of a row before": np.ones(1)})
    results.publish_samples("exp2", {"a": np.zeros((2, 1, 4, 4), np.uint8)})
    results.publish_samples("exp2", {"b": np.ones((2, 1, 4, 4), np.uint8)})
    assert sorted(results.samples("exp2")) == ["a", "b", "clean"]


def test_what_is_not_there_or_damaged_is_said(published):
    with pytest.raises(DataError, match=r"exp3"):
        results.load("exp3")
    with pytest.raises(InputError, match="exp8"):
        results.load("exp8")
    results.path("exp1").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no column"):
        results.load("exp1")
    results.publish("exp2", [row()])
    with pytest.raises(InputError, match=r"'restorr': did you mean 'restorer'\?"):
        results.load("exp2", restorr="fast")


@pytest.mark.parametrize(
    ("column", "value"),
    [("seed", None), ("beta", "much"), ("mse", "small"), ("gamma", "inf"), ("error_rate", "1 %")],
)
def test_a_table_with_a_place_that_is_no_number_is_refused_by_its_line(published, column, value):
    results.publish("exp2", [row(), row(config_hash="b", seed=1)])
    table = pd.read_csv(results.path("exp2"), dtype=object)
    table.loc[1, column] = value
    table.to_csv(results.path("exp2"), index=False)
    with pytest.raises(DataError, match=f"exp2.csv, line 3: {column} is") as caught:
        results.load("exp2")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_damaged_sample_images_are_one_line(published, content):
    results.samples_path("exp2").write_bytes(content)
    with pytest.raises(DataError, match=r"exp2_samples\.npz: damaged") as caught:
        results.samples("exp2")
    assert "\n" not in str(caught.value)


def test_a_difference_is_held_against_its_band():
    lines = compare.differences(row(), row(mse=0.126, error_rate=0.2, error_rate_mlp=0.5))
    inside = dict(zip(lines["column"], lines["inside"], strict=True))
    assert inside["mse"]
    assert not inside["error_rate"]
    assert inside["error_rate_mlp"]


def test_comparing_nothing_is_an_input_error(tmp_path, published):
    with pytest.raises(InputError, match="holds no table"):
        compare.command(tmp_path)
    with pytest.raises(InputError, match="exp7"):
        compare.command(tmp_path, experiments=["exp7"])
    results.publish("exp2", [row()])
    with pytest.raises(InputError, match="holds no row of exp3, exp4"):
        compare.command(tmp_path, experiments=["exp2", "exp3", "exp4"])
    header = results.path("exp2").read_text().splitlines()[0]
    results.path("exp2").write_text(header + "\n")
    with pytest.raises(InputError, match="holds no row of any experiment"):
        compare.command(tmp_path)


@pytest.mark.data
def test_comparing_ends_with_1_where_a_column_leaves_its_band(published, monkeypatch, capsys):
    results.publish("exp2", [row()])
    monkeypatch.setattr(configuration, "key", lambda *of: row()["config_hash"])
    monkeypatch.setattr(compare, "again", lambda row: {**row, "mse": 1.01 * row["mse"]})
    assert compare.command(published, experiments=["exp2"]) == 0
    assert "every column is inside its band" in capsys.readouterr().out
    monkeypatch.setattr(compare, "again", lambda row: {**row, "mse": 1.5 * row["mse"], "ce": 9.0})
    assert compare.command(results.path("exp2")) == 1
    assert "2 outside their bands" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"variant": "stepz=3"}, "unknown setting in the variant 'stepz=3' 'stepz'"),
        ({"variant": "steps=many"}, "steps='many': 'many' is not an int"),
        ({"variant": "select=maybe"}, "select='maybe': 'maybe' is not a bool"),
        ({"preset": "quickly"}, "unknown preset 'quickly'"),
        ({"restorer": "big"}, "'big' is not one of"),
        ({"seed": -1}, "-1 is not in [0, 2147483647]"),
        ({"experiment": "exp8"}, "unknown experiment 'exp8'"),
    ],
)
def test_a_row_of_no_settings_is_refused_before_any_training(published, monkeypatch, changes, said):
    results.publish("exp2", [row(**changes)])
    results.publish("exp1", [row(experiment="exp1", classifier="logistic")])
    monkeypatch.setattr(configuration, "key", lambda *of: row()["config_hash"])
    monkeypatch.setattr(compare, "again", None)
    with pytest.raises(InputError) as caught:
        compare.command(published)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
