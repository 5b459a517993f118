"""What is said while chapters run: cells, points, a time left that follows from what is known."""

import pytest

from cdpbook.notebooks import book, progress

NAMES = ("01_a", "02_b", "03_c")


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_what_chapters_took_the_last_time(clock):
    one = progress.Chapters(NAMES, {"01_a": 30, "02_b": 20, "03_c": 10}, workers=1)
    two = progress.Chapters(NAMES, {"01_a": 30, "02_b": 20, "03_c": 10}, workers=2)
    five = progress.Chapters(NAMES, {"01_a": 30, "02_b": 20, "03_c": 10}, workers=5)
    assert (one.left(), two.left(), five.left()) == (60, 30, 30)  # never less than the longest
    one.tell("01_a", 0, 4)
    clock[0] += 12
    assert one.left() == 48
    clock[0] += 30  # later than the last time
    assert one.left() == 30
    one.end("01_a")
    one.end("02_b")
    assert one.left() == 10


def test_a_chapter_that_never_ran_is_known_by_its_cells(clock):
    chapters = progress.Chapters(NAMES, {}, workers=1)
    assert chapters.left() is None
    assert "left" not in str(chapters)
    chapters.tell("01_a", 0, 4)
    clock[0] += 6
    chapters.tell("01_a", 3, 4)
    assert chapters.left() is None  # of the others nothing is known yet
    clock[0] += 2
    chapters.end("01_a")
    chapters.tell("02_b", 0, 10)
    clock[0] += 2
    chapters.tell("02_b", 1, 10)
    assert chapters.left() == 2 / 1 * 9 + 8  # by its cells, and as long as the first
    assert str(chapters) == "1 of 3 done in 00:10, about 00:26 left: 02_b (cell 2 of 10)"


def test_lines_say_whose_they_are():
    assert progress.lines("07_exp2", "1/4 point: about 3 s left\n\n2/4\n") == [
        "07_exp2: 1/4 point: about 3 s left",
        "07_exp2: 2/4",
    ]
    assert progress.lines("07_exp2", "") == []


def test_what_a_worker_tells_fits_into_a_pipe_at_once(tmp_path, monkeypatch):
    heard = []

    class Queue:
        put = staticmethod(heard.append)

    def execute(job, folder, tell):
        tell(2, 5, "x" * 10_000 + "3/4 point")

    class Job:
        class chapter:
            name = "07_exp2"

    monkeypatch.setattr(book, "_told", Queue())
    monkeypatch.setattr(book.execute, "execute", execute)
    book._execute(Job, tmp_path)
    ((name, done, cells, text),) = heard
    assert (name, done, cells) == ("07_exp2", 2, 5)
    assert text.endswith("x3/4 point")
    assert len(text.encode()) < 512  # as POSIX has it, what is written whole
