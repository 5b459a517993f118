"""How far chapters are while they run: cells that are done, points that are trained, time left."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tqdm import tqdm

#: Told the cells that are done, how many there are, and what one of them writes to standard error.
Tell = Callable[[int, int, str], object]


class Ear:
    """What papermill tells while a notebook of ``cells`` runs, passed on to ``tell``."""

    def __init__(self, tell: Tell, cells: int) -> None:
        self.tell, self.cells, self.done = tell, cells, 0

    def start(self, cell: Any, cell_index: int) -> None:
        """A cell begins; those before it are done."""
        self.done = cell_index
        self.tell(self.done, self.cells, "")

    def write(self, text: str) -> None:
        """A cell writes to standard error, as a sweep does after each point."""
        self.tell(self.done, self.cells, text)

    def flush(self) -> None:
        """Nothing is held back."""


def silent(done: int, cells: int, text: str) -> None:
    """A :data:`Tell` that nobody hears."""


def shown(done: int, cells: int, text: str) -> None:
    """A :data:`Tell` for one chapter: what it writes, above papermill's bar where there is one."""
    if text:
        tqdm.write(text, file=sys.stderr, end="")


def lines(name: str, text: str) -> list[str]:
    """What a chapter writes, as lines that say whose they are."""
    return [f"{name}: {line.strip()}" for line in text.splitlines() if line.strip()]


class Chapters:
    """Several chapters, ``workers`` at a time; ``last`` has the seconds of each that ran before."""

    def __init__(self, names: Sequence[str], last: Mapping[str, float], workers: int) -> None:
        self.last, self.workers = last, workers
        self.began = time.monotonic()
        self.cells = dict.fromkeys(names, (0, 0))
        self.started: dict[str, float] = {}
        self.took: dict[str, float] = {}

    def tell(self, name: str, done: int, cells: int) -> None:
        """``done`` of the ``cells`` of a chapter are executed."""
        self.started.setdefault(name, time.monotonic())
        self.cells[name] = (done, cells)

    def end(self, name: str) -> None:
        """A chapter has ended."""
        self.took[name] = time.monotonic() - self.started.get(name, self.began)

    def left(self) -> float | None:
        """Seconds until all have ended, about; None where nothing is known of a chapter.

        A chapter takes as long as the last time; a new one as its cells so far, or, before it has
        begun, as those in the middle of what is known.
        """
        now = time.monotonic()
        known = [*self.last.values(), *self.took.values()]
        rests = []
        for name, (done, cells) in self.cells.items():
            if name in self.took:
                continue
            ran = now - self.started.get(name, now)
            if name in self.last:
                rests.append(max(0.0, self.last[name] - ran))
            elif done:
                rests.append(ran / done * (cells - done))
            elif known:
                rests.append(max(0.0, statistics.median(known) - ran))
            else:
                return None
        return max(max(rests, default=0.0), sum(rests) / self.workers)

    def __str__(self) -> str:
        running = [
            f"{name} (cell {done + 1} of {cells})"
            for name, (done, cells) in self.cells.items()
            if name in self.started and name not in self.took
        ]
        ran, left = tqdm.format_interval(time.monotonic() - self.began), self.left()
        said = f"{len(self.took)} of {len(self.cells)} done in {ran}"
        said += "" if left is None else f", about {tqdm.format_interval(left)} left"
        return f"{said}: {', '.join(running) or 'starting'}"
