"""``make setup`` on machines that lack something: one clear line, and nothing half made."""

import http.server
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from cdplib.storage import paths

TOOLS = ["sh", "dirname", "cat", "cksum", "tr", "grep", "df"]
TOOLS += ["awk", "mkdir", "head", "cut", "tee", "rm", "du", "tail", "cp", "uname", "sed"]


@pytest.fixture
def machine(tmp_path):
    """A checkout with the pins alone, and a PATH with nothing but a shell's tools."""
    checkout, programs = tmp_path / "a checkout", tmp_path / "bin"
    (checkout / ".ci").mkdir(parents=True)
    programs.mkdir()
    for name in ("requirements.txt", "requirements.lock", "pyproject.toml", ".ci/setup"):
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
    assert "found no python3; Python 3.11 to 3.14 is needed" in setup()


def test_python_is_too_old(machine):
    program, setup = machine
    program("python3", 'case "$1" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')
    assert "found Python 3.9.2; Python 3.11 to 3.14 is needed" in setup()


def test_python_is_too_new(machine):
    program, setup = machine
    code = "import sys; sys.version_info = (3, 15, 0)\n"
    program(
        "python3",
        f"""case "$1" in --version) echo Python 3.15.0 ;;
      -c) exec {sys.executable} -c "{code}$2" ;; esac""",
    )
    assert "found Python 3.15.0; Python 3.11 to 3.14 is needed" in setup()


def test_intel_macs_are_told_what_they_can_have(machine):
    program, setup = machine
    program("uname", "echo Darwin x86_64")
    assert "no build for Intel Macs since 2.2; the theory works: pip install ." in setup()


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
  *"import torch"*) exit 1 ;;
  *m.version*) exit 1 ;;
  *pip*) echo "$*" >>"$ASKED" ;;
  --version) echo Python 3.11.2 ;;
esac"""


@pytest.fixture
def asked(machine, tmp_path, monkeypatch):
    """Run the set-up with a choice of torch; what it said, and what pip was asked for."""
    program, setup = machine

    def run(works="exit 0", room=99, **environment):
        program("df", f'echo header; echo "/dev/x 1 1 {room}000000 1% /"')
        program("python3", PYTHON.replace("REAL", sys.executable).replace("WORKS", works))
        log = tmp_path / "asked"
        fails = works != "exit 0" or room < 99
        found = setup(fails=fails, ASKED=str(log), **environment)
        return found, log.read_text() if log.exists() else ""

    return run


@pytest.mark.skipif(os.path.exists("/proc/driver/nvidia/version"), reason="there is a driver")  # noqa: PTH110
@pytest.mark.parametrize("torch", ["auto", "cpu"])
def test_where_pytorchs_cpu_index_answers_torch_comes_from_there(asked, index, torch, tmp_path):
    said, pip = asked(TORCH=torch, TORCH_CPU_INDEX=index)
    assert f"torch: the build without CUDA (TORCH={torch}; TORCH=cuda takes the other)" in said
    first = next(line for line in pip.splitlines() if "pip install" in line)
    assert f"--no-deps --index-url {index} torch==" in first
    assert " torchvision==" in first
    # The rest by its hashes, without the CUDA that PyPI's torch would bring.
    assert "--require-hashes -r _build/requirements.txt" in pip
    wanted = (tmp_path / "a checkout/_build/requirements.txt").read_text()
    assert LOCK.startswith(wanted)
    assert "numpy==" in wanted
    assert "nvidia" not in wanted


@pytest.mark.skipif(os.path.exists("/proc/driver/nvidia/version"), reason="there is a driver")  # noqa: PTH110
def test_where_it_does_not_answer_pypis_build_is_taken(asked, tmp_path):
    said, pip = asked(TORCH="auto", TORCH_CPU_INDEX="http://127.0.0.1:9/cpu")
    assert "torch: PyPI's build (PyTorch's CPU index does not answer)" in said
    assert "--index-url" not in pip
    assert "--require-hashes -r _build/requirements.txt" in pip
    assert (tmp_path / "a checkout/_build/requirements.txt").read_text() == LOCK
    assert "--no-build-isolation" in pip  # nothing is fetched to build the checkout


def test_a_file_that_is_not_the_locked_one_is_refused(machine):
    program, setup = machine
    program("df", 'echo header; echo "/dev/x 1 1 99000000 1% /"')
    said = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
    program(
        "python3",
        PYTHON.replace('*pip*) echo "$*" >>"$ASKED"', f'*"pip install"*) echo "{said}"; exit 1'),
    )
    assert "not the one that requirements.lock knows by its hash" in setup(TORCH="cuda")


def test_builds_with_cuda_need_more_room(asked):
    assert "5 GB free here, the environment needs 10 GB" in asked(TORCH="cuda", room=5)[0]


@pytest.mark.parametrize("release", ["22.6.0", "23.0.0"])
def test_macos_13_is_given_the_last_torch_that_was_built_for_it(asked, machine, tmp_path, release):
    program, _ = machine
    program("uname", f'case "$1" in -r) echo {release} ;; *) echo Darwin arm64 ;; esac')
    said, pip = asked(TORCH="auto")
    assert "torch: PyPI's build (macOS's has no CUDA)" in said
    assert "-r _build/requirements.txt" in pip
    wanted = (tmp_path / "a checkout/_build/requirements.txt").read_text()
    older = "torch==2.11.0\ntorchvision==0.26.0\n"
    assert (older in wanted) == ("macOS 13: torch==2.11.0" in said) == (release == "22.6.0")
    assert wanted.count("\ntorch==") == 1
    # The lock has the later torch alone.
    assert ("--require-hashes" in pip) == ("--hash=" in wanted) == (release == "23.0.0")


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


PINS = (paths.ROOT / "requirements.txt").read_text()
LOCK = (paths.ROOT / "requirements.lock").read_text()
#: Every line of the lock, continued ones joined, as (requirement, hashes).
LOCKED = [
    (Requirement(line.partition(" --hash=")[0]), re.findall(r"--hash=(\S+)", line))
    for line in re.sub(r" \\\n +", " ", LOCK).splitlines()
    if line[0] != "#"
]


def test_every_pin_is_exact_and_one_holds_for_each_python():
    lines = [Requirement(line) for line in PINS.splitlines() if line and line[0] != "#"]
    assert len(lines) > 150
    for one in lines:
        assert [s.operator for s in one.specifier] == ["=="], one
    for python in ("3.11.2", "3.11.14", "3.12.3", "3.13.5", "3.14.0"):
        known = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
        held = [one.name for one in lines if not one.marker or one.marker.evaluate(known)]
        assert len(held) == len(set(held))
        assert set(held) == {one.name for one in lines}, python


def test_the_lock_has_every_pin_at_its_version_and_a_hash_of_each_file():
    pins = [Requirement(line) for line in PINS.splitlines() if line and line[0] != "#"]

    def known(one):
        return canonicalize_name(one.name), str(one.specifier), str(one.marker)

    assert {known(one) for one in pins} <= {known(one) for one, _ in LOCKED}
    names = {canonicalize_name(one.name) for one in pins}
    again = [one for one, _ in LOCKED if canonicalize_name(one.name) in names]
    assert len(again) == len(pins)  # and none at another
    for one, hashes in LOCKED:
        assert [s.operator for s in one.specifier] == ["=="], one
        assert hashes, one
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", text) for text in hashes), one
        assert len(set(hashes)) == len(hashes)
    assert "://" not in LOCK  # from whichever index: a hash is a hash


def test_the_lock_has_all_that_its_packages_bring_here():
    """What pip asks of ``--require-hashes``, from the metadata of what is installed."""
    here = {canonicalize_name(r.name): r for r, _ in LOCKED if not r.marker or r.marker.evaluate()}
    cuda = LOCK.partition("# CUDA")[2]
    wanted = 0
    for name in here:
        try:
            needs = importlib.metadata.requires(name) or ()
        except importlib.metadata.PackageNotFoundError:  # torch's CUDA, beside the build without
            assert f"\n{name}==" in cuda, name
            continue
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                locked = here[canonicalize_name(need.name)]
                assert need.specifier.contains(next(iter(locked.specifier)).version), (name, need)
                wanted += 1
    assert wanted > 200


def test_python_3_11_2_is_given_a_soupsieve_that_it_can_use():
    """Debian 12's own Python: soupsieve 3.0.2 and later say that they need 3.11.5."""
    older = [Requirement(line) for line in PINS.splitlines() if line.startswith("soupsieve")]
    (one,) = [p for p in older if p.marker and p.marker.evaluate({"python_full_version": "3.11.2"})]
    assert not one.specifier.contains("3.0.2")
    assert next(iter(one.specifier)).version == "2.9.2"


def test_conda_takes_the_same_pins_and_python_is_one_that_the_package_allows():
    conda = yaml.safe_load((paths.ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    # Nothing beside it could bring another version of what is pinned.
    assert [e.partition("=")[0] for e in conda if isinstance(e, str)] == ["python", "pip"]
    assert [line for line in pip if not line.startswith("--")] == ["-r requirements.txt", "-e ."]
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    python = next(entry for entry in conda if str(entry).startswith("python="))
    allowed = SpecifierSet(project["requires-python"])
    assert allowed.contains(f"{python.removeprefix('python=')}.5")
    # What a light installation may choose holds what is pinned here.
    pinned = {Requirement(p).name.lower(): p for p in PINS.splitlines() if p and p[0] != "#"}
    optional = project["optional-dependencies"]
    optional.pop("lab")  # which pins its own, and the set-up leaves out
    extras = [d for extra in optional.values() for d in extra]
    for wanted in map(Requirement, [*project["dependencies"], *extras]):
        pin = Requirement(pinned[wanted.name.lower()])
        assert wanted.specifier.contains(next(iter(pin.specifier)).version), wanted
