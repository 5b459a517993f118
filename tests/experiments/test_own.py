"""A user's own data set is kept by its digest, split once, and never takes another's place."""

import json

import numpy as np
import pytest

from cdplib.errors import DataError, InputError
from cdplib.experiments import classifiers, data, datasets, networks, own, settings
from cdplib.experiments.pictures import Pictures
from cdplib.sweeps import configuration, sweep


def mine(n=2_000, size=28, channels=1, seed=0):
    draw = np.random.RandomState(seed)
    images = draw.randint(0, 256, (n, channels, size, size)).astype(np.uint8)
    return Pictures("mine", images, (np.arange(n) % 3).astype(np.uint8), ("a", "b", "c"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CDP_CACHE", str(tmp_path))
    return tmp_path / "data"


def test_every_image_trains_validates_or_tests_once_and_keeps_its_label():
    given = mine()
    name = own.register(given)
    whole = data.load(name)
    sizes = [len(part) for part in (whole.train, whole.validation, whole.test)]
    assert sizes == [1_300, data.VALIDATION, 500]
    number = {image.tobytes(): i for i, image in enumerate(given.images)}
    parts = {}
    for part in ("train", "validation", "test"):
        split = whole.split(part)
        found = np.array([number[image.tobytes()] for image in split.images])
        assert np.array_equal(split.labels, given.labels[found])
        parts[part] = found
    # 200 validate, each as often as any other
    assert set(np.bincount(parts["validation"])) == {0, data.VALIDATION // 200}
    every = np.concatenate([np.unique(found) for found in parts.values()])
    assert np.array_equal(np.sort(every), np.arange(2_000))


def test_large_sets_have_no_repeated_image_and_the_books_numbers():
    arrays, counts = own.split(mine(n=60_000))
    assert counts == {"train": 45_000, "validation": data.VALIDATION, "test": 10_000}
    assert len(arrays["train_images"]) == 50_000


@pytest.mark.parametrize(("given", "used"), [(8, 28), (27, 28), (28, 28), (29, 32), (64, 32)])
def test_images_have_a_side_that_critics_take(given, used):
    images = mine(n=4, size=given, channels=3).images
    found = own.as_used(images)
    assert found.shape == (4, 3, used, used)
    if given == used:
        assert np.array_equal(found, images)
    critic = networks.Critic(3)
    assert critic(data.to_tensor(found)).shape == (4,)


def test_resizing_keeps_channels_apart_and_a_flat_image_flat():
    images = np.empty((1, 3, 40, 40), np.uint8)
    images[0] = np.array([10, 100, 250])[:, None, None]
    assert np.array_equal(own.as_used(images), images[:, :, :32, :32])


def test_equal_images_are_one_set_and_one_other_pixel_makes_another():
    name = own.register(mine())
    assert own.register(mine()) == name
    other = mine()
    other.images[0, 0, 0, 0] ^= 1
    assert own.register(other) != name

    def key(dataset):
        found = settings.resolve("exp2", "smoke", {"dataset": dataset})
        return configuration.key(settings.points("exp2", "smoke", found)[0])

    keys = {key(dataset) for dataset in (name, own.register(other), "mnist")}
    assert len(keys) == 3
    assert classifiers.key("cnn1", name) != classifiers.key("cnn1", own.register(other))


def test_a_set_whose_pixels_changed_on_the_disk_is_refused(cache):
    name = own.register(mine())
    path = cache / name / "test_images.npy"
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(blob)
    with pytest.raises(DataError, match="gave it"):
        data.load(name)


def test_a_set_that_calls_itself_another_or_is_not_there_is_refused(cache):
    name = own.register(mine())
    other = own.register(mine(seed=1))
    about = (cache / other / datasets.ABOUT).read_text()
    (cache / name / datasets.ABOUT).write_text(about)
    datasets._own.cache_clear()
    with pytest.raises(InputError, match=f"it is {other}"):
        datasets.get(name)
    for broken in ("", "{", json.dumps({"title": "mine"})):
        (cache / name / datasets.ABOUT).write_text(broken)
        with pytest.raises(InputError, match="give its images to `cdp explore`"):
            datasets.get(name)
    with pytest.raises(InputError, match="this machine does not have it"):
        datasets.get("own-0123456789abcdef")
    with pytest.raises(InputError, match="unknown data set"):
        datasets.get("own-../mnist")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("experiment", ["exp2", "exp5"])
def test_any_experiment_takes_it_reads_it_by_cnn1_and_measures_no_more_images_than_there_are(
    experiment, channels
):
    name = own.register(mine(channels=channels))
    found = settings.resolve(experiment, "quick", {"dataset": name})
    assert (found.classifier, found.test_images) == ("cnn1", 500)
    assert settings.resolve(experiment, "quick").test_images == 10_000
    roles = [row.role for row in classifiers.rows(name).values()]
    assert sorted(roles) == ["extractor", "independent", "predefined"]


def test_fewer_images_are_passed_over_more_often(cache):
    name = own.register(mine())
    about = json.loads((cache / name / datasets.ABOUT).read_text())
    passes = []
    for count in (1_300, 13_000, 130_000):
        like = datasets.own_row(name, {**about, "counts": {"train": count, "test": 500}}).like
        (row,) = (r for r in classifiers.CLASSIFIERS if (r.dataset, r.name) == (like, "cnn1"))
        passes.append(row.recipe.epochs)
    assert passes == sorted(passes, reverse=True)
    assert len(set(passes)) == 3


def test_a_users_images_are_never_published():
    name = own.register(mine())
    with pytest.raises(InputError, match="--publish"):
        sweep.run("exp2", {"dataset": name}, preset="smoke", publish=True)
