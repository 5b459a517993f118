"""What git says of this checkout, and of no other repository that may be around it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cdplib.storage import paths


def git(*arguments: str) -> str | None:
    """What ``git ARGUMENTS`` prints in the checkout; None where the book is in no git of its own.

    A book that was unpacked inside another repository, or is read while ``GIT_DIR`` names one (as
    in a git hook), must not take that one's commit for its own.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}

    def said(*words: str) -> str:
        command = ["git", "-C", str(paths.ROOT), *words]
        done = subprocess.run(
            command, env=plain, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout.strip()

    try:
        if Path(said("rev-parse", "--show-toplevel")).resolve() != paths.ROOT.resolve():
            return None
        return said(*arguments)
    except (OSError, subprocess.SubprocessError):
        return None
