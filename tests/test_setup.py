"""``make setup`` on machines that lack something: one clear line, and nothing half made."""

import http.server
import os
import shutil
import subprocess
import sys
import threading

import pytest

from cdplib.storage import paths

TOOLS = ["sh", "dirname", "cat", "cksum", "tr", "grep", "df"]
TOOLS += ["awk", "mkdir", "head", "cut", "tee", "rm", "du", "tail", "cp", "uname"]


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

    def setup(fails=True, **environment):
        done = subprocess.run(
            ["sh", str(checkout / ".ci" / "setup")],
            env={"PATH": str(programs), **environment},
            capture_output=True,
            text=True,
        )
        if not fails:
            assert (done.returncode, done.stderr) == (0, "")
            assert (checkout / ".venv" / "stamp").exists()
            return done.stdout
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


@pytest.fixture
def index():
    """The address of an index of packages on this machine that answers."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/cpu"
        server.shutdown()


#: A Python that writes down what pip is asked for, and really asks an index whether it answers.
PYTHON = """case "$*" in
  "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python; cp "$0" .venv/bin/cdp ;;
  *urllib*) exec REAL "$@" ;;
  *"import soupsieve"*) WORKS ;;
  *m.version*) exit 1 ;;
  *pip*) echo "$*" >>"$ASKED" ;;
  --version) echo Python 3.11.2 ;;
esac"""


@pytest.fixture
def asked(machine, tmp_path, monkeypatch):
    """Run the set-up with a choice of torch; what it said, and what pip was asked for."""
    program, setup = machine

    def run(works="exit 0", **environment):
        program("df", 'echo header; echo "/dev/x 1 1 99000000 1% /"')
        program("python3", PYTHON.replace("REAL", sys.executable).replace("WORKS", works))
        found = setup(fails=works != "exit 0", ASKED=str(tmp_path / "asked"), **environment)
        return found, (tmp_path / "asked").read_text()

    return run


@pytest.mark.skipif(os.path.exists("/proc/driver/nvidia/version"), reason="there is a driver")  # noqa: PTH110
@pytest.mark.parametrize("torch", ["auto", "cpu"])
def test_where_pytorchs_cpu_index_answers_torch_comes_from_there(asked, index, torch):
    said, pip = asked(TORCH=torch, TORCH_CPU_INDEX=index)
    assert f"torch: the build without CUDA (TORCH={torch}; TORCH=cuda takes the other)" in said
    first = next(line for line in pip.splitlines() if "pip install" in line)
    assert f"--no-deps --index-url {index} torch==" in first
    assert " torchvision==" in first
    assert "requirements.txt" in pip


@pytest.mark.skipif(os.path.exists("/proc/driver/nvidia/version"), reason="there is a driver")  # noqa: PTH110
def test_where_it_does_not_answer_pypis_build_is_taken(asked):
    said, pip = asked(TORCH="auto", TORCH_CPU_INDEX="http://127.0.0.1:9/cpu")
    assert "torch: PyPI's build (PyTorch's CPU index does not answer)" in said
    assert "--index-url" not in pip


def test_cuda_asks_no_other_index(asked, index):
    said, pip = asked(TORCH="cuda", TORCH_CPU_INDEX=index)
    assert "torch: PyPI's build (TORCH=cuda)" in said
    assert "--index-url" not in pip


def test_another_build_of_torch_is_refused(machine):
    _, setup = machine
    assert "TORCH=rocm: expected cpu, cuda or auto" in setup(TORCH="rocm")


def test_a_python_that_cannot_use_a_pin_is_refused(asked):
    """soupsieve 4.1.2 does not compile its patterns on Debian 12's Python 3.11.2."""
    said, _ = asked("echo Traceback; echo re.error: bad; exit 1", TORCH="cuda")
    assert "Python 3.11.2 cannot use what was installed: re.error: bad (try a newer one" in said
