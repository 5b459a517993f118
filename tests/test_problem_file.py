"""``cdp exact``: the shipped problems, the formats, and one clear line for every wrong file."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
import time

import numpy as np
import pytest

from cdpbook import cli, problem_file
from cdplib.errors import InputError
from cdplib.storage import paths
from cdplib.theory import exact

PROBLEMS = paths.BOOK / "_static" / "problems"
GOOD = json.loads((PROBLEMS / "binary_channel.json").read_text())


def write(folder, **changes):
    content = {key: value for key, value in (GOOD | changes).items() if value is not None}
    path = folder / "problem.json"
    path.write_text(json.dumps(content))
    return path


def test_point_is_printed_as_json_that_checks_itself(capsys):
    assert cli.main(["exact", str(PROBLEMS / "binary_channel.json")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "optimal"
    assert answer["upper"] - answer["lower"] <= 1e-9
    assert answer["distortion"] <= answer["D"] + 1e-12
    assert answer["perception"] <= answer["P"] + 1e-12
    np.testing.assert_allclose(np.sum(answer["restorer"], axis=1), 1)
    problem = problem_file.problem(GOOD)
    proof = answer["certificate"]
    bound = exact.certify(problem, "tv", answer["D"], answer["P"], proof["lam"], proof["u"])
    assert bound == pytest.approx(answer["lower"], abs=1e-12)
    assert problem.error_rate(np.array(answer["plan"])) == pytest.approx(answer["value"])


def test_surface_is_printed_as_csv_and_drawn_beside_it(tmp_path, capsys):
    path = str(PROBLEMS / "three_grades.json")
    assert cli.main(["exact", path]) == 0
    printed = capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(printed)))
    content = problem_file.load(PROBLEMS / "three_grades.json")
    assert len(rows) == len(content["Ds"]) * len(content["Ps"])
    assert {row["status"] for row in rows} == {"optimal", "infeasible"}
    assert cli.main(["exact", path, "--output", str(tmp_path / "out" / "surface.csv")]) == 0
    assert (tmp_path / "out" / "surface.csv").read_text() == printed
    assert (tmp_path / "out" / "surface.png").read_bytes()[:4] == b"\x89PNG"


def test_infeasible_point_says_why_and_unlimited_budgets_are_strings(tmp_path, capsys):
    assert problem_file.command(write(tmp_path, D=0.1)) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["value"]) == ("infeasible", "inf")
    assert answer["infeasible_by"] > 0
    target = tmp_path / "answer.json"
    assert problem_file.command(write(tmp_path, D="inf", P="inf"), target) == 0
    assert json.loads(target.read_text())["value"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"joint": None}, "'joint' is a required property"),
        ({"joint": [[0.7, 0.1], [0.0, 0.3]]}, "joint sums to 1.1"),
        ({"labels": [0, 0.5]}, "['labels'][1]: 0.5 is not of type 'integer'"),
        ({"divergence": "kullback"}, "unknown divergence 'kullback'"),
        ({"D": None}, "has the budgets P: expected D and P, or Ds and Ps"),
        ({"Ds": [1]}, "has the budgets D, Ds, P"),
        ({"D": "much"}, "['D']"),
        ({"P": -1}, "P is -1"),
        ({"colour": 1}, "'colour' was unexpected"),
        ({"distortion": "angle"}, "['distortion']"),
        ({"D": 10**400, "P": -1}, "P is -1"),
        ({"joint": [[10**400, 0.1], [0.0, 0.3]]}, "joint has an entry that is not finite"),
        ({"labels": [0, 10**30]}, "['labels'][1]: 1e+30 is greater than the maximum"),
        ({"labels": [0, 10**400]}, "['labels'][1]: inf is not of type 'integer'"),
    ],
)
def test_wrong_files_end_with_status_2_and_one_line(tmp_path, capsys, changes, words):
    assert cli.main(["exact", str(write(tmp_path, **changes))]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


def test_a_title_is_drawn_as_it_is_written(tmp_path):
    path = write(tmp_path, title="$\\frac$", D=None, P=None, Ds=[0.2, 0.5], Ps=[0.0, 0.1])
    assert cli.main(["exact", str(path), "--output", str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("output", ["", ".", "/", "a_folder", "problem.json/x.csv", "table"])
def test_an_output_that_cannot_be_written_is_refused_before_solving(
    tmp_path, monkeypatch, capsys, output
):
    path = write(tmp_path, D=None, P=None, Ds=[0.5], Ps=[0.1])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_folder").mkdir()
    (tmp_path / "table.png").mkdir()  # where the picture would be
    monkeypatch.setattr(exact, "surface", None)
    assert cli.main(["exact", str(path), "--output", output]) == 2
    message = capsys.readouterr().err
    assert message.startswith("cdp: --output '")
    assert message.count("\n") == 1
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is no JSON"), (None, "No such file"), ('{"joint":' + 99_999 * "[", "too deeply")],
)
def test_what_is_no_json_is_refused(tmp_path, text, words):
    path = tmp_path / "problem.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=words):
        problem_file.load(path)


def test_a_byte_order_mark_and_stated_rounding_are_read(tmp_path, capsys):
    path = write(tmp_path, channel=[[0.333333, 0.666666], [0.2, 0.8]], D=0.5)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert cli.main(["exact", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "optimal"


def test_links_pipes_and_devices_are_written_through_and_stay(tmp_path, capsys):
    point = write(tmp_path)
    target, link, dangling = (tmp_path / name for name in ("there.json", "link", "dangling"))
    target.write_text("before")
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "new.json")
    for path in (link, dangling):
        assert cli.main(["exact", str(point), "--output", str(path)]) == 0
        assert path.is_symlink()
        assert json.loads(path.read_text())["status"] == "optimal"
    assert json.loads(target.read_text())["status"] == "optimal"
    assert cli.main(["exact", str(point), "--output", "/dev/null"]) == 0
    assert not os.path.isfile("/dev/null")  # noqa: PTH113
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    table = write(tmp_path, D=None, P=None, Ds=[0.2, 0.5], Ps=[0.0, 0.1])
    assert cli.main(["exact", str(table), "--output", str(pipe)]) == 0
    reader.join(timeout=10)
    assert read[0].startswith("D,P,value")
    assert pipe.is_fifo()
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.parametrize(
    "changes",
    [
        {"divergence": "renyi:2", "P": 1000},
        {"divergence": "renyi:10", "P": 100},
        {"divergence": "kl", "P": 1e20},
        {"divergence": "w1", "P": 1e20, "x": [-1e308, 1e308]},
        {"divergence": "reverse_kl", "px": [1e-17, 1]},
        {"distortion": [[0, 1e16], [1e16, 0]], "D": 3e15},
        {"distortion": [[0, 1e-300], [1e-300, 0]], "D": 3e-301, "divergence": "chi2"},
    ],
)
def test_extreme_numbers_are_answered(tmp_path, capsys, changes):
    assert cli.main(["exact", str(write(tmp_path, **changes))]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] in ("optimal", "infeasible")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": [0] * 200_000, "channel": [[1.0] * 200_000]}, "the tables need about"),
        ({"distortion": "squared", "x": [-1e308, 1e308]}, "distortion has an entry that is not"),
        (
            {"D": None, "P": None, "Ds": [0.1] * 200_001, "Ps": [0.1] * 200_001},
            "Ds and Ps have 40000400001 points: the table needs about 2980 GiB",
        ),
    ],
)
def test_what_cannot_be_computed_is_said_before_the_work(tmp_path, capsys, changes, words):
    assert cli.main(["exact", str(write(tmp_path, **changes))]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": [*range(200_000), "a"]}, "['x'][200000]: 'a' is not of type 'number'"),
        ({"x": ["a"] * 200_001}, "['x'][0]: 'a'"),
        ({"D": None, "P": None, "Ds": ["x"] * 200_001, "Ps": [0]}, "['Ds'][0]: 'x'"),
        ({"labels": [0] * 200_000 + [True]}, "['labels'][200000]: True is not of type 'integer'"),
        ({"labels": [0] * 200_001}, "X has 2 letters and X^ has 200001"),
        ({"joint": [[0.1]] * 200_000 + [[]]}, "['joint'][200000]: [] "),
    ],
)
def test_long_lists_are_refused_at_once(tmp_path, capsys, changes, words):
    path = write(tmp_path, **changes)
    started = time.monotonic()
    assert cli.main(["exact", str(path)]) == 2
    assert time.monotonic() - started < 10  # a second where nothing else runs
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("key", ["D", "title"])
def test_a_key_given_twice_is_refused(tmp_path, key):
    text = json.dumps(GOOD)
    path = tmp_path / "problem.json"
    path.write_text(text[:-1] + f', "{key}": 1, "{key}": 2' + "}")
    with pytest.raises(InputError, match=rf"problem\.json: '{key}' is given twice"):
        problem_file.load(path)


def test_what_takes_long_is_said_before_the_work(tmp_path, capsys, monkeypatch):
    def solve(reduced, name, D, P):
        said.append(capsys.readouterr().err)
        raise InputError("here the work begins")

    said: list[str] = []
    monkeypatch.setattr(exact, "solve", solve)
    for n in (100, 60_000):
        path = write(
            tmp_path, joint=[[0.5, 0.5]], channel=[[1.0], [1.0]], distortion="hamming",
            labels=[0] * n, px=[1 / n] * n,
        )  # fmt: skip
        assert cli.main(["exact", str(path)]) == 2
        capsys.readouterr()
    assert said[0] == ""
    assert said[1].startswith("cdp: 1 letters of Y, 60000 of X^, 1 points of (D, P): up to about")
    assert said[1].count("\n") == 1
