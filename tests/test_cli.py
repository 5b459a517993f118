"""The command ``cdp``: wrong input ends with one line and status 2, before any work."""

import signal
import subprocess
import sys
import time

import pytest

from cdpbook import cli
from cdplib.storage import paths

PROBLEM = str(paths.BOOK / "_static" / "problems" / "three_grades.json")

COMMANDS = ["data", "run", "params", "book", "sweep", "compare", "exact", "completion", "explore"]


def cdp(*arguments, timeout=60):
    command = [sys.executable, "-W", "ignore", "-m", "cdpbook.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=paths.ROOT)


@pytest.mark.parametrize("command", COMMANDS)
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
        (("run", "exp2", "-p", "seeds=[5]"), "`cdp run exp2 --preset quick -p 'seeds=[5]'`"),
        (("run", "17_exp2"), "unknown chapter '17_exp2': did you mean"),
        (("params", "exp22"), "unknown chapter 'exp22': did you mean"),
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


def test_params_says_types_ranges_defaults_and_what_the_preset_changes(capsys):
    assert cli.main(["params", "exp2", "--preset", "quick"]) == 0
    said = capsys.readouterr().out
    quick = "betas=null, [0.0,0.01,0.03] in preset quick\n    list[float] in [0, 100] or null\n"
    assert quick in said
    assert "weights of the adversarial loss" in said
    assert "checked=1\n    int in [0, 4]\n" in said
    assert "perception=p_judge\n    str, one of p_judge, p_critic, sliced_w2, frechet\n" in said
    assert cli.main(["params", "01"]) == 0
    assert "flip=0.4\n    float in [0, 1]\n" in capsys.readouterr().out
    assert cli.main(["params", "references"]) == 0
    assert capsys.readouterr().out == "references has no parameters\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("cdp ru", "run"),
        ("cdp run 07", "07_exp2"),
        ("cdp run 07_exp2 --preset qu", "quick"),
        ("cdp run --out", "--output"),
        ("cdp book --only 11_", "11_verdicts"),
        ("cdp sweep exp2 --dry", "--dry-run"),
        ("cdp sweep exp", "exp1 exp2 exp3 exp4 exp5"),
        ("cdp data fash", "fashion-mnist"),
        ("cdp exact book/_st", ""),  # bash completes files itself
        ("cdp run 07_exp2 -p ", ""),
    ],
)
def test_bash_completes_commands_options_and_names(typed, offered, tmp_path, capsys):
    assert cli.main(["completion", "bash"]) == 0
    script = tmp_path / "cdp.bash"
    script.write_text(capsys.readouterr().out)
    subprocess.run(["bash", "-n", script], check=True)
    words = typed.split(" ")
    ask = f'. {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cdp; echo "${{COMPREPLY[*]}}"'
    done = subprocess.run(["bash", "-c", ask, "bash", *words], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (offered + "\n", "")


def test_zsh_has_the_same_completion_behind_its_bridge(capsys):
    assert cli.main(["completion", "bash"]) == cli.main(["completion", "zsh"]) == 0
    bash, bridge, zsh = capsys.readouterr().out.partition("autoload -U +X compinit bashcompinit")
    assert bridge
    assert zsh.splitlines()[2:] == bash.splitlines()[1:]


@pytest.mark.parametrize(
    "arguments", ["run exp2 --preset quick", "book", "sweep exp2", "params 01"]
)
def test_an_installed_command_says_that_it_needs_the_clone(
    arguments, tmp_path, monkeypatch, capsys
):
    for name in ("ROOT", "BOOK", "PARAMS"):
        monkeypatch.setattr(paths, name, tmp_path / "site-packages" / name.lower())
    assert cli.main(arguments.split()) == 1
    said = capsys.readouterr()
    assert said.err.startswith("cdp: this command needs a clone of the book, with `make setup`")
    assert (said.err.count("\n"), said.out) == (1, "")
    assert cli.main(["exact", PROBLEM]) == 0  # the theory needs no clone


def test_the_readmes_example_of_the_library_prints_its_line_alone():
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    code = text.partition("```python\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    value, gap, lam, mu = map(float, done.stdout.split())
    assert done.stdout.count("\n") == 1
    assert (round(value, 4), round(lam, 3), round(mu, 3)) == (0.2124, 0.097, 0.194)
    assert 0 <= gap < 1e-9


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
