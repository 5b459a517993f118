"""How the pages write names, numbers, intervals and tables: the one place that makes Markdown.

Studies give numbers (a DataFrame, or a small dataclass); a page hands them to :func:`table`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cdpbook.statistics.estimates import Interval
from cdplib.errors import unknown
from cdplib.experiments import table as experiments

#: Verdicts on claims; here, and not with the claims, for pages about theory to need no torch.
VERDICTS = ("reproduced", "partly", "not reproduced", "undecided", "not testable")
#: The weights of Eq. 16 as the text writes them.
LETTERS = {"alpha": "α", "beta": "β", "gamma": "γ"}
_MINUS, _FIXED_SPACE = "\u2212", "\u00a0"


@dataclass(frozen=True)
class Quantity:
    """A measured column as the pages write it.

    ``letter`` of the paper (C, D or P), ``name`` for an axis or a column, ``unit`` of a change;
    numbers are multiplied by ``factor`` and shown with ``digits`` decimals.
    """

    letter: str
    name: str
    unit: str
    factor: float
    digits: int

    def number(self, value: float) -> str:
        """A level: ``15.52``."""
        return number(self.factor * value, self.digits)

    def size(self, found: Interval) -> str:
        """A size with its interval: ``1.20 points [0.90, 1.50]``."""
        return interval(found, self.digits, factor=self.factor, unit=self.unit)

    def change(self, found: Interval) -> str:
        """A change with its interval: ``−1.20 points [−1.50, −0.90]``."""
        return interval(found, self.digits, factor=self.factor, unit=self.unit, sign=True)


_QUANTITIES = {
    "mse": Quantity("D", "D: mean squared error per pixel", "", 1, 5),
    "error_rate": Quantity("C", "C: error rate (%)", "points", 100, 2),
    "ce": Quantity("CE", "cross entropy (nats)", "", 1, 3),
    "p_judge": Quantity("P", "P: judge's gap (Wasserstein)", "", 1, 3),
    "p_critic": Quantity("P", "P: the run's own critic's gap", "", 1, 3),
    "sliced_w2": Quantity("P", "P: sliced Wasserstein-2 distance", "", 1, 4),
    "frechet": Quantity("P", "P: Fréchet distance of features", "", 1, 2),
}


def quantity(column: str) -> Quantity:
    """How a column of the results table is written; other classifiers' error rates are a C too.

    Raises :class:`InputError` for a column that is no measured quantity.
    """
    if column.startswith(("error_rate", "independent_error")):
        return _QUANTITIES["error_rate"]
    if column not in _QUANTITIES:
        raise unknown("quantity", column, _QUANTITIES)
    return _QUANTITIES[column]


def title(experiment: object) -> str:
    """``Exp-2`` for ``exp2``."""
    return experiments.get(str(experiment)).label


def number(value: float, digits: int, sign: bool = False) -> str:
    """``value`` with ``digits`` decimals and a true minus; ``sign``: with a plus, too.

    What rounds to zero has no sign; ``–`` where there is no value, ``∞`` where it is infinite.
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    rounded = round(value, digits)
    text = (
        f"{rounded:{'+' if sign and rounded else ''}.{digits}f}" if rounded else f"{0:.{digits}f}"
    )
    return text.replace("-", _MINUS)


def power(value: float) -> str:
    """A small or large number by its leading digit: ``$2 \\cdot 10^{-14}$``."""
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"${mantissa} \\cdot 10^{{{int(exponent)}}}$"


def signed(value: float, digits: int) -> str:
    """:func:`number` with its sign."""
    return number(value, digits, sign=True)


def interval(
    found: Interval, digits: int, *, factor: float = 1, unit: str = "", sign: bool = False
) -> str:
    """An estimate with its 95 % interval, on one line: ``0.84 [0.80, 0.89]``.

    ``[unknown]`` where one value gives no interval, ``–`` where there is no estimate.
    """
    if math.isnan(found.value):
        return "–"
    value, low, high = (number(factor * v, digits, sign) for v in found)
    ends = f"[{low}, {high}]" if found.known else "[unknown]"
    return " ".join(filter(None, (value, unit, ends))).replace(" ", _FIXED_SPACE)


def percent(found: Interval, digits: int = 0) -> str:
    """A share with its interval: ``35 % [10, 60]``."""
    return interval(found, digits, factor=100, unit="%")


def points(found: Interval) -> str:
    """A change of an error rate in percentage points: ``−1.20 [−1.50, −0.90]``."""
    return interval(found, 2, factor=100, sign=True)


def marked(found: Interval, said: str = "") -> str:
    """``said`` of a change (default: :func:`points`), bold where its interval leaves out zero."""
    said = said or points(found)
    return f"**{said}**" if found.sign else said


def fold(title: str, body: str) -> str:
    """``body`` (Markdown) behind a line that a reader opens."""
    return f"::::{{dropdown}} {title}\n{body}\n::::"


def count(n: int, noun: str) -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def between(values: Iterable[float], digits: int, sign: bool = True) -> str:
    """``−0.5 to +0.2``, the least and the greatest; one number where they are written alike."""
    values = list(values)
    ends = [number(end, digits, sign) for end in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends))


def plain(value: object) -> str:
    """Text that others wrote (a processor's name, a version) as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~&!])", r"\\\1", " ".join(str(value).split()))


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *head, last = list(words) or [""]
    return " and ".join(filter(None, [", ".join(head), last]))


Form = Callable[[Any], str] | str


def table(
    rows: pd.DataFrame | Iterable[Sequence[object]],
    head: Sequence[str] | None = None,
    forms: Mapping[str, Form] | None = None,
    empty: str = "Nothing to show.",
) -> str:
    """A Markdown table; ``empty`` where it has no row.

    ``rows``: a DataFrame, whose columns (not its index) are shown under their names or ``head``,
    or sequences of cells with a ``head``. ``forms`` says by column how a cell is written: a
    function, or a format such as ``".3f"``; without one, text as it is, whole numbers with commas,
    other numbers in four digits, missing ones as ``–``.
    """
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), columns=head)
    if frame.empty:
        return empty
    columns = [
        [_narrow(_cell(v, (forms or {}).get(str(name)))) for v in cells]
        for name, cells in frame.items()
    ]
    names = [str(name) for name in (head if head is not None else frame.columns)]
    lines = [names, ["---"] * len(names), *zip(*columns, strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _narrow(cell: str) -> str:
    """An interval may stand below its estimate, in two lines if need be: no column is lost."""
    return cell.replace(f"{_FIXED_SPACE}[", " [").replace(f",{_FIXED_SPACE}", ", ")


def _cell(value: Any, form: Form | None) -> str:
    if isinstance(value, str) and not callable(form):
        return value
    if callable(form):
        return form(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if form:
        return f"{value:{form}}".replace("-", _MINUS)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", _MINUS)
    return f"{value:,}" if isinstance(value, int) else str(value)
