"""The process of a kernel, or of the stem that kernels are forked from (:mod:`.warm`).

``python -m cdpbook.notebooks.launch -f FILE ...`` is a kernel as ipykernel's own launcher starts
it, but for its end; with ``--stem NUMBER`` it is the stem, which is asked through that socket.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

#: Imported before the fork: nothing of ours, nothing that starts threads, and not pyplot, which
#: chooses how figures are shown when it is imported, and has to find a kernel around it then.
IMPORTS = [
    *("torch", "torchvision", "pandas", "scipy.stats", "scipy.optimize"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.font_manager"),
    *("IPython.display", "ipykernel.kernelapp"),
]


def stem(line: socket.socket, imports: list[str]) -> None:
    """Import, then fork a kernel for every line [arguments, environment, folder] that comes.

    Answers with its process, or 0: a fork would copy none of the threads that are running.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kernels that end leave nothing behind
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in imports:
        importlib.import_module(name)
    alone = len([*Path("/proc/self/task").iterdir()]) == 1
    for text in line.makefile("r"):
        if not alone:
            line.sendall(b"0\n")
            continue
        pid = os.fork()
        if pid == 0:
            with Path(os.devnull).open() as nothing:  # this end of the line is the stem's alone
                os.dup2(nothing.fileno(), line.fileno())
            _forked(*json.loads(text))
            return
        line.sendall(f"{pid}\n".encode())


def _forked(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()  # Ctrl-C is for the driver
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    # ipykernel ends with its parent, which it would take for the one that the environment names.
    kernel([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


def kernel(arguments: list[str]) -> None:
    """Be a kernel until it is told to end."""
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(arguments)


if __name__ == "__main__":
    # The last thing that a kernel does: Python takes seconds to take torch down bit by bit.
    atexit.register(os._exit, 0)
    if sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]  # as ipykernel's launcher does
    if sys.argv[1] == "--stem":
        stem(socket.socket(fileno=int(sys.argv[2])), sys.argv[3:])
    else:
        kernel(sys.argv[1:])
