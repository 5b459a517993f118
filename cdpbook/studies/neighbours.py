"""The weights of two neighbouring works, trained and measured as Exp-2's: grids `rdpc`, `deepinv`.

Only their weights are theirs, and the number of deepinv's critic steps: network, critic, schedule
and the judge are this book's, so that the grids compare with Exp-2's. One seed each.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cdpbook import text
from cdpbook.runs import published_run
from cdpbook.statistics import trends
from cdpbook.studies import rules
from cdplib.errors import DataError, InputError
from cdplib.experiments import results, settings

EXPERIMENT, PRESET = "exp2", "quick"
#: The grids by their titles, with what of the preset is changed for each.
GRIDS: Mapping[str, Mapping[str, object]] = {
    "RDPC": {"grid": "rdpc"},
    "deepinv": {"grid": "deepinv", "critic_steps": 4},
}


def rows(title: str) -> pd.DataFrame:
    """The published rows of a grid of :data:`GRIDS`; maybe none."""
    given = dict(GRIDS[title])
    variant = settings.variant(EXPERIMENT, PRESET, settings.resolve(EXPERIMENT, PRESET, given))
    try:
        return results.load(EXPERIMENT, preset=PRESET, variant=variant)
    except DataError:
        return results.frame([])


def tables() -> dict[str, pd.DataFrame]:
    """The published grids by title, after Exp-2's own with the same network and preset."""
    own = published_run(EXPERIMENT, [(PRESET, "fast")])
    found = {} if own is None else {"Exp-2": own.table}
    found |= {title: rows(title) for title in GRIDS}
    return {title: table for title, table in found.items() if len(table)}


def asked(title: str) -> int:
    """How many pairs of weights a grid has, trained or not."""
    own = settings.resolve(EXPERIMENT, PRESET, dict(GRIDS[title]))
    return len(settings.weights(own, EXPERIMENT))


#: What a line of :func:`summary` says of a grid: an effect of a weight on a column.
EFFECTS = tuple((w, c) for w in ("gamma", "beta") for c in ("error_rate", "mse", "p_judge"))


def summary(found: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a grid: ``points`` trained, ``asked`` for (Exp-2: the same), ``seeds``, ``failed``
    trainings, and each of :data:`EFFECTS` from its least to its greatest weight, as text.

    An effect is averaged over the other weight; its interval is over seeds, of one seed over test
    images (:func:`.trends.effect`). ``–`` where the grid has one value of the weight.
    """
    lines = []
    for title, table in found.items():
        pairs = len(table[["beta", "gamma"]].drop_duplicates())
        line: dict[str, object] = {
            "grid": title,
            "points": f"{pairs} of {asked(title) if title in GRIDS else pairs}",
            "seeds": table["seed"].nunique(),
            "failed": int((rules.failures(table) != "").sum()),
        }
        for weight, column in EFFECTS:
            name = f"{text.LETTERS[weight]} on {text.quantity(column).letter}"
            try:
                effect = trends.effect(table, weight, column)
            except InputError:
                line[name] = "–"
            else:
                line[name] = text.quantity(column).change(effect.interval)
        lines.append(line)
    return pd.DataFrame(lines)


def turns(table: pd.DataFrame, column: str, sign: int) -> pd.DataFrame:
    """The steps from a beta to the next one, at gamma 0 and the least seed, in which ``column``
    moves against ``sign`` (1: it should rise) by more than two standard errors of both ends.

    One row a step: ``beta``, ``next``, ``change``. The errors are the test images', as if the two
    were measured on different ones.
    """
    part = table[(table["gamma"] == 0) & (table["seed"] == table["seed"].min())]
    part = part.sort_values("beta")
    change = part[column].diff()
    error = (part[f"{column}_se"] ** 2 + part[f"{column}_se"].shift() ** 2) ** 0.5
    steps = pd.DataFrame({"beta": part["beta"].shift(), "next": part["beta"], "change": change})
    return steps[sign * change < -2 * error].reset_index(drop=True)


def answer(found: Mapping[str, pd.DataFrame]) -> str:
    """What the neighbours' grids show, in sentences; what is not trained yet is said."""
    sentences = []
    known = set(found["Exp-2"]["config_hash"]) if "Exp-2" in found else set[str]()
    for title in GRIDS:
        table = found.get(title)
        if table is None:
            sentences.append(f"The grid of {title} has not been trained yet.")
            continue
        pairs = len(table[["beta", "gamma"]].drop_duplicates())
        part = "all" if pairs == asked(title) else f"{pairs}"
        shared = set(table["config_hash"]) <= known
        own = " (Exp-2's own rows, none was trained for it)" if shared else ""
        reach = [
            f"{text.quantity(column).letter} from "
            f"{text.between(table[column] * text.quantity(column).factor, digits, sign=False)}"
            for column, digits in (("error_rate", 1), ("mse", 4), ("p_judge", 2))
        ]
        back = {c: len(turns(table, c, sign)) for c, sign in (("p_judge", -1), ("mse", 1))}
        steps = int((table["gamma"] == 0).sum()) - 1
        sentences.append(
            f"{title}, {part} of {asked(title)} pairs of weights{own}: {text.listed(reach)} "
            "(C in %). "
            f"Of {text.count(steps, 'step')} from one β to the next at γ = 0 P clearly rises in "
            f"{back['p_judge']}, and D clearly falls in {back['mse']}."
        )
    if any(title in found for title in GRIDS):
        sentences.append("A monotonic trade-off has neither.")
    return " ".join(sentences)
