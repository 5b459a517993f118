"""Who benefits from gamma: ratios, verdicts, ensembles and examples whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gains import OTHERS, ensemble_rows, run, table

from cdpbook import claims
from cdpbook.runs import Run
from cdpbook.studies import ensembles, readings, transfer, verdicts
from cdplib.errors import InputError
from cdplib.experiments import classifiers, results
from cdplib.storage import paths


def test_the_ratio_is_exact_where_nothing_is_uncertain():
    t = transfer.transfer(table(own=-1.0, other=-0.25), "error_rate_mlp")
    assert t.own.change == pytest.approx(-0.03)
    assert t.other.change == pytest.approx(-0.0075)
    assert t.part == pytest.approx((0.25, 0.25, 0.25))
    assert t.gaming == pytest.approx((0.75, 0.75, 0.75))


def test_a_ratio_that_every_seed_shares_is_exact_although_the_gains_vary():
    t = transfer.transfer(table(own=-1.0, other=-0.4, spread=0.1), "error_rate_mlp")
    assert t.own.lower < t.own.change < t.own.upper
    assert t.part == pytest.approx((0.4, 0.4, 0.4), abs=1e-6)


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
        assert math.isnan(t.part.value)
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
    assert sure.part.lower < sure.part.value < sure.part.upper
    assert sure.verdict == transfer.GAMED


def test_the_mean_of_the_independent_is_not_taken_for_another_classifier():
    r = run(table(other=0.5))
    assert transfer.independent(r) == OTHERS
    frame = transfer.with_mean(r.table, ("mlp", "cnn2"))
    assert np.allclose(frame[transfer.MEAN], frame["error_rate_mlp"])
    assert np.allclose(frame[f"{transfer.MEAN}_se"], frame["error_rate_mlp_se"])
    assert "independent_error" not in claims.others(frame)
    with pytest.raises(InputError, match="took no part"):
        transfer.with_mean(frame, ())


def test_a_classifier_trained_against_is_not_independent():
    r = run(table())
    member = r.settings._replace(against="ensemble")
    names = transfer.independent(Run("exp2", member, "quick", r.table, True))
    assert set(names).isdisjoint(classifiers.ensemble("mnist"))


def test_the_mean_of_the_others_may_pay_for_the_gain():
    frame = table(other=1.0)
    others = [f"error_rate_{n}" for n in OTHERS]
    natural = frame["beta"] == 0.03
    frame.loc[natural, others] = frame.loc[natural, others].sub(2 * frame["gamma"], axis=0)
    mean = transfer.mean_gains({"exp2": run(frame)})["exp2"]
    assert mean.part.value == pytest.approx(-1 / 3)
    assert mean.gaming.value == pytest.approx(4 / 3)


def test_beta_is_compared_at_every_value_and_at_both_ends_of_gamma():
    frame = table(beta=-1.0)
    last = frame["gamma"] == 0.03
    frame.loc[last, "error_rate_mlp"] += 10 * frame.loc[last, "beta"]
    found = transfer.beta_effects({"exp2": run(frame)})
    assert list(found) == [("exp2", 0.01), ("exp2", 0.03)]
    assert found["exp2", 0.03]["predefined, γ least"].change == pytest.approx(0)
    assert found["exp2", 0.03]["independent, γ least"].change == pytest.approx(-0.03)
    assert found["exp2", 0.03]["independent, γ greatest"].change == pytest.approx(-0.03 + 0.3 / 5)
    effects = transfer.effects({"exp2": run(frame)}, "beta")["exp2"]
    assert list(effects) == ["cnn1", *OTHERS]
    assert effects["mlp"].change == pytest.approx(-0.03)


def test_a_table_that_is_still_growing_shows_what_it_can():
    frame = table(seeds=1)
    part = frame[(frame["beta"] == 0) | (frame["gamma"] == 0)]
    runs = {"exp2": run(part)}
    assert list(transfer.gains(runs)["exp2"]) == list(OTHERS)
    assert transfer.beta_effects(runs) == {}
    part.loc[part.index[0], "steps"] = 400
    assert list(verdicts.evidence({"exp2": run(part)})["steps a point"]) == ["400, 500"]


def test_an_ensemble_is_compared_with_one_and_with_none():
    found = ensembles.compare(run(table(own=-1.0, other=0.5)), ensemble_rows())
    assert found is not None
    assert found.members == ("cnn1", "cnn1b", "mlp")
    assert (found.gamma, found.betas, found.seeds) == (0.03, (0.0, 0.01, 0.03), 3)
    own, mean = found.lines.loc["error_rate"], found.lines.loc[transfer.MEAN]
    assert [own.one.change, own.ensemble.change] == pytest.approx([-0.03, -0.015])
    assert own.change.change == pytest.approx(0.015)
    assert [mean.one.change, mean.change.change] == pytest.approx([0.015, -0.021])
    roles = dict(found.lines["role"])
    assert roles["error_rate_mlp"] == "member"
    assert roles["error_rate_convbn"] == roles[transfer.MEAN] == "independent"
    assert (roles["mse"], roles["p_judge"]) == ("", "")
    top, bottom = ensembles.groups({"exp2": found}).values()
    assert list(top) == list(bottom) == list(found.lines["name"])[:-2]


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
    results.publish("exp2", ensemble_rows().to_dict("records"))
    found = ensembles.published("quick")
    assert list(found) == ["exp2"]
    shown = ensembles.table(found["exp2"]).set_index("")
    assert shown.loc["D (`mse`)", "one − none"].startswith("+0.00150")
    assert shown.loc["mean of the independent", "ensemble − one"].startswith("−0.60\u00a0points")
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
        "exp2", (0.0, 0.03), np.ones(4, int), images, images, images, images,
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
    (counts,) = readings.counts({"exp2": read, "exp3": None}).itertuples(index=False)
    assert tuple(counts) == ("Exp-2", 4, 1, 1, 1)


def test_readings_that_agree_are_no_example(read):
    agreed = dict.fromkeys(read.read, read.read["cnn1"])
    none = readings.Readings(**{**vars(read), "read": agreed})
    assert readings.examples(none) == []
    assert list(readings.counts({"exp2": none}).iloc[0, 2:]) == [0, 0, 0]


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
