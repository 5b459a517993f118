"""Typed parameters with ranges: a chapter's, an experiment's, a preset's and ``-p NAME=VALUE``.

Everything is checked here before any work starts. A parameter cell has one line a parameter; the
body of :class:`.settings.Settings` is one too, so that sweeps and chapters have one grammar::

    gammas: list[float] = [0.0, 0.01]  # in [0, 10]; weights of the cross entropy (Eq. 16)
    divergence: str = "kl"  # one of tv|w1|kl; the measure of perception
    retrain: bool = False  # train the classifier again
    steps: int | None = None  # in [1, 1000000]; steps of each point; none: the preset's
"""

from __future__ import annotations

import ast
import io
import math
import re
import reprlib
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from cdplib.errors import InputError, unknown
from cdplib.experiments.table import EXPERIMENTS
from cdplib.storage import paths

KINDS = ("int", "float", "bool", "str", "list[int]", "list[float]", "list[str]")
#: Files of ``params/`` that are no presets.
OTHERS = ("grids", "ablations", "verdicts")

_OPTIONAL = " | None"
_RANGE = re.compile(r"in\s*([\[(])\s*(\S+)\s*,\s*(\S+?)\s*([\])])$")
# YAML 1.1 reads 1e-3 (no dot) and inf as strings: a float parameter takes them as numbers.
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+|[-+]?inf")
# It also reads 010 as 8, 1:30 as 90 and 1_0 as 10, which nobody means here.
_PLAIN = {
    "int": re.compile(r"[-+]?(0|[1-9][0-9]*)"),
    "float": re.compile(
        r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?\.(inf|nan)", re.I
    ),
}
#: Characters of YAML that are read: more takes a while, and no preset or value comes near.
LONGEST = 20_000
_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxdict = 8
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


@dataclass(frozen=True)
class Parameter:
    """One parameter: ``kind`` is one of :data:`KINDS`; range and choices hold for each element.

    An ``optional`` one may be None (``null`` in YAML), which a chapter reads as "not asked for".
    ``low`` and ``high`` are included unless ``low_open`` or ``high_open``. A list may be empty
    only when its default is.
    """

    name: str
    kind: str
    default: Any
    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    choices: tuple[Any, ...] = ()
    help: str = ""
    optional: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"{self.name}: {self.kind!r} is not one of {', '.join(KINDS)}")

    @property
    def element(self) -> str:
        """The type of one element: ``float`` for ``list[float]``."""
        return self.kind.removeprefix("list[").removesuffix("]")

    @property
    def bounded(self) -> bool:
        """Whether a range was declared."""
        return self.low > -math.inf or self.high < math.inf or self.low_open or self.high_open

    @property
    def range(self) -> str:
        """The range as it is written in a parameter cell: ``[0, inf)``."""
        ends = ("(" if self.low_open else "[", ")" if self.high_open else "]")
        return f"{ends[0]}{_end(self.low)}, {_end(self.high)}{ends[1]}"

    def check(self, value: Any, where: str = "") -> Any:
        """``value`` in its declared type (an int becomes a float where a float is declared).

        Raises :class:`InputError`, one line that quotes the value and ``where`` it was given.
        """
        quoted = f"{where} {self.name}={_SHORT.repr(value)}".strip()
        if value is None and self.optional:
            return None
        if not self.kind.startswith("list["):
            return self._check_one(value, quoted)
        if not isinstance(value, list | tuple):
            raise InputError(f"{quoted}: expected {self.kind}, a list such as [{_example(self)}]")
        if not value and (self.default or self.optional):
            raise InputError(f"{quoted}: expected at least one element")
        return [self._check_one(element, quoted) for element in value]

    def _check_one(self, value: Any, quoted: str) -> Any:
        shown = _SHORT.repr(value)
        if self.element == "float":
            if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
                value = _float(value, quoted)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InputError(f"{quoted}: {shown} is not a float")
            try:
                value = float(value)
            except OverflowError:
                raise InputError(f"{quoted}: {shown} is too large") from None
            if math.isnan(value):
                raise InputError(f"{quoted}: nan is not a number in {self.range}")
        elif self.element == "int":
            if isinstance(value, bool) or not isinstance(value, int):
                raise InputError(f"{quoted}: {shown} is not an int")
        elif type(value).__name__ != self.element:
            raise InputError(f"{quoted}: {shown} is not a {self.element}")
        if self.choices and value not in self.choices:
            expected = ", ".join(map(str, self.choices))
            raise InputError(f"{quoted}: {shown} is not one of {expected}")
        if self.element in ("int", "float"):
            below = value <= self.low if self.low_open else value < self.low
            above = value >= self.high if self.high_open else value > self.high
            if below or above:
                raise InputError(f"{quoted}: {shown} is not in {self.range}")
        return value


def _float(text: str, quoted: str) -> float:
    """The number that ``text`` writes, unless no float is near it: 1e400, 1e-400."""
    value = float(text)
    if math.isinf(value) and "inf" not in text.lower():
        raise InputError(f"{quoted}: {text} is too large for a float")
    if value == 0 and re.search(r"[1-9]", re.split("[eE]", text)[0]):
        raise InputError(f"{quoted}: {text} is too small for a float")
    return value


def _end(value: float) -> str:
    """An end of a range; whole numbers in full."""
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else f"{value:g}"


def _example(parameter: Parameter) -> str:
    return ", ".join(map(repr, parameter.default)) if parameter.default else "..."


def declared(source: str, where: str = "parameters cell") -> dict[str, Parameter]:
    """The parameters that the source of a parameters cell declares, in order.

    Numbers must declare a range ``in [lo, hi]`` or ``one of a|b``; bool and str may do without.
    Raises :class:`InputError` for any other statement, type or comment, with its line.
    """
    expected = "expected `name: type = value  # in [lo, hi]; what it is`"
    try:
        statements = ast.parse(source).body
        comments = {
            token.start[0]: token.string.lstrip("# ")
            for token in tokenize.generate_tokens(io.StringIO(source).readline)
            if token.type == tokenize.COMMENT
        }
    except (SyntaxError, tokenize.TokenError) as error:
        raise InputError(f"{where}: {error}; {expected}") from None
    found: dict[str, Parameter] = {}
    for node in statements:
        line = f"{where}, line {node.lineno}"
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            raise InputError(f"{line}: {ast.unparse(node)[:60]!r}: {expected}")
        name, kind = node.target.id, ast.unparse(node.annotation)
        optional = kind.endswith(_OPTIONAL)
        kind = kind.removesuffix(_OPTIONAL)
        if kind not in KINDS:
            raise InputError(f"{line}: {name}: {kind!r} is not one of {', '.join(KINDS)}")
        if name in found:
            raise InputError(f"{line}: {name} is declared twice")
        try:
            default = ast.literal_eval(node.value) if node.value else None
        except ValueError:
            raise InputError(f"{line}: {name}: the default is not a literal; {expected}") from None
        last = node.end_lineno or node.lineno
        comment = next((comments[n] for n in range(last, node.lineno - 1, -1) if n in comments), "")
        parameter = replace(_parameter(name, kind, default, comment, line), optional=optional)
        parameter.check(default, where=line)
        found[name] = parameter
    return found


def _parameter(name: str, kind: str, default: Any, comment: str, line: str) -> Parameter:
    rule, _, text = (part.strip() for part in comment.partition(";"))
    element = kind.removeprefix("list[").removesuffix("]")
    if rule.startswith("one of "):
        words = [word.strip() for word in rule.removeprefix("one of ").split("|")]
        try:
            choices: list[Any] = [_CAST[element](word) for word in words]
        except ValueError:
            raise InputError(f"{line}: {name}: {rule!r} are not of type {element}") from None
        return Parameter(name, kind, default, choices=tuple(choices), help=text)
    match = _RANGE.fullmatch(rule)
    if match and element in ("int", "float"):
        try:
            low, high = float(match[2]), float(match[3])
        except ValueError:
            raise InputError(f"{line}: {name}: {rule!r} has no numbers as ends") from None
        ends = (match[1] == "(", match[4] == ")")
        return Parameter(name, kind, default, low, high, *ends, help=text)
    if element in ("int", "float") or not comment:
        raise InputError(
            f"{line}: {name}: comment {comment!r}: expected `in [lo, hi]; sentence` "
            "or `one of a|b; sentence`"
        )
    return Parameter(name, kind, default, help=comment)


_CAST: dict[str, Any] = {"int": int, "float": float, "str": str, "bool": bool}


def assignments(given: Iterable[str]) -> dict[str, Any]:
    """Values from ``["gammas=[0,0.03]", ...]``: each is YAML; a name given twice is refused."""
    values: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise InputError(f"-p {text!r}: expected NAME=VALUE, for example gammas=[0,0.03]")
        if name in values:
            raise InputError(f"-p {text!r}: {name} is given twice")
        values[name] = read_yaml(value, f"-p {_SHORT.repr(text)}")
    return values


def read_yaml(text: str | bytes, where: str, longest: int = LONGEST) -> Any:
    """What ``text`` holds; :class:`InputError`, one line with ``where``, if it cannot be read.

    Numbers are decimal: YAML's octal, hexadecimal, base 60 and underscores are refused, and so is
    a key that is given twice, or a text of more than ``longest`` characters.
    """
    if len(text) > longest:
        raise InputError(
            f"{where}: cannot be read, {len(text):,} characters: expected at most {longest:,}"
        )
    try:
        return yaml.load(text, _Decimal)
    except InputError as error:
        raise InputError(f"{where}: cannot be read, {error}") from None
    except Exception as error:  # whatever int(), a date or the recursion of the parser raises
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{where}: cannot be read, it is not YAML ({reason[:200]})") from None


class _Decimal(yaml.SafeLoader):
    """YAML whose numbers are decimal, and whose keys are each given once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping of ``node``; of two equal keys YAML would take the last, in silence."""
        seen: set[Any] = set()
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode) or name.tag.endswith(":merge"):
                continue
            key = self.construct_object(name)
            if key in seen:
                raise InputError(f"{_SHORT.repr(key)} is given twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _decimal(loader: _Decimal, node: yaml.ScalarNode) -> int | float:
    kind = node.tag.rpartition(":")[2]
    if not _PLAIN[kind].fullmatch(node.value):
        raise InputError(f"{_SHORT.repr(node.value)} is not a decimal number")
    if kind == "int":
        return int(node.value)
    if node.value.lower().lstrip("+-") in (".inf", ".nan"):
        return float(node.value.replace(".", ""))
    return _float(node.value, _SHORT.repr(node.value))


for _kind in _PLAIN:
    _Decimal.add_constructor(f"tag:yaml.org,2002:{_kind}", _decimal)


def resolve(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any], where: str = "-p"
) -> dict[str, Any]:
    """Every declared parameter: its checked value from ``given``, else its default.

    Raises :class:`InputError` for an unknown name (with the nearest one) or a wrong value.
    """
    for name in given:
        if name not in parameters:
            raise unknown(
                f"parameter of {where}" if where != "-p" else "parameter", name, parameters
            )
    checked = {name: parameters[name].check(value, where) for name, value in given.items()}
    return {name: checked.get(name, p.default) for name, p in parameters.items()}


def section_of(chapter: str) -> str:
    """A chapter's name without its number, as presets call it: ``03_toy_example``: toy_example."""
    return re.sub(r"^[0-9A-Z]+_", "", chapter)


def chapters(folder: Path | None = None) -> list[str]:
    """The chapters' file names without their endings, sorted."""
    found = (paths.BOOK if folder is None else folder).glob("[0-9A-Za-z]*.*")
    # A copy that an editor made, `03_toy_example-Copy1.py`, is no chapter.
    own = (path.stem for path in found if path.suffix in (".py", ".md"))
    return sorted(stem for stem in own if re.fullmatch(r"\w+", stem))


def presets(folder: Path | None = None) -> list[str]:
    """The names of the presets in ``folder`` (default: ``params/`` of the checkout), sorted."""
    found = (paths.PARAMS if folder is None else folder).glob("*.yml")
    return sorted(path.stem for path in found if path.stem not in OTHERS)


def preset(
    name: str,
    sections: Sequence[str],
    parameters: Mapping[str, Parameter] | None = None,
    *,
    folder: Path | None = None,
) -> dict[str, Any]:
    """The values of preset ``name`` (``params/NAME.yml``), later ``sections`` over earlier ones.

    Sections that the file does not have are passed over. With ``parameters`` the values are
    checked; a name in ``all`` that is not declared is ignored, in any other section refused.
    ``folder`` holds the presets (default: ``params/`` of the checkout).
    """
    path = (paths.PARAMS if folder is None else folder) / f"{name}.yml"
    if name not in presets(folder):
        raise unknown("preset", name, presets(folder))
    where = f"{path.parent.name}/{path.name}"
    content = read_yaml(path.read_bytes(), where) or {}
    if not isinstance(content, dict):
        raise InputError(f"{where}: expected sections, got {_SHORT.repr(content)}")
    known = {"all", *EXPERIMENTS, *sections, *map(section_of, chapters())}
    values: dict[str, Any] = {}
    for section in content:
        if section not in known:
            raise unknown(f"section of {where}", section, known)
    for section in sections:
        entries = content.get(section) or {}
        if not isinstance(entries, dict):
            raise InputError(f"{where}, section {section}: expected NAME: VALUE lines")
        if parameters is not None:
            if section == "all":
                entries = {key: v for key, v in entries.items() if key in parameters}
            checked = resolve(parameters, entries, f"{where}, section {section}:")
            entries = {key: checked[key] for key in entries}
        values.update(entries)
    return values
