"""A kernel that is this very Python, whatever the user has set up for others.

Kernels that are registered elsewhere, ``MPLBACKEND`` and the user's ``matplotlibrc`` have no say: a
page without its figures, or with others' fonts, would be another page.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

from cdpbook.notebooks import launch, warm
from cdplib.storage import files


class ThisPython(AsyncKernelManager):
    """Start :mod:`.launch` by ``sys.executable`` in :func:`environment`.

    Where :func:`.warm.prepare` was called the kernel is forked instead, and starts at once.
    Kernels speak over files where there are such sockets, each in a folder of its own: TCP ports
    are chosen before they are taken, and chapters that start at one moment take each other's.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if hasattr(socket, "AF_UNIX"):
            held = contextlib.ExitStack()
            folder = held.enter_context(files.scratch("cdp-kernel"))
            weakref.finalize(self, held.close)
            self.transport, self.ip = "ipc", str(folder / "kernel")
            self.connection_file = str(folder / "kernel.json")

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The command line of the kernel process."""
        command = [sys.executable, "-m", launch.__name__, "-f", self.connection_file]
        # It would say once a kernel, in the middle of our lines, that TCP is not encrypted.
        return [*command, "--IPKernelApp.log_level=50", *(extra_arguments or [])]

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start the kernel; ``env`` of the options is the environment to begin with."""
        environment_ = environment(options.pop("env", None) or os.environ)
        if warm.prepared():
            self.provisioner = warm.Provisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
        await super().start_kernel(env=environment_, **options)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """``given`` with what a kernel needs in place of what the user set for other programs."""
    found = dict(given)
    found["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec and spec.submodule_search_locations) or ():
        found["MATPLOTLIBRC"] = str(Path(folder) / "mpl-data" / "matplotlibrc")
    return found
