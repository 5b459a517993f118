"""One fault many times: a child process, what is done to it, and what must hold afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass
class Row:
    """A line of the table: a fault, how often it was tried and survived, what was lost or left."""

    fault: str
    tried: int = 0
    survived: int = 0
    lost: list[str] = field(default_factory=list)
    skipped: str = ""

    def count(self, wrong: list[str]) -> None:
        """Count one trial, after which ``wrong`` was found."""
        self.tried += 1
        self.survived += not wrong
        self.lost += wrong

    def __str__(self) -> str:
        said = self.skipped or "; ".join(dict.fromkeys(self.lost)) or "nothing"
        return f"{self.fault:<52} {self.tried:>6} {self.survived:>9}  {said[:200]}"


HEAD = f"{'fault or input':<52} {'tried':>6} {'survived':>9}  lost or left"


def child(action: Callable[[], object], said: Path | None = None) -> int:
    """Do ``action`` in a process of its own (its id): everything that it imports is there already.

    Its status is 0, or 3 where it raised; what it says goes to the file ``said``, or nowhere.
    """
    pid = os.fork()
    if pid:
        return pid
    target = os.open(said or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(target, 1)
    os.dup2(target, 2)
    status = 3
    try:
        status = int(action() or 0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        sys.stdout.flush()
        os._exit(status)


def ended(pid: int, seconds: float = 300) -> int:
    """The status of the child, which is waited for and killed when it takes too long (-9)."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed(action: Callable[[], object], within: float, rng: random.Random) -> list[psutil.Process]:
    """Start ``action`` and kill it at a moment within ``within`` seconds, drawn by ``rng``.

    Returns the processes that it had started itself: they are on their own now.
    """
    pid = child(action)
    time.sleep(rng.uniform(0, within))
    helpers: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        helpers = psutil.Process(pid).children(recursive=True)
    os.kill(pid, signal.SIGKILL)
    ended(pid)
    return helpers


def outlive(helpers: list[psutil.Process], seconds: float) -> list[str]:
    """What is said of those of ``helpers`` that still run after ``seconds``, which are killed."""
    end = time.monotonic() + seconds
    while (alive := [one for one in helpers if _runs(one)]) and time.monotonic() < end:
        time.sleep(0.02)
    said = []
    for one in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            said.append(f"left: a process ({' '.join(one.cmdline()[1:4])[:60]})")
            one.kill()
    return said


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def time_of(action: Callable[[], object]) -> float:
    """Seconds that ``action`` takes when nothing is done to it."""
    started = time.monotonic()
    assert ended(child(action)) == 0, "it fails by itself"
    return time.monotonic() - started


def leftovers(*folders: Path) -> list[str]:
    """What unfinished writers left in ``folders``."""
    found = [path for folder in folders for path in folder.rglob("*")]
    kinds = (".new-", "cdp-data-", "cdp-run-", "cdp-kernel-", "cdp-pool-")
    return [
        f"left: {path.name}"
        for path in found
        if path.name.endswith(".cdp-new") or path.name.startswith(kinds)
    ]
