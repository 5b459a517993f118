"""Kernels forked from one process that has imported what most chapters import.

To import torch, pandas and matplotlib takes a kernel seconds, and a book has many kernels. So one
process imports them and waits; a kernel is a fork of it. Linux only: other systems' libraries do
not bear a fork, and there kernels start as ever.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from cdpbook.notebooks import launch


class Stem:
    """The process that kernels are forked from; it ends with the process that made it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._line, other = socket.socketpair()
        with other:
            command = [sys.executable, "-m", launch.__name__, "--stem", str(other.fileno())]
            self.process = subprocess.Popen(
                [*command, *launch.IMPORTS],
                env=dict(environment),
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._said = self._line.makefile("r")

    def fork(self, command: list[str], environment: Mapping[str, str], folder: str) -> int | None:
        """Fork the kernel of ``command``; return its process, None where none can be forked."""
        asked = [command[command.index("-f") :], dict(environment), folder]
        with contextlib.suppress(OSError):
            self._line.sendall(json.dumps(asked).encode() + b"\n")
            return int(self._said.readline() or 0) or None
        return None

    def end(self) -> None:
        """End it, and with it the kernels that still run."""
        self._said.close()
        self._line.close()
        self.process.wait()


class Forked:
    """A forked kernel, with what :class:`LocalProvisioner` uses of a ``subprocess.Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs, then 0: its status is known to its parent alone."""
        return 0 if select.select([self._handle], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        select.select([self._handle], [], [], timeout)
        return 0

    def send_signal(self, number: int) -> None:
        """Send it the signal ``number``, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        os.close(self._handle)


_stem: Stem | None = None


def prepare(environment: Mapping[str, str]) -> None:
    """Fork this process's kernels from now on, from a process started in ``environment``."""
    global _stem
    if sys.platform == "linux" and _stem is None:
        _stem = Stem(environment)


def prepared() -> bool:
    """Whether kernels of this process are forked."""
    return _stem is not None


class Provisioner(LocalProvisioner):
    """Forks the kernel where jupyter_client would start another Python."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Start the kernel of the command ``cmd``."""
        folder = str(options.get("cwd") or Path.cwd())
        pid = _stem and _stem.fork(cmd, options.get("env") or os.environ, folder)
        if not pid:
            return await super().launch_kernel(cmd, **options)
        self.process: Any = Forked(pid)
        self.pid, self.pgid, self.cwd = pid, pid, folder
        return self.connection_info
