"""``cdp explore``: a user's images in, the experiment's page out; wrong input is one line first."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cdpbook import cli, explore
from cdplib.experiments import classifiers, data, fitting, own, pictures
from cdplib.storage import store


def bars(n=2_000, size=12):
    """Noisy bars, across or down: anything tells them apart."""
    draw = np.random.RandomState(0)
    images = draw.randint(0, 40, (n, size, size)).astype(np.uint8)
    labels = np.arange(n) % 2
    for image, label, at in zip(images, labels, draw.randint(1, size - 3, n), strict=True):
        (image if label else image.T)[at : at + 2] += 200
    return images, labels


@pytest.fixture
def images(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "cache"))
    shown, labels = bars()
    np.savez(tmp_path / "bars.npz", images=shown, labels=np.array(["across", "down"])[1 - labels])
    return tmp_path / "bars.npz"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-p", "gamas=[0]"], "unknown parameter 'gamas': did you mean 'gammas'?"),
        (["-p", "gammas=[-1]"], "-1 is not in [0, "),
        (["-p", "dataset=mnist"], "-p dataset: expected IMAGES in its place"),
        (["-p", "task=sr"], "-p task: expected --task in its place"),
        (["-p", "betas=[0]", "-p", "gammas=[0]", "--output", "/etc/passwd"], "it is a file"),
    ],
)
def test_wrong_options_are_one_line_status_2_and_nothing_is_kept(
    options, said, images, tmp_path, capsys
):
    assert cli.main(["explore", str(images), *options]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert (told.err.count("\n"), told.out) == (1, "")
    assert not (tmp_path / "cache").exists()


def test_wrong_images_are_one_line_status_2_and_nothing_is_kept(tmp_path, images, capsys):
    with np.load(images) as whole:
        np.savez(tmp_path / "few.npz", images=whole["images"][1:], labels=whole["labels"][1:])
    for name, said in (("few.npz", "1,999 images"), ("none.npz", "no such file or folder")):
        assert cli.main(["explore", str(tmp_path / name)]) == 2
        told = capsys.readouterr()
        assert said in told.err
        assert (told.err.count("\n"), told.out) == (1, "")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["", "mnist", "own-0123456789abcdef"])
def test_the_page_alone_is_refused_without_a_users_images(name, images, capsys):
    assert cli.main(["run", "own_images", "--preset", "smoke", "-p", f'dataset="{name}"']) == 2
    told = capsys.readouterr()
    assert "`cdp explore`" in told.err
    assert (told.err.count("\n"), told.out) == (1, "")


def quick_classifiers(name):
    """Its classifiers after one pass each, under the names of those that are trained for long."""
    for kind, row in classifiers.rows(name).items():

        def make(batch_norm, kind=kind):
            return classifiers.build(kind, name, batch_norm=batch_norm)

        recipe = replace(row.recipe, epochs=2)
        model, facts = fitting.train(make, recipe, data.load(name))
        assert float(facts["test_accuracy"]) > 0.8, kind
        store.save_weights("classifier", classifiers.key(kind, name), model.state_dict(), facts)


@pytest.mark.parametrize(
    ("task", "betas", "points"), [("denoising", "[0,0.03]", 4), ("sr", "[0.03]", 2)]
)
def test_images_become_a_page_of_their_own_and_a_second_run_trains_nothing(
    task, betas, points, images, tmp_path, capfd
):
    name = own.register(pictures.read(images))
    quick_classifiers(name)
    out = tmp_path / "out"
    asked = ["explore", str(images), "--task", task, "--preset", "smoke", "--output", str(out)]
    for given in ("pretrain_steps=60", "steps=5", f"betas={betas}"):
        asked += ["-p", given]
    assert cli.main(asked) == 0
    told = capfd.readouterr()
    assert "bars: 2,000 grey images of 12 x 12 pixels, resized to 28 x 28" in told.out
    assert f"{points}/{points}" in told.err
    text = re.sub(r"<[^>]+>", "", (out / f"{explore.PAGE}.html").read_text())
    assert "across: 1,000, down: 1,000" in text
    assert "0 is across, 1 is down" in text
    assert "1,300 train, 200 validate, 500 test" in text
    assert f"dataset={name}" in text  # the command that makes the page again
    assert ("reduced by 3" in text) == (task == "sr")
    prose = text.partition("How this page was made")[0]
    assert not re.search(r"\bdigits?\b|MNIST|CIFAR", prose)
    kept = sorted((tmp_path / "cache" / "points").rglob("row.json"))
    assert len(kept) == points
    assert cli.main(asked) == 0
    assert f"{points}/{points}" not in capfd.readouterr().err
