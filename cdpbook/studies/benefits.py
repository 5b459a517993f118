"""Who benefits, as tables of numbers and the three answers of the page."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cdpbook import text
from cdpbook.claims import NAMES
from cdpbook.runs import Run
from cdpbook.statistics.estimates import Interval, student
from cdpbook.statistics.trends import Effect
from cdpbook.studies import transfer
from cdpbook.studies.ensembles import Ensemble
from cdpbook.studies.transfer import MEAN, OWN, BetaEffect, Transfer
from cdpbook.text import title
from cdplib.experiments import classifiers

#: How the columns of changes and shares are written (:func:`cdpbook.text.table`).
FORMS: dict[str, text.Form] = {
    "change (points)": text.points,
    "predefined (points)": text.points,
    "mean of the independent": text.points,
    "part of the gain": text.percent,
    "share that is gaming": text.percent,
    "predefined, γ least": text.marked,
    "independent, γ least": text.marked,
    "independent, γ greatest": text.marked,
}


def shares(found: Mapping[str, Mapping[str, Transfer]]) -> pd.DataFrame:
    """For each experiment the predefined classifier's change, then a line an independent one: its
    change, the part of the gain that reaches it, the verdict."""
    rows: list[tuple[object, ...]] = []
    for experiment, lines in found.items():
        if lines:
            own = next(iter(lines.values())).own  # the same in every line
            rows.append((title(experiment), "**predefined**", own.interval, transfer.UNDEFINED, ""))
        rows += [
            ("", NAMES[name], t.other.interval, t.part, f"**{t.verdict}**")
            for name, t in lines.items()
        ]
    head = ["", "classifier", "change (points)", "part of the gain", "verdict"]
    return pd.DataFrame(rows, columns=head)


def gaming(found: Mapping[tuple[str, float] | str, Transfer]) -> pd.DataFrame:
    """One line an experiment (or experiment and beta): the gain, the mean change of the
    independent classifiers, and the part of the gain that does not arrive."""
    return pd.DataFrame(
        {
            **_whose(key),
            "predefined (points)": t.own.interval,
            "mean of the independent": t.other.interval,
            "share that is gaming": t.gaming,
            "verdict": f"**{t.verdict}**",
        }
        for key, t in found.items()
    )


def betas(found: Mapping[tuple[str, float], BetaEffect]) -> pd.DataFrame:
    """One line an experiment and beta: its effect on error rates at both ends of gamma."""
    return pd.DataFrame(
        {
            **_whose(key),
            "predefined, γ least": e.own.interval,
            "independent, γ least": e.others.interval,
            "independent, γ greatest": e.others_with_gamma.interval,
        }
        for key, e in found.items()
    )


def _whose(key: tuple[str, float] | str) -> dict[str, str]:
    if isinstance(key, str):
        return {"": title(key)}
    return {"": title(key[0]), "β": f"{key[1]:g}"}


def levels(run: Run, name: str) -> pd.DataFrame:
    """Error rates (%) of the predefined classifier and of ``name``, and their difference.

    On clean test images, and on the restorations of the least gamma (mean over beta), which were
    trained against neither; the difference there is an Interval over seeds.
    """
    names = (run.settings.classifier, name)
    facts = [classifiers.facts(n, run.settings.dataset)["test_accuracy"] for n in names]
    clean = [100 * (1 - float(accuracy)) for accuracy in facts]
    rows = run.table[run.table["gamma"] == run.table["gamma"].min()]
    errors = rows.groupby("seed")[[OWN, transfer.column(name)]].mean()
    restored = 100 * errors.mean()
    gap = student(100 * (errors.iloc[:, 0] - errors.iloc[:, 1]))
    exact = Interval(*[clean[0] - clean[1]] * 3)
    found = [("clean", *clean, exact), ("restored without γ", *restored, gap)]
    return pd.DataFrame(found, columns=["images", *(NAMES[n] for n in names), "difference"])


def answers(
    means: Mapping[str, Transfer],
    betas: Mapping[tuple[str, float], BetaEffect],
    ensembles: Mapping[str, Ensemble],
) -> str:
    """The chapter's three questions, answered from what was computed: a Markdown list."""
    arrives = [f"{title(e)} {text.percent(t.part)} (**{t.verdict}**)" for e, t in means.items()]
    helped = "; ".join(
        f"{when} {_betas(betas, pick)}"
        for when, pick in (("without γ", "others"), ("beside the greatest γ", "others_with_gamma"))
    )
    remedy = [
        f"{title(e)}, γ = {one.gamma:g}: against the ensemble in place of one classifier the error "
        f"of the independent ones changes by {text.points(one.line(MEAN).change.interval)} points, "
        f"that of the predefined one by {text.points(one.line(OWN).change.interval)}; without γ "
        f"in place of the ensemble, by {text.points(_back(one.line(MEAN).ensemble))} and "
        f"{text.points(_back(one.line(OWN).ensemble))}."
        for e, one in ensembles.items()
        if any(line.column == MEAN for line in one.lines)
    ]
    nothing = "Not testable: nothing is published yet."
    return "\n".join([
        "1. **Does γ's gain transfer?** " + (
            f"Of the predefined classifier's gain this part reaches the others, on average: "
            f"{text.listed(arrives)}." if arrives else nothing),
        "2. **Does β help classifiers that took no part?** " + (
            f"On average over them, {helped}." if betas else nothing),
        f"3. **Does an ensemble help?** {' '.join(remedy) or nothing}",
    ])  # fmt: skip


def _back(effect: Effect) -> Interval:
    return Interval(-effect.change, -effect.upper, -effect.lower)


def _betas(found: Mapping[tuple[str, float], BetaEffect], pick: str) -> str:
    """``it **helps** in Exp-1 (β = 0.003, 0.01) and **harms** in Exp-2 (β = 0.1)``."""
    said = []
    for verb, way in (("helps", "lowers"), ("harms", "raises")):
        at: dict[str, list[str]] = {}
        for (experiment, beta), effects in found.items():
            if getattr(effects, pick).direction == way:
                at.setdefault(title(experiment), []).append(f"{beta:g}")
        where = [f"{name} (β = {', '.join(each)})" for name, each in at.items()]
        said.append(f"**{verb}** {'in ' + text.listed(where) if where else 'nowhere'}")
    return "it clearly " + " and ".join(said)
