"""``make setup`` on machines that lack something: one clear line, and nothing half made."""

import os
import shutil
import subprocess

import pytest

from cdplib.storage import paths

TOOLS = ["sh", "dirname", "cat", "cksum", "tr", "grep", "df"]
TOOLS += ["awk", "mkdir", "head", "cut", "tee", "rm", "du"]


@pytest.fixture
def machine(tmp_path):
    """A checkout with the pins alone, and a PATH with nothing but a shell's tools."""
    checkout, programs = tmp_path / "a checkout", tmp_path / "bin"
    (checkout / ".ci").mkdir(parents=True)
    programs.mkdir()
    for name in ("requirements.txt", "pyproject.toml", ".ci/setup"):
        shutil.copy(paths.ROOT / name, checkout / name)
    for tool in TOOLS:
        (programs / tool).symlink_to(shutil.which(tool))

    def program(name, text):
        path = programs / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def setup(**environment):
        done = subprocess.run(
            ["sh", str(checkout / ".ci" / "setup")],
            env={"PATH": str(programs), **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert not (checkout / ".venv" / "stamp").exists()
        return done.stderr

    return program, setup


def test_python_is_missing(machine):
    _, setup = machine
    assert "found no python3; Python 3.11 or 3.12 is needed" in setup()


def test_python_is_too_old(machine):
    program, setup = machine
    program("python3", 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')
    assert "found Python 3.9.2; Python 3.11 or 3.12 is needed" in setup()


def test_the_disk_is_too_small(machine):
    program, setup = machine
    program("python3", "exit 0")
    program("df", 'echo header; echo "/dev/x 1 1 2000000 1% /"')
    assert "2 GB free here, the environment needs" in setup()


def test_the_network_is_missing(machine):
    program, setup = machine
    program("df", 'echo header; echo "/dev/x 1 1 99000000 1% /"')
    # A Python whose pip cannot connect to anything; `-m venv` makes one that says so, too.
    fake = (
        'case "$*" in\n'
        f'  "-m venv .venv") mkdir -p .venv/bin; {shutil.which("cp")} "$0" .venv/bin/python ;;\n'
        '  *"pip install"*) echo "WARNING: Retrying after NewConnectionError"; exit 1 ;;\n'
        "  *) exit 0 ;;\nesac"
    )
    program("python3", fake)
    assert "cannot reach the package index: is there a network?" in setup(HOME=os.devnull)
