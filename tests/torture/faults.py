"""The faults: kills, full and read-only disks, many writers, stops, a clock that is set back."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from cdplib.storage import paths
from tests.torture.trials import Row, child, ended, killed, outlive, time_of
from tests.torture.works import BookWork, ChapterWork, FetchWork, PublishingWork, SweepWork

Work = SweepWork | PublishingWork | FetchWork | ChapterWork
#: Seconds that what a killed command had started may live. One that is being started looks for its
#: parent when it has imported what it needs: by the third of what the whole takes it has.
GRACE = 4


def makers(folder: Path) -> dict[str, Callable[[Path], Work]]:
    """What makes each kind of work in a folder, by the command that does it."""
    done = SweepWork(folder / "published", points=6)
    done()
    return {
        "sweep": SweepWork,
        "publishing": lambda into: PublishingWork(done, into / "results"),
        "data": FetchWork,
        "run": ChapterWork,
        "book": BookWork,
    }


def kills(name: str, make: Callable[[Path], Work], folder: Path, times: int, seed: int) -> Row:
    """kill -9 at random moments; each third survivor of a kill is finished, and a new one begun."""
    row, rng = Row(f"kill -9 of {name}, at random moments"), random.Random(seed)
    took = time_of(make(folder / "calibration"))
    work, turn = make(folder / "0"), 0
    for k in range(times):
        helpers = killed(work, took, rng)
        wrong = work.wrong() + outlive(helpers, max(GRACE, took / 3))
        if k % 3 == 2 or k == times - 1:
            status = ended(child(work))
            wrong += work.wrong(whole=True) + [f"the next run ends with {status}"] * bool(status)
            turn += 1
            work = make(folder / str(turn))
        row.count(wrong)
    return row


def full(name: str, make: Callable[[Path], Work], folder: Path, times: int, seed: int) -> Row:
    """A disk that is full after some bytes: files may grow to no more (a limit of the system)."""
    row, rng = Row(f"disk full for {name} (a file's size limited)"), random.Random(seed)
    for k in range(times):
        work, said = make(folder / str(k)), folder / f"said{k}"
        limit = rng.choice([0, 100, 1000, 5000])

        def limited(work: Work = work, limit: int = limit) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            work()

        folder.mkdir(parents=True, exist_ok=True)
        # Standard output is a pipe here: the limit holds for files alone.
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            null = os.open(os.devnull, os.O_WRONLY)  # where it speaks may be a file, too
            os.dup2(null, 1)
            os.dup2(null, 2)
            try:
                limited()
                os._exit(0)
            except BaseException as error:
                os.write(write, f"{type(error).__name__}: {error}".encode())
                os._exit(3)
        os.close(write)
        status = ended(pid)
        with os.fdopen(read, "rb") as stream:
            text = stream.read().decode()
        said.unlink(missing_ok=True)
        wrong = work.wrong()
        if status == 3 and str(folder) not in text:
            wrong.append(f"no path in {text[:80]!r}")
        if status not in (0, 3):
            wrong.append(f"it ends with {status}")
        wrong += ["it fails afterwards"] * bool(ended(child(work))) + work.wrong(whole=True)
        row.count(wrong)
    return row


def tmpfs(make: Callable[[Path], Work], folder: Path) -> Row:
    """A file system of 64 KB; only root may mount one."""
    row = Row("disk full for sweep (a file system of 64 KB)")
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        row.skipped = "skipped: nothing may be mounted here"
        return row
    try:
        work = make(folder)
        status = ended(child(work))
        wrong = work.wrong() + ["it did not notice"] * (status == 0)
        subprocess.run(["mount", "-o", "remount,size=8m", str(folder)], check=True)
        wrong += ["it fails afterwards"] * bool(ended(child(work))) + work.wrong(whole=True)
        row.count(wrong)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    return row


def read_only(name: str, make: Callable[[Path], Work], folder: Path) -> Row:
    """A folder that may not be written to, by a user who is not root."""
    row = Row(f"read-only folder for {name}")
    work = make(folder / "0")
    places = [p for p in (folder, *folder.rglob("*")) if p.is_dir()]

    def powerless() -> None:
        if os.getuid() == 0:
            os.setuid(65534)
        work()

    for place in (*folder.parents,):
        if os.getuid() == 0 and not place.stat().st_mode & 0o001:
            row.skipped = f"skipped: {place} is closed to others than root"
            return row
    modes = {place: place.stat().st_mode for place in places}
    for place in places:
        place.chmod(0o555)
    before = sorted(folder.rglob("*"))
    status = ended(child(powerless))
    same = sorted(folder.rglob("*")) == before
    for place, mode in modes.items():
        place.chmod(mode)
    wrong = [f"it ends with {status}"] * (status != 3) + ["something was written"] * (not same)
    wrong += ["it fails afterwards"] * bool(ended(child(work))) + work.wrong(whole=True)
    row.count(wrong)
    return row


def writers(count: int, folder: Path, times: int) -> Row:
    """Several sweeps at once over one store: each point is trained once."""
    row = Row(f"{count} writers of one store at once")
    for k in range(times):
        work = SweepWork(folder / str(k), points=16)
        statuses = [ended(pid) for pid in [child(work) for _ in range(count)]]
        trained = work.trace.read_text().split("\n")[:-1]
        wrong = work.wrong(whole=True) + [f"a writer ends with {s}" for s in statuses if s]
        row.count(wrong + ["a point was trained twice"] * (len(set(trained)) != len(trained)))
    return row


def publishers(count: int, make: Callable[[Path], Work], folder: Path, times: int) -> Row:
    """Several processes that publish into one book at once."""
    row = Row(f"{count} writers of one book at once")
    for k in range(times):
        work = make(folder / str(k))
        statuses = [ended(pid) for pid in [child(work) for _ in range(count)]]
        row.count(work.wrong(whole=True) + [f"a writer ends with {s}" for s in statuses if s])
    return row


def stopped(folder: Path, times: int, seed: int) -> Row:
    """STOP at a random moment, another sweep meanwhile, then CONT."""
    row, rng = Row("STOP and CONT of a sweep beside another"), random.Random(seed)
    for k in range(times):
        work = SweepWork(folder / str(k), seconds=0.005)
        first = child(work)
        time.sleep(rng.uniform(0.01, 0.1))
        os.kill(first, signal.SIGSTOP)
        second = child(work)
        time.sleep(0.3)
        os.kill(first, signal.SIGCONT)
        statuses = [ended(first), ended(second)]
        trained = work.trace.read_text().split("\n")[:-1]
        wrong = work.wrong(whole=True) + [f"it ends with {s}" for s in statuses if s]
        row.count(wrong + ["a point was trained twice"] * (len(set(trained)) != len(trained)))
    return row


def clock(makes: dict[str, Callable[[Path], Work]], folder: Path, times: int, seed: int) -> Row:
    """A clock that jumps back by up to two days at every look."""
    row, rng = Row("clock set back, at every look"), random.Random(seed)
    real = time.time
    for k in range(times):
        for name, make in makes.items():
            work = make(folder / f"{name}{k}")

            def turned(work: Work = work) -> None:
                time.time = lambda: real() - rng.uniform(0, 2e5)  # type: ignore[assignment]
                work()

            status = ended(child(turned))
            row.count(work.wrong(whole=True) + [f"{name} ends with {status}"] * bool(status))
    return row


def cluster() -> Row:
    """A Dask worker and a scheduler killed: the tests of the sweeps, which start real ones."""
    row = Row("a Dask worker, and the scheduler, killed")
    tests = str(paths.ROOT / "tests" / "sweeps" / "test_sweep.py")
    chosen = "loses_a_worker or killed_scheduler or workers_end"
    command = [sys.executable, "-m", "pytest", "-q", "-k", chosen, tests]
    done: Any = subprocess.run(command, capture_output=True, text=True, cwd=paths.ROOT)
    last = (done.stdout.strip().splitlines() or ["nothing was said"])[-1]
    row.fault = "a worker, the scheduler, a sweep with workers killed"
    row.tried, row.survived = 6, 6 if done.returncode == 0 else 0
    row.lost = [] if done.returncode == 0 else [last]
    return row


def soak(folder: Path, points: int) -> Row:
    """A long sweep: every row is there and the process does not grow."""
    row = Row(f"a sweep of {points} points")
    work = SweepWork(folder, points=points, seconds=0)
    memory = folder / "memory"

    def measured() -> None:
        process, half = psutil.Process(), SweepWork(folder, points=points // 2, seconds=0)
        half()
        before = process.memory_info().rss
        work()
        memory.write_text(str((process.memory_info().rss - before) / 2**20))

    status = ended(child(measured), 600)
    wrong = work.wrong(whole=True) + [f"it ends with {status}"] * bool(status)
    grown = float(memory.read_text()) if memory.exists() else 0.0
    row.count(wrong + [f"it grew by {grown:.0f} MB"] * (grown > 50))
    row.tried, row.survived = points, points * row.survived
    return row
