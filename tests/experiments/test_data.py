"""The data sets are the original bits, whatever is on the disk and whatever a source brings."""

from __future__ import annotations

import dataclasses
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch

from cdpbook import cli
from cdplib.errors import DataError, InputError
from cdplib.experiments import data, datasets
from cdplib.storage import sources

CONTENT = {
    "train_images": np.arange(3 * 4, dtype=np.uint8).reshape(3, 1, 2, 2),
    "train_labels": np.array([0, 1, 2], np.uint8),
    "test_images": np.full((2, 1, 2, 2), 7, np.uint8),
    "test_labels": np.array([3, 4], np.uint8),
}


def _change(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """MNIST's row with some columns changed."""
    row = dataclasses.replace(datasets.get("mnist"), **changes)
    monkeypatch.setitem(datasets.DATASETS, "mnist", row)


def _use(monkeypatch: pytest.MonkeyPatch, cache: Path, content: sources.Arrays = CONTENT) -> list:
    """A cache of its own, and sources that count how often they are asked."""
    asked: list[str] = []

    def unreachable(folder: Path) -> sources.Arrays:
        asked.append("first")
        raise sources.SourceError("cannot be reached (test)")

    def registry(folder: Path) -> sources.Arrays:
        asked.append("second")
        return content

    fakes = (sources.Source("the first", unreachable), sources.Source("the second", registry))
    monkeypatch.setenv("CDP_CACHE", str(cache))
    digests = {array: data.digest(CONTENT[array]) for array in sources.ARRAYS}
    _change(monkeypatch, sources=fakes, digests=digests)
    return asked


def test_a_fetched_set_is_kept_and_not_fetched_again(monkeypatch, tmp_path, capsys):
    asked = _use(monkeypatch, tmp_path)
    folder = data.fetch("mnist")
    said = capsys.readouterr().err
    assert "the first: cannot be reached (test)" in said
    assert "got it from the second" in said
    data.fetch("mnist")
    assert asked == ["first", "second"]
    kept = np.load(folder / "train_images.npy", allow_pickle=False)
    assert np.array_equal(kept, CONTENT["train_images"])


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def _flip(path: Path) -> None:
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(bytes(blob))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _swap(path: Path) -> None:
    path.write_bytes(path.with_name("test_labels.npy").read_bytes())


def _pickle(path: Path) -> None:
    np.save(path, np.array([object()]), allow_pickle=True)


@pytest.mark.parametrize("harm", [_truncate, _flip, _empty, _swap, _pickle])
def test_a_damaged_file_is_refused_by_name_and_fetched_again(monkeypatch, tmp_path, capsys, harm):
    asked = _use(monkeypatch, tmp_path)
    path = data.fetch("mnist") / "train_labels.npy"
    harm(path)
    capsys.readouterr()
    data.fetch("mnist")
    said = capsys.readouterr().err
    assert f"{path} is refused" in said
    assert "train_images.npy is refused" not in said
    assert asked == ["first", "second"] * 2
    assert np.array_equal(np.load(path, allow_pickle=False), CONTENT["train_labels"])


def test_a_source_with_other_content_is_never_used(monkeypatch, tmp_path):
    _use(monkeypatch, tmp_path, CONTENT | {"test_labels": np.array([3, 5], np.uint8)})
    with pytest.raises(DataError, match="test_labels are not the data set's") as caught:
        data.fetch("mnist")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.npy"))


def test_the_command_ends_with_1_where_no_source_answers_and_2_for_an_unknown_name(
    monkeypatch, tmp_path, capsys
):
    _use(monkeypatch, tmp_path)
    _change(monkeypatch, sources=datasets.get("mnist").sources[:1])
    assert cli.main(["data", "mnist"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("cdp: no source of the data set")
    assert cli.main(["data", "minst"]) == 2
    assert "did you mean 'mnist'?" in capsys.readouterr().err
    with pytest.raises(InputError, match="unknown data set 'svhn'"):
        data.load("svhn")


def test_one_unknown_name_among_others_is_refused_before_anything_is_fetched(
    monkeypatch, tmp_path, capsys
):
    asked = _use(monkeypatch, tmp_path)
    assert cli.main(["data", "mnist", "foo"]) == 2
    assert "unknown data set 'foo'" in capsys.readouterr().err
    assert asked == []


def _fetch_in_process(cache: str, counter) -> None:
    def slow(folder: Path) -> sources.Arrays:
        with counter.get_lock():
            counter.value += 1
        import time

        time.sleep(0.3)
        return CONTENT

    patch = pytest.MonkeyPatch()
    _use(patch, Path(cache))
    _change(patch, sources=(sources.Source("slow", slow),))
    data.fetch("mnist")


def test_two_processes_fetch_at_once_and_one_does_the_work(tmp_path):
    context = multiprocessing.get_context("spawn")
    counter = context.Value("i", 0)
    workers = [
        context.Process(target=_fetch_in_process, args=(str(tmp_path), counter)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert counter.value == 1


def test_broken_idx_and_record_files_are_refused_by_name():
    good = b"\0\0\x08\x01\0\0\0\x02ab"
    assert sources.read_idx(good, "labels").tolist() == [97, 98]
    short = b"\0\0\x08\x03\0\0\0\x02"  # ends within its shape
    for blob in (good[:-1], good + b"c", b"\0\0\x0d" + good[3:], b"", short):
        with pytest.raises(sources.SourceError, match="labels"):
            sources.read_idx(blob, "labels")
    with pytest.raises(sources.SourceError, match="batch"):
        sources.read_records(b"\0" * 3072, "batch")


def test_a_picture_that_would_fill_the_memory_is_no_readable_one(monkeypatch):
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (1024, 3)).save(stream, "png")
    assert sources.read_png_rows(stream.getvalue(), "batch").shape == (3, 3, 32, 32)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1024)
    with pytest.raises(sources.SourceError, match="batch is not a readable PNG"):
        sources.read_png_rows(stream.getvalue(), "batch")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nshort", "the download broke off"),
        (b"junk\r\n\r\n", "cannot be reached"),
    ],
)
def test_a_server_that_breaks_off_or_talks_junk_is_passed_over(monkeypatch, answer, said):
    import socketserver
    import threading

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(answer)

    monkeypatch.setenv("no_proxy", "*")
    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            with pytest.raises(sources.SourceError, match=said):
                sources.download(f"http://127.0.0.1:{server.server_address[1]}/x")
        finally:
            server.shutdown()


def test_a_server_that_never_answers_costs_seconds(monkeypatch):
    import socket

    with socket.socket() as silent:  # accepts the connection, says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setattr(sources, "PROBE_SECONDS", 0.2)
        monkeypatch.setenv("no_proxy", "*")
        with pytest.raises(sources.SourceError, match="cannot be reached"):
            sources.download(f"http://127.0.0.1:{silent.getsockname()[1]}/x")


def test_the_digest_sees_type_and_shape():
    array = np.zeros((2, 3), np.uint8)
    variants = [array, array.T, array.astype(np.int8), array + np.uint8(1)]
    assert len({data.digest(a) for a in variants}) == len(variants)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "train", "shape"),
    [
        ("mnist", 55_000, (1, 28, 28)),
        ("fashion-mnist", 55_000, (1, 28, 28)),
        ("cifar10", 45_000, (3, 32, 32)),
    ],
)
def test_the_splits_are_those_of_the_release(name, train, shape):
    dataset = data.load(name)
    assert [len(dataset.split(s)) for s in ("train", "validation", "test")] == [train, 5000, 10000]
    assert (dataset.channels, dataset.size, dataset.size) == shape
    images, labels = dataset.train.tensors(slice(0, 100))
    assert images.shape == (100, *shape)
    assert images.dtype == torch.float32
    assert 0 <= float(images.min()) < float(images.max()) <= 1
    assert labels.dtype == torch.int64
    assert set(np.unique(dataset.test.labels)) == set(range(10))
    with pytest.raises(ValueError, match="read-only"):
        dataset.validation.images[0] = 0


@pytest.mark.data
def test_mnist_validation_is_the_first_5000_and_cifars_is_drawn_once_for_all():
    dataset = data.load("mnist")
    assert dataset.validation.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert dataset.train.labels[:5].tolist() == [7, 3, 4, 6, 1]
    chosen = data.validation_indices(50_000)
    assert len(set(chosen.tolist())) == 5000
    assert chosen[:3].tolist() == [14, 22, 24]
    cifar = data.load("cifar10")
    classes = np.bincount(cifar.train.labels) + np.bincount(cifar.validation.labels)
    assert classes.tolist() == [5000] * 10
