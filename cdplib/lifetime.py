"""How processes end: helpers with the one that started them, a command with a line that says so."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: Seconds between two looks at whether the parent is still there.
EVERY = 0.25


def end_with(parent: int) -> None:
    """End this process soon after its parent, the process ``parent``, has ended, however it did.

    For the start of a helper process: an idle one would wait for work that nobody sends.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(EVERY)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


class Stopped(KeyboardInterrupt):
    """A signal that asks this process to end; handled as Ctrl-C is."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise :class:`Stopped` in the block for SIGTERM and SIGHUP, so that helpers are ended too.

    A signal that is ignored (as SIGHUP by ``nohup``) stays so. For the main thread.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped(number)

    asked = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    former = {number: signal.getsignal(number) for number in asked}
    taken = [number for number in asked if former[number] is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, former[number])
