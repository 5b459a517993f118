"""Settings are checked whole before any work, and a point's hash knows what matters."""

import pytest

from cdplib import parameters
from cdplib.errors import InputError
from cdplib.experiments import settings
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import paths
from cdplib.sweeps import configuration


@pytest.mark.parametrize("experiment", list(EXPERIMENTS))
@pytest.mark.parametrize("preset", parameters.presets())
def test_every_preset_resolves_for_every_experiment(experiment, preset):
    found = settings.resolve(experiment, preset)
    points = settings.points(experiment, preset, found)
    assert points
    assert len({(p.alpha, p.beta, p.gamma, p.seed) for p in points}) == len(points)


@pytest.mark.parametrize("experiment", list(EXPERIMENTS))
def test_full_has_the_paper_s_networks_both_zeros_and_three_seeds(experiment):
    found = settings.resolve(experiment, "full")
    assert found.restorer == "paper"
    assert len(found.gammas) >= 4
    assert len(found.betas) >= 5
    assert 0 in found.gammas
    assert 0 in found.betas
    assert len(set(found.seeds)) >= 3


@pytest.mark.parametrize(
    ("experiment", "given", "quoted"),
    [
        ("exp9", {}, "exp9"),
        ("exp2", {"gamas": [1]}, "gamas"),
        ("exp2", {"gammas": [-1]}, "-1"),
        ("exp2", {"gammas": []}, "at least one"),
        ("exp2", {"betas": ["x"]}, "x"),
        ("exp2", {"steps": 0}, "steps"),
        ("exp2", {"restorer": "big"}, "big"),
        ("exp2", {"dataset": "cifar10"}, "cifar10"),
        ("exp5", {"dataset": "mnist"}, "mnist"),
        ("exp2", {"classifier": "cnn2c"}, "cnn2c': not for mnist: expected one of logistic"),
        ("exp2", {"classifier": "convbn"}, "convbn"),
        ("exp2", {"dataset": "mnits"}, "mnits"),
        ("exp2", {"grid": "nowhere"}, "nowhere"),
        ("exp2", {"restorer": "paper", "width": 8}, "width"),
        ("exp2", {"alphas": [0], "betas": [0], "gammas": [0]}, "nothing to train"),
    ],
)
def test_wrong_input_is_refused_in_one_line_that_quotes_it(experiment, given, quoted):
    with pytest.raises(InputError, match=quoted) as caught:
        settings.resolve(experiment, "smoke", given)
    assert "\n" not in str(caught.value)


def test_another_data_set_is_one_parameter():
    found = settings.resolve("exp2", "quick", {"dataset": "fashion-mnist"})
    assert found.dataset == "fashion-mnist"
    assert found.classifier == "cnn1"


def test_the_release_s_grid_is_there_and_given_weights_replace_it():
    assert settings.resolve("exp4", "paper").grid == "release"
    grid = settings.weights(settings.resolve("exp4", "smoke", {"grid": "release"}), "exp4")
    assert len(grid) == 140
    assert settings.resolve("exp4", "paper", {"betas": [0.5]}).grid == ""


def test_a_named_grid_is_a_variant_and_other_weights_are_not():
    def variant(preset, **given):
        return settings.variant("exp2", preset, settings.resolve("exp2", preset, given))

    assert variant("quick", grid="noise") == "grid=noise"
    assert variant("quick", grid="noise", noise_sigma=2.0) == "grid=noise noise_sigma=2.0"
    assert variant("quick", betas=[0.5], seeds=[3, 4]) == ""
    assert variant("paper") == variant("paper", betas=[0.5]) == ""


@pytest.mark.parametrize(
    ("name", "points", "preset"),
    [("noise", 6, "quick"), ("rdpc", 63, "quick"), ("deepinv", 13, "quick"), ("rdpc", 63, "smoke")],
)
def test_grids_of_exp2_have_the_weights_that_they_are_named_after(name, points, preset):
    found = settings.weights(settings.resolve("exp2", preset, {"grid": name}), "exp2")
    assert len(found) == len(set(found)) == points


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("grids", "exp2: {g: [{alphas: [1], betas: [0]}]}", "exp2, g: a block without gammas"),
        ("grids", "exp2: {g: [{alphas: 1, betas: [0], gammas: [0]}]}", "alphas=1: expected list"),
        ("grids", "exp2: {g: [{alphas: [1], betas: [0], gammas: [0], gama: [1]}]}", "'gama'"),
        ("grids", "exp2: {g: [words]}", "exp2, g: expected alphas"),
        ("grids", "exp2: {g: words}", "exp2, g: expected a list of blocks, got 'words'"),
        ("grids", "exp2: {g: null}", "exp2, g: expected a list of blocks, got None"),
        ("grids", "exp2:", "exp2: expected names with their entries, got None"),
        ("grids", "exp22: {}", "'exp22': did you mean 'exp2'"),
        ("grids", "[exp2]", "expected experiments with their entries"),
        ("grids", "exp2: {", "cannot be read"),
        ("ablations", "exp2: {a: {stepz: 3}}", "exp2, a: 'stepz': did you mean 'steps'"),
        ("ablations", "exp2: {a: {steps: x}}", "exp2, a: steps='x'"),
        ("ablations", "exp2: {a: [steps]}", "exp2, a: expected settings"),
        ("ablations", "exp2: {a: null}", "exp2, a: expected settings"),
        ("ablations", "exp9: {}", "'exp9'"),
    ],
)
def test_a_wrong_entry_of_grids_or_ablations_is_named_with_its_file(
    tmp_path, monkeypatch, file, text, said
):
    found = settings.resolve("exp2", "smoke")
    monkeypatch.setattr(paths, "PARAMS", tmp_path)
    (tmp_path / f"{file}.yml").write_text(text)
    read = {
        "grids": lambda: settings.weights(found._replace(grid="g"), "exp2"),
        "ablations": lambda: settings.ablation("exp2", "a"),
    }
    with pytest.raises(InputError) as caught:
        read[file]()
    assert said in str(caught.value)
    assert f"{file}.yml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_grid_or_ablation_names_those_there_are(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="unknown ablation of exp2 'ensembles': did you mean"):
        settings.ablation("exp2", "ensembles")
    with pytest.raises(InputError, match="unknown ablation of exp3 'ensemble': there are none"):
        settings.ablation("exp3", "ensemble")


def _key(experiment="exp2", **given):
    point = settings.points(experiment, "smoke", settings.resolve(experiment, "smoke", given))[0]
    return configuration.key(point)


@pytest.mark.data
@pytest.mark.parametrize(
    "given",
    [
        {"steps": 61},
        {"gammas": [0.5]},
        {"seeds": [5]},
        {"dataset": "fashion-mnist"},
        {"pretrain_steps": 201},
        {"against": "ensemble"},
        {"critic": "clip"},
        {"noise_sigma": 0.5},
        {"test_images": 999},
    ],
)
def test_whatever_changes_a_point_changes_its_hash(given):
    assert _key(**given) != _key()


@pytest.mark.data
def test_the_rest_of_the_grid_does_not_change_a_point_s_hash():
    assert _key(gammas=[0.0, 7.0], seeds=[0, 1]) == _key()


@pytest.mark.data
def test_denoising_experiments_share_their_pre_training():
    def start(experiment):
        found = settings.resolve(experiment, "smoke")
        return configuration.of_start(settings.points(experiment, "smoke", found)[0])

    assert start("exp1") == start("exp2") == start("exp3")
    assert start("exp4") != start("exp2")
