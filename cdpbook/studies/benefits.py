"""Who benefits, as tables of numbers and the three answers of the page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cdpbook import text
from cdpbook.claims import NAMES
from cdpbook.statistics.estimates import UNKNOWN
from cdpbook.statistics.trends import Effect
from cdpbook.studies import transfer
from cdpbook.studies.ensembles import Ensemble
from cdpbook.studies.transfer import MEAN, OWN, Transfer
from cdpbook.text import title

#: How the columns of changes and shares are written (:func:`cdpbook.text.table`).
FORMS: dict[str, text.Form] = {
    "change (points)": text.points,
    "predefined (points)": text.points,
    "mean of the independent": text.points,
    "part of the gain": text.percent,
    "share that is gaming": text.percent,
    **dict.fromkeys(transfer.ASKED, text.marked),
}


def shares(found: Mapping[str, Mapping[str, Transfer]]) -> pd.DataFrame:
    """For each experiment the predefined classifier's change, then a line an independent one: its
    change, the part of the gain that reaches it, the verdict."""
    rows: list[tuple[object, ...]] = []
    for experiment, lines in found.items():
        if lines:
            own = next(iter(lines.values())).own  # the same in every line
            rows.append((title(experiment), "**predefined**", own.interval, UNKNOWN, ""))
        rows += [
            ("", NAMES[name], t.other.interval, t.part, f"**{t.verdict}**")
            for name, t in lines.items()
        ]
    head = ["", "classifier", "change (points)", "part of the gain", "verdict"]
    return pd.DataFrame(rows, columns=head)


def gaming(found: Mapping[str, Transfer]) -> pd.DataFrame:
    """One line an experiment: the gain, the mean change of the independent classifiers, and the
    part of the gain that does not arrive."""
    return pd.DataFrame(
        {
            "": title(experiment),
            "predefined (points)": t.own.interval,
            "mean of the independent": t.other.interval,
            "share that is gaming": t.gaming,
            "verdict": f"**{t.verdict}**",
        }
        for experiment, t in found.items()
    )


def betas(found: Mapping[tuple[str, float], Mapping[str, Effect]]) -> pd.DataFrame:
    """One line an experiment and beta: its effect on error rates at both ends of gamma."""
    return pd.DataFrame(
        {
            "": title(experiment),
            "β": f"{beta:g}",
            **{asked: effect.interval for asked, effect in effects.items()},
        }
        for (experiment, beta), effects in found.items()
    )


def answers(
    means: Mapping[str, Transfer],
    betas: Mapping[tuple[str, float], Mapping[str, Effect]],
    ensembles: Mapping[str, Ensemble],
) -> str:
    """The chapter's three questions, answered from what was computed: a Markdown list."""
    arrives = [f"{title(e)} {text.percent(t.part)} (**{t.verdict}**)" for e, t in means.items()]
    helped = ". ".join(
        f"{when} {_betas(betas, f'independent, γ {end}')}"
        for when, end in (("without γ", "least"), ("Beside the greatest γ", "greatest"))
    )
    remedy = []
    for e, one in ensembles.items():
        if MEAN not in one.lines.index:
            continue
        who = {column: one.lines.loc[column] for column in (MEAN, OWN)}
        by = {c: [text.points(x.interval) for x in (w.one, w.ensemble)] for c, w in who.items()}
        remedy.append(
            f"{title(e)}: γ = {one.gamma:g} against one classifier changes the error of the "
            f"independent ones by {by[MEAN][0]} points, against the ensemble by {by[MEAN][1]} "
            f"(difference {text.points(who[MEAN].change.interval)}); that of the predefined one by "
            f"{by[OWN][0]} and {by[OWN][1]}."
        )
    nothing = "Not testable: nothing is published yet."
    return "\n".join([
        "1. **Does γ's gain transfer?** " + (
            f"Part of the predefined classifier's gain that reaches the others, on average: "
            f"{text.listed(arrives)}." if arrives else nothing),
        "2. **Does β help classifiers that took no part?** " + (
            f"On average over them, {helped}." if betas else nothing),
        f"3. **Does an ensemble help?** {' '.join(remedy) or nothing}",
    ])  # fmt: skip


def _betas(found: Mapping[tuple[str, float], Mapping[str, Effect]], asked: str) -> str:
    """``it clearly **helps** in Exp-1 (β = 0.003, 0.01) and **harms** in Exp-2 (β = 0.1)``."""
    said = []
    for verb, way in (("helps", "lowers"), ("harms", "raises")):
        at: dict[str, list[str]] = {}
        for (experiment, beta), effects in found.items():
            if effects[asked].direction == way:
                at.setdefault(title(experiment), []).append(f"{beta:g}")
        alike: dict[str, list[str]] = {}
        for name, each in at.items():
            alike.setdefault(", ".join(each), []).append(name)
        where = [f"{text.listed(names)} (β = {each})" for each, names in alike.items()]
        said.append(f"**{verb}** {'in ' + '; '.join(where) if where else 'nowhere'}")
    return "it clearly " + " and ".join(said)
