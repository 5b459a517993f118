"""A user's images are read as they are, and whatever is wrong with them is one line."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from cdplib.errors import InputError
from cdplib.experiments import pictures

DRAWN = np.random.RandomState(0)
GREY = DRAWN.randint(0, 256, (2_000, 8, 8)).astype(np.uint8)
TWO = np.arange(2_000) % 2


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def folders(path, kinds=(("cat", 1_000), ("dog", 1_000)), size=(8, 8), mode="L", suffix="png"):
    """Folders of copies of one file each, which decode as fast as any."""
    for name, count in kinds:
        folder = path / name
        folder.mkdir(parents=True)
        stream = io.BytesIO()
        shape = (*size, 3) if mode == "RGB" else size
        pixels = DRAWN.randint(0, 256, shape).astype(np.uint8)
        Image.fromarray(pixels).convert(mode).save(stream, {"jpg": "JPEG"}.get(suffix, suffix))
        for i in range(count):
            (folder / f"{i:04d}.{suffix}").write_bytes(stream.getvalue())
    return path


def test_an_npz_is_read_pixel_for_pixel(tmp_path):
    found = pictures.read(saved(tmp_path / "mine.npz", images=GREY, labels=5 * TWO - 1))
    assert (found.title, found.classes) == ("mine", ("-1", "4"))
    assert np.array_equal(found.images[:, 0], GREY)
    assert np.array_equal(found.labels, TWO)
    colours = DRAWN.randint(0, 256, (2_000, 9, 9, 3)).astype(np.uint8)
    named = np.array(["cat", "dog"])[TWO]
    found = pictures.read(saved(tmp_path / "mine.npz", images=colours, labels=named))
    assert np.array_equal(found.images.transpose(0, 2, 3, 1), colours)
    assert found.classes == ("cat", "dog")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_between_0_and_1_become_the_nearest_bytes(tmp_path, dtype):
    images = GREY.astype(dtype) / dtype(255)
    found = pictures.read(saved(tmp_path / "a.npz", images=images, labels=TWO))
    assert np.abs(found.images[:, 0].astype(int) - GREY).max() <= (dtype is np.float16)


@pytest.mark.parametrize(("mode", "suffix", "channels"), [("L", "png", 1), ("RGB", "png", 3),
                                                          ("RGB", "jpg", 3)])  # fmt: skip
def test_folders_of_files_are_classes_in_the_order_of_their_names(tmp_path, mode, suffix, channels):
    root = folders(tmp_path / "pets", mode=mode, suffix=suffix)
    (root / "dog" / "notes.txt").write_text("not an image")
    (root / ".hidden").mkdir()
    found = pictures.read(root)
    assert (found.title, found.classes) == ("pets", ("cat", "dog"))
    assert found.images.shape == (2_000, channels, 8, 8)
    assert np.bincount(found.labels).tolist() == [1_000, 1_000]
    with Image.open(root / "dog" / f"0000.{suffix}") as image:
        wanted = np.asarray(image).reshape(8, 8, channels).transpose(2, 0, 1)
    assert np.array_equal(found.images[-1], wanted)


def wrong_arrays(**changed):
    """Name of the test, what is saved, what the refusal says."""
    return {"images": GREY, "labels": TWO, **changed}


SIZES = {
    "1,999 images": (wrong_arrays(images=GREY[1:], labels=TWO[1:]), "1,999 images: expected 2,000"),
    "65 pixels": (wrong_arrays(images=np.zeros((2_000, 65, 65), np.uint8)), "65 x 65 pixels: expe"),
    "7 pixels": (wrong_arrays(images=GREY[:, :7, :7]), "7 x 7 pixels: expected squares of 8 to 64"),
    "no square": (wrong_arrays(images=np.zeros((2_000, 8, 9), np.uint8)), "8 x 9 pixels: expected"),
    "4 channels": (wrong_arrays(images=np.zeros((2_000, 8, 8, 4), np.uint8)), "4 channels: expect"),
    "channels first": (wrong_arrays(images=np.zeros((2_000, 3, 8, 8), np.uint8)), "3 x 8 pixels"),
    "one axis": (wrong_arrays(images=np.zeros(2_000, np.uint8)), "expected (n, h, w) or (n, h, w"),
    "whole numbers": (wrong_arrays(images=GREY.astype(int)), "type int64: expected uint8, or floa"),
    "nan": (wrong_arrays(images=np.full((2_000, 8, 8), np.nan)), "from nan to nan: expected float"),
    "inf": (wrong_arrays(images=np.full((2_000, 8, 8), np.inf)), "from inf to inf"),
    "floats of 255": (wrong_arrays(images=GREY.astype(float)), "to 255: expected floats in [0, 1]"),
    "bytes of 1": (wrong_arrays(images=GREY % 2), "no pixel is above 1 of 255"),
    "labels too few": (wrong_arrays(labels=TWO[1:]), "labels of shape (1999,): expected (2000,)"),
    "labels in columns": (wrong_arrays(labels=np.eye(2)[TWO]), "labels of shape (2000, 2)"),
    "labels of floats": (wrong_arrays(labels=TWO / 2), "type float64: expected integers or names"),
    "one class": (wrong_arrays(labels=0 * TWO), "1 class: expected 2 to 10"),
    "11 classes": (wrong_arrays(labels=np.arange(2_000) % 11), "11 classes: expected 2 to 10"),
    "a rare class": (wrong_arrays(labels=np.arange(2_000) // 1_901), "'1' has 99 images: expected"),
    "a pickle": (wrong_arrays(labels=TWO.astype(object)), "labels is a pickle (dtype object), whi"),
    "pickled images": (wrong_arrays(images=GREY.astype(object)), "images is a pickle"),
    "another name": ({"x": GREY, "y": TWO}, "no array 'images', it has x, y: expected an .npz"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(SIZES))
def test_a_wrong_archive_is_refused_in_one_line(tmp_path, name):
    arrays, said = SIZES[name]
    path = tmp_path / "mine.npz"
    with path.open("wb") as stream:
        np.savez(stream, allow_pickle=True, **arrays)
    refused(path, said)


def refused(path, said):
    with pytest.raises(InputError) as caught:
        pictures.read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def claiming(path, shape, content=b"", dtype="|u1"):
    """An archive whose images say that they have ``shape``, and hold ``content``."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", head.getvalue() + content)
        stream = io.BytesIO()
        np.save(stream, TWO)
        archive.writestr("labels.npy", stream.getvalue())
    return path


def test_huge_arrays_are_refused_by_their_header_and_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "_array", None)  # what reads content
    refused(claiming(tmp_path / "a.npz", (10**9, 64, 64)), "GiB: expected at most 2")
    refused(claiming(tmp_path / "a.npz", (2_000, 8, 8)), "does not have the 128,000 bytes of its")
    bomb = bytes(200_000_000)  # 200 kB in the file
    refused(claiming(tmp_path / "a.npz", (2_000, 8, 8), bomb), "does not have the 128,000 bytes")
    monkeypatch.setattr(pictures, "MOST", 2_500)
    refused(claiming(tmp_path / "a.npz", (3_000, 8, 8), bytes(3_000 * 64)), "expected 2,000 to 2,5")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    refused(path, "expected an .npz with arrays images")


def test_a_damaged_archive_is_refused(tmp_path):
    path = saved(tmp_path / "mine.npz", images=GREY, labels=TWO)
    content = bytearray(path.read_bytes())
    content[5_000] ^= 1
    path.write_bytes(content)
    refused(path, "Bad CRC-32")
    np.save(tmp_path / "images.npy", GREY)
    refused(tmp_path / "images.npy", "File is not a zip file")


def test_missing_files_and_empty_folders_are_refused(tmp_path):
    refused(tmp_path / "nowhere", "there is no such file or folder")
    refused(tmp_path, "it has no sub-folders")
    (tmp_path / "cat").mkdir()
    refused(tmp_path, "1 class: expected 2 to 10")
    (tmp_path / "dog").mkdir()
    refused(tmp_path, "no .png or .jpg or .jpeg file")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kinds": (("cat", 1_000), ("dog", 999))}, "1,999 images: expected 2,000"),
        ({"kinds": (("cat", 1_950), ("dog", 50))}, "'dog' has 50 images: expected at least 100"),
        ({"size": (65, 65)}, "65 x 65 pixels"),
        ({"size": (8, 12)}, "8 x 12 pixels"),
        ({"mode": "RGBA"}, "mode RGBA (4 channels): expected 8-bit grey or RGB"),
        ({"mode": "P"}, "mode P (1 channel)"),
        ({"mode": "I;16"}, "mode I;16"),
    ],
)
def test_wrong_folders_are_refused_in_one_line(tmp_path, given, said):
    refused(folders(tmp_path / "pets", **given), said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no image", "cannot be read as PNG or JPEG"),
        ("GIF", "cannot be read as PNG or JPEG"),
        ("larger", "9 x 9 pixels, 1 channel, but"),
        ("coloured", "8 x 8 pixels, 3 channels, but"),
        ("short", "cannot be read as PNG or JPEG"),
        ("bomb", "cannot be read as PNG or JPEG"),
    ],
)
def test_one_wrong_file_among_many_is_named(tmp_path, content, said):
    root = folders(tmp_path / "pets")
    path = root / "dog" / "0777.png"
    stream = io.BytesIO()
    if content == "bomb":
        Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    elif isinstance(content, str):
        side, mode = 9 if content == "larger" else 8, "RGB" if content == "coloured" else "L"
        shape = (side, side, 3) if mode == "RGB" else (side, side)
        pixels = DRAWN.randint(0, 256, shape).astype(np.uint8)
        Image.fromarray(pixels).save(stream, "GIF" if content == "GIF" else "PNG")
    blob = content if isinstance(content, bytes) else stream.getvalue()
    path.write_bytes(blob[:-40] if content == "short" else blob)
    with pytest.raises(InputError) as caught:
        pictures.read(root)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
