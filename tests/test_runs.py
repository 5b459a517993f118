"""Where an experiment's page takes its rows from, and what it says about them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cdpbook import runs
from cdpbook.notebooks import sources
from cdplib import parameters
from cdplib.errors import InputError
from cdplib.experiments import datasets, results, settings
from cdplib.storage import paths
from cdplib.sweeps import sweep

CHAPTERS = tuple(
    name for name in parameters.chapters() if name[3:6] == "exp" and name[6:].isdigit()
)


def row(beta, gamma, preset="quick", restorer="fast", **changes):
    return {
        "experiment": "exp2",
        "preset": preset,
        "variant": "",
        "dataset": "mnist",
        "restorer": restorer,
        "classifier": "cnn1",
        "alpha": 1.0,
        "beta": beta,
        "gamma": gamma,
        "seed": 0,
        "mse": 0.03 + beta,
        "mse_se": 0.0001,
        "error_rate": 0.18 - gamma,
        "error_rate_se": 0.004,
        "error_rate_logistic": 0.25,
        "error_rate_convbn": 0.19 + gamma,
        "ce": 0.5,
        "p_judge": 1.0 - 10 * beta,
        "p_judge_se": 0.01,
        "steps": 500,
        "seconds": 20.0,
        "hardware": "a machine",
        "config_hash": f"{preset}-{restorer}-{beta}-{gamma}",
        **changes,
    }


def sheet(**changes):
    return [row(b, g, **changes) for b in (0.0, 0.01) for g in (0.0, 0.03)]


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    return lambda rows: results.publish("exp2", rows)


@pytest.fixture
def trained(monkeypatch):
    """Calls of the sweep, which trains nothing here."""
    calls = []

    def run(experiment, given, *, preset, progress):
        calls.append((experiment, preset, given))
        return results.frame(sheet())

    monkeypatch.setattr(sweep, "run", run)
    return calls


def test_read_shows_the_published_rows_of_the_papers_network_first(published, trained):
    published([*sheet(), *sheet(preset="full", restorer="paper"), row(0.5, 0.5, variant="x=1")])
    run = runs.results("exp2", "read")
    assert run.published
    assert set(run.table["restorer"]) == {"paper"}
    assert len(run.points()) == 4
    assert trained == []
    assert "Published rows" in run.origin()
    assert "--preset full" in run.origin()


def test_three_seeds_are_shown_rather_than_one_of_a_preferred_table(published):
    published([r for seed in (0, 1, 2) for r in sheet(seed=seed, config_hash=f"q{seed}")])
    published(sheet(preset="full", restorer="paper"))
    run = runs.published_run("exp2")
    assert run is not None
    assert (run.preset, run.table["seed"].nunique()) == ("quick", 3)
    for seed in (1, 2):
        published(sheet(preset="full", restorer="paper", seed=seed, config_hash=f"f{seed}"))
    run = runs.published_run("exp2")
    assert run is not None
    assert run.preset == "full"


def test_rows_loaded_by_hand_are_a_run_and_a_mixture_is_refused(published):
    published([*sheet(), *sheet(preset="full", restorer="paper")])
    run = runs.of(results.load("exp2", preset="full", restorer="paper"))
    assert run.origin() == runs.published_run("exp2").origin()
    assert run.settings == runs.published_run("exp2").settings
    for preset, said in ((None, "preset of the rows is full and quick"), ("x", "experiment of")):
        with pytest.raises(InputError, match=said):
            runs.of(results.load("exp2", preset=preset))


def test_a_published_row_alone_is_no_sheet(published, trained):
    published([*sheet(), row(0.0, 0.0, preset="full", restorer="paper")])
    assert runs.results("exp2", "read").preset == "quick"
    published([])
    assert trained == []


def test_read_trains_where_nothing_is_published_and_quick_what_is_asked(published, trained):
    run = runs.results("exp2", "read")
    assert not run.published
    assert "Trained on this machine" in run.origin()
    published(sheet())
    run = runs.results("exp2", "quick", {"steps": 7})
    assert not run.published
    resolved = [settings.resolve("exp2", "quick", given) for given in ({}, {"steps": 7})]
    assert trained == [("exp2", "quick", own) for own in resolved]
    assert "-p steps=7" in run.origin()


def test_read_refuses_to_train_with_the_command_that_does(published, trained):
    from cdpbook.notebooks import execute

    published(sheet())
    command = "`cdp run exp2 --preset quick -p 'betas=[0.0,0.5]' -p steps=7`"
    given = {"betas": [0.0, 0.5], "steps": 7}
    for ask in (
        lambda: runs.results("exp2", "read", given),
        lambda: execute.prepare(sources.find("exp2"), "read", given),
    ):
        with pytest.raises(InputError) as error:
            ask()
        assert command in str(error.value)
        assert "betas and steps would have to be trained" in str(error.value)
    assert trained == []
    # What the page does with published rows is no training, and quick may train.
    execute.prepare(sources.find("exp2"), "read", {"checked": 0, "perception": "frechet"})
    execute.prepare(sources.find("exp2"), "quick", given)


def test_a_page_has_one_preset_and_says_what_it_trains_before_it_starts():
    from cdpbook.notebooks import execute, job

    chapter = sources.find("exp2")
    given = {"preset": "quick", "gammas": [0.0, 0.5]}
    found = execute.prepare(chapter, "read", given)
    assert (found.preset, found.values["preset"]) == ("quick", "quick")
    said = job.announced(found)
    assert "those of 6 points" in said  # the preset's three betas, two gammas
    assert "`cdp sweep exp2 --preset quick -p 'gammas=[0.0,0.5]' --dry-run`" in said
    assert job.announced(execute.prepare(chapter, "read")) == ""
    assert job.announced(execute.prepare(sources.find("01"), "quick")) == ""
    with pytest.raises(InputError, match="unknown preset 'quik'"):
        execute.prepare(chapter, "read", {"preset": "quik"})


def test_only_one_experiment_trains_a_grid_for_a_reader_without_published_rows(published, trained):
    runs.results("exp1", "read")
    runs.results("exp2", "read")
    assert [preset for _, preset, _ in trained] == ["smoke", "quick"]


def test_other_presets_train_and_a_thinned_grid_keeps_both_ends(published, trained):
    published(sheet())
    runs.results("exp2", "smoke", {"betas": [0.0, 0.01, 0.02, 0.03]}, betas=2)
    assert trained == [("exp2", "smoke", settings.resolve("exp2", "smoke", {"betas": [0.0, 0.03]}))]


def test_wrong_settings_are_refused_before_any_training(trained):
    with pytest.raises(InputError, match="gamas"):
        runs.results("exp2", "quick", {"gamas": [0.0]})
    assert trained == []


def test_only_what_differs_from_the_preset_is_asked_for():
    quick = settings.resolve("exp2", "quick")
    values = {"betas": list(quick.betas), "gammas": [0.0, 0.5], "seeds": None, "steps": None}
    values |= {"dataset": "default", "restorer": "default"}
    assert runs.asked("exp2", "quick", **values) == {"gammas": [0.0, 0.5]}


def test_zero_and_false_can_be_asked_for_and_only_settings_can():
    given = {"pretrain_steps": 0, "noise_input": False, "select": False}
    assert runs.asked("exp2", "paper", **given) == given
    assert runs.asked("exp2", "quick", betas=[]) == {"betas": []}  # and is then refused:
    with pytest.raises(InputError, match="at least one element"):
        settings.resolve("exp2", "quick", {"betas": []})
    with pytest.raises(InputError, match="unknown setting 'unrelated'"):
        runs.asked("exp2", "quick", unrelated=3)


@pytest.mark.parametrize("name", CHAPTERS)
def test_an_empty_list_and_no_steps_are_refused_before_a_page_is_made(name):
    from cdpbook.notebooks import execute

    for given in ({"betas": []}, {"steps": 0}):
        with pytest.raises(InputError):
            execute.prepare(sources.find(name), "read", given)
    job = execute.prepare(sources.find(name), "quick", {"pretrain_steps": 0, "steps": None})
    assert (job.values["pretrain_steps"], job.values["steps"]) == (0, None)


def test_a_readers_own_points_stand_beside_the_published_ones(published, trained, monkeypatch):
    from cdpbook import live

    def mine(*arguments, **how):
        rows = sheet(mse=0.0309, error_rate=0.30, p_judge=0.9)
        return results.frame([*rows, row(0.7, 0.7)])

    monkeypatch.setattr(sweep, "run", mine)
    run = runs.results("exp2", "quick", {"steps": 7, "betas": [0.0, 0.01, 0.7]})
    assert live.restorers(run) == live.TRAINED_HERE  # nothing is published
    published(sheet(preset="full"))
    assert live.restorers(run) == live.TRAINED_HERE  # not of this preset
    published(sheet())
    said = live.restorers(run)
    assert "4 points of this page" in said  # the fifth has no published one
    assert "something else differs (here: `steps`)" in said
    lines = [line.strip("| ").split(" | ") for line in said.splitlines() if line[:3] == "| 0"]
    assert [line[:3] for line in lines][:2] == [["0", "0", "0"], ["0", "0.03", "0"]]
    # Bands: of D 5 % of .03; of C 5 % of .18 and .005; of P 25 % of 1 and .05.
    assert lines[0][3] == "0.03000, 0.03090, +0.6"
    assert lines[0][4].endswith(f", {0.12 / (0.05 * 0.18 + 0.005):+.1f}")
    assert lines[0][5].endswith(f", −{0.1 / 0.30:.1f}")


def test_a_smoke_run_says_that_it_shows_no_tradeoff(published):
    published(sheet(steps=60))
    assert "not a trade-off" in runs.results("exp2", "read").origin()


def test_the_table_of_points_has_a_row_for_each(published):
    published(sheet())
    text = runs.results("exp2", "read").points_table()
    assert len(text.splitlines()) == 2 + 4
    assert "C of strided CNN (%)" in text


def test_restorers_seen_by_another_classifier_swap_the_columns(published):
    published(sheet())
    run = runs.results("exp2", "read")
    seen = runs.seen_by(run, "logistic")
    assert (seen.table["error_rate"] == 0.25).all()
    assert np.allclose(seen.table["error_rate_cnn1"], run.table["error_rate"])
    assert np.allclose(seen.table["error_rate_se"], np.sqrt(0.25 * 0.75 / 10_000))
    assert seen.classifier == "logistic regression"
    assert np.allclose(seen.table["mse"], run.table["mse"])
    with pytest.raises(InputError, match="cnn9"):
        runs.seen_by(run, "cnn9")


def test_independent_classifiers_are_shown_and_not_the_one_trained_against(published):
    published(sheet())
    assert runs.results("exp2", "read").shown_others() == ("convbn", "logistic")


def testspread_keeps_the_ends():
    assert runs.spread(pd.Series([3, 1, 2, 0, 4, 4]), 3) == [0, 2, 4]
    assert runs.spread([1.0], 3) == [1.0]


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapter_parameters_are_settings_with_the_same_types_and_ranges(name):
    known = settings.declared()
    for parameter in sources.find(name).declared().values():
        if parameter.name in ("preset", "perception", "checked", "train_again"):  # of the page
            continue
        setting = known[parameter.name]
        assert parameter.kind == setting.kind
        # A sweep takes a user's own data set, too, whose name no list has.
        choices = datasets.DATASETS if parameter.name == "dataset" else setting.choices
        assert set(parameter.choices) <= {*choices, "default"}
        assert parameter.range == setting.range
        assert parameter.default in (None, "default")  # both mean: as in the preset


@pytest.mark.parametrize("preset", ["smoke", "read", "quick", "full", "paper"])
@pytest.mark.parametrize("name", CHAPTERS)
def test_no_preset_asks_for_anything_by_itself(name, preset):
    from cdpbook.notebooks import execute

    job = execute.prepare(sources.find(name), preset)
    assert job.values["preset"] == preset
    own = {n: v for n, v in job.values.items() if n in settings.declared()}
    assert runs.asked(name[3:], preset, **own) == {}
