"""Who benefits from gamma: ratios, verdicts, ensembles and examples whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from cdpbook import runs as chapter
from cdpbook.studies import benefits, ensembles, readings, transfer
from cdplib.errors import InputError
from cdplib.experiments import classifiers, results, settings
from cdplib.storage import paths

OTHERS = ("convbn", "cnn2", "logistic", "mlp", "cnn1b")


def table(own=-1.0, other=0.0, beta=0.0, seeds=3, spread=0.0, se=0.001, against="", **changes):
    """Error rates linear in the weights: ``own`` and ``other`` are slopes over gamma."""
    rows = []
    for seed in range(seeds):
        for b in (0.0, 0.01, 0.03):
            for g in (0.0, 0.003, 0.01, 0.03):
                wobble = 1 + spread * (seed - (seeds - 1) / 2)
                row = {
                    "experiment": "exp2", "preset": "quick", "variant": against,
                    "dataset": "mnist", "restorer": "fast", "classifier": "cnn1",
                    "alpha": 1.0, "beta": b, "gamma": g, "seed": seed,
                    "mse": 0.025 + b / 10 + g / 20, "mse_se": 1e-5,
                    "error_rate": 0.18 + own * g * wobble + 0.01 * seed, "error_rate_se": se,
                    "p_judge": 1 - 10 * b, "p_judge_se": 0.01, "ce": 0.5,
                    "steps": 500, "pretrain_steps": 8000, "seconds": 1.0, "hardware": "one",
                    "config_hash": f"{against}{b}{g}{seed}",
                }  # fmt: skip
                for name in OTHERS:
                    row[f"error_rate_{name}"] = 0.2 + other * g * wobble + beta * b
                rows.append({**row, **changes})
    return pd.DataFrame(rows)


def run(frame, experiment="exp2"):
    own = settings.resolve(experiment, "quick")
    return chapter.Run(experiment, own, "quick", chapter.with_errors(frame, 10_000), True)


def test_the_ratio_is_exact_where_nothing_is_uncertain():
    t = transfer.transfer(table(own=-1.0, other=-0.25), "error_rate_mlp")
    assert t.own.change == pytest.approx(-0.03)
    assert t.other.change == pytest.approx(-0.0075)
    assert (t.ratio, t.lower, t.upper) == pytest.approx((0.25, 0.25, 0.25))
    assert t.gaming == pytest.approx((0.75, 0.75, 0.75))


def test_a_ratio_that_every_seed_shares_is_exact_although_the_gains_vary():
    t = transfer.transfer(table(own=-1.0, other=-0.4, spread=0.1), "error_rate_mlp")
    assert t.own.lower < t.own.change < t.own.upper
    assert (t.ratio, t.lower, t.upper) == pytest.approx((0.4, 0.4, 0.4), abs=1e-6)


def test_fiellers_interval_holds_the_ratios_that_a_t_test_accepts():
    own, other = np.array([-2.0, -2.2, -1.9]), np.array([-1.0, -0.6, -1.1])
    variances = (own.var(ddof=1) / 3, other.var(ddof=1) / 3)
    covariance, bound = np.cov(own, other)[0, 1] / 3, 4.302653
    ratio, *ends = transfer.fieller(own.mean(), other.mean(), variances, covariance, bound)
    assert ratio == pytest.approx(other.mean() / own.mean())
    for end in ends:
        rest = other - end * own
        assert abs(rest.mean()) / (rest.std(ddof=1) / np.sqrt(3)) == pytest.approx(bound)


def test_the_ratios_interval_leaves_out_zero_exactly_when_the_others_own_does():
    for other in (-0.10, -0.05, 0.05, 0.10):
        _, low, high = transfer.fieller(-1.0, other, (0.01, 0.001), 0.0, 2.0)
        assert (low > 0 or high < 0) == (abs(other) > 2.0 * math.sqrt(0.001))


def test_there_is_no_ratio_where_the_own_gain_may_be_nothing():
    assert all(map(math.isnan, transfer.fieller(-1.0, 1.0, (0.26, 0.0), 0.0, 2.0)))
    for frame in (table(own=0.0), table(own=1.0, other=-1.0), table(own=-0.01, seeds=1)):
        t = transfer.transfer(frame, "error_rate_mlp")
        assert math.isnan(t.ratio)
        assert t.verdict == transfer.NO_GAIN


@pytest.mark.parametrize(
    ("other", "verdict"),
    [(-0.9, "shared"), (-0.3, "partly shared"), (0.0, "not shared"), (0.5, "gamed")],
)
def test_the_verdict_follows_the_part_that_arrives(other, verdict):
    assert transfer.transfer(table(other=other), "error_rate_mlp").verdict == verdict


def test_an_interval_that_holds_nothing_and_half_is_unclear():
    frame = table(other=0.0)
    frame.loc[(frame["seed"] == 0) & (frame["gamma"] > 0), "error_rate_mlp"] -= 0.03
    assert transfer.transfer(frame, "error_rate_mlp").verdict == transfer.UNCLEAR


def test_one_seed_rests_on_the_test_images():
    sure = transfer.transfer(run(table(seeds=1, own=-2, other=1, se=0.001)).table, "error_rate_mlp")
    assert sure.own.seeds == 1
    assert sure.lower < sure.ratio < sure.upper
    assert sure.verdict == transfer.GAMED


def test_the_mean_of_the_independent_is_not_taken_for_another_classifier():
    r = run(table(other=0.5))
    assert transfer.independent(r) == OTHERS
    frame = transfer.with_mean(r.table, ("mlp", "cnn2"))
    assert np.allclose(frame[transfer.MEAN], frame["error_rate_mlp"])
    assert np.allclose(frame[f"{transfer.MEAN}_se"], frame["error_rate_mlp_se"])
    assert "independent_error" not in chapter.claims.others(frame)
    with pytest.raises(InputError, match="took no part"):
        transfer.with_mean(frame, ())


def test_a_classifier_trained_against_is_not_independent():
    r = run(table())
    member = r.settings._replace(against="ensemble")
    names = transfer.independent(chapter.Run("exp2", member, "quick", r.table, True))
    assert set(names).isdisjoint(classifiers.ensemble("mnist"))


def test_gains_are_asked_at_each_beta_too():
    frame = table(other=1.0)
    natural = frame["beta"] == 0.03
    others = [f"error_rate_{n}" for n in OTHERS]
    frame.loc[natural, others] = frame.loc[natural, others].sub(2 * frame["gamma"], axis=0)
    found = transfer.gains_by_beta({"exp2": run(frame)})
    assert [t.verdict for t in found.values()] == ["gamed", "gamed", "shared"]
    mean = transfer.mean_gains({"exp2": run(frame)})["exp2"]
    assert mean.ratio == pytest.approx(-1 / 3)
    assert mean.gaming[0] == pytest.approx(4 / 3)


def test_beta_is_compared_at_every_value_and_at_both_ends_of_gamma():
    frame = table(beta=-1.0)
    last = frame["gamma"] == 0.03
    frame.loc[last, "error_rate_mlp"] += 10 * frame.loc[last, "beta"]
    found = transfer.beta_effects({"exp2": run(frame)})
    assert list(found) == [("exp2", 0.01), ("exp2", 0.03)]
    assert found["exp2", 0.03].own.change == pytest.approx(0)
    assert found["exp2", 0.03].others.change == pytest.approx(-0.03)
    assert found["exp2", 0.03].others_with_gamma.change == pytest.approx(-0.03 + 0.3 / 5)
    effects = transfer.effects({"exp2": run(frame)}, "beta", held="least")["exp2"]
    assert list(effects) == ["cnn1", *OTHERS]
    assert effects["mlp"].change == pytest.approx(-0.03)
    held = transfer.effects({"exp2": run(frame)}, "beta", held="greatest")["exp2"]
    assert held["mlp"].change == pytest.approx(0.27)


def test_a_table_that_is_still_growing_shows_what_it_can():
    frame = table(seeds=1)
    part = frame[(frame["beta"] == 0) | (frame["gamma"] == 0)]
    runs = {"exp2": run(part)}
    assert list(transfer.gains_by_beta(runs)) == [("exp2", 0.0)]
    assert list(transfer.gains(runs)["exp2"]) == list(OTHERS)
    assert transfer.beta_effects(runs) == {}
    assert not transfer.mixed_schedules(runs["exp2"])
    part.loc[part.index[0], "steps"] = 400
    assert transfer.mixed_schedules(run(part))
    assert "different numbers of training steps" in benefits.sources({"exp2": run(part)})


def test_experiments_with_the_same_restorers_are_named():
    same, other = table(), table(seeds=1).assign(mse=lambda t: t["mse"] + 0.01 * t["gamma"])
    runs = {"exp1": run(same, "exp1"), "exp2": run(other), "exp4": run(table(mse=0.05), "exp4")}
    assert transfer.shared_restorers(runs) == [("exp1", "exp2")]
    assert "one observation" in benefits.sources(runs)


def ensemble_rows(**changes):
    frame = table(own=-0.5, other=-0.2, against=ensembles.VARIANT, **changes)
    return frame[frame["gamma"] == 0.03]


def test_an_ensemble_is_compared_with_one_and_with_none():
    found = ensembles.compare(run(table(own=-1.0, other=0.5)), ensemble_rows())
    assert found is not None
    assert found.members == ("cnn1", "cnn1b", "mlp")
    assert (found.gamma, found.betas, found.seeds) == (0.03, (0.0, 0.01, 0.03), 3)
    own, mean = found.line("error_rate"), found.line(transfer.MEAN)
    assert [own.one.change, own.ensemble.change] == pytest.approx([-0.03, -0.015])
    assert own.change.change == pytest.approx(0.015)
    assert [mean.one.change, mean.change.change] == pytest.approx([0.015, -0.021])
    roles = {line.column: line.role for line in found.lines}
    assert roles["error_rate_mlp"] == "member"
    assert roles["error_rate_convbn"] == roles[transfer.MEAN] == "independent"
    assert (roles["mse"], roles["p_judge"]) == ("D", "P")


def test_an_ensemble_of_another_schedule_or_seed_is_not_compared():
    main = run(table())
    assert ensembles.compare(main, ensemble_rows(steps=400)) is None
    assert ensembles.compare(main, ensemble_rows().assign(seed=9)) is None
    without_zero = run(table()[lambda t: t["gamma"] == 0.03])
    assert ensembles.compare(without_zero, ensemble_rows()) is None


def test_published_ensembles_are_found_beside_their_main_table(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    assert ensembles.published() == {}
    results.publish("exp2", table().to_dict("records"))
    assert ensembles.published() == {}
    assert "not published yet" in benefits.ensemble_table({})
    results.publish("exp2", ensemble_rows().to_dict("records"))
    found = ensembles.published("quick")
    assert list(found) == ["exp2"]
    text = benefits.ensemble_table(found)
    assert "mean of the independent" in text
    assert "D (1000 × MSE) |  | +1.50" in text
    assert "3 seeds" in text
    assert ensembles.published("full") == {}


@pytest.fixture
def read():
    """Four images of class 1, read by the predefined classifier and by two others."""
    images = np.zeros((4, 1, 2, 2))
    right, wrong = 1, 0
    own = (np.array([wrong, right, right, right]), np.array([right, wrong, right, right]))
    first = (np.array([wrong, wrong, right, right]), np.array([wrong, right, right, right]))
    second = (np.array([right, right, right, right]), np.array([wrong, right, wrong, right]))
    return readings.Readings(
        "exp2", (0.0, 0.03), 0.0, 0, np.ones(4, int), images, images, images, images,
        {"cnn1": own, "convbn": first, "cnn2": second},
    )  # fmt: skip


def test_examples_are_found_once_each_with_who_reads_otherwise(read):
    found = readings.examples(read)
    assert [(e.index, e.kind, e.other) for e in found] == [
        (0, "won by one alone", "convbn"),
        (1, "lost by one alone", "convbn"),
        (2, "lost by another", "cnn2"),
    ]
    assert [e.index for e in readings.chosen([read, None], 1)] == [0]
    assert readings.chosen([None], 5) == []
    text = readings.markdown({"exp2": read, "exp3": None})
    assert "1 won by one alone, 1 lost by one alone, 1 lost by another" in text
    assert "not published" in text


def test_readings_that_agree_are_no_example(read):
    agreed = dict.fromkeys(read.read, read.read["cnn1"])
    none = readings.Readings(**{**vars(read), "read": agreed})
    assert readings.examples(none) == []
    assert "none is an example" in readings.markdown({"exp2": none})


def test_images_that_are_not_published_give_no_readings(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    assert readings.readings(run(table()), ("mlp",)) is None
    results.publish_samples("exp2", {"clean": np.zeros((2, 1, 28, 28), np.uint8)})
    assert readings.readings(run(table()), ("mlp",)) is None


def test_the_published_images_are_read_at_both_ends_of_gamma(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    dark, light = np.zeros((3, 1, 28, 28), np.uint8), np.full((3, 1, 28, 28), 255, np.uint8)
    results.publish_samples(
        "exp2",
        {"0.00.00": dark, "0.00.030": light, "clean": light, "degraded": dark,
         "labels": np.array([1, 0, 1])},
    )  # fmt: skip

    def model(x):
        """Says 1 for a light image, 0 for a dark one."""
        mean = x.mean((1, 2, 3))
        return torch.stack([0.5 - mean, mean - 0.5], dim=1)

    monkeypatch.setattr(classifiers, "get", lambda name, dataset: model)
    found = readings.readings(run(table()), ("mlp",))
    assert found is not None
    assert found.gammas == (0.0, 0.03)
    before, after = found.read["cnn1"]
    assert before.tolist() == [0, 0, 0]
    assert after.tolist() == [1, 1, 1]


def test_the_box_answers_three_questions_from_what_was_computed():
    runs = {"exp2": run(table(other=0.5, beta=-1.0)), "exp4": run(table(other=-0.9), "exp4")}
    means, gains = transfer.mean_gains(runs), transfer.gains(runs)
    each, alone = transfer.beta_effects(runs), transfer.effects(runs, "beta", "least")
    together = ensembles.compare(runs["exp2"], ensemble_rows())
    assert together is not None
    text = benefits.box(means, gains, each, alone, {"exp2": together})
    assert "1 shared, 1 gamed" in text
    assert ":class: warning" in text
    assert "**gamed** in Exp\u20112" in text
    assert "**helped** in Exp\u20112 (β = 0.01, 0.03)" in text
    assert "**helped** (" in text.split("3. ")[1]
    assert "one seed" not in text
    assert "Resting on one seed" in benefits.box(
        transfer.mean_gains({"exp2": run(table(seeds=1))}), {}, {}, {}, {}
    )


def test_effects_of_shared_restorers_are_counted_once():
    frame = table(beta=-1.0)
    twin = run(frame, "exp1")
    swapped = {
        "error_rate": "error_rate_cnn1", "error_rate_se": "error_rate_cnn1_se",
        "error_rate_logistic": "error_rate", "error_rate_logistic_se": "error_rate_se",
    }  # fmt: skip
    twin.table = twin.table.rename(columns=swapped)
    another = table(beta=-2.0).assign(error_rate=lambda t: t["error_rate"] + t["beta"])
    runs = {"exp1": twin, "exp2": run(frame), "exp4": run(another, "exp4")}
    alone = transfer.effects(runs, "beta", "least")
    said = benefits.seen(alone, "beta")
    # Each lists its own classifier and five others; Exp-1 and Exp-2 list the same six.
    assert "Of 12 distinct intervals (of 18 listed" in said
    box = benefits.box({}, {}, transfer.beta_effects(runs), alone, {})
    assert "11 distinct effects (15 with" in box
    del runs["exp1"]
    apart = benefits.seen(transfer.effects(runs, "beta", "least"), "beta")
    assert "Of 12 distinct intervals, chance" in apart


def test_without_published_rows_every_text_says_so():
    text = benefits.box({}, {}, {}, {}, {})
    assert "not testable" in text
    assert text.count("Not testable") == 3
    assert "Nothing is published yet" in benefits.sources({})
    tables = (
        benefits.gains_table({}), benefits.gaming_table({}), benefits.by_beta_table({}),
        benefits.beta_table({}), benefits.seen({}, "beta"), benefits.curves_text({}),
    )  # fmt: skip
    assert all("Nothing is published yet" in each for each in tables)
    assert "nothing is published" in readings.markdown({})


def test_tables_show_points_and_parts_with_their_intervals():
    runs = {"exp2": run(table(own=-1.0, other=0.5))}
    gains, means = transfer.gains(runs), transfer.mean_gains(runs)
    assert "\u22123.00\u00a0[\u22123.00,\u00a0\u22123.00]" in benefits.gains_table(gains)
    assert "\u221250\u00a0%" in benefits.gains_table(gains)
    assert benefits.gains_table(gains).count("**predefined**") == 1
    assert benefits.gains_table({"exp2": {}}) == benefits.NOTHING
    assert "150\u00a0%" in benefits.gaming_table(means)
    seen = benefits.seen(transfer.effects(runs, "gamma"), "gamma")
    assert "falls in 1, rises in 0 and is unclear in 0 of 1 cases" in seen
    assert "rises in 5" in seen
    assert "from 18.0 to 15.0" not in benefits.curves_text(runs)  # seeds differ by a point
    assert "from 19.0 to 16.0" in benefits.curves_text(runs)
