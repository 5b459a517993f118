"""What a reader changed of an experiment's settings, and the refusal of `read` to train it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from cdplib import parameters
from cdplib.errors import InputError, unknown
from cdplib.experiments import settings


def asked(experiment: str, preset: str, **values: Any) -> dict[str, Any]:
    """The settings that a reader changed: those of ``values`` that differ from the preset's.

    ``values`` are the chapter's parameters that are settings, by name. None and ``default`` mean
    "as in the preset"; every other value is asked for, 0 and false too.
    """
    known = settings.declared()
    base = parameters.preset(preset, ["all", experiment], known)
    found = {}
    for name, value in values.items():
        if name not in known:
            raise unknown("setting", name, known)
        if value is not None and value not in ("default", base.get(name)):
            found[name] = value
    return found


def refuse(experiment: str, preset: str, given: Mapping[str, Any]) -> None:
    """Raise :class:`InputError` where ``preset`` shows what is published and ``given`` is not.

    ``given`` are settings as :func:`asked` finds them; the message has the command that trains.
    """
    if preset != "read" or not given:
        return
    values = shlex.join(["--preset", "quick", *words(given)])
    raise InputError(
        f"preset read shows published rows and trains nothing, and {_named(given)} would have to "
        f"be trained: `cdp run {experiment} {values}` does it in minutes, "
        f"`cdp sweep {experiment} {values} --dry-run` says in how many"
    )


def announced(experiment: str, preset: str, given: Mapping[str, Any]) -> str:
    """What is to be known before a chapter of ``experiment`` trains; empty where none does."""
    if preset == "read":
        return ""
    own = settings.resolve(experiment, preset, given)
    count = len(settings.points(experiment, preset, own))
    values = shlex.join(["--preset", preset, *words(given)])
    return (
        f"it trains those of {count} points that this machine has not trained before (how many and "
        f"how long: `cdp sweep {experiment} {values} --dry-run`)"
    )


def words(values: Mapping[str, Any]) -> list[str]:
    """``-p NAME=VALUE`` for each of ``values``, as :func:`cdplib.parameters.assignments` reads."""
    return [word for name, value in values.items() for word in ("-p", f"{name}={as_yaml(value)}")]


def as_yaml(value: Any) -> str:
    """``value`` as ``-p NAME=VALUE`` has it."""
    if isinstance(value, list):
        return f"[{','.join(map(as_yaml, value))}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = re.fullmatch(r"[A-Za-z][\w.+-]*", value) and yaml.safe_load(value) == value
        return value if plain else json.dumps(value)
    return str(value)


def _named(given: Iterable[str]) -> str:
    *first, last = given
    return f"{', '.join(first)} and {last}" if first else last
