"""Every figure in the prose of a result chapter comes from a row: nobody typed it."""

import re

import pytest

from cdpbook.notebooks import sources

RESULTS = [
    name
    for name in sources.toc()
    if re.match(r"(0[6-9]|1\d)_", name) or name in ("deviations", "reproducibility")
]
#: Numbers that are settings of the paper, the release or the test, and no results.
SETTINGS = {"0.01", "95 %", "5 %", "0.05", "0 %", "100 %"}

_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`|^    .*$", re.DOTALL | re.MULTILINE)
_MATH = re.compile(r"\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)
_EXERCISE = re.compile(
    r"```\{(exercise|solution)-start\}.*?```\{(exercise|solution)-end\}", re.DOTALL
)
_PLACE = re.compile(r"\b(Sections?|Theorem|Figs?\.|Table|Eqs?\.)\s*[\d.]+")
# A decimal, a percentage, or a count of points or seconds: what a result would look like.
_RESULT = re.compile(r"(?<![\w.])\d+(?:\.\d+|(?:\.\d+)?\s*(?:%|points\b|seconds\b))(?:\s*%)?")


def prose(source: str) -> str:
    """A Markdown cell without its code, formulas and names of files."""
    text = _PLACE.sub(" ", _MATH.sub(" ", _CODE.sub(" ", source)))
    return re.sub(r"\]\([^)]*\)|\{[^}]*\}", " ", text)


def typed(source: str) -> list[str]:
    """What looks like a result in a Markdown cell."""
    found = (match.group().strip() for match in _RESULT.finditer(prose(source)))
    return [number for number in found if number not in SETTINGS]


@pytest.mark.parametrize("name", RESULTS)
def test_no_result_is_typed_into_the_prose(name):
    notebook = sources.find(name).notebook()
    cells = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    cells = _EXERCISE.sub(" ", cells)  # an exercise sets its own numbers
    assert typed(cells) == []


def test_a_typed_result_is_found_and_a_setting_is_not():
    assert typed("The error falls from 18.8 to 17.5 %.") == ["18.8", "17.5 %"]
    assert typed("It falls by 3 points, in 20 seconds.") == ["3 points", "20 seconds"]
    assert typed("Clipped to 0.01, with 95 % intervals, `0.18` and $N(0, 0.5)$.") == []
    assert typed("Section 2.3 and Theorem 1.2 of the paper") == []
