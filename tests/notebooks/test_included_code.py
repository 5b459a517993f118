"""Code that the pages show by name is there, and short enough to be read."""

from __future__ import annotations

import ast
import re

import pytest

from cdpbook.notebooks import sources
from cdplib.storage import paths

_INCLUDE = re.compile(r"```\{literalinclude\} (\S+)\n((?::.*\n)*)```")
MOST_LINES = 30
#: Of a cell, the sentence that it prints included.
LONGEST_CELL = 16
#: The loss of Eq. 16 must fit the eye at once.
SHORTER = {"restorer_loss": 15}


def included():
    """(page, file, object) of every literalinclude of the book."""
    found = []
    for page in sorted([*paths.BOOK.glob("*.py"), *paths.BOOK.glob("*.md")]):
        for file, options in _INCLUDE.findall(page.read_text(encoding="utf-8")):
            given = dict(line.strip(":").split(": ", 1) for line in options.splitlines())
            marks = f"{given.get('start-after')}..{given.get('end-before')}"
            found.append((page.name, file, given.get("pyobject", marks)))
    return found


def lines(file, name):
    """Number of lines of the (possibly dotted) object, or between two marks, in a source file."""
    text = (paths.BOOK / file).resolve().read_text(encoding="utf-8")
    if ".." in name:
        start, end = name.split("..")
        assert text.count(start) == text.count(end) == 1
        return text.partition(start)[2].partition(end)[0].count("\n") - 1
    nodes = ast.parse(text).body
    for part in name.split("."):
        kinds = (ast.FunctionDef, ast.ClassDef)
        node = next(n for n in nodes if isinstance(n, kinds) and n.name == part)
        nodes = node.body
    return node.end_lineno - node.lineno + 1


@pytest.mark.parametrize(("page", "file", "name"), included())
def test_shown_code_exists_and_can_be_read_at_once(page, file, name):
    assert lines(file, name) <= SHORTER.get(name, MOST_LINES)


def test_the_engine_is_on_the_page_of_the_engine():
    shown = {name for page, _, name in included() if page == "05_experiments.py"}
    engine = {"restorer_loss", "critic_loss", "gradient_penalty", "Trainer.step", "denoiser"}
    assert engine | {"Critic", "_fitted", "squared_error", "wrong"} <= shown


def test_a_name_that_is_not_there_is_noticed():
    with pytest.raises(StopIteration):
        lines("../cdplib/experiments/losses.py", "no_such_loss")


@pytest.mark.parametrize("name", sources.toc())
def test_no_cell_is_longer_than_can_be_read_at_once(name):
    for cell in sources.find(name).notebook().cells:
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", ()):
            assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.source
