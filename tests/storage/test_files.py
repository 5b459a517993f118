"""What is written: whole, as the umask says, and through links, pipes and devices."""

import errno
import fcntl
import hashlib
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
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


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("file/x", "file", "'.*file' is no folder"),
        ("file/x/y", "folder", "'.*file' is no folder"),
        ("file", "folder", "it is a file, expected a folder"),
        ("folder", "file", "it is a folder, expected a file"),
    ],
)
def test_a_target_that_cannot_be_made_is_refused(tmp_path, name, kind, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match=f"^--output '.*{name}': {said}$"):
        files.check_target(tmp_path / name, "--output", kind)


def test_a_target_that_can_be_made_is_let_pass_and_nothing_is_written(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for name, kind in (("file", "file"), ("new", "file"), ("folder/x/y", "file")):
        files.check_target(tmp_path / name, "--output", kind)
    for name in ("folder", "new", "folder/x/y"):
        files.check_target(tmp_path / name, "--output", "folder")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_target_in_a_folder_that_is_closed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "access", lambda path, mode: mode != os.W_OK)  # root may always
    with pytest.raises(InputError, match="may not be written to"):
        files.check_target(tmp_path / "x", "--output", "file")


def test_folders_on_the_way_are_made(tmp_path):
    files.write_text(tmp_path / "a" / "b" / "file", "x")
    assert (tmp_path / "a" / "b" / "file").read_text() == "x"
    with files.scratch("kind", tmp_path / "c" / "d") as folder:
        assert folder.parent == tmp_path / "c" / "d"
    assert list((tmp_path / "c" / "d").iterdir()) == []


def test_a_scratch_folder_that_is_gone_already_is_no_error(tmp_path):
    with files.scratch("kind", tmp_path) as folder:
        folder.rmdir()
    assert list(tmp_path.iterdir()) == []


def test_a_table_has_its_columns_alone_and_nine_digits(tmp_path):
    table = pd.DataFrame({"x": [1 / 3, 2.0]}, index=[7, 8])
    files.write_table(tmp_path / "table", table)
    assert (tmp_path / "table").read_text() == "x\n0.333333333\n2\n"
    files.write_table(tmp_path / "table", table, index=True)
    assert (tmp_path / "table").read_text() == ",x\n7,0.333333333\n8,2\n"


def test_the_digest_is_that_of_the_bytes(tmp_path):
    content = bytes(range(256)) * 1000
    (tmp_path / "file").write_bytes(content)
    assert files.sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_who_begins_a_file_waits_while_another_looks_whether_it_was_left(tmp_path):
    path = tmp_path / "file"
    looking = os.open(path, os.O_CREAT | os.O_WRONLY)
    fcntl.flock(looking, fcntl.LOCK_EX)
    own = os.open(path, os.O_WRONLY)
    assert files._hold(own, wait=False) is False
    threading.Timer(0.3, os.close, [looking]).start()
    began = time.monotonic()
    assert files._hold(own)
    assert time.monotonic() - began > 0.2
    os.close(own)


#: Says when it is in the middle of writing the file and the folder it is given, and waits.
HALF = """
import sys, time
from pathlib import Path
from cdplib.storage import files
with files.scratch("kind", Path(sys.argv[1])) as folder:
    (folder / "part").write_text("half")
    with files.atomic(Path(sys.argv[1]) / "result") as temporary:
        temporary.write_text("half")
        print("writing", flush=True)
        time.sleep(600)
"""


@pytest.fixture
def half_written(tmp_path):
    """A process that is in the middle of writing ``result`` in the folder."""
    command = [sys.executable, "-c", HALF, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        yield writer
        writer.kill()


def write_beside(folder):
    """What the next writer in the folder does."""
    files.write_text(folder / "other", "x")
    with files.scratch("kind", folder) as own:
        assert own.is_dir()


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path, half_written):
    (tmp_path / ".result.notes").write_text("the user's own")
    (tmp_path / "kindly").mkdir()
    half_written.send_signal(signal.SIGKILL)
    half_written.wait()
    assert len(list(tmp_path.iterdir())) == 4
    write_beside(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".result.notes", "kindly", "other"]


def test_what_another_process_is_writing_is_left_alone(tmp_path, half_written):
    before = {path.name for path in tmp_path.iterdir()}
    assert len(before) == 2
    half_written.send_signal(signal.SIGSTOP)  # it need not be running to hold what it writes
    write_beside(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before | {"other"}
    assert all((tmp_path / name / "part").exists() for name in before if name.startswith("kind"))


def test_a_link_that_is_called_like_a_file_left_behind_is_nobodys_to_remove(tmp_path):
    target, link = tmp_path / "target", tmp_path / f".table.csv.0{files.UNFINISHED}"
    target.write_text("mine")
    link.symlink_to(target)
    files.remove_left([link])
    assert link.is_symlink()
    assert target.read_text() == "mine"


def test_a_file_taken_for_left_behind_before_it_was_held_is_made_again(tmp_path, monkeypatch):
    hold, removed = files._hold, []

    def late(handle, wait=True):
        if not removed:
            (newest,) = tmp_path.iterdir()
            newest.rmdir() if newest.is_dir() else newest.unlink()
            removed.append(newest)
        return hold(handle, wait)

    monkeypatch.setattr(files, "_hold", late)
    files.write_text(tmp_path / "file", "whole")
    assert (tmp_path / "file").read_text() == "whole"
    (tmp_path / "file").unlink()
    removed.clear()
    with files.scratch("kind", tmp_path) as folder:
        assert folder.is_dir()
        assert folder != removed[0]


def saved(path):
    with files.atomic(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, np.zeros(5000), allow_pickle=False)


@pytest.mark.parametrize("write", [lambda path: files.write_bytes(path, bytes(5000)), saved])
def test_a_full_disk_names_the_file(tmp_path, write):
    """A limit on the size of files stands for the disk's end: it fails in the middle of a write."""
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, former[1]))
    try:
        with pytest.raises(OSError, match="/result'") as caught:
            write(tmp_path / "result")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []
    # Of the system's error its number stays, of numpy's, which has none, what it says.
    assert caught.value.errno == errno.EFBIG or "5000 requested" in str(caught.value)


def test_an_error_that_names_a_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, files.atomic(tmp_path / "kept"):
        (tmp_path / "missing").read_text()
    assert caught.value.filename == str(tmp_path / "missing")
