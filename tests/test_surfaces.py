"""What is published of the exact function of real digits: whole, ordered, as it is solved now."""

from __future__ import annotations

import numpy as np
import pytest

from cdpbook import surfaces
from cdpbook.studies import published_digits, real_digits
from cdplib.errors import DataError, InputError
from cdplib.theory import exact
from cdplib.theory.solver.engine import Engine


@pytest.mark.parametrize("classifier", surfaces.CLASSIFIERS)
@pytest.mark.parametrize("sigma", surfaces.SIGMAS)
def test_the_page_finds_all_of_its_points_published(classifier, sigma):
    shown = surfaces.surface("tv", classifier=classifier, sigma=sigma)
    assert shown.value.shape == (10, 8)
    assert len(published_digits.restorers(classifier, sigma)) == 5
    assert set(published_digits.floors(classifier, sigma)) >= {"bayes", "mse", "price", "moved"}
    assert len(published_digits.rims(classifier, sigma)) == 9 * len(surfaces.RIM)
    assert (published_digits.ladder(sigma)["digits"] == surfaces.LADDER).all()
    assert {"mse", "error_rate", "w1"} <= set(published_digits.networks(sigma))
    assert list(published_digits.growth(classifier).index) == list(surfaces.GROWTH)


@pytest.mark.parametrize("part", ["tv", "w1", "plain"])
def test_published_values_are_bounded_monotone_and_proved_to_a_hundred_millionth(part):
    for classifier in surfaces.CLASSIFIERS:
        where = {"sigma": 2.0} if part == "tv" else {}
        found = surfaces.surface(part, classifier=classifier, **where)
        inside = found.status != "infeasible"
        assert (found.lower <= found.upper)[inside].all()
        assert found.gap.max() < 2e-8
        value = np.where(inside, found.value, np.inf)
        assert (value[1:] <= value[:-1] + 1e-8).all()
        assert (value[:, 1:] <= value[:, :-1] + 1e-8).all()


def test_no_restorer_is_below_the_function_and_no_network_below_what_is_attainable():
    for sigma in surfaces.SIGMAS:
        for classifier in surfaces.CLASSIFIERS:
            assert (published_digits.restorers(classifier, sigma)["excess"] > -1e-8).all()
        nets = published_digits.networks(sigma).dropna()
        assert (nets["least_mse"] <= nets["mse"]).all()
        assert (nets["least_error"] <= nets["error_rate"] + 1e-9).all()


def test_the_network_is_inside_the_wide_band_of_noise_1_and_above_the_narrow_one_of_noise_2():
    for sigma, inside in ((1.0, True), (2.0, False)):
        band = published_digits.ladder(sigma).iloc[-1]
        found = published_digits.networks(sigma)["fresh_mse"].min()
        assert band["mse"] < found
        assert bool(found < band["fresh_mse"]) is inside


@pytest.mark.data
def test_the_posterior_mean_keeps_the_w1_of_every_network_with_room_to_spare():
    for sigma in surfaces.SIGMAS:
        of = real_digits.sample(real_digits.Setting("cnn1", sigma, 200, 200, "blends"))
        nets = published_digits.networks(sigma)
        nets = nets[nets["digits"] == 200]
        assert (real_digits.w1(of.images, of.means) < nets["w1"]).all()
        least = real_digits.floor(of)
        assert nets["least_mse"].to_numpy() == pytest.approx(least["mse"], rel=1e-6)
        assert nets["least_error"].to_numpy() == pytest.approx(least["bayes"], abs=1e-7)


@pytest.mark.data
def test_published_points_are_what_is_solved_now():
    table = surfaces.lines("w1", classifier="logistic")
    of = real_digits.sample(real_digits.Setting("logistic", 2.0, 300, 300, "blends"))
    line = table[table["status"] == "optimal"].iloc[-1]
    at = Engine(of.problem, of.ground()).point(line["D"], line["P"])
    assert at.value == pytest.approx(line["value"], abs=1e-7)
    small = real_digits.Setting("logistic", 2.0, 125, 125, "own", 3, 3)
    lines = surfaces.lines("growth", classifier="logistic", digits=125, seed=3)
    known = dict(zip(lines["name"], lines["value"], strict=True))
    for name, value in surfaces.ends(small).items():
        assert value == pytest.approx(known[name], rel=1e-3, abs=1e-6), name
    known = published_digits.ladder(2.0).iloc[0]
    again = real_digits.ladder(real_digits.Setting("", 2.0, 0, 1000), [250]).iloc[0]
    assert again["mse"] == pytest.approx(known["mse"], rel=1e-9)


def test_lines_of_other_data_another_classifier_or_version_do_not_count(monkeypatch):
    assert len(surfaces.lines("floors", classifier="cnn1"))
    monkeypatch.setattr(surfaces, "rests_on", lambda classifier: "something else")
    with pytest.raises(DataError, match=r"nothing is published.*cdpbook.surfaces"):
        surfaces.lines("floors", classifier="cnn1")


def test_unknown_parts_and_values_are_refused():
    with pytest.raises(InputError, match="'tvv'"):
        surfaces.lines("tvv")
    with pytest.raises(DataError, match="nothing is published"):
        surfaces.lines("tv", classifier="cnn1", sigma=7.0)
    with pytest.raises(InputError, match="'tvv'"):
        surfaces.write(["tvv"])


@pytest.mark.data
def test_points_are_written_as_they_are_solved_and_not_solved_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(surfaces, "file", lambda: tmp_path / "digits.csv")
    monkeypatch.setattr(surfaces, "CLASSIFIERS", ("logistic",))
    tiny = real_digits.Setting("logistic", 2.0, 40, 30, "digits")
    monkeypatch.setitem(
        surfaces.PARTS, "plain", lambda: surfaces._surfaces("plain", [tiny], 3, ground=False)
    )
    surfaces.write(["plain"])
    found = surfaces.surface("plain", classifier="logistic")
    again = exact.surface(real_digits.sample(tiny).problem, "tv", found.Ds, found.Ps)
    np.testing.assert_allclose(found.value, again.value, atol=1e-9)
    before = surfaces.file().read_text()
    monkeypatch.setattr(Engine, "point", lambda *asked: pytest.fail("solved again"))
    surfaces.write(["plain"])
    assert surfaces.file().read_text() == before
