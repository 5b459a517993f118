"""Theory laid over trained points: does each lie on the supporting plane of its own weights?

Weights (alpha, beta, gamma) of Eq. 16 are a plane through the point that was trained with them. If
the point minimises its own loss over the cloud, no other point lies below that plane: here is
counted how often that is so, against chance, and judged what it means for the paper's statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cdpbook import claims
from cdpbook import text as words
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNTESTABLE, Claim
from cdpbook.statistics.estimates import noise, student
from cdpbook.statistics.hulls import agreement, prices
from cdpbook.statistics.trends import WEIGHTS, in_every_seed
from cdpbook.studies.landscapes import Landscape, Traits, traits
from cdpbook.studies.verdicts import convexity

if TYPE_CHECKING:
    from cdpbook.runs import Run

Array = NDArray[np.float64]
_TIE = 1e-9  # as a share of the spread: what differs by less is the same


@dataclass(frozen=True)
class Measure:
    """A statistic: mean over seeds, its 95 % interval (Student; infinite for one seed), and chance.

    All are at least 0. ``p_value``: the share of random assignments of points to weights that do
    at least as well.
    """

    value: float
    lower: float
    upper: float
    chance: float
    p_value: float

    def text(self, share: bool = True) -> str:
        """The value, its interval if there is one, and chance; in % if it is a ``share``."""
        factor, digits, unit = (100.0, 0, " %") if share else (1.0, 2, "")
        value, chance = (f"{factor * x:.{digits}f}{unit}" for x in (self.value, self.chance))
        ends = (max(self.lower, 0.0), min(self.upper, 1.0 if share else np.inf))
        low, high = (f"{factor * x:.{digits}f}" for x in ends)
        known = np.isfinite(self.lower)
        return f"{value} [{low}, {high}], chance {chance}" if known else f"{value}, chance {chance}"


@dataclass(frozen=True)
class Revealed:
    """What the points reveal about the weights they were trained with.

    ``own``: share of triples whose own point is the least of the cloud in its own loss.
    ``below``: share of the other points that are below it. ``regret``: own loss less the least
    one, where 1 is the regret of a point drawn at random; mean over triples. ``violated``: share of
    pairs with <w - w', x - x'> > 0. ``table``: one row per triple, with ``rank`` (mean over seeds;
    1 is the least), ``regret`` and ``beaten`` (one and the same rival is below it in every seed).
    """

    table: pd.DataFrame
    own: Measure
    below: Measure
    regret: Measure
    violated: Measure
    pairs: int
    seeds: int


def revealed(
    frame: pd.DataFrame,
    perception: str = "p_critic",
    error: str = "ce",
    permutations: int = 999,
    seed: int = 0,
) -> Revealed:
    """Is each point the minimiser of alpha D + beta P + gamma C, by its own weights, in the cloud?

    D is ``mse``; P and C are the columns ``perception`` and ``error`` (what Eq. 16 trains is
    ``p_critic`` and ``ce``, in nats). Each seed is a cloud of its own; triples that a seed lacks
    are left out. Chance gives the points to the triples at random, the same way in all seeds.
    The pairwise inequality is monotonicity (Rockafellar 1970, section 24); minimisers obey it.

    Raises :class:`InputError` for a column that is missing or not measured, or if fewer than two
    triples are left.
    """
    weights, clouds = in_every_seed(frame, ["mse", perception, error])
    n = len(weights)
    values = np.stack([weights @ cloud.T for cloud in clouds])  # (seeds, triples, points)
    least = values.min(axis=2, keepdims=True)
    tie = _TIE * (np.ptp(values, axis=2, keepdims=True) + np.abs(least) * 1e-6)
    room = values.mean(axis=2, keepdims=True) - least
    below = values[:, :, None, :] < values[:, :, :, None] - tie[:, :, None]  # [s, i, a, rival]
    share = below.sum(axis=3) / (n - 1)
    regrets = np.where(room > tie, (values - least) / np.where(room > tie, room, 1.0), 0.0)
    least_of_all = (values <= least + tie).astype(float)
    rng = np.random.default_rng(seed)
    shuffles = np.array([rng.permutation(n) for _ in range(permutations)])
    every = np.arange(n)
    beaten = below[:, every, every].all(axis=0).any(axis=1)
    first, second = np.nonzero(np.triu((weights[:, None] != weights).any(axis=2), 1))

    def violated(order: NDArray[np.int64]) -> Array:
        a, b = order[first], order[second]
        v, t = values, tie[..., 0]
        gap = v[:, first, a] - v[:, first, b] - v[:, second, a] + v[:, second, b]
        return np.asarray((gap > t[:, first] + t[:, second]).mean(axis=1))

    random = np.array([violated(order).mean() for order in shuffles])
    table = pd.DataFrame(weights, columns=list(WEIGHTS)).assign(
        rank=1 + (n - 1) * share[:, every, every].mean(axis=0),
        regret=regrets[:, every, every].mean(axis=0),
        beaten=beaten,
    )
    return Revealed(
        table=table,
        own=_assigned(least_of_all, shuffles, more_is_better=True),
        below=_assigned(share, shuffles),
        regret=_assigned(regrets, shuffles),
        violated=_measure(violated(every), float(random.mean()), random, False),
        pairs=len(first),
        seeds=len(clouds),
    )


def _assigned(scores: Array, shuffles: NDArray[np.int64], more_is_better: bool = False) -> Measure:
    """The mean of scores[seed, triple, its own point], against points given out at random."""
    every = np.arange(scores.shape[1])
    mean = scores.mean(axis=0)
    random = mean[every, shuffles].mean(axis=1)
    own = scores[:, every, every].mean(axis=1)
    return _measure(own, float(mean.mean()), random, more_is_better)


def _measure(own: Array, chance: float, random: Array, more_is_better: bool) -> Measure:
    value, low, high = student(own)
    as_good = random >= value - 1e-12 if more_is_better else random <= value + 1e-12
    p_value = (1 + np.sum(as_good)) / (1 + len(random))
    return Measure(value, low, high, chance, float(p_value))


def revealed_table(rows: Mapping[str, Revealed]) -> str:
    """A Markdown table, one row per named test; p is the largest of the row's four."""
    head = [
        "values",
        "seeds",
        "own point is least",
        "rivals below",
        "regret",
        "pairs violated",
        "p",
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, found in rows.items():
        measures = (found.own, found.below, found.regret, found.violated)
        p_value = max(measure.p_value for measure in measures)
        texts = [measure.text(measure is not found.regret) for measure in measures]
        lines.append("| " + " | ".join([name, str(found.seeds), *texts, f"{p_value:.3f}"]) + " |")
    return "\n".join(lines).replace(" %", "\u00a0%")


def noise_shares(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    """The noise between seeds of each column, as a share of the range of the cloud's means.

    Standard deviation of what neither the weights nor the seed explain (a seed moves all its
    points together, which changes no comparison within it); empty with one seed.
    """
    _, values = in_every_seed(frame, columns)
    if len(values) < 2:
        return {}
    spans = np.ptp(values.mean(axis=0), axis=0)
    shares = noise(values) / np.where(spans > 0, spans, np.inf)
    return dict(zip(columns, shares.tolist(), strict=True))


# -- what the page shows and says ------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """The table that the page examines, its title, where it is from, and if it was trained."""

    title: str
    table: pd.DataFrame
    text: str
    trained: bool


def chosen(runs: Mapping[str, Run], experiment: str, stand_in: pd.DataFrame) -> Shown:
    """The published ``experiment``, else the first that is published, else ``stand_in``."""
    if not runs:
        text = (
            "**No experiment is published yet.** The points below are exact restorations of toy B, "
            "for which the theory holds; they show what the tests can see, and nothing about "
            "trained networks."
        )
        return Shown("toy B (no experiment is published)", stand_in, text, trained=False)
    name = experiment if experiment in runs else next(iter(runs))
    title, run = words.title(name), runs[name]
    text = f"{title}. {run.origin()}"
    if name != experiment:
        text = f"{words.title(experiment)} is not published yet; shown is {text}"
    return Shown(title, run.table, text, trained=True)


def against_noise(found: Revealed, noisy: Revealed | None) -> str:
    """A sentence: would ``noisy``, exact theory with the noise of the seeds, look like ``found``?

    ``noisy`` is None where the noise is not known.
    """
    share = f"{100 * found.own.value:.0f} %"
    if found.own.value == 1:
        return "Every triple has the least point: nothing is left for noise to explain."
    if noisy is None:
        return (
            f"With one seed the noise is not known: {share} of the triples have the least point, "
            "and whether noise or training keeps the others from it cannot be told."
        )
    enough = found.own.value >= noisy.own.lower
    verdict = (
        "so noise of that size is enough to explain the others"
        if enough
        else "so noise of that size does not explain all of the others"
    )
    low = max(noisy.own.lower, 0.0)
    beaten, by_noise = (int(one.table["beaten"].sum()) for one in (found, noisy))
    return (
        f"{share} of the triples have the least point. Where the theory is exact, noise as large "
        f"as that between the seeds leaves {100 * noisy.own.value:.0f} % (at least "
        f"{100 * low:.0f} % by its interval), {verdict}. One and the same rival is lower in every "
        f"seed for {beaten} of {len(found.table)} triples; for {by_noise} of {len(noisy.table)} in "
        "the control with that noise."
    )


def verdicts(
    frame: pd.DataFrame,
    perception: str,
    landscapes: Sequence[Landscape],
    trained: bool = True,
) -> list[Claim]:
    """Statements of Sections 2.3, 3 and 4 that lay theory over experiment, each with its test.

    Better than chance (5 %) and no exception that every seed repeats is reproduced; better than
    chance with exceptions, partly. Where the table is not ``trained`` but a stand-in, statements
    about trained points are not testable. What a hull has by construction is asked of the other
    surfaces alone.
    """
    tests: list[tuple[str, Callable[[], tuple[str, str]]]] = [
        ("Each restorer minimises its own weighted sum (16), of what is trained",
         lambda: _optimal(revealed(frame))),
        ("The weights are the slopes of the surface: α/γ and β/γ are its prices",
         lambda: _priced(prices(frame))),
        ("Weights of (16) stand for C, D and P: the same of what is plotted",
         lambda: _optimal(revealed(frame, perception, "error_rate"))),
        ("The profiles are convex (Fig. 3, Theorem 1)", lambda: convexity(frame, perception)),
    ]  # fmt: skip
    found = claims.tested(frame, tests)
    if not trained:
        found = [Claim(c.statement, "no trained points are published", UNTESTABLE) for c in found]
    shapes = [traits(landscape) for landscape in landscapes]
    found += _by_definition(
        [shape for shape, one in zip(shapes, landscapes, strict=True) if not one.hull]
    )
    both = {s.name: shape.both for s, shape in zip(landscapes, shapes, strict=True)}
    both = {name: share for name, share in both.items() if np.isfinite(share)}
    alone = [share == 0 for share in both.values()]
    found.append(
        Claim(
            "One budget decides at a time: where D (or P) is small, the other does not matter "
            "(Section 2.3, seen on the toy)",
            "on the slope of the surface, both budgets matter on a share of: "
            + ", ".join(f"{name} {100 * share:.0f} %" for name, share in both.items()),
            REPRODUCED if all(alone) else PARTLY if any(alone) else NOT,
        )
    )
    return found


def _by_definition(shapes: Sequence[Traits]) -> list[Claim]:
    """Two statements on C(D,P) itself; a hull of points has both whatever the points are."""
    corner = min((shape.infeasible for shape in shapes), default=np.nan)
    early = min((s.early for s in shapes if np.isfinite(s.early)), default=np.nan)
    asked = (
        ("C(D,P) is absent where D and P are both small (Section 2.3)", corner > 0,
         f"the least such corner of the {len(shapes)} surfaces that are no hulls is "
         f"{100 * corner:.0f} % of the scaled square"),
        ("The trade-off is stronger where D or P is low (Section 3)", early > 0.5,
         f"the first half of a budget brings at least {100 * early:.0f} % of the fall on those "
         "surfaces (straight: 50 %; convexity alone gives no less)"),
    )  # fmt: skip
    if not shapes:
        why = "every surface here is a hull, which has this by construction"
        return [Claim(statement, why, UNTESTABLE) for statement, *_ in asked]
    return [Claim(text, said, REPRODUCED if holds else NOT) for text, holds, said in asked]


def _optimal(found: Revealed) -> tuple[str, str]:
    beaten = int(found.table["beaten"].sum())
    worst = max(found.regret.p_value, found.violated.p_value)
    text = (
        f"{100 * found.own.value:.0f} % are the least of the cloud (chance "
        f"{100 * found.own.chance:.0f} %); regret {found.regret.value:.2f} (chance "
        f"{found.regret.chance:.2f}, p = {found.regret.p_value:.3f}); {beaten} of "
        f"{len(found.table)} are beaten by the same rival in every seed; "
        f"{100 * found.violated.value:.1f} % of {found.pairs} pairs violate monotonicity "
        f"(p = {found.violated.p_value:.3f})"
    )
    if worst > 0.05:
        return text, NOT
    return text, REPRODUCED if beaten == 0 and found.violated.value == 0 else PARTLY


def _priced(table: pd.DataFrame) -> tuple[str, str]:
    both = {"λ": agreement(table, "lam"), "μ": agreement(table, "mu")}
    text = "; ".join(
        f"{name}: rank correlation {found.correlation:.2f} (p = {found.p_value:.3f}); asked price "
        f"within the implied range at {100 * found.within:.0f} % of the points, above it at "
        f"{100 * found.above:.0f} %"
        for name, found in both.items()
    )
    seen = [found.p_value <= 0.05 for found in both.values()]
    if not any(seen):
        return text, NOT
    exactly = all(found.within == 1 for found in both.values())
    return text, REPRODUCED if all(seen) and exactly else PARTLY
