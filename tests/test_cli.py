"""The command ``cdp``: wrong input ends with one line and status 2, before any work."""

import signal
import subprocess
import sys
import time

import pytest

from cdpbook import cli
from cdplib.storage import paths

PROBLEM = str(paths.BOOK / "_static" / "problems" / "three_grades.json")


def cdp(*arguments, timeout=60):
    command = [sys.executable, "-W", "ignore", "-m", "cdpbook.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=paths.ROOT)


@pytest.mark.parametrize("command", ["data", "run", "book", "sweep", "compare", "exact"])
def test_every_command_has_help(command):
    done = cdp(command, "--help")
    assert done.returncode == 0
    assert "usage: cdp " + command in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "07_exp2", "--preset", "quick", "-p", "gamas=[0]"), "did you mean 'gammas'?"),
        (("run", "07_exp2", "--preset", "quick", "-p", "gammas=[-1]"), "-1 is not in [0, "),
        (("run", "exp2", "-p", "gammas=soon"), "expected list[float]"),
        (("run", "17_exp2"), "unknown chapter '17_exp2': did you mean"),
        (("book", "--preset", "smoke", "--only", "exp17"), "unknown chapter 'exp17'"),
        (("sweep", "exp6"), "unknown experiment 'exp6': did you mean"),
        (("exact", "nowhere.json"), "No such file"),
        (("exact", "README.md"), "is no JSON"),
        (("exact", PROBLEM, "--output", "/"), "--output '/': it is a folder, expected a file"),
        (("run", "exp2", "--output", "/etc/passwd/x"), "--output '/etc/passwd/x': '/etc/passwd'"),
    ],
)
def test_wrong_input_is_one_line_status_2_and_quick(arguments, said):
    cdp("--version")  # the interpreter's files are read once before the clock starts
    started = time.monotonic()
    done = cdp(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
    assert done.stdout == ""
    # 5 s on an idle machine; a busy one is given more.
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("data", "mnist", "foo"), "unknown data set 'foo'"),
        (("sweep", "exp2", "-p", "workers=2"), "unknown parameter 'workers'"),
        (("sweep", "exp2", "--ablation", "none"), "unknown ablation of exp2 'none'"),
        (("sweep", "exp2", "--dry-run", "--workers", "-3"), "workers=-3: expected at least 1"),
        (("sweep", "exp2", "--device", "cuda:9999999999"), "device 'cuda:9999999999'"),
        (("sweep", "exp2", "--store", "/etc/passwd/x"), "--store '/etc/passwd/x': '/etc/passwd'"),
        (("compare", "nowhere"), "'nowhere': no such folder or table"),
        (("compare", "params"), "holds no table of results"),
    ],
)
def test_wrong_input_of_what_trains_is_one_line_and_status_2(arguments, said, monkeypatch, capsys):
    monkeypatch.chdir(paths.ROOT)
    assert cli.main(arguments) == 2  # in this process: torch is loaded once
    output = capsys.readouterr()
    assert len(output.err.splitlines()) == 1
    assert said in output.err
    assert output.out == ""


def test_what_the_system_refuses_is_one_line_and_status_1(monkeypatch, capsys):
    def full(arguments):
        raise OSError(28, "No space left on device", "/cache/x")

    monkeypatch.setattr(cli, "_data", full)
    assert cli.main(["data"]) == 1
    assert capsys.readouterr().err == "cdp: [Errno 28] No space left on device: '/cache/x'\n"


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-W", "ignore", "-m", "cdpbook.cli"]
    command += ["exact", str(paths.BOOK / "_static" / "problems" / "binary_channel.json")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        running.stdout.close()  # as `| head` does
        said = running.stderr.read()
    assert running.returncode == 141
    assert said == ""


def test_a_closed_output_is_no_error_and_no_file_is_taken_for_it(tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "cdpbook.cli", "exact", PROBLEM]
    closed = ["sh", "-c", 'exec "$@" >&- <&-', "sh", *command]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, cwd=paths.ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    closed += ["--output", str(tmp_path / "table.csv")]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, cwd=paths.ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "table.csv").read_text().startswith("D,P,value")


def test_the_command_and_the_theory_import_no_torch():
    code = (
        "import sys, cdplib, cdplib.theory, cdpbook.cli; "
        "assert not {'torch', 'papermill', 'sphinx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ctrl_c_at_any_moment_of_the_start_is_one_line_at_most():
    """From when the command is read; before that, Python says what it does of itself."""
    code = """
import sys
from cdpbook import cli
was = cli._open_streams
cli._open_streams = lambda: (was(), print(flush=True))
sys.exit(cli.main(sys.argv[1:]))
"""
    for wait in (0.0, 0.002, 0.01, 0.03, 0.06, 0.1):
        running = subprocess.Popen(
            [sys.executable, "-c", code, "exact", PROBLEM],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        running.stdout.readline()
        time.sleep(wait)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
        assert running.returncode in (0, 130), said
        assert "Traceback" not in said
        assert said.count("\n") <= 1
