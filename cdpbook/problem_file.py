"""``cdp exact PROBLEM.json``: a user's own finite problem, solved with certificates.

The file holds ``joint`` (L, k), ``channel`` (k, m), ``distortion`` ((k, n), or "hamming", or
"squared" differences of ``x``), ``labels`` (n,), optionally ``x`` and ``px``, a ``divergence``, and
either one point ``D``, ``P`` or two lists ``Ds``, ``Ps``.  Budgets may be "inf".  A point gives
JSON; lists give CSV and, beside it, a picture.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

from cdplib.errors import InputError
from cdplib.storage import files
from cdplib.theory import divergences, exact

_NUMBER = {"type": "number"}
_VECTOR = {"type": "array", "minItems": 1, "items": _NUMBER}
_TABLE = {"type": "array", "minItems": 1, "items": _VECTOR}
_LABEL = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
_BUDGET = {"anyOf": [{"type": "number"}, {"const": "inf"}]}
_BUDGETS = {"type": "array", "minItems": 1, "items": _BUDGET}

#: How many tables of the size of the distortion an answer holds at a time, roughly.
_TABLES = 10

#: JSON schema (2020-12) of a problem file.
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A finite classification-distortion-perception problem",
    "type": "object",
    "required": ["joint", "channel", "distortion", "labels", "divergence"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string"},
        "joint": _TABLE,
        "channel": _TABLE,
        "distortion": {"anyOf": [_TABLE, {"enum": ["hamming", "squared"]}]},
        "labels": {
            "type": "array",
            "minItems": 1,
            "items": _LABEL,
        },
        "x": _VECTOR,
        "px": _VECTOR,
        "divergence": {"type": "string"},
        "D": _BUDGET,
        "P": _BUDGET,
        "Ds": _BUDGETS,
        "Ps": _BUDGETS,
    },
}


def load(path: Path) -> dict[str, Any]:
    """The checked content of a problem file; :class:`InputError` says what is wrong, and where."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text, parse_int=_whole, object_pairs_hook=_once)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply: expected lists of lists") from None
    except ValueError as error:
        raise InputError(f"{path} is no JSON: {error}") from None
    _fits(content)
    wrong = jsonschema.exceptions.best_match(_Validator(SCHEMA).iter_errors(content))
    if wrong is not None:
        where = "".join(f"[{part!r}]" for part in wrong.absolute_path) or "the file"
        text = " ".join(wrong.message.split())
        raise InputError(f"{path}: {where}: {text if len(text) < 160 else text[:157] + '...'}")
    point, grid = {"D", "P"} & content.keys(), {"Ds", "Ps"} & content.keys()
    if (point, grid) not in (({"D", "P"}, set()), (set(), {"Ds", "Ps"})):
        given = ", ".join(sorted(point | grid)) or "none"
        raise InputError(f"{path} has the budgets {given}: expected D and P, or Ds and Ps")
    return dict(content)


def _fits(content: Any) -> None:
    """Refuse, before any work, what is larger than this machine's memory; say what takes long."""
    lists = content if isinstance(content, dict) else {}
    lengths = {key: len(value) for key, value in lists.items() if isinstance(value, list)}
    n, rows = lengths.get("labels", 0), max(lengths.get("channel", 0), 1)
    first = lists["channel"][0] if lengths.get("channel") else []
    rows = max(rows, len(first) if isinstance(first, list) else 0)
    points = lengths.get("Ds", 1) * lengths.get("Ps", 1)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for what, numbers in (
        (f"labels has {n} letters and channel up to {rows}: the tables need", _TABLES * n * rows),
        (f"Ds and Ps have {points} points: the table needs", _TABLES * points),
    ):
        if 8.0 * numbers > there:
            needed = f"{8.0 * numbers / 2**30:.0f} GiB, this machine has {there / 2**30:.0f}"
            raise InputError(f"{what} about {needed}")


def _say_if_long(reduced: exact.Problem, points: int) -> None:
    """A line on standard error where an answer takes over about a minute, before the work."""
    m, n = reduced.shape
    # Measured on one core: KL on 1,000 x 1,000 letters, total variation on 1 x 10,000.
    seconds = points * (10 * (m * n / 1e6) ** 1.2 + 46 * (n / 1e4) ** 2.4)
    if seconds > 60:
        hours = f"{seconds / 3600:,.0f} hours" if seconds > 7200 else f"{seconds / 60:.0f} minutes"
        print(
            f"cdp: {m} letters of Y, {n} of X^, {points} points of (D, P): up to about {hours}, "
            "as such problems go; Ctrl-C ends it",
            file=sys.stderr, flush=True,
        )  # fmt: skip


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; of two equal keys it would take the last, in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice!r:.60} is given twice")
    return found


def _items(validator: Any, schema: Any, values: Any, _: Any) -> Iterator[Any]:
    """What is wrong with the first wrong one of ``values``, as JSON schema's ``items`` has it.

    Plain numbers are passed at once: the general way takes a minute for a million.
    """
    if not isinstance(values, list):
        return
    numbers, labels = schema in (_NUMBER, _BUDGET), schema == _LABEL
    for index, value in enumerate(values):
        if (numbers and type(value) in (int, float)) or (
            labels and type(value) is int and 0 <= value <= 1_000_000
        ):
            continue
        wrong = list(validator.descend(value, schema, path=index))
        if wrong:
            yield from wrong
            return


_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"items": _items})


def _whole(digits: str) -> int | float:
    """A whole number, or where it is too long for one a float, which is inf at worst."""
    return int(digits) if len(digits) < 16 else float(digits)


def problem(content: dict[str, Any]) -> exact.Problem:
    """The reduced problem of a file's content."""
    k, n = len(content["joint"][0]), len(content["labels"])
    cost = content["distortion"]
    if cost == "hamming":
        cost = 1.0 - np.eye(k, n)
    elif cost == "squared":
        if k != n:
            raise InputError(
                f"distortion 'squared' with {k} letters of X and {n} of X^: expected a table"
            )
        x = np.asarray(content.get("x", range(n)), dtype=float)
        with np.errstate(over="ignore"):  # what overflows is refused in one line
            cost = (x[:, None] - x[None, :]) ** 2
    return exact.make_problem(
        content["joint"], content["channel"], cost, content["labels"],
        x=content.get("x"), px=content.get("px"),
    )  # fmt: skip


def point_report(content: dict[str, Any]) -> dict[str, Any]:
    """C(D,P) at one point, as what the JSON answer holds."""
    reduced, D, P = problem(content), float(content["D"]), float(content["P"])
    _say_if_long(reduced, 1)
    at = exact.solve(reduced, content["divergence"], D, P)
    report: dict[str, Any] = {
        "divergence": content["divergence"],
        "D": D,
        "P": P,
        "status": at.status,
        "value": at.value,
        "lower": at.lower,
        "upper": at.upper,
        "multipliers": {"lam": at.lam, "mu": at.mu},
        "certificate": {"lam": at.lam, "u": at.u.tolist()},
    }
    if at.plan is None:
        proof = exact.certify_infeasible(reduced, content["divergence"], D, P, at.lam, at.u)
        return report | {"infeasible_by": proof}
    mass = reduced.py[:, None]
    restorer = np.where(mass > 0, at.plan / np.where(mass > 0, mass, 1.0), at.plan)
    r = at.plan.sum(axis=0)
    d = divergences.get(content["divergence"], reduced.x)
    return report | {
        "distortion": reduced.distortion(at.plan),
        "perception": d.value(reduced.px, r / r.sum()),
        "plan": at.plan.tolist(),
        "restorer": restorer.tolist(),
    }


def surface_table(surface: exact.Surface) -> str:
    """The surface as CSV: one row per (D, P)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = ("value", "lower", "upper", "lam", "mu", "status")
    writer.writerow(("D", "P", *columns))
    for i, D in enumerate(surface.Ds):
        for j, P in enumerate(surface.Ps):
            row = (getattr(surface, name)[i, j] for name in columns)
            writer.writerow([_plain(v) for v in (D, P, *row)])
    return text.getvalue()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else repr(float(value))


def _json(value: Any) -> Any:
    """Numbers that JSON lacks: "inf" as the budgets have it, null for what is undefined."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def command(path: Path, output: Path | None = None) -> int:
    """Solve the problem in ``path``; write to ``output``, or print.  0: solved or infeasible.

    1 where some point stayed uncertified (its bounds are given all the same).
    """
    content = load(path)
    table_file, picture = output, None
    if output is not None:
        files.check_target(output, "--output", "file")
        if "Ds" in content and not files.is_special(output):  # a table, and a picture beside it
            table_file, picture = output.with_suffix(".csv"), output.with_suffix(".png")
            for target in (table_file, picture):
                files.check_target(target, "--output", "file")
    divergences.get(content["divergence"])
    if "D" in content:
        report = point_report(content)
        uncertified = report["status"] == "uncertified"
        text = json.dumps(_json(report), indent=1) + "\n"
    else:
        Ds, Ps = ([float(v) for v in content[name]] for name in ("Ds", "Ps"))
        reduced = problem(content)
        _say_if_long(reduced, len(Ds) * len(Ps))
        surface = exact.surface(reduced, content["divergence"], Ds, Ps)
        uncertified = bool((surface.status == "uncertified").any())
        text = surface_table(surface)
    if table_file is None:
        sys.stdout.write(text)
        return int(uncertified)
    if picture is not None:
        from cdpbook.figures import surface as drawing

        figure = drawing.heights(surface, title=content.get("title", path.stem))
        figure.axes[0].title.set_parse_math(False)  # it is the user's own, not TeX
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png")
        files.write_bytes(picture, drawn.getvalue())
    files.write_text(table_file, text)
    return int(uncertified)
