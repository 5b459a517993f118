"""Keys know the code: an edited loss gives new points, words about it do not."""

import shutil

import numpy as np
import pytest

from cdplib.errors import InputError
from cdplib.experiments import classifiers, generation, settings
from cdplib.storage import store
from cdplib.sweeps import configuration, sweep

ALL = {"restorer", "critic", "point"}
LOSS = "loss = alpha * F.mse_loss(restored, clean)"


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Edits a file of a copy of cdplib/experiments, which then is the code whose digest counts."""
    copy = tmp_path / "experiments"
    for folder in (copy, *(tmp_path / name for name in ("sweeps", "storage"))):
        shutil.copytree(generation.FOLDER.parent / folder.name, folder)

    def clear():
        for kept in (generation._bindings, generation.digest, generation._job):
            kept.cache_clear()

    def edit(file, old, new):
        text = (copy / file).read_text()
        assert old in text
        (copy / file).write_text(text.replace(old, new, 1))
        clear()
        return generation.changed()

    monkeypatch.setattr(generation, "FOLDER", copy)
    clear()
    yield edit
    clear()


def test_the_code_that_trains_is_the_code_on_record():
    kinds = {*generation.ROOTS, "job", *(row.kind for row in classifiers.CLASSIFIERS)}
    assert kinds == set(generation.recorded()), "a classifier is new: record it"
    assert not generation.changed(), (
        f"the code that trains has changed: {', '.join(generation.changed())}. If `cdp compare "
        "book/results` shows equal numbers, record it by "
        "`python -m cdplib.experiments.generation`; else publish new rows"
    )


def test_an_edited_loss_gives_other_keys_and_old_points_are_not_shown(edited, tmp_path):
    points, kept = settings.plan("exp2", "smoke"), store.Store(tmp_path / "store")
    before = sweep.Sweep(points, kept, "cpu")
    row = dict.fromkeys(sweep.SHOWN, 0.5)
    for key in before.keys:
        kept.put(key, {}, store.Outcome(row, [], np.zeros((0, 1, 1, 1), np.uint8), b""))
    assert before.missing() == []
    start = configuration.of_start(points[0])
    assert "code" not in start | configuration.of_point(points[0])
    assert edited("losses.py", LOSS, LOSS.replace("mse", "l1")) == ["point"]
    after = sweep.Sweep(points, kept, "cpu")
    assert set(after.keys).isdisjoint(before.keys)
    assert len(after.missing()) == len(points)
    assert configuration.of_start(points[0]) == start  # it is trained without that loss
    with pytest.raises(InputError, match=r"--publish: the code that trains has changed \(point\)"):
        sweep.run("exp2", preset="smoke", folder=tmp_path / "store", publish=True)


def test_comments_docstrings_and_layout_change_no_key(edited):
    assert edited("losses.py", LOSS, f"# D\n    {LOSS[:-1]}\n    )") == []
    assert edited("losses.py", '"""Eq. 16:', '"""The loss:') == []
    assert edited("restoration.py", "class Trainer:", "class Trainer:\n") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("networks.py", "(32, 64, 5)", "(32, 64, 3)", ALL - {"critic"}),
        ("networks.py", "nn.LeakyReLU(0.2)]", "nn.LeakyReLU(0.1)]", ALL),
        ("perception.py", "JUDGE_RATE = 3e-3", "JUDGE_RATE = 1e-3", {"point"}),
        ("material.py", "self.sigma * noise", "noise", ALL),
        ("classifiers.py", "nn.MaxPool2d(2), nn.ReLU()", "nn.ReLU()", {"network/cnn1"}),
        ("restoration.py", "losses, networks", "measures as losses, networks", ALL),
        (
            "../sweeps/jobs.py",
            "p_critic(critic, clean, images)",
            "p_critic(critic, images, clean)",
            {"job"},
        ),
        (
            "../sweeps/jobs.py",
            '"critic", warm_key, *kept',
            '"critic", warm_key, *kept[:2]',
            {"job"},
        ),
        ("../storage/store.py", "tensor.half()", "tensor.bfloat16()", {"job"}),
        ("../sweeps/jobs.py", "SAMPLES = 20", "SAMPLES = 10", set()),
        ("data.py", "asking {source.title}", "trying {source.title}", set()),
        ("settings.py", "VERSION = 2", "VERSION = 2.0", set()),
    ],
)
def test_what_is_edited_decides_which_keys_change(edited, file, old, new, changed):
    assert set(edited(file, old, new)) == changed


def test_a_classifier_s_own_code_is_in_its_key_and_in_those_of_points_it_measures(edited):
    point = settings.plan("exp2", "smoke")[0]
    point_key, cnn1, mlp = (
        configuration.key(point),
        *(classifiers.key(name, "mnist") for name in ("cnn1", "mlp")),
    )
    assert edited("classifiers.py", "nn.Linear(400, 200)", "nn.Linear(400, 20)") == ["network/mlp"]
    assert classifiers.key("cnn1", "mnist") == cnn1
    assert classifiers.key("mlp", "mnist") != mlp
    assert configuration.key(point) != point_key


def test_a_new_classifier_or_data_set_changes_no_key(edited):
    new = "def wide():\n    pass\n\n\nCLASSIFIERS = (\n    Row(wide),"
    assert edited("classifiers.py", "CLASSIFIERS = (", new) == []
    assert edited("datasets.py", "DATASETS = {", "MORE = 1\nDATASETS = {") == []
