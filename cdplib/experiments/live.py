"""Published rows checked where a page is made: shipped restorers measured again, a point retrained.

Nothing here writes to the store or to the book.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch

from cdplib.errors import DataError
from cdplib.experiments import classifiers, compare, jobs, measures, publication, restoration
from cdplib.experiments.overview import markdown

CPU = torch.device("cpu")
#: Digits that the tables print: of D, and of C in percent.
DIGITS = {"mse": 5, "error_rate": 2}


def measured_again(row: dict[str, Any]) -> dict[str, float] | None:
    """D and C of a published row's shipped restorer on the test set, now; None: not shipped.

    Returns ``mse`` and ``error_rate`` (in [0, 1]) of the predefined classifier. Raises
    :class:`DataError` if the weights are damaged or the row's settings have changed since.
    """
    state = publication.weights(row)
    if state is None:
        return None
    point = compare.point_of(row)
    restorer = restoration.new_restorer(point)
    restorer.load_state_dict(state)
    restoration.place(restorer, CPU)
    restored, clean, labels = jobs.restored(point, restorer, CPU)
    classifier = classifiers.get(point.settings.classifier, point.settings.dataset)
    wrong = measures.wrong(measures.outputs(classifier, restored), labels)
    return {
        "mse": measures.mean(measures.squared_error(restored, clean)),
        "error_rate": measures.mean(wrong),
    }


def shipped_table(table: pd.DataFrame, most: int) -> str:
    """At most ``most`` shipped restorers of published rows, measured again, as Markdown.

    ``table`` holds published rows as :func:`.results.load` gives them.
    """
    lines, equal = [], 0
    rows = [row for row in table.to_dict("records") if publication.is_shipped(row)]
    # The ends of the grid first: least and greatest weights.
    rows = sorted(rows, key=lambda row: (row["beta"] + row["gamma"], row["beta"]))
    rows = rows[:: max(1, len(rows) - 1)][:most] if most < 3 else rows[:most]
    for row in rows:
        now = measured_again(row)
        assert now is not None
        texts = {}
        for name, digits in DIGITS.items():
            factor = 100 if name == "error_rate" else 1
            texts[name] = [f"{factor * value[name]:.{digits}f}" for value in (row, now)]
        same = all(before == after for before, after in texts.values())
        equal += same
        cells = [text for pair in texts.values() for text in pair]
        lines.append((f"{row['beta']:g}", f"{row['gamma']:g}", *cells, "yes" if same else "**no**"))
    if not lines:
        return "No restorer of these rows is shipped with the book: there is nothing to check."
    head = ["β", "γ", "D published", "D now", "C published (%)", "C now (%)", "equal"]
    return f"{markdown(head, lines)}\n\n{equal} of {len(lines)} give their row's digits."


def trained_table(table: pd.DataFrame) -> str:
    """The cheapest of published rows trained again with its seed: each column against its band.

    A Markdown table. Raises :class:`DataError` if the row's settings have changed since, or the
    training fails.
    """
    row = compare.cheapest(table)
    found = compare.differences(row, compare.again(row))
    lines = [
        (f"`{line.column}`", *(f"{value:.4g}" for value in (line.published, line.again)),
         f"{line.difference:+.2g}", f"{line.band:.2g}", "yes" if line.inside else "**no**")
        for line in found.itertuples()
    ]  # fmt: skip
    head = ["column", "published", "now", "difference", "band (±)", "inside"]
    label = compare.point_of(row).label()
    inside = int(found["inside"].sum())
    return (
        f"{label}, preset `{row['preset']}`, published from {row['hardware']}:\n\n"
        f"{markdown(head, lines)}\n\n{inside} of {len(found)} columns are inside their band."
    )


def quick_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the preset ``quick``, which are cheap to train again; :class:`DataError` if none.

    ``table`` holds published rows.
    """
    rows = table[table["preset"] == "quick"]
    if rows.empty:
        raise DataError("no row of preset quick is published: nothing cheap to train again")
    return rows
