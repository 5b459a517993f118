"""What is written: whole, as the umask says, and through links, pipes and devices."""

import os
import stat
import threading

import pytest

from cdplib.errors import InputError
from cdplib.storage import files


@pytest.fixture
def umask():
    """Set the umask; the former one comes back."""
    former = os.umask(0o022)
    yield os.umask
    os.umask(former)


@pytest.mark.parametrize(("mask", "mode"), [(0o077, 0o600), (0o002, 0o664), (0o022, 0o644)])
def test_the_umask_decides_who_reads_a_new_file(tmp_path, umask, mask, mode):
    umask(mask)
    files.write_text(tmp_path / "new", "x")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == mode


def test_a_file_that_was_there_keeps_its_mode(tmp_path):
    (tmp_path / "private").write_text("old")
    (tmp_path / "private").chmod(0o600)
    files.write_text(tmp_path / "private", "new")
    assert (tmp_path / "private").read_text() == "new"
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_a_link_stays_and_its_file_is_written(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "file", tmp_path / "link"
    for text in ("there is none yet", "there is one"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        files.write_text(link, text)
        assert link.is_symlink()
        assert target.read_text() == text


def test_pipes_and_devices_are_written_through_and_stay(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    files.write_text(pipe, "through")
    reader.join(timeout=20)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "null").symlink_to(os.devnull)
    files.write_text(tmp_path / "null", "gone")
    assert files.is_special(tmp_path / "null")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["null", "pipe"]


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    files.write_text(tmp_path / "kept", "old")
    with pytest.raises(IsADirectoryError), files.atomic(tmp_path / "kept"):
        tmp_path.write_text("not a file")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "old"


def test_a_target_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is no folder"):
        files.check_target(tmp_path / "file" / "x", "--output", "file")
