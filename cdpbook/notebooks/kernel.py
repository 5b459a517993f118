"""A kernel that is this very Python, whatever kernels the user has registered elsewhere."""

from __future__ import annotations

import sys

from jupyter_client.manager import AsyncKernelManager


class ThisPython(AsyncKernelManager):
    """Start ``sys.executable -m ipykernel_launcher``."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The command line of the kernel process."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file]
        # It would say once a kernel, in the middle of our lines, that TCP is not encrypted.
        return [*command, "--IPKernelApp.log_level=50", *(extra_arguments or [])]
