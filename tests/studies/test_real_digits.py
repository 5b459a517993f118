"""The sample of real digits: what its letters are, what its restorers do, what grows with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cdpbook.studies import planar, real_digits
from cdpbook.studies.real_digits import Setting
from cdplib.errors import InputError
from cdplib.theory import exact

pytestmark = pytest.mark.data

TINY = Setting("logistic", 2.0, 60, 40)


@pytest.fixture(scope="module")
def tiny():
    return real_digits.sample(TINY)


def test_letters_are_the_digits_then_every_mean_then_images_of_likelier_classes(tiny):
    count, m = len(tiny.images), len(tiny.noisy)
    assert (tiny.own[:count] == -1).all()
    assert (tiny.own[count : count + m] == np.arange(m)).all()
    np.testing.assert_array_equal(tiny.letters[count : count + m], tiny.means)
    moved = np.arange(count + m, len(tiny.letters))
    y, err = tiny.own[moved], tiny.problem.err
    assert (err[y, moved] < err[y, count + y]).all()
    assert (tiny.problem.delta[y, moved] >= tiny.problem.delta[y, count + y]).all()


@pytest.mark.parametrize("classifier", ["logistic", "cnn1"])
def test_more_letters_change_nothing_for_the_better_under_tv(classifier):
    of = real_digits.sample(replace(TINY, classifier=classifier))
    random = np.random.default_rng(0)
    towards = of.images[random.integers(0, 60, 80)]
    more = 0.9 * np.repeat(of.means, 2, axis=0) + 0.1 * towards
    wider = real_digits.with_letters(of, more)
    assert wider.problem.shape == (40, of.problem.shape[1] + 80)
    for P in (0.1, 0.5, 1.0):
        D = 1.003 * float(exact.least_distortion(of.problem, "tv", P))
        value = exact.solve(of.problem, "tv", D, P).value
        assert exact.solve(wider.problem, "tv", D, P).value == pytest.approx(value, abs=3e-6)


def test_named_restorers_are_restorations_and_none_is_below_the_exact_function(tiny):
    for plan in real_digits.restorers(tiny).values():
        np.testing.assert_allclose(plan.sum(axis=1), tiny.problem.py, atol=1e-15)
        D, C = tiny.problem.distortion(plan), tiny.problem.error_rate(plan)
        P = exact.divergences.get("tv").value(tiny.problem.px, plan.sum(axis=0))
        assert exact.solve(tiny.problem, "tv", D * (1 + 1e-9), min(1, P + 1e-12)).lower <= C + 1e-9
    plans = real_digits.restorers(tiny)
    mean, draw = (tiny.problem.distortion(plans[k]) for k in ("posterior mean", "posterior sample"))
    assert draw == pytest.approx(2 * mean, rel=1e-9)


def test_the_floor_is_what_the_solver_finds_without_perception(tiny):
    known = real_digits.floor(tiny)
    least = exact.least_distortion(tiny.problem, "tv", np.inf)
    assert float(least) == pytest.approx(known["mse"], rel=1e-9)
    D = (known["mse"] + known["price"]) * (1 + 1e-9)
    assert exact.solve(tiny.problem, "tv", D, np.inf).value == pytest.approx(
        known["bayes"], abs=1e-9
    )
    assert known["price"] < 0.05 * known["mse"]


def test_a_restorer_that_returns_the_posterior_means_has_their_distortion_and_error(tiny):
    known, found = real_digits.floor(tiny), real_digits.as_restored(tiny, tiny.means)
    assert found["mse"] == pytest.approx(known["mse"], rel=1e-12)
    assert found["error_rate"] == pytest.approx(known["error_rate"], abs=1e-12)
    d = real_digits.with_letters(tiny, tiny.means)
    uniform = np.zeros(len(d.letters))
    uniform[-40:] = 1 / 40
    assert found["w1"] == pytest.approx(d.ground().value(d.problem.px, uniform), rel=1e-9)


def test_budgets_run_from_infeasible_to_free(tiny):
    Ds, Ps = real_digits.budgets(tiny, 5)
    found = exact.surface(tiny.problem, "tv", Ds, Ps)
    assert found.status[0, 0] == "infeasible"
    for line in (found.status[-1], found.status[:, -1]):
        assert "infeasible" not in line
    assert found.gap.max() < 1e-8


def test_a_larger_prior_knows_less_and_serves_fresh_digits_better():
    table = real_digits.ladder(replace(TINY, noisy=200), [50, 400, 3000], fresh=100)
    assert (np.diff(table["mse"]) > 0).all()
    assert (np.diff(table["fresh_mse"]) < 0).all()
    assert (table["mse"] < table["fresh_mse"]).all()
    assert (table["error_rate"] < table["fresh_error"]).all()


def test_the_same_setting_gives_the_same_sample_and_another_seed_other_noise(tiny):
    images, _ = real_digits.digits(TINY)
    again = real_digits.degraded(images, TINY)[1]
    np.testing.assert_array_equal(again, tiny.noisy)
    assert not np.allclose(real_digits.degraded(images, replace(TINY, seed=1))[1], again)
    other = real_digits.digits(replace(TINY, block=1))[0]
    assert not np.allclose(other, images)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"alphabet": "all"}, "'all'"), ({"block": 10_000}, "block=10000"), ({"sigma": 0.0}, "sigma")],
)
def test_settings_that_make_no_sample_are_refused(change, said):
    with pytest.raises(InputError, match=said):
        real_digits.sample(replace(TINY, **change))


def test_the_toy_in_the_plane_trades_classification_for_distortion():
    values = [line["value"] for line in planar.points(8, "tv")]
    assert all(line["status"] == "optimal" for line in planar.points(8, "tv"))
    table = np.array(values).reshape(-1, 3)  # rows: P; columns: how far above the edge
    assert (np.diff(table, axis=1) < 0).all()
