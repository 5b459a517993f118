"""What is published comes back: rows count as trained, shipped restorers give their numbers."""

import dataclasses
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from cdpbook import checked, conditional, live, runs
from cdpbook.studies import costs
from cdplib.errors import DataError, InputError
from cdplib.experiments import measures, results, settings
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import files, paths, store
from cdplib.sweeps import compare, configuration, jobs, pools, publication, sweep

pytestmark = pytest.mark.data

TINY = {
    **{"steps": 2, "pretrain_steps": 2, "warm_steps": 1, "test_images": 200, "width": 8},
    **{"betas": [0.0, 0.1], "gammas": [0.0, 0.1]},
}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A book's results folder after a tiny sweep of four points, with its store."""
    folder = tmp_path_factory.mktemp("book")
    jobs.classifiers.get("cnn1", "mnist")  # the shipped one, before the folder is another
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "PUBLISHED", folder / "results")
        # The tiny weights must not stay in the user's cache; the classifiers are in the book's.
        patch.setattr(store, "weights_path", lambda kind, key: folder / f"{kind}-{key}.safetensors")
        shipped = store.shipped_folder
        patch.setattr(store, "shipped_folder", lambda: paths.BOOK / "results" / "weights")
        points = settings.plan("exp2", "smoke", TINY)
        ran = sweep.Sweep(points, store.Store(folder / "store"), "cpu")
        ran.train(pools.local(1))
        patch.setattr(store, "shipped_folder", shipped)
        publication.publish(ran.rows(), ran.keys, ran.store, "")
    return folder / "results", ran


@pytest.fixture
def book(published, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", published[0])
    return published[1]


@pytest.fixture
def row(book, monkeypatch):
    """The first published row, with what it changes of its preset; classifiers of the real book."""
    (first, *_) = results.load("exp2").to_dict("records")
    model = jobs.classifiers.get("cnn1", "mnist")
    monkeypatch.setattr(live.classifiers, "get", lambda name, dataset: model)
    variant = settings.variant("exp2", "smoke", settings.resolve("exp2", "smoke", TINY))
    if not (paths.PUBLISHED / "checked.npz").is_file():
        every = results.load("exp2").assign(variant=variant).to_dict("records")
        checked.write(row for row in every if publication.is_shipped(row))
    checked._published.cache_clear()
    yield {**first, "variant": variant}
    checked._published.cache_clear()


def test_every_finished_point_is_published_with_samples_and_weights(book):
    table = results.load("exp2")
    assert len(table) == 4
    assert set(results.samples("exp2")) == {*table["config_hash"], "clean", "degraded", "labels"}
    names = json.loads((store.shipped_folder() / "digests.json").read_text())
    kinds = [name.partition("-")[0] for name in names]
    assert kinds.count("point") == 4
    assert kinds.count("restorer") == kinds.count("critic") == 1


def test_a_published_row_counts_as_trained_in_either_precision(book, tmp_path):
    points = list(book.keys.values())
    for precision in ("bf16", "fp32"):
        keys = {configuration.key(p, precision=precision): p for p in points}
        assert len(publication.rows(keys)) == 4
    elsewhere = sweep.Sweep(points, store.Store(tmp_path), "cpu")
    assert len(elsewhere.missing()) == 4
    elsewhere.published = publication.rows(elsewhere.keys)
    assert elsewhere.missing() == []
    assert len(elsewhere.rows()) == 4


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("config_hash", "zz", "config_hash='zz': expected 64 hexadecimal digits"),
        ("config_hash", "0" * 64, "has changed since this row was published"),
        ("seed", 1.5, "seed=1.5: expected a whole number"),
        ("precision", "fp16", "precision='fp16': expected bf16 or fp32"),
    ],
)
def test_a_row_of_no_trained_point_is_not_compared(row, column, value, said):
    assert compare.point_of(row)
    other = "bf16" if row["precision"] == "fp32" else "fp32"
    with pytest.raises(DataError, match="has changed"):  # its hash is of its own precision
        compare.point_of({**row, "precision": other})
    with pytest.raises((InputError, DataError), match=said):
        compare.point_of({**row, column: value})


def test_a_row_of_other_settings_does_not_count(book):
    longer = [
        dataclasses.replace(p, settings=p.settings._replace(steps=3)) for p in book.keys.values()
    ]
    assert publication.rows({configuration.key(p): p for p in longer}) == {}


def test_a_shipped_restorer_gives_its_row_digit_for_digit(row):
    point, model = checked.restorer(row)
    restored, clean, labels = jobs.restored(point, model, torch.device("cpu"))
    cnn1 = live.classifiers.get("cnn1", "mnist")
    wrong = measures.wrong(measures.outputs(cnn1, restored), labels)
    squared_error = measures.squared_error(restored, clean)
    assert measures.mean(squared_error) == pytest.approx(row["mse"], rel=1e-8)
    assert measures.mean(wrong) == row["error_rate"]
    # The values published image by image are of the same images, which come first.
    images = checked.published(row)
    assert images.squared_error[:200] == pytest.approx(squared_error.numpy(), rel=1e-4)
    assert ((images.classes[:200] != labels.numpy()) == wrong.numpy()).all()


def test_the_page_s_check_says_which_restorers_differ(book, row, monkeypatch):
    table = results.load("exp2").assign(variant=row["variant"])
    own = settings.resolve("exp2", "smoke", TINY)
    run = runs.Run("exp2", own, "smoke", table, True)
    said = live.restorers(run, 2)
    assert "2 of 2 give the digits published" in said
    now = checked.run
    changed = np.full(checked.IMAGES, 10)
    monkeypatch.setattr(checked, "run", lambda row: now(row)._replace(classes=changed))
    said = live.restorers(run, 2)
    assert "0 of 2" in said
    assert "**no**" in said
    monkeypatch.setattr(checked, "run", now)
    assert "Nothing was checked" in live.restorers(run, 0)
    run.published = False  # as if trained here: beside the published ones, which they equal
    assert "12 of 12 differences are within" in live.restorers(run, 2)


def test_a_second_training_is_recorded_with_when_and_where_and_shown(book, row, monkeypatch):
    again = {**row, "mse": 2 * row["mse"], "hardware": "another machine", "torch": "9.9"}
    table = results.load("exp2").assign(preset="quick", variant=row["variant"])
    own = settings.resolve("exp2", "smoke", TINY)
    run = runs.Run("exp2", own, "smoke", table, True)
    monkeypatch.setattr(live.results, "load", lambda *names, **columns: table)
    monkeypatch.setattr(compare, "cheapest", lambda rows: row)
    monkeypatch.setattr(compare, "again", lambda row: pytest.fail("a page trains"))
    assert "is on record; `train_again=true`" in live.training(run)
    for _ in range(2):  # a later one replaces the former
        compare.record(row, again, compare.differences(row, again))
    found = compare.recorded(row)
    assert len(found) == len(compare.differences(row, again))
    said = live.training(run)
    assert "on another machine, torch 9.9" in said
    assert "**no**" in said
    assert f"{len(found) - 1} of {len(found)} columns are inside" in said
    assert compare.recorded({**row, "mse": 3 * row["mse"]}).empty  # of other values
    (paths.PUBLISHED / "compared.csv").unlink()
    monkeypatch.setattr(compare, "again", lambda row: again)
    assert "trained again for this page" in live.training(run, now=True)
    assert not (paths.PUBLISHED / "compared.csv").exists()


def test_changed_weights_are_refused(book, row):
    file = store.shipped_folder() / store.shipped_name("point", row["config_hash"])
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(DataError, match="digest"):
            checked.run(row)
    finally:
        file.write_bytes(content)


def test_ablations_publish_rows_only(book, monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    publication.publish(book.rows("critic=clip"), book.keys, book.store, "critic=clip")
    assert len(results.load("exp2", variant="critic=clip")) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == [".publishing.lock", "exp2.csv"]


def test_who_publishes_into_a_book_waits_for_another_whatever_their_caches(
    book, monkeypatch, tmp_path
):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    wrote = []
    monkeypatch.setattr(results, "publish", lambda name, rows: wrote.append(name))
    code = (
        "import sys; from pathlib import Path; from cdplib.storage import paths\n"
        "from cdplib.sweeps import publication\n"
        "paths.PUBLISHED = Path(sys.argv[1])\n"
        "def write(name, rows):\n    print('writing', flush=True); sys.stdin.readline()\n"
        "publication.results.publish = write\n"
        "publication.publish([{'experiment': 'exp2'}], {}, None, 'a variant')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "CDP_CACHE": str(tmp_path / "another cache")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "writing"
        ours = threading.Thread(
            target=publication.publish, args=([{"experiment": "exp1"}], {}, book.store, "a variant")
        )
        ours.start()
        ours.join(0.5)
        assert wrote == []
        other.communicate("\n")
        ours.join(30)
    assert wrote == ["exp1"]


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """An empty folder of shipped weights, a cache without any, and the sources to ship from."""
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path / "results")
    monkeypatch.setenv("CDP_CACHE", str(tmp_path / "cache"))
    found = {}
    for key in ("a" * 64, "b" * 64):
        source = tmp_path / f"{key}.safetensors"
        source.write_bytes(store.to_bytes({"w": torch.ones(2)}))
        found[store.shipped_name("point", key)] = source
    return found


def test_a_file_that_has_no_digest_yet_is_not_among_the_shipped(shipped, monkeypatch):
    _, second = shipped
    copy = store.shutil.copyfile

    def killed(source, target):
        copy(source, target)
        if source == shipped[second]:
            raise KeyboardInterrupt

    monkeypatch.setattr(store.shutil, "copyfile", killed)
    with pytest.raises(KeyboardInterrupt):
        store.ship(shipped)
    assert store.load_weights("point", "a" * 64) is not None
    (store.shipped_folder() / second).write_bytes(b"half of it")
    assert store.load_weights("point", "b" * 64) is None
    assert not store.is_shipped("point", "b" * 64)
    monkeypatch.setattr(store.shutil, "copyfile", copy)
    assert [path.name for path in store.ship(shipped)] == [second]
    assert store.load_weights("point", "b" * 64) is not None
    assert store.ship(shipped) == []


def test_weights_that_are_replaced_are_never_there_with_the_old_digest(shipped, monkeypatch):
    store.ship(shipped)
    first = next(iter(shipped))
    shipped[first].write_bytes(store.to_bytes({"w": torch.zeros(2)}))
    write = store._write_digests
    monkeypatch.setattr(store, "_write_digests", lambda digests: [write(digests), during()])
    seen = []

    def during():
        kept = store.load_weights("point", "a" * 64)
        seen.append(None if kept is None else kept[0]["w"].tolist())

    store.ship(shipped)
    assert seen == [None, [0.0, 0.0]]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_list_of_digests_is_one_line(shipped, text):
    store.ship(shipped)
    (store.shipped_folder() / "digests.json").write_text(text)
    with pytest.raises(DataError, match=r"digests\.json: damaged") as caught:
        store.load_weights("point", "a" * 64)
    assert "\n" not in str(caught.value)


def test_the_corners_are_the_ends_of_both_weights():
    points = settings.points("exp2", "quick", settings.resolve("exp2", "quick", {"seeds": [1, 0]}))
    found = {(p.seed, p.beta, p.gamma) for p in publication.corners(points)}
    assert found == {(0, b, g) for b in (0.0, 0.03) for g in (0.0, 0.03)}


def test_kept_weights_are_half_the_size_and_what_was_measured():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4))
    kept = store.rounded(model.state_dict())
    assert kept["0.weight"].dtype == torch.float16
    assert kept["1.running_var"].dtype == torch.float32
    model.load_state_dict(kept)
    again = store.rounded(model.state_dict())
    assert all(np.array_equal(kept[name].numpy(), again[name].numpy()) for name in kept)


def test_every_file_of_the_book_s_weights_has_its_digest_and_is_of_a_row_or_classifier():
    folder = paths.BOOK / "results" / "weights"
    digests = json.loads((folder / "digests.json").read_text())
    assert sorted(p.name for p in folder.glob("*.safetensors")) == sorted(digests)
    for name, digest in digests.items():
        assert files.sha256(folder / name) == digest, name
    rows = costs.published()
    wanted = {store.shipped_name("point", key) for key in rows["config_hash"]}
    for row in rows[rows["variant"] == ""].to_dict("records"):
        if row["dataset"] != EXPERIMENTS[row["experiment"]].dataset:
            continue
        point = compare.point_of(row)
        for seed in (0, 1, 2):  # starts come before the points of their seed
            job = jobs.Job("points", dataclasses.replace(point, seed=seed))
            wanted |= {store.shipped_name(*pair) for pair in jobs.needed(job)}
    wanted.add(store.shipped_name(conditional.KIND, conditional.key()))
    assert set(digests) <= wanted


def test_every_restorer_of_the_book_has_its_values_image_by_image():
    checked._published.cache_clear()
    shipped = checked.rows()
    assert shipped
    for row in shipped:
        values = checked.published(row)
        assert values is not None, row["config_hash"]
        assert len(values.squared_error) == len(values.classes) == checked.IMAGES
        # A sample of the row's own images: five standard errors of it around the row's value.
        se = values.squared_error.std() / checked.IMAGES**0.5
        assert abs(values.squared_error.mean() - row["mse"]) < 5 * se + 5 * row["mse_se"]


def test_images_that_gamma_turns_come_first_and_are_counted(book, row, monkeypatch):
    table = results.load("exp2").assign(variant=row["variant"])
    run = runs.Run("exp2", settings.resolve("exp2", "smoke", TINY), "smoke", table, True)
    shown, said = live.turned(run, count=6)
    assert len(shown["labels"]) == 6
    assert set(shown["restored"]) == set(zip(table["beta"], table["gamma"], strict=True))
    beta, gamma = table["beta"].min(), table["gamma"].max()
    assert f"of the first 500 test images, at β = {beta:g} γ = {gamma:g} turns" in said
    changed = [
        any((read[beta, 0.0] != read[beta, gamma])[i] for beta in table["beta"].unique())
        for read in [shown["predicted"]]
        for i in range(6)
    ]
    assert changed == sorted(changed, reverse=True)
    run.table = table[table["gamma"] == 0]
    monkeypatch.setattr(runs.Run, "images", lambda self, count: {"count": count})
    assert live.turned(run)[0] == {"count": 12}
