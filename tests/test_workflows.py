"""What other machines do with the book: workflows, Binder and Codespaces name what is here.

They cannot be run here; GitHub's own schema checks the workflows.
"""

import json
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from cdpbook.notebooks import execute, printed, site, sources
from cdplib import checkout
from cdplib.errors import DataError
from cdplib.storage import paths

WORKFLOWS = sorted((paths.ROOT / ".github/workflows").glob("*.yml"))
PROJECT = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]


def _steps(file):
    jobs = yaml.safe_load(file.read_text())["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_the_workflows_call_targets_and_scripts_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", (paths.ROOT / "Makefile").read_text(), re.M))
    commands = "\n".join(step.get("run", "") for file in WORKFLOWS for step in _steps(file))
    assert {"check", "book", "test"} <= set(re.findall(r"^make ([a-z-]+)", commands, re.M))
    assert set(re.findall(r"^make ([a-z-]+)", commands, re.M)) <= targets
    for script in re.findall(r"\./(\.ci/\w+)", commands):
        assert (paths.ROOT / script).stat().st_mode & 0o100, script
    for extras in re.findall(r"'\.\[([\w,]+)\]'", commands):
        assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])


def test_every_python_that_the_package_allows_is_tried():
    matrix = yaml.safe_load((paths.ROOT / ".github/workflows/book.yml").read_text())
    tried = {one["python"] for one in matrix["jobs"]["check"]["strategy"]["matrix"]["include"]}
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert tried == {f"3.{minor}" for minor in range(int(low), int(high))}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_githubs_schema_accepts_the_workflows(file):
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
    ]
    subprocess.run([*command, str(file)], check=True)


def test_pull_requests_and_weeks_audit_every_locked_package():
    file = paths.ROOT / ".github/workflows/audit.yml"
    when = yaml.safe_load(file.read_text())[True]  # YAML 1.1 reads "on" so
    assert {"pull_request", "schedule"} <= set(when)
    (command,) = [s["run"] for s in _steps(file) if s.get("run", "").startswith("pip-audit")]
    name = re.search(r" -r (\S+)$", command).group(1)
    assert "--hash=sha256:" in (paths.ROOT / name).read_text()
    # Without pip it asks nothing but the advisories; strict, it fails where it could not ask.
    assert {"--strict", "--disable-pip", "--require-hashes"} <= set(command.split())


def test_binder_and_codespaces_start_from_the_same_light_pins():
    lines = (paths.ROOT / "binder/requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert wanted[:2] == ["-c ../requirements.txt", "-e ."]
    assert not [line for line in wanted if "torch" in line]
    container = json.loads((paths.ROOT / ".devcontainer/devcontainer.json").read_text())
    assert container["postCreateCommand"] == "pip install -r binder/requirements.txt"


@pytest.mark.parametrize(
    ("origin", "packages", "said"),
    [
        ("https://github.com/someone/cdp-book.git", {"torch"}, "cdp-book[experiments]"),
        ("git@example.org:cdp.git", {"numpy"}, "https://(the repository)"),
    ],
)
def test_a_downloaded_notebook_begins_by_having_the_book(monkeypatch, origin, packages, said):
    monkeypatch.setattr(checkout, "git", lambda *_: origin)
    code = execute._elsewhere(packages)
    assert said in code
    assert ("[experiments]" in code) == ("torch" in packages)
    scope = {}
    exec(compile(code, "cell", "exec"), scope)  # here the book is there: nothing is done
    assert "install" not in scope


def test_a_warning_names_the_cell_of_the_source(tmp_path):
    cells = [{"id": "07_exp2-elsewhere"}, {"id": "07_exp2-000"}, {"id": "07_exp2-001"}]
    (tmp_path / "book").mkdir()
    (tmp_path / "book/07_exp2.ipynb").write_text(json.dumps({"cells": cells}))
    line = f"{tmp_path}/book/07_exp2.ipynb:30002: WARNING: something"
    assert site._short(line, tmp_path) == "07_exp2, cell 07_exp2-001, line 2: WARNING: something"


def test_pages_are_printed_in_the_order_of_the_book(tmp_path):
    with pytest.raises(DataError, match=r"no page index\.html"):
        printed.pages(tmp_path)
    for name in sources.toc():
        (tmp_path / f"{name}.html").touch()
    assert [page.stem for page in printed.pages(tmp_path)] == sources.toc()
