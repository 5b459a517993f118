"""The tables, sentences and the verdict about who benefits, as Markdown, from computed values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from cdpbook import text as words
from cdpbook.claims import NAMES
from cdpbook.overview import markdown
from cdpbook.runs import EXPERIMENTS, Run
from cdpbook.statistics import trends
from cdpbook.statistics.estimates import student
from cdpbook.statistics.trends import Effect
from cdpbook.studies import transfer
from cdpbook.studies.ensembles import Ensemble, Line
from cdpbook.studies.transfer import (
    GAMED,
    MEAN,
    NO_GAIN,
    NOT_SHARED,
    OWN,
    PARTLY,
    SHARED,
    UNCLEAR,
    BetaEffect,
    Transfer,
)
from cdpbook.text import signed
from cdplib.experiments import classifiers

NOTHING = "Nothing is published yet: this table is filled by the first published experiment."
HELP = ("helped", "harmed", "unclear")
VERDICTS = (SHARED, PARTLY, NOT_SHARED, GAMED, UNCLEAR, NO_GAIN)


def title(experiment: str) -> str:
    """``Exp-2`` for ``exp2``, with a hyphen at which no line breaks."""
    return words.title(experiment).replace("-", "\u2011")


def named(classifier: str) -> str:
    """The classifier as the text writes it."""
    return NAMES.get(classifier, classifier)


def _with_interval(numbers: Iterable[float], digits: int) -> str:
    """``+1.20 [+0.90, +1.50]``, on one line."""
    value, lower, upper = numbers
    if not math.isfinite(upper):
        return f"{signed(value, digits)} [unknown]"
    interval = f"[{signed(lower, digits)}, {signed(upper, digits)}]"
    return f"{signed(value, digits)} {interval}".replace(" ", "\u00a0")


def points(effect: Effect) -> str:
    """An error rate's change in percentage points with its interval: ``-1.20 [-1.50, -0.90]``."""
    return _with_interval((100 * x for x in (effect.change, effect.lower, effect.upper)), 2)


def percent(value: float, lower: float, upper: float) -> str:
    """A share and its interval: ``35 % [10, 60]``; a dash where it is undefined."""
    if math.isnan(value):
        return "–"
    numbers = [signed(100 * x, 0).removeprefix("+") for x in (value, lower, upper)]
    return f"{numbers[0]} % [{numbers[1]}, {numbers[2]}]".replace(" ", "\u00a0")


def sources(runs: Mapping[str, Run]) -> str:
    """Which published rows the page reads, what is missing, and what weakens the comparison."""
    if not runs:
        return (
            "**Nothing is published yet.** `cdp sweep exp2 --preset quick --publish` publishes one "
            "experiment; until then the tables below are empty."
        )
    rows, notes = [], []
    for name, run in runs.items():
        seeds = run.table["seed"].nunique()
        rows.append(
            (title(name), f"`{run.preset}`", f"`{run.settings.restorer}`", len(run.points()), seeds,
             run.classifier, ", ".join(map(named, transfer.independent(run))) or "none")
        )  # fmt: skip
        if seeds == 1:
            notes.append(
                f"{title(name)} has one seed: its intervals rest on the test images, and say "
                "nothing about another training."
            )
        if transfer.mixed_schedules(run):
            notes.append(
                f"**In {title(name)} points of different numbers of training steps are mixed** (it "
                "is being published): its changes are not due to the weights alone."
            )
    missing = [title(name) for name in EXPERIMENTS if name not in runs]
    if missing:
        notes.append(f"Not published yet: {', '.join(missing)}.")
    for group in transfer.shared_restorers(runs):
        notes.append(
            f"{', '.join(map(title, group))} have the same restorers at γ = 0: what β does there "
            "is one observation, read by different classifiers, and not several."
        )
    head = ["", "preset", "restorer", "pairs of weights", "seeds", "trained against"]
    return "\n\n".join([markdown([*head, "took no part"], rows), *notes])


def gains_table(found: Mapping[str, Mapping[str, Transfer]]) -> str:
    """For each experiment the predefined classifier's change, bold, then a line an independent
    one: its change, the part of the gain that reaches it, the verdict."""
    rows = []
    for experiment, lines in found.items():
        if lines:
            own = points(next(iter(lines.values())).own)  # the same in every line
            rows.append((title(experiment), "**predefined**", f"**{own}**", "", ""))
        for name, t in lines.items():
            part = percent(t.ratio, t.lower, t.upper)
            rows.append(("", named(name), points(t.other), part, f"**{t.verdict}**"))
    if not rows:
        return NOTHING
    return markdown(["", "classifier", "change (points)", "part of the gain", "verdict"], rows)


def gaming_table(means: Mapping[str, Transfer]) -> str:
    """One line an experiment: the gain, the mean change of the independent classifiers, and the
    part of the gain that does not arrive."""
    return _shares([((title(experiment),), t) for experiment, t in means.items()], [""])


def by_beta_table(found: Mapping[tuple[str, float], Transfer]) -> str:
    """One line an experiment and beta: what gamma does there."""
    lines = [((title(experiment), f"{beta:g}"), t) for (experiment, beta), t in found.items()]
    return _shares(lines, ["", "β"])


def _shares(lines: Sequence[tuple[tuple[str, ...], Transfer]], head: list[str]) -> str:
    """A table with a line a gain, ``head`` over the cells that say whose it is."""
    if not lines:
        return NOTHING
    rows = [
        (*whose, points(t.own), points(t.other), percent(*t.gaming), f"**{t.verdict}**")
        for whose, t in lines
    ]
    columns = ["predefined (points)", "mean of the independent", "share that is gaming", "verdict"]
    return markdown([*head, *columns], rows)


def beta_table(found: Mapping[tuple[str, float], BetaEffect]) -> str:
    """One line an experiment and beta: its effect on error rates at both ends of gamma, bold where
    the interval excludes zero."""
    rows = [
        (title(experiment), f"{beta:g}",
         *(f"**{points(x)}**" if x.direction != "unclear" else points(x)
           for x in (e.own, e.others, e.others_with_gamma)))
        for (experiment, beta), e in found.items()
    ]  # fmt: skip
    if not rows:
        return NOTHING
    head = ["predefined, γ least", "independent, γ least", "independent, γ greatest"]
    return markdown(["", "β", *head], rows)


def _helped(effect: Effect) -> str:
    return {"lowers": "helped", "raises": "harmed", "unclear": "unclear"}[effect.direction]


def distinct(effects: Iterable[tuple[str, Effect]]) -> dict[tuple[object, ...], Effect]:
    """Each different effect of (classifier, effect) pairs once.

    Experiments with the same restorers at gamma = 0 list what beta does there once each, read by
    the same classifiers: equal numbers of one classifier are one observation.
    """
    found: dict[tuple[object, ...], Effect] = {}
    for name, e in effects:
        numbers = (round(value, 5) for value in (e.change, e.lower, e.upper))
        found.setdefault((name, e.low, e.high, *numbers), e)
    return found


def levels(run: Run, name: str) -> str:
    """A sentence: does the predefined classifier err less than classifier ``name``, on clean test
    images and on the restorations of the least gamma, which were trained against neither?"""
    own = run.settings.classifier
    clean = [
        100 * (1 - float(classifiers.facts(n, run.settings.dataset)["test_accuracy"]))
        for n in (own, name)
    ]
    rows = run.table[run.table["gamma"] == run.table["gamma"].min()]
    errors = rows.groupby("seed")[[transfer.OWN, transfer.column(name)]].mean()
    restored = 100 * errors.mean()
    gap = _with_interval((100 * x for x in student(errors.iloc[:, 0] - errors.iloc[:, 1])), 2)
    return (
        f"**Seen:** on clean test images {named(own)} errs on {clean[0]:.2f} % and {named(name)} "
        f"on {clean[1]:.2f} %; on what is restored without γ (mean over β) on "
        f"{restored.iloc[0]:.2f} and {restored.iloc[1]:.2f} %, a difference of {gap} points."
    )


def seen(effects: Mapping[str, Mapping[str, Effect]], weight: str) -> str:
    """A sentence that counts directions, each distinct effect once: of the predefined classifiers
    and of the others."""
    if not effects:
        return "Nothing is published yet."
    groups: dict[str, list[tuple[str, Effect]]] = {
        "the predefined classifier": [next(iter(lines.items())) for lines in effects.values()],
        "an independent classifier": [e for x in effects.values() for e in list(x.items())[1:]],
    }
    letter = words.LETTERS[weight]
    said = []
    for who, listed in groups.items():
        different = distinct(listed)
        n = transfer.directions(different.values())
        said.append(
            f"the error of {who} falls in {n['lowers']}, rises in {n['raises']} and is unclear in "
            f"{n['unclear']} of {len(different)} cases"
        )
    listed = [e for group in groups.values() for e in group]
    total = len(distinct(listed))
    twice = f" (of {len(listed)} listed, those of shared restorers once)"
    return (
        f"**Seen:** with {letter}, {'; '.join(said)}. Of {total} distinct intervals"
        f"{twice if total < len(listed) else ''}, chance alone would put about {0.05 * total:.1f} "
        "off zero."
    )


def ensemble_table(found: Mapping[str, Ensemble]) -> str:
    """What training against an ensemble changes, by classifier, and in D and P."""
    if not found:
        return (
            "**The ensemble's rows are not published yet.** `cdp sweep exp2 --preset quick "
            "--ablation ensemble --publish` trains and publishes them."
        )
    parts = []
    for experiment, one in found.items():
        rows = [
            (_quantity(line.column, one.members[0]), line.role if len(line.role) > 1 else "",
             *(_change(e) for e in (line.one, line.ensemble, line.change)))
            for line in one.lines
        ]  # fmt: skip
        head = ["", "role", "one − none", "ensemble − none", "ensemble − one"]
        table = markdown(head, rows)
        seeds = "1 seed" if one.seeds == 1 else f"{one.seeds} seeds"
        parts.append(
            f"**{title(experiment)}**, preset `{one.preset}`: the ensemble is "
            f"{'; '.join(map(named, one.members))}. γ = {one.gamma:g} against γ = 0 (none), "
            f"averaged over β = {', '.join(f'{b:g}' for b in one.betas)}; {seeds}. Error rates in "
            f"points.\n\n{table}"
        )
    return "\n\n".join(parts)


def ensemble_groups(found: Mapping[str, Ensemble]) -> dict[str, dict[str, Effect]]:
    """Changes of error rates from γ = 0 by both trainings, for the forest plot."""
    groups: dict[str, dict[str, Effect]] = {}
    for experiment, one in found.items():
        lines = {_reader(one, line): line for line in one.lines if line.role[:1].islower()}
        groups[f"{title(experiment)}, against one"] = {n: x.one for n, x in lines.items()}
        groups["against the ensemble" if len(found) == 1 else f"{title(experiment)}, ensemble"] = {
            name: line.ensemble for name, line in lines.items()
        }
    return groups


def _reader(one: Ensemble, line: Line) -> str:
    if line.column == MEAN:
        return "mean of the independent"
    name = one.members[0] if line.column == OWN else line.column.removeprefix("error_rate_")
    return f"{named(name)} (member)" if line.role == "member" else named(name)


def _quantity(column: str, predefined: str) -> str:
    fixed = {OWN: named(predefined), MEAN: "**mean of the independent**", "mse": "D (1000 × MSE)"}
    if column in fixed:
        return fixed[column]
    if column.startswith("error_rate_"):
        return named(column.removeprefix("error_rate_"))
    return f"P (`{column}`)"


def _change(effect: Effect) -> str:
    if effect.column.startswith("error_rate") or effect.column == MEAN:
        return points(effect)
    factor = 1000 if effect.column == "mse" else 1
    return _with_interval((factor * x for x in (effect.change, effect.lower, effect.upper)), 2)


def _grouped(words: Iterable[tuple[str, str]], order: Iterable[str]) -> str:
    """``gamed in Exp-2 and Exp-4; unclear in Exp-3`` from (where, word) pairs."""
    pairs = list(words)
    parts = []
    for word in order:
        where = [place for place, own in pairs if own == word]
        if where:
            listed = " and ".join(filter(None, [", ".join(where[:-1]), where[-1]]))
            parts.append(f"**{word}** in {listed}")
    return "; ".join(parts)


def _gamma_answer(
    means: Mapping[str, Transfer], gains: Mapping[str, Mapping[str, Transfer]]
) -> str:
    if not means:
        return "Not testable: nothing is published yet."
    words = _grouped([(title(e), t.verdict) for e, t in means.items()], VERDICTS)
    single = [t.verdict for lines in gains.values() for t in lines.values()]
    count = ", ".join(f"{single.count(word)} {word}" for word in VERDICTS if word in single)
    return (
        f"On average over the classifiers that took no part it is {words}. Pair by pair "
        f"(experiment, classifier): {count}, of {len(single)}."
    )


def _beta_answer(
    found: Mapping[tuple[str, float], BetaEffect], single: Mapping[str, Mapping[str, Effect]]
) -> str:
    if not found:
        return "Not testable: nothing is published yet."
    said = []
    for what, pick in (("Without γ", "others"), ("Beside the greatest γ", "others_with_gamma")):
        where: dict[tuple[str, str], list[str]] = {}
        for (experiment, beta), e in found.items():
            key = (title(experiment), _helped(getattr(e, pick)))
            where.setdefault(key, []).append(f"{beta:g}")
        words = [(f"{name} (β = {', '.join(at)})", word) for (name, word), at in where.items()]
        said.append(f"{what} they are, on average, {_grouped(words, HELP)}.")
    listed = [pair for lines in single.values() for pair in list(lines.items())[1:]]
    each = [_helped(e) for e in distinct(listed).values()]
    count = ", ".join(f"{each.count(word)} {word}" for word in HELP if word in each)
    said.append(
        f"Pair by pair, by the greatest β without γ: {count}, of {len(each)} distinct effects"
        f"{f' ({len(listed)} with those of shared restorers)' if len(each) < len(listed) else ''}."
    )
    return " ".join(said)


def _ensemble_answer(found: Mapping[str, Ensemble]) -> str:
    parts = []
    for experiment, one in found.items():
        own = one.line(OWN).change
        text = f"{title(experiment)}, γ = {one.gamma:g}, against one classifier: "
        if all(line.column != MEAN for line in one.lines):
            parts.append(f"{text}no classifier is independent of the ensemble.")
            continue
        others = one.line(MEAN)
        text += f"the independent ones are **{_helped(others.change)}** ({points(others.change)} "
        text += f"points), the predefined one changes by {points(own)}. Against γ = 0 the "
        text += f"independent ones are **{_helped(others.ensemble)}** by the ensemble "
        parts.append(f"{text}and **{_helped(others.one)}** by the one.")
    return " ".join(parts) or "Not testable: the ensemble's rows are not published yet."


def box(
    means: Mapping[str, Transfer],
    gains: Mapping[str, Mapping[str, Transfer]],
    betas: Mapping[tuple[str, float], BetaEffect],
    by_beta: Mapping[str, Mapping[str, Effect]],
    found: Mapping[str, Ensemble],
) -> str:
    """The verdict: a MyST box that answers the chapter's three questions from what was computed."""
    words = [t.verdict for t in means.values()]
    count = ", ".join(f"{words.count(word)} {word}" for word in VERDICTS if word in words)
    kind = "tip" if words and set(words) <= {SHARED} else "warning" if GAMED in words else "note"
    single = [title(e) for e, t in means.items() if t.own.seeds == 1]
    lines = [
        f":::{{admonition}} Verdict on γ's gain, by experiment: {count or 'not testable'}",
        f":class: {kind}",
        f"1. **Does γ's gain transfer?** {_gamma_answer(means, gains)}",
        f"2. **Does β help classifiers that took no part?** {_beta_answer(betas, by_beta)}",
        f"3. **Does an ensemble help?** {_ensemble_answer(found)}",
    ]
    if single:
        lines.append(f"\nResting on one seed: {', '.join(single)}.")
    return "\n".join([*lines, ":::"])


def curves_text(runs: Mapping[str, Run]) -> str:
    """A sentence: how far the predefined and the independent errors move, over the whole grid."""
    parts = []
    for experiment, run in runs.items():
        names = transfer.independent(run)
        if not names:
            continue
        at = trends.over_seeds(transfer.with_mean(run.table, names))
        low = at[at["beta"] == at["beta"].min()].sort_values("gamma")
        ends = low.iloc[[0, -1]]
        own, mean = (100 * ends[c].to_numpy() for c in (OWN, MEAN))
        parts.append(
            f"{title(experiment)} at β = {low['beta'].iloc[0]:g}: {run.classifier} goes from "
            f"{own[0]:.1f} to {own[1]:.1f} %, the independent ones on average from {mean[0]:.1f} "
            f"to {mean[1]:.1f} %"
        )
    return f"**Seen:** {'; '.join(parts)}." if parts else "Nothing is published yet."
