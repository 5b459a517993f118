"""Lines of the table of deviations: paired, with intervals, or honest about what they lack."""

import pandas as pd
import pytest

from cdpbook import runs
from cdpbook.notebooks import sources
from cdpbook.studies import costs, deviations
from cdplib.errors import DataError, InputError
from cdplib.experiments import results
from cdplib.storage import paths


def rows(variant="", lift=0.0, seeds=(0, 1, 2), alpha=1.0):
    """A 2 x 2 sheet; ``lift`` is added to every C and a tenth of it to D."""
    return [
        {
            **{"experiment": "exp2", "preset": "quick", "variant": variant, "dataset": "mnist"},
            **{"restorer": "fast", "classifier": "cnn1", "alpha": alpha, "beta": b, "gamma": g},
            **{"seed": seed, "mse": 0.03 + b + lift / 10, "mse_se": 1e-4, "steps": 500},
            **{"error_rate": 0.18 + 0.01 * seed + lift - g, "error_rate_se": 4e-3, "ce": 0.5},
            **{"p_judge": 1 - b, "seconds": 20.0, "config_hash": f"{variant}-{b}-{g}-{seed}"},
        }
        for seed in seeds
        for b in (0.0, 0.01)
        for g in (0.0, 0.01)
    ]


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    monkeypatch.setattr(costs, "TUNING", tmp_path / "tuning.csv")
    return lambda *tables: results.publish("exp2", [row for table in tables for row in table])


def test_an_ablation_is_compared_pair_by_pair(published):
    published(rows(), rows("noise_input=True", lift=0.01))
    # Seeds differ by a point, the two trainings of each by exactly one.
    said = deviations._paired("noise_input")
    assert said.replace("\u00a0", " ") == (
        "D +0.00100 [+0.00100, +0.00100], C +1.00 points [+1.00, +1.00], over the grid"
    )
    assert "at the least weights" in deviations._paired("noise_input", least=True)


def test_one_seed_has_no_interval_and_no_common_seed_no_effect(published):
    published(rows(), rows("noise_input=True", lift=0.01, seeds=(0,)))
    assert deviations._paired("noise_input").count("[unknown]") == 2
    published(rows("noise_sigma=0.5", seeds=(7,)))
    with pytest.raises(InputError, match="in common"):
        deviations._paired("less_noise")


def test_annealing_changes_nothing_only_where_every_alpha_of_a_main_table_is_1(published):
    published(rows())
    assert deviations._annealing().startswith("none")
    published(rows("grid=noise", alpha=0.0))
    assert deviations._annealing().startswith("none")  # a sweep of its own
    published(rows(alpha=0.5))
    with pytest.raises(DataError, match="another α"):
        deviations._annealing()


def test_tried_schedules_are_set_against_the_releases(published, tmp_path):
    with pytest.raises(DataError, match="nothing was tried"):
        deviations._tried("lr", 0.001)
    head = "experiment,restorer,stage,steps,batch,lr,mse,error_rate,cpu_seconds\n"
    (tmp_path / "tuning.csv").write_text(
        head + "exp2,fast,pretrain,1000,50,0.001,0.030,0.20,50\n"
        "exp2,fast,pretrain,1000,50,0.004,0.028,0.19,50\n"
        "exp2,fast,pretrain,1000,50,0.009,0.099,0.90,50\n"
        "exp2,fast,pretrain,1000,32,0.004,0.029,0.21,30\n"
        "exp2,fast,point,1000,32,0.001,0.001,0.01,30\n"
    )
    rates, batch = deviations._tried("lr", 0.001), deviations._tried("batch", 50)
    assert "1 short pre-training" in rates
    assert rates.endswith("D −0.00200, C −1.0 points, in 100 % of the time")
    assert batch.endswith("D +0.00100, C +2.0 points, in 60 % of the time")
    (tmp_path / "tuning.csv").write_text(head + "exp2,fast,pretrain,1000,32,0.004,0.1,0.2,30\n")
    with pytest.raises(DataError, match="tried"):
        deviations._tried("batch", 50)


def test_what_has_no_rows_is_not_measured_and_says_why(published):
    found = deviations.table()
    assert len(found) == len(deviations.DEVIATIONS)
    assert ((found["effect"] == "") == (found["why"] != "")).all()
    for reason in ("no quick rows", "both precisions", "those weights"):
        assert found["why"].str.contains(reason).any()


def test_networks_are_compared_at_common_weights(monkeypatch):
    full = pd.DataFrame(rows())
    more = full[full["beta"] > 0].assign(beta=0.1, error_rate=0.5)

    tables = {("quick", "fast"): full, ("full", "paper"): pd.concat([full, more])}

    def run(experiment, preferred):
        if experiment != "exp4" or preferred[0] not in tables:
            return None
        return runs.Run("exp4", None, "quick", tables[preferred[0]], True)

    monkeypatch.setattr(runs, "published_run", run)
    said = deviations._networks()
    assert "Exp-2" not in said
    assert said.count("−1.00\u00a0points") == 2


def test_statistics_are_compared_on_as_many_images_as_the_page_of_ablations_takes():
    assert sources.find("15_ablations").declared()["images"].default == deviations.IMAGES
