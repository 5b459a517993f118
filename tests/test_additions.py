"""A data set, a classifier and a sixth experiment are each added in one place, and then run.

In a copy of the tree, on images made here, with recipes of one epoch: real but tiny.
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from cdplib.experiments import data
from cdplib.storage import paths, sources

TINY = {"pretrain_steps": 2, "warm_steps": 1, "steps": 2, "batch": 20, "test_images": 100}
SWEEP = """
import json, sys
from pathlib import Path
from cdplib.sweeps import sweep
experiment, given = sys.argv[1], json.loads(sys.argv[2])
table = sweep.run(experiment, given, preset="smoke", workers=1, where="cpu", folder=Path("store"))
print(table.to_json(orient="records"))
"""


class Tree:
    """A copy of what a sweep needs; every change to it is counted."""

    def __init__(self, root):
        self.root, self.added = root, {}
        for folder in ("cdplib", "params"):
            shutil.copytree(paths.ROOT / folder, root / folder)
        (root / "book").mkdir()
        for chapter in paths.BOOK.glob("*.py"):  # presets have sections of their names
            (root / "book" / chapter.name).touch()
        self.change("cdplib/experiments/data.py", "VALIDATION = 5_000", "VALIDATION = 200")
        recipes = root / "cdplib/experiments/classifiers.py"
        recipes.write_text(re.sub(r"Recipe\(\d+,", "Recipe(1,", recipes.read_text()))
        self.change("cdplib/experiments/perception.py", "ITERATIONS = 250", "ITERATIONS = 10")
        self.added = {}

    def counted(self):
        """Lines added to each file since this was asked last."""
        found, self.added = self.added, {}
        return found

    def change(self, file, old, new):
        path = self.root / file
        before = path.read_text()
        assert before.count(old) == 1, old
        path.write_text(before.replace(old, new))
        lines = difflib.ndiff(before.splitlines(), path.read_text().splitlines())
        self.added[file] = self.added.get(file, 0) + sum(line[0] == "+" for line in lines)

    def sweep(self, experiment, **given):
        own = {"PYTHONPATH": str(self.root), "CDP_CACHE": str(self.root / "cache")}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SWEEP, experiment, json.dumps(given)],
            cwd=self.root,
            env=os.environ | own,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def tree(tmp_path):
    """The copy, with a data set of bright squares that it does not know yet on the disk."""
    root = tmp_path / "tree"
    draw = np.random.RandomState(0)
    (root / "squares").mkdir(parents=True)
    for split, n in (("train", 400), ("test", 100)):
        labels = draw.randint(0, 10, n).astype(np.uint8)
        images = draw.randint(0, 80, (n, 1, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 2 * label : 2 * label + 8, 8:20] = 250
        np.save(root / "squares" / f"{split}_images.npy", images)
        np.save(root / "squares" / f"{split}_labels.npy", labels)
    return Tree(root)


def test_a_data_set_a_classifier_and_an_experiment_are_each_added_in_one_place(tree, capsys):
    added = {
        "a data set": _data_set(tree),
        "a classifier": _classifier(tree),
        "an experiment": _experiment(tree),
    }
    assert list(added["a data set"]) == ["cdplib/experiments/datasets.py"]
    assert list(added["a classifier"]) == ["cdplib/experiments/classifiers.py"]
    assert sorted(added["an experiment"]) == ["cdplib/experiments/table.py", "params/smoke.yml"]
    with capsys.disabled():
        for what, files in added.items():
            said = ", ".join(f"{file} (+{lines} lines)" for file, lines in files.items())
            print(f"\n{what}: {said}", end="")


def _data_set(tree):
    """A row, with the function that reads its arrays; a sweep's point on it."""
    arrays = {name: np.load(tree.root / "squares" / f"{name}.npy") for name in sources.ARRAYS}
    digests = "".join(
        f'                "{name}": "{data.digest(a)}",\n' for name, a in arrays.items()
    )
    reader = (
        "def _squares(folder: Path) -> Arrays:\n"
        f"    kept = Path({str(tree.root / 'squares')!r})\n"
        '    return {path.stem: np.load(path) for path in kept.glob("*.npy")}\n\n\n'
    )
    row = (
        '        Row(\n            *("squares", "Squares", 1, 28),\n'
        f"            {{\n{digests}            }},\n"
        '            (Source("the disk", _squares),),\n            like="mnist",\n        ),\n'
    )
    table = "DATASETS = {\n    row.name: row\n    for row in (\n"
    tree.change("cdplib/experiments/datasets.py", table, reader + table + row)
    (found,) = tree.sweep("exp2", dataset="squares", betas=[0.01], gammas=[0.01], **TINY)
    assert found["dataset"] == "squares"
    assert found["classifier"] == "cnn1"
    assert 0 < found["mse"] < 1
    return tree.counted()


def _classifier(tree):
    """A row and its network; a point that is trained against it, measured by the others too."""
    table = "CLASSIFIERS = (\n"
    network = (
        "def pooled(channels: int, size: int, batch_norm: bool) -> Classifier:\n"
        "    body = nn.Sequential(nn.AvgPool2d(2), nn.Flatten())\n"
        "    return Classifier(body, nn.Linear(channels * (size // 2) ** 2, 10))\n\n\n"
    )
    row = '    Row("pooled", "coarse", "mnist", pooled, Recipe(9, 0.01, batch=20), "predefined"),\n'
    tree.change("cdplib/experiments/classifiers.py", table, network + table + row)
    given = {"dataset": "squares", "classifier": "pooled", "betas": [0.01], "gammas": [0.01]}
    (found,) = tree.sweep("exp2", **given, **TINY)
    assert found["classifier"] == "pooled"
    assert 0 <= found["error_rate"] < 0.9  # ten kinds of squares: better than chance
    assert found["error_rate_cnn1"] is not None
    return tree.counted()


def _experiment(tree):
    """A row and a section of a preset; its two points, on the data set that was added."""
    last = '        Experiment("exp5"'
    row = '        Experiment("exp6", "Squares x4, CNN-2", "squares", "sr", "cnn2", factor=4),\n'
    tree.change("cdplib/experiments/table.py", last, row + last)
    section = "exp6:\n" + "".join(f"  {name}: {value}\n" for name, value in TINY.items())
    tree.change("params/smoke.yml", "exp5:\n", section + "  gammas: [0.0, 0.01]\nexp5:\n")
    found = tree.sweep("exp6", betas=[0.01])
    assert [row["gamma"] for row in found] == [0.0, 0.01]
    assert all(row["experiment"] == "exp6" and row["mse"] < 1 for row in found)
    assert all(0 <= row["error_rate_pooled"] <= 1 for row in found)
    assert {row["steps"] for row in found} == {TINY["steps"]}
    return tree.counted()
