"""The Makefile under the rules of GNU make 3.81, which macOS has: a failing step is a failure.

Make 3.81 knows no .ONESHELL and no .SHELLFLAGS: every line of a recipe is its own `sh -c`. Later
ones do the same where neither is set, so that what is tested here holds there. ``MAKE_3_81`` names
another make to test with.
"""

import os
import re
import shutil
import subprocess

import pytest

from cdplib.storage import paths

TEXT = (paths.ROOT / "Makefile").read_text()


def test_nothing_newer_than_make_3_81_is_used():
    newer = (".ONESHELL", ".SHELLFLAGS", "!=", "::=", "$(file ", ".EXTRA_PREREQS", "&:")
    rules = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    assert [word for word in newer if word in rules] == []
    recipes = [line[1:] for line in rules.splitlines() if line.startswith("\t")]
    # A line that needs the one before it (a variable, a loop, a folder) would break.
    assert not [r for r in recipes if re.search(r"\$\$|\b(for|while|do|done|if|then|fi|cd)\b", r)]


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose set-up is done and whose programs do as they are told by a file."""
    shutil.copytree(paths.ROOT / ".ci", tmp_path / ".ci")
    shutil.copy(paths.ROOT / "Makefile", tmp_path / "Makefile")
    for name in ("setup", "browser"):
        (tmp_path / ".ci" / name).write_text("#!/bin/sh\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "cdp", "ruff", "mypy"):
        program = tmp_path / ".venv" / "bin" / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $*" >>said\n! grep -q -- "$(cat fails)" said\n'
        )
        program.chmod(0o755)

    program = os.environ.get("MAKE_3_81", "make")

    def make(target, fails):
        (tmp_path / "said").write_text("")
        (tmp_path / "fails").write_text(fails)
        done = subprocess.run([program, target], cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, (tmp_path / "said").read_text()

    return make


@pytest.mark.parametrize(
    ("target", "fails", "never"),
    [
        ("test", "pytest", None),
        ("test", "cdp data", "pytest"),
        ("lint", "ruff check", "mypy"),
        ("lint", "format", "mypy"),
        ("check", "mypy", "pytest"),
        ("check", "pytest", None),
        ("bench", "theory.py", "experiments.py"),
        ("results", "quick --dataset", "references"),
        ("book", "cdp book", None),
        ("proofs_", "", None),
    ],
)
def test_a_step_that_fails_ends_make_with_a_failure(checkout, target, fails, never):
    status, said = checkout(target, fails or "no such target")
    assert status != 0
    assert never is None or never not in said
    if fails:
        assert checkout(target, "nothing at all")[0] == 0
