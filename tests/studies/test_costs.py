"""Costs come from rows and kept runs; where there are none the page says so."""

import json

import pandas as pd
import pytest

from cdpbook.figures import curves
from cdpbook.studies import costs
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
    lines = costs.sweeps(costs.published()).splitlines()
    assert "| 2 | 2 | 3 | none |" in lines[2]
    assert "critic=clip" in lines[3]
    assert "| 10 | none |" in lines[3]
    assert lines[-1] == "3 points on a machine, trained in fp32."
    assert "`abc+`" in costs.versions(costs.published())


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
    main, ensemble, clipped = costs.sweeps(costs.published()).splitlines()[2:5]
    assert "| 2.5 (shared) |" in main
    assert "| 1.0 (shared) |" in ensemble
    assert "| not kept |" in clipped


def test_rows_of_former_settings_have_no_known_start(nothing, monkeypatch):
    def refuse(row):
        raise DataError("preset quick has changed")

    monkeypatch.setattr(compare, "point_of", refuse)
    results.publish("exp2", [row(0, 60) | {"pretrain_steps": 10}])
    assert costs.starts(costs.published()) == {}
    assert "| not kept |" in costs.sweeps(costs.published())


def test_the_longest_schedule_is_set_against_the_next_shorter(nothing):
    head = "experiment,restorer,stage,steps,batch,lr,beta,gamma,mse,error_rate\n"
    lines = (
        "exp2,fast,pretrain,3000,32,0.004,0,0,0.030,0.20",
        "exp2,fast,pretrain,6000,32,0.004,0,0,0.028,0.18",
        "exp2,fast,pretrain,1000,32,0.004,0,0,0.040,0.30",
        "exp2,fast,pretrain,9000,50,0.004,0,0,0.010,0.10",  # no other length of it
    )
    (nothing / "tuning.csv").write_text(head + "\n".join(lines) + "\n")
    said = costs.longer(nothing / "tuning.csv")
    assert "from 3,000 to 6,000 steps: C −2.0 points, D −2.00 · 10⁻³." in said
    assert "1,000" not in said
    assert "9,000" not in said
    assert "γ" not in said  # no rows to compare with
    (nothing / "tuning.csv").write_text(head + lines[0] + "\n")
    assert costs.longer(nothing / "tuning.csv") == costs.longer(nothing / "none.csv") == ""


def test_gammas_effect_stands_beside_what_more_steps_give():
    if costs.longer():
        assert "γ's whole effect on C" in costs.longer()


def test_without_rows_or_kept_runs_the_page_says_so(nothing):
    assert costs.published().empty
    assert costs.sweeps(costs.published()) == "Nothing is published yet."
    assert "No run" in costs.bench(nothing / "bench.json")
    assert "Nothing was tried" in costs.tuning(nothing / "tuning.csv")


def test_tried_schedules_are_shown_with_weights_and_p_where_points_were_trained(tmp_path):
    (tmp_path / "tuning.csv").write_text(
        "experiment,restorer,stage,steps,batch,lr,beta,gamma,mse,error_rate,cpu_seconds,p_judge\n"
        "exp2,paper,point,200,32,0.0005,0.03,0.01,0.03,0.18,20,0.25\n"
        "exp2,paper,pretrain,1500,32,0.002,0,0,0.027,0.19,99,\n"
    )
    first, last = costs.tuning(tmp_path / "tuning.csv").splitlines()[2:]
    assert first.endswith("| pre-training | 1,500 | 32 | 0.002 | 0.02700 | 19.00 |  | 99 |")
    assert last.endswith("| β = 0.03, γ = 0.01 | 200 | 32 | 0.0005 | 0.03000 | 18.00 | 0.25 | 20 |")


def test_the_kept_benchmark_is_shown_as_it_was_measured(nothing):
    found = {
        **{"hardware": "a machine", "torch": "2", "precision": "fp32", "processes": 1.75},
        **{"dask_overhead": 0.012, "peak_gb": {"exp2": 0.5}},
        "step": {"as released": {"ms": 700.0, "times": 1.0}},
    }
    file = nothing / "bench.json"
    file.write_text(json.dumps(found))
    said = costs.bench(file)
    for part in ("700 ms", "1.75", "1.2 %", "0.50 GB"):
        assert part in said


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
