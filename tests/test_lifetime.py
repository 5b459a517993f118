"""How processes end: helpers soon after what started them, even in the middle of an import."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from cdplib import lifetime

#: Starts a helper, says its number and waits for it.
PARENT = """
import subprocess, sys
helper = subprocess.Popen([sys.executable, sys.argv[1]])
print(helper.pid, flush=True)
helper.wait()
"""
#: A helper that is in the middle of an import, or that looks only when its parent is gone.
HELPERS = {
    "importing": """
import os, sys
from cdplib import lifetime
lifetime.end_with(os.getppid())
import slow
""",
    "late": """
import os, pathlib, time
parent = os.getppid()
pathlib.Path(__file__).with_name("began").touch()
while os.getppid() == parent:
    time.sleep(0.01)
from cdplib import lifetime
lifetime.end_with(parent)
time.sleep(600)
""",
}
SLOW = "import pathlib, time; pathlib.Path(__file__).with_name('began').touch(); time.sleep(600)"


@pytest.mark.parametrize("by", ["SIGKILL", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("kind", HELPERS)
def test_a_helper_ends_soon_after_its_parent(tmp_path, kind, by):
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "helper.py").write_text(HELPERS[kind])
    number = getattr(signal, by)
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "helper.py")], stdout=subprocess.PIPE,
        preexec_fn=lambda: number == signal.SIGKILL or signal.signal(number, signal.SIG_DFL),
    ) as parent:  # fmt: skip
        helper = psutil.Process(int(parent.stdout.readline()))
        end = time.monotonic() + 60
        while not (tmp_path / "began").exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(2 * lifetime.EVERY)
        assert helper.is_running()  # while there is its parent, so is it
        parent.send_signal(number)
        parent.wait()
        gone, alive = psutil.wait_procs([helper], timeout=10)  # 2 s where nothing else runs
        for process in alive:
            process.kill()
    assert gone == [helper]


@pytest.mark.parametrize("by", ["SIGTERM", "SIGHUP"])
def test_a_signal_that_asks_to_end_is_raised_in_the_block_and_nowhere_else(by):
    number = getattr(signal, by)
    former = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(lifetime.Stopped) as caught, lifetime.stoppable():
            signal.raise_signal(number)
        assert (str(caught.value), caught.value.number) == (by, number)
        assert signal.getsignal(number) is signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN)  # as under nohup: it stays ignored
        with lifetime.stoppable():
            signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, former)
