"""Costs come from rows and kept runs; where there are none the page says so."""

import json

import pandas as pd
import pytest

from cdpbook.figures import curves
from cdpbook.statistics.estimates import Interval
from cdpbook.studies import ablations, costs
from cdplib.errors import DataError, InputError
from cdplib.experiments import results
from cdplib.storage import paths, store
from cdplib.sweeps import compare, configuration


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    return tmp_path


def row(seed, seconds, variant=""):
    return {
        **{"experiment": "exp2", "dataset": "mnist", "preset": "quick", "restorer": "fast"},
        **{"variant": variant, "alpha": 1.0, "beta": 0.0, "gamma": 0.0, "seed": seed, "mse": 0.1},
        "error_rate": 0.2,
        **{"seconds": seconds, "precision": "fp32", "hardware": "a machine", "torch": "2"},
        **{"config_hash": f"{seed}{variant}", "code_version": "abc+", "pretrain_steps": 0},
    }


def test_minutes_are_summed_by_sweep_and_ablations_stand_apart(nothing):
    results.publish("exp2", [row(0, 60), row(1, 120), row(0, 600, "critic=clip")])
    found = costs.sweeps(costs.published())
    assert found["minutes"].to_list() == [3, 10]
    assert found["points"].to_list() == [2, 1]
    assert found["pretraining"].to_list() == ["none", "none"]
    assert "critic=clip" in found["preset, restorer, change"][1]


def test_a_training_of_two_sweeps_is_counted_once_and_in_the_main_table(nothing):
    again = row(0, 60) | {"variant": "grid=noise"}
    results.publish("exp2", [again, row(0, 60), row(1, 30, "grid=noise")])
    found = costs.sweeps(costs.published())
    assert found["minutes"].to_list() == [1, 0.5]
    assert "grid=noise" not in found["preset, restorer, change"][0]


def test_pretrainings_are_summed_over_seeds_and_shared_ones_are_said(nothing, monkeypatch):
    rows = [row(0, 60), row(1, 60), row(0, 600, "against=ensemble"), row(2, 1, "critic=clip")]
    results.publish("exp2", [r | {"pretrain_steps": 10} for r in rows])
    kept = {"0": {"seconds": "60"}, "1": {"seconds": "90"}}
    monkeypatch.setattr(compare, "point_of", lambda row: str(row["seed"]))
    monkeypatch.setattr(configuration, "of_start", lambda point: point)
    monkeypatch.setattr(store, "digest", lambda configuration: configuration)
    monkeypatch.setattr(
        store, "load_weights", lambda _, key: ({}, kept[key]) if key in kept else None
    )
    found = costs.sweeps(costs.published())["pretraining"]
    assert found.to_list() == ["2.5 (shared)", "1.0 (shared)", "not kept"]


def test_rows_of_former_settings_have_no_known_start(nothing, monkeypatch):
    def refuse(row):
        raise DataError("preset quick has changed")

    monkeypatch.setattr(compare, "point_of", refuse)
    results.publish("exp2", [row(0, 60) | {"pretrain_steps": 10}])
    assert costs.starts(costs.published()) == {}
    assert costs.sweeps(costs.published())["pretraining"].to_list() == ["not kept"]


def test_the_longest_schedule_is_set_against_the_next_shorter(nothing):
    head = "experiment,restorer,stage,steps,batch,lr,beta,gamma,mse,error_rate\n"
    lines = (
        "exp2,fast,pretrain,3000,32,0.004,0,0,0.030,0.20",
        "exp2,fast,pretrain,6000,32,0.004,0,0,0.028,0.18",
        "exp2,fast,pretrain,1000,32,0.004,0,0,0.040,0.30",
        "exp2,fast,pretrain,9000,50,0.004,0,0,0.010,0.10",  # no other length of it
    )
    (nothing / "tuning.csv").write_text(head + "\n".join(lines) + "\n")
    (found,) = costs.longest(costs.tuning(nothing / "tuning.csv")).to_dict("records")
    assert (found["before"], found["after"]) == (3000, 6000)
    assert (found["error_rate"], found["mse"]) == pytest.approx((-0.02, -0.002))
    assert found["gamma"] is None  # no rows to compare with
    (nothing / "tuning.csv").write_text(head + lines[0] + "\n")
    assert costs.longest(costs.tuning(nothing / "tuning.csv")).empty
    assert costs.longest(costs.tuning(nothing / "none.csv")).empty


def test_gammas_effect_stands_beside_what_more_steps_give():
    found = costs.longest(costs.tuning())
    assert all(whole.upper < 0 for whole in found["gamma"])


def test_without_rows_or_kept_runs_there_is_nothing(nothing):
    assert costs.published().empty
    assert costs.sweeps(costs.published()).empty
    assert costs.bench(nothing / "bench.json").empty


def test_the_kept_benchmark_is_shown_as_it_was_measured(nothing):
    found = {
        **{"hardware": "a machine", "torch": "2", "precision": "fp32", "processes": 1.75},
        **{"dask_overhead": 0.012, "peak_gb": {"exp2": 0.5}},
        "step": {"as released": {"ms": 700.0, "times": 1.0}},
    }
    file = nothing / "bench.json"
    file.write_text(json.dumps(found))
    shown = costs.bench(file)
    assert shown["measured"].to_list() == ["700 ms", "", "1.2 %", "0.50 GB"]
    assert shown["times as fast"].to_list() == ["1.0", "1.75", "", ""]
    assert shown.columns[0] == "on a machine, torch 2, fp32, one thread"


def test_published_pretrainings_have_curves_that_end_lower_than_they_begin():
    rows = costs.published()
    if rows.empty:
        pytest.skip("nothing is published")
    found = costs.pretrainings(rows)
    assert found
    for seeds in found.values():
        for curve in seeds:
            values = pd.DataFrame(curve)["mse"]
            assert values.iloc[-1] < values.iloc[0]
            assert values.iloc[-1] == pytest.approx(values.min(), rel=0.02)
    assert len(curves.pretraining(found).axes) == len(found)


def test_a_figure_of_no_curve_is_refused():
    with pytest.raises(InputError, match="no pre-training"):
        curves.pretraining({})


def test_effects_are_drawn_with_their_ends_and_rows_without_one_are_empty():
    line = ablations.Line("gamma", "error_rate")
    ends = (Interval(-0.01, -0.02, 0.0), Interval(0.01, 0.0, 0.02))
    shown = {"both": ablations.Comparison({}, {line: ends}), "none": ablations.Comparison({}, {})}
    axes = curves.effects(shown, [line]).axes[0]
    assert axes.get_title() == "γ on C (points)"
    drawn = [container.lines[0].get_xydata()[0] for container in axes.containers]
    assert [x for x, _ in drawn] == [-1, 1]
    assert {round(y) for _, y in drawn} == {1}  # the row above the empty one
