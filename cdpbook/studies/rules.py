"""The rules of ``params/verdicts.yml``: statements, their tests, the P they use, failed trainings.

The file is data that was fixed before rows; every word in it is checked when it is read.
"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cdplib import parameters
from cdplib.errors import InputError, unknown
from cdplib.storage import paths

FILE = "verdicts.yml"
PERCEPTION = ("p_judge", "p_critic", "sliced_w2", "frechet")
_ANY_P = ("P", "mse", "error_rate")
_WEIGHTS, _WAYS = ("beta", "gamma"), ("lowers", "raises")
#: What each test is told, with the values allowed; ``float``: a number; a leading ?: if needed.
TESTS: dict[str, dict[str, Any]] = {
    "both_costs": {},
    "pairs": {},
    "triples": {},
    "shape": {"shape": ("convex", "monotone", "convex_and_monotone")},
    "direction": {
        **{"weight": _WEIGHTS, "column": _ANY_P, "wanted": _WAYS},
        **{"?beta": float, "?gamma": float},
    },
    "rows": {"weight": _WEIGHTS, "column": _ANY_P, "wanted": _WAYS},
    "lifted": {"column": ("P", "mse")},
    "recognisable": {},
    "critic_orders": {},
    "critic_scale": {},
}


@dataclass(frozen=True)
class Rule:
    """A statement of the file: ``test`` is one of :data:`TESTS`, ``given`` what it is told.

    ``figure``: the end of the label of the figure that shows it in each chapter;
    ``all_trainings``: failed ones count as well; ``now``, ``why``: of a retired one, what took its
    place and the reason.
    """

    number: str
    text: str
    where: str
    test: str
    given: Mapping[str, Any] = field(default_factory=dict)
    figure: str = "planes"
    all_trainings: bool = False
    now: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Rules:
    """The whole file. ``failed``: the two ratios by which a training counts as failed."""

    perceptions: tuple[str, str]
    failed: Mapping[str, float]
    statements: tuple[Rule, ...]
    retired: tuple[Rule, ...]


@functools.cache
def load(file: Path | None = None) -> Rules:
    """The rules of ``file`` (default: those of the checkout).

    Raises :class:`InputError`, one line that quotes what is wrong, for any other content.
    """
    file = file or paths.PARAMS / FILE
    where = f"{file.parent.name}/{file.name}"
    try:
        content = parameters.read_yaml(file.read_bytes(), where)
    except OSError as error:
        raise InputError(f"{where}: cannot be read ({error.strerror})") from None
    names = ("perceptions", "failed", "statements", "retired")
    content = _only(content, where, names, names)
    shown = content["perceptions"]
    if not (isinstance(shown, list) and len(shown) == 2 and set(shown) <= set(PERCEPTION)):
        raise InputError(
            f"{where}: perceptions {shown!r:.60}: expected two of {', '.join(PERCEPTION)}"
        )
    ratios = ("judge_over_critic", "distortion_ratio")
    failed = _only(content["failed"], f"{where}, failed", ratios, ratios)
    for name, value in failed.items():
        if not _number(value) or not value > 1:
            raise InputError(f"{where}, failed: {name} {value!r:.60}: expected a number above 1")
    statements, retired = (_rules(content[name], f"{where}, {name}") for name in names[2:])
    numbers = [rule.number for rule in (*statements, *retired)]
    for number in numbers:
        if numbers.count(number) > 1:
            raise InputError(f"{where}: {number} is there twice: expected each number once")
    active = [rule.number for rule in statements]
    for rule in retired:
        for number in rule.now:
            if number not in active:
                raise unknown(
                    f"statement that {where} puts in place of {rule.number}", number, active
                )
    return Rules((shown[0], shown[1]), failed, statements, retired)


def _only(
    value: Any, where: str, known: tuple[str, ...], needed: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected {', '.join(known)}, got {value!r:.60}")
    for name in value:
        if name not in known:
            raise unknown(f"entry of {where}", str(name), known)
    for name in needed:
        if name not in value:
            raise InputError(f"{where}: {name} is missing: expected {', '.join(needed)}")
    return value


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _rules(value: Any, where: str) -> tuple[Rule, ...]:
    if not isinstance(value, list):
        raise InputError(f"{where}: expected a list of statements, got {value!r:.60}")
    return tuple(_rule(entry, where) for entry in value)


def _rule(value: Any, where: str) -> Rule:
    needed = ("number", "text", "where", "test")
    known = (*needed, "with", "figure", "all_trainings", "now", "why")
    entry = dict(_only(value, where, known, needed))
    where = f"{where}, {entry['number']}"
    for name in (*needed, "figure", "why"):
        if name in entry and not isinstance(entry[name], str):
            raise InputError(f"{where}: {name} {entry[name]!r:.60}: expected text")
    if not isinstance(entry.get("all_trainings", False), bool):
        got = entry["all_trainings"]
        raise InputError(f"{where}: all_trainings {got!r:.60}: expected true or false")
    now = entry.pop("now", [])
    if not isinstance(now, list) or not all(isinstance(number, str) for number in now):
        raise InputError(f"{where}: now {now!r:.60}: expected a list of numbers such as E2")
    if entry["test"] not in TESTS:
        raise unknown(f"test of {where}", entry["test"], TESTS)
    allowed = TESTS[entry["test"]]
    plain = {name.lstrip("?"): values for name, values in allowed.items()}
    must = tuple(name for name in allowed if not name.startswith("?"))
    given = _only(entry.pop("with", {}), f"{where}, with", tuple(plain), must)
    for name, got in given.items():
        values = plain[name]
        if values is float and not _number(got):
            raise InputError(f"{where}: {name} {got!r:.60}: expected a number")
        if values is not float and got not in values:
            raise InputError(f"{where}: {name} {got!r:.60}: expected one of {', '.join(values)}")
    return Rule(**entry, given=given, now=tuple(now))


def failures(table: pd.DataFrame, failed: Mapping[str, float] | None = None) -> pd.Series:
    """Why each row of a results table counts as a failed training: text, empty where it does not.

    A column that is not there, or a seed without the point of beta = gamma = 0, decides nothing.
    """
    failed = load().failed if failed is None else failed
    reason = pd.Series("", index=table.index)
    if "mse" in table:
        plain = table[(table["beta"] == 0) & (table["gamma"] == 0)]
        least = table["seed"].map(plain.groupby("seed")["mse"].min())
        reason[table["mse"] > failed["distortion_ratio"] * least] = "D too large"
    if {"p_judge", "p_critic"} <= set(table.columns):
        clear = table["p_judge"] > 2 * table.get("p_judge_se", 0.0)
        fooled = clear & (table["p_judge"] > failed["judge_over_critic"] * table["p_critic"])
        reason[fooled] = "its critic was fooled"
    return reason


def commit() -> str:
    """The commit that last changed the file (``+`` where it differs from it), or an empty string
    outside a checkout with its history."""
    name = f"{paths.PARAMS.name}/{FILE}"
    asked = (["log", "-1", "--format=%h"], ["status", "--porcelain"])
    try:
        last, changed = (
            subprocess.run(
                ["git", "-C", str(paths.ROOT), *command, "--", name],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for command in asked
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return last + ("+" if changed and last else "")
