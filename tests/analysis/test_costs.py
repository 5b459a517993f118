"""Costs come from rows and kept runs; where there are none the page says so."""

import json

import pandas as pd
import pytest

from cdplib import paths
from cdplib.analysis import costs
from cdplib.errors import InputError
from cdplib.experiments import results
from cdplib.figures import curves


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    return tmp_path


def row(seed, seconds, variant=""):
    return {
        **{"experiment": "exp2", "dataset": "mnist", "preset": "quick", "restorer": "fast"},
        **{"variant": variant, "alpha": 1.0, "beta": 0.0, "gamma": 0.0, "seed": seed, "mse": 0.1},
        **{"seconds": seconds, "precision": "fp32", "hardware": "a machine", "torch": "2"},
        **{"config_hash": f"{seed}{variant}", "code_version": "abc+", "pretrain_steps": 0},
    }


def test_minutes_are_summed_by_sweep_and_ablations_stand_apart(nothing):
    results.publish("exp2", [row(0, 60), row(1, 120), row(0, 600, "critic=clip")])
    lines = costs.sweeps(costs.published()).splitlines()
    assert "| 2 | 2 | 3 |" in lines[2]
    assert "critic=clip" in lines[3]
    assert "| 10 |" in lines[3]
    assert "`abc+`" in costs.versions(costs.published())


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
    assert first.endswith("| pre-training |  |  | 1,500 | 32 | 0.002 | 0.02700 | 19.00 |  | 99 |")
    assert last.endswith(
        "| point | 0.03 | 0.01 | 200 | 32 | 0.0005 | 0.03000 | 18.00 | 0.25 | 20 |"
    )


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
