"""What the paper's theory says, with a verdict and a check of each statement that runs in seconds.

The checks are small versions of what the chapters show at length. A finding whose check fails is a
mistake of ours or a discovery: either way the page of findings and a test say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from cdpbook import text
from cdplib.theory import checks, closed_form, convexity, exact, nonblind, rational, several
from cdplib.theory.toy import KINDS, GaussianToy

#: Verdicts, in the order of the page.
HOLDS, CONDITION, FALSE, SILENT = VERDICTS = (
    "holds as stated", "needs a condition", "is false", "is not said, and true",
)  # fmt: skip
#: The same as verdicts on claims of the paper; what it does not say is no claim of its own.
_REPRODUCED, _PARTLY, _NOT, _, _UNTESTABLE = text.VERDICTS
_OF_CLAIMS = {HOLDS: _REPRODUCED, CONDITION: _PARTLY, FALSE: _NOT}
_SEED, _ROUNDING = 2019, 1e-9


@dataclass(frozen=True)
class Finding:
    """One statement: what the paper says and where, our verdict, what it needs, and the check.

    ``check()`` returns whether the verdict is confirmed, and the evidence in a few words.
    ``label`` is the chapter's section that shows it at length.
    """

    statement: str
    where: str
    verdict: str
    remark: str
    label: str
    check: Callable[[], tuple[bool, str]]

    @property
    def link(self) -> str:
        """A reference to that section, as MyST."""
        if self.label.startswith("ch:"):
            return f"{{ref}}`chapter <{self.label}>`"
        return f"{{prf:ref}}`{self.label}`"


def _bit(prior: float, flip: float) -> exact.Problem:
    channel = [[1 - flip, flip], [flip, 1 - flip]]
    return exact.make_problem([[prior, 0], [0, 1 - prior]], channel, 1 - np.eye(2), [0, 1])


def _surface() -> exact.Surface:
    problem = exact.gaussian_mixture_problem(32, threshold=1.2)
    return exact.surface(problem, "tv", np.linspace(0.6, 1.2, 9), np.linspace(0, 0.4, 9))


def _size(value: float) -> str:
    """A number that should be zero: in words where it is."""
    return f"{value:.0e}" if value > 1e-12 else "0 up to rounding"


def _monotone() -> tuple[bool, str]:
    rise = checks.rise(_surface().value)
    return rise <= _ROUNDING, f"largest rise {_size(rise)} on a certified surface"


def _convex() -> tuple[bool, str]:
    excess = checks.midpoint_excess(_surface().value)[0]
    return excess <= _ROUNDING, f"largest excess {_size(excess)} on a certified surface"


def _steps(classes: tuple[int, ...]) -> list[dict[str, Fraction]]:
    random = np.random.default_rng(_SEED)
    found = []
    for trial in range(30):
        problem = rational.instance(random, classes[trial % len(classes)], 2 + trial % 3, 3)
        mu, nu = (rational.laws(random, 3, 2 + trial % 3) for _ in range(2))
        found.append(rational.steps(problem, mu, nu, Fraction(1 + trial % 7, 8)))
    return found


def _linear() -> tuple[bool, str]:
    found = _steps((2,))
    exactly = all(step[name] == 0 for step in found for name in ("(4)", "(11)", "(14)"))
    return exactly, f"equal as fractions in {len(found)} random problems"


def _many_classes() -> tuple[bool, str]:
    found = _steps((3, 4, 5))
    exactly = all(step[name] == 0 for step in found for name in ("(4)", "(11)", "(14)"))
    return exactly, f"equal as fractions in {len(found)} problems of 3 to 5 classes"


def _data_processing() -> tuple[bool, str]:
    least = min(step["data processing"] for step in _steps((2, 3, 4)))
    return least >= 0, f"least difference {least} in 30 rational problems"


def _slack(names: tuple[str, ...]) -> float:
    random = np.random.default_rng(_SEED)
    return min(convexity.worst_slack(name, random, trials=150).value for name in names)


def _divergences() -> tuple[bool, str]:
    least = _slack(("tv", "kl", "hellinger2", "chi2", "js", "renyi:0.5", "renyi:2", "renyi:inf"))
    return least > -1e-12, "no violation in 150 triples of laws for each of 8"


def _hellinger() -> tuple[bool, str]:
    square, root = _slack(("hellinger2",)), _slack(("hellinger",))
    return square > -1e-12 and root < -1e-3, f"its root violates (13) by {-root:.2f}"


def _wasserstein() -> tuple[bool, str]:
    fine, root = _slack(("w1", "w2_squared")), _slack(("w2",))
    return fine > -1e-12 and root < -1e-3, f"W1 and W2² do; W2 fails by {-root:.2f}"


def _scale() -> tuple[bool, str]:
    letters = np.arange(3.0)
    problem = exact.make_problem(
        [[0.42, 0.12, 0.06], [0.04, 0.2, 0.16]],
        [[0.6, 0.4, 0], [0.2, 0.6, 0.2], [0, 0.4, 0.6]],
        (letters[:, None] - letters) ** 2,
        [0, 1, 1],
    )
    low = float(exact.least_distortion(problem, "tv", np.inf))
    budgets = np.linspace(low, 0.7, 21), np.linspace(low**0.5, 0.7**0.5, 21) ** 2
    straight, bent = (
        checks.midpoint_excess(exact.surface(problem, "tv", Ds, [np.inf]).value)[0]
        for Ds in budgets
    )
    return (
        straight <= _ROUNDING < 1e-4 < bent,
        f"against the root of the mean, C is above its chord by {bent:.3f}",
    )


def _deterministic() -> tuple[bool, str]:
    problem = _bit(0.7, 0.4)
    stairs = [[checks.deterministic(problem, "tv", np.inf, P) for P in np.linspace(0, 0.4, 9)]]
    excess = checks.midpoint_excess(stairs)[0]
    value = exact.solve(problem, "tv", np.inf, 0.1).value
    split = checks.deterministic(problem, "tv", np.inf, 0.1, pieces=64) - value
    return (
        excess > 1e-3 and -_ROUNDING < split < 1e-3,
        f"noisy bit, four maps: {excess:.2f} above the chord; with each letter of Y split into 64, "
        f"{split:.5f} above C",
    )


def _adapted() -> tuple[bool, str]:
    S, T = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    joint = np.where(T == [[0], [1]], [[0.35], [0.15]], 0.0)
    delta = (S[:, None] != [0, 1]).astype(float)
    every = nonblind.every_classifier(joint, np.eye(4), delta, px=[0.5, 0.5])
    values = [nonblind.solve(every, "tv", D, np.inf).value for D in (0.0, 0.25, 0.5)]
    excess = checks.midpoint_excess([values])[0]
    return excess > 1e-3, f"two bits: {excess:.2f} above the chord"


def _all_minimal() -> tuple[bool, str]:
    found = checks.minima(_bit(0.5, 0.2))
    return found.all_three, "fair bit, flipped with probability 0.2: X̂ = Y has all three minima"


def _toy_convex() -> tuple[bool, str]:
    Ds, Ps = np.linspace(0.66, 0.8, 21), np.linspace(0, 0.16, 21)
    ours = max(
        checks.midpoint_excess(GaussianToy().cdp(Ds[:, None], Ps, kind))[0] for kind in KINDS
    )
    profile = GaussianToy(threshold=0.1).cdp(np.linspace(0.66, 2, 81)[:, None], [np.inf])
    other = checks.midpoint_excess(profile)[0]
    return (
        ours <= 1e-12 and other > 1e-4,
        f"the same toy with threshold 0.1: {other:.0e} above the chord",
    )


def _band() -> tuple[bool, str]:
    toy, D = GaussianToy(), 0.68
    low, high = toy.gains_within_mse(D)[0]
    Ps = toy.divergence([high, low])
    values = toy.cdp(D, Ps + np.array([1e-9, 0]))
    change = float(values[0] - values[1])
    return change > 1e-4, f"D = {D}: C falls by {change:.4f} from P = {Ps[0]:.3f} to {Ps[1]:.3f}"


def _mirror() -> tuple[bool, str]:
    toy = GaussianToy()
    gains = np.linspace(2 / 3, toy.least_divergence_gain(), 20)
    values = toy.cdp(np.linspace(0.667, 1.5, 40)[:, None], toy.divergence(gains))
    values = np.where(np.isfinite(values), values, np.nan)
    spread = float(np.nanmax(np.nanmax(values, axis=0) - np.nanmin(values, axis=0)))
    return spread <= 1e-12, f"spread {_size(spread)} for P up to KL(2/3)"


def _loose() -> tuple[bool, str]:
    toy = GaussianToy()
    Ds, Ps = np.linspace(0.75, 1.5, 20)[:, None], np.linspace(toy.divergence(0.5), 1, 20)
    any_D, any_P = np.linspace(2 / 3, 1.5, 20)[:, None], np.linspace(0.006, 1, 20)
    spreads = [np.ptp(_feasible(toy.cdp(Ds, any_P)), axis=0).max()]
    spreads += [np.ptp(_feasible(toy.cdp(any_D, Ps).T), axis=0).max()]
    return bool(max(spreads) <= 1e-12), "equal for D from MSE(1/2) on, and for P from KL(1/2) on"


def _feasible(values: np.ndarray) -> np.ndarray:
    """The columns of ``values`` that are finite throughout."""
    return values[:, np.isfinite(values).all(axis=0)]


def _corner() -> tuple[bool, str]:
    toy, slack = GaussianToy(), 1e-3
    D, P = 2 / 3 + slack, float(toy.divergence(toy.least_divergence_gain())) + slack
    alone = np.isfinite([toy.cdp(D, np.inf), toy.cdp(np.inf, P)]).all()
    return bool(alone and np.isinf(toy.cdp(D, P))), f"each within {slack:g} of its least value"


def _toy_tradeoff() -> tuple[bool, str]:
    toy = GaussianToy()
    off = abs(float(toy.posterior_mean(toy.bayes_threshold("y"))) - toy.boundary)
    y = np.linspace(-8, 8, 200)
    free_of_D = off < 1e-12 and bool((np.diff(toy.posterior_mean(y)) > 0).all())
    perfect, best = closed_form.least_error_on_line(toy, "kl", 0.0), toy.bayes_error("y")
    last = closed_form.price_free(toy, "kl")
    still = closed_form.least_error_on_line(toy, "kl", 0.99 * last) > best + 1e-9
    none = closed_form.least_error_on_line(toy, "kl", last) <= best + 1e-12
    return (
        free_of_D and perfect > best + 1e-3 and still and none,
        f"at D = ∞, P = 0 the least error is {perfect:.5f}, not {best:.5f}; from KL = {last:.5f} "
        "on it is",
    )


def _direction() -> tuple[bool, str]:
    toy = GaussianToy()
    gains = [toy.least_divergence_gain(kind) for kind in KINDS]
    return abs(gains[0] - gains[1]) < 0.01, f"least at a = {gains[0]:.3f} and {gains[1]:.3f}"


def _several() -> tuple[bool, str]:
    toys = [exact.gaussian_mixture_problem(32, threshold=t) for t in (-0.3, 1.2)]
    found = [several.solve_worst(toys, "tv", D, np.inf) for D in np.linspace(0.66, 0.76, 5)]
    excess = checks.midpoint_excess([[at.value for at in found]])[0]
    certified = all(at.status == "optimal" for at in found)
    weight = found[2].weights[0]
    return (
        certified and excess <= _ROUNDING and 0.01 < weight < 0.99,
        f"two thresholds, five certified points: weights {weight:.2f} and {1 - weight:.2f} in the "
        "middle",
    )


def _nonblind() -> tuple[bool, str]:
    bit = nonblind.every_classifier(
        np.diag([0.4, 0.6]), [[0.8, 0.2], [0.2, 0.8]], [[0, 10], [1, 0]]
    )
    low, middle, high = (nonblind.solve(bit, "tv", D, np.inf) for D in (0.6, 0.76, 0.92))
    kink = middle.lower - 0.5 * (low.upper + high.upper)
    toy = exact.gaussian_mixture_problem(64, threshold=1.2)
    at = (float(exact.least_distortion(toy, "tv", 0.0)) + 1e-9, 0.0)
    every = [exact.gaussian_mixture_problem(64, threshold=t) for t in toy.x]
    bayes = float(toy.py @ toy.err.min(axis=1))
    chosen = nonblind.solve(every, "tv", *at).value - bayes
    blind = exact.solve(toy, "tv", *at).value - bayes
    return (
        kink > 0.05 and chosen < 0.05 * blind,
        f"a bit: {kink:.2f} above the chord, certified; 64 letters, P = 0: {chosen:.5f} above the "
        f"best classifier of Y, {blind:.5f} with one that does not fit",
    )


FINDINGS = (
    Finding("C(D, P) is non-increasing", "Theorem 1.1", HOLDS,
            "for every distortion and every d", "thm:cdp", _monotone),
    Finding("C(D, P) is convex", "Theorem 1.2", HOLDS,
            "over all restorations, which may draw lots", "thm:cdp", _convex),
    Finding("error and distortion of a mixture are the mixed ones", "(4), (11), (14)", HOLDS,
            "", "ch:proof-checks", _linear),
    Finding("the extension to more classes is straightforward", "Section 2.1", HOLDS,
            "nothing in the proof counts classes", "ch:proof-checks", _many_classes),
    Finding("no classifier of X̂ beats the best one of Y", "Section 2.2, supplement", HOLDS,
            "", "prop:data-processing", _data_processing),
    Finding("f-divergences and the Rényi divergence are convex in q", "after Theorem 1", HOLDS,
            "Rényi at every order; in both arguments only up to order 1", "prop:convex-q",
            _divergences),
    Finding("toy: when P is small, C is invariant with D", "Section 2.3", HOLDS,
            "exactly for P up to KL(2/3)", "ch:toy", _mirror),
    Finding("toy: when D is large, C is invariant with D; when P is large, with P", "Section 2.3",
            HOLDS, "", "ch:toy", _loose),
    Finding("toy: nothing is attainable where D and P are both small", "Section 2.3", HOLDS,
            "for the gains", "ch:toy", _corner),
    Finding("Hellinger's distance is among them", "after Theorem 1", CONDITION,
            "its square is", "prop:convex-q", _hellinger),
    Finding("no assumption on Δ; for example PSNR", "after Theorem 1", CONDITION,
            "an average over samples, not a function of an average", "ch:proof-checks", _scale),
    Finding("the tradeoff exists regardless of the restoration algorithm", "Section 5", CONDITION,
            "Theorem 1 is about all restorations; a family closed under mixing will do, "
            "deterministic ones will not where Y has atoms, and will where it has none",
            "thm:no-lots", _deterministic),
    Finding("the classifier is predefined", "Definition 1", CONDITION,
            "and needs to be: with the best classifier for each X̂ convexity fails",
            "ch:proof-checks", _adapted),
    Finding("toy: the CDP function is convex", "Section 2.3", CONDITION,
            "true for these numbers, but not by Theorem 1: the gains are not closed under mixing",
            "ch:toy", _toy_convex),
    Finding("toy: better classification must cost distortion, perception or both", "Section 2.3",
            CONDITION, "true of the gains; over all restorations it never costs distortion, and "
            "perception only while P is small", "prop:toy-price", _toy_tradeoff),
    Finding("the three cannot be made all minimal simultaneously", "abstract, Sections 1, 5", FALSE,
            "does not follow from Theorem 1; an exact test says when it is so", "prop:minima",
            _all_minimal),
    Finding("toy: when D is small, C is invariant with P", "Section 2.3", FALSE,
            "only from P = KL(a) on, a being the least gain allowed by D", "ch:toy", _band),
    Finding("which direction of KL was drawn", "Fig. 1, 2", SILENT,
            "either gives the same picture", "ch:toy", _direction),
    Finding("the Wasserstein distance of the experiments is convex in q", "Section 4", SILENT,
            "it is missing from the list after the theorem", "prop:convex-q", _wasserstein),
    Finding("for several classifiers the worst error is non-increasing and convex too", "Section 4",
            SILENT, "it is the largest C of a weighted mean of them", "thm:several", _several),
    Finding("with a classifier that is chosen too, C need not be convex, and on the line nothing "
            "is traded", "Section 2.2, future work", SILENT,
            "above the Bayes error of Y only where letters are coarse", "prop:nonblind-line",
            _nonblind),
)  # fmt: skip


def checked() -> pd.DataFrame:
    """:data:`FINDINGS`, each check run now; columns as below, ``confirmed`` a bool."""
    rows = [(f.statement, f.where, f.verdict, f.remark, f.link, *f.check()) for f in FINDINGS]
    columns = ["statement", "where", "verdict", "remark", "link", "confirmed", "evidence"]
    return pd.DataFrame(rows, columns=columns)


def evidence(statement: str) -> str:
    """What the check of one finding says now. Raises :class:`AssertionError` if it fails."""
    (finding,) = (f for f in FINDINGS if f.statement == statement)
    confirmed, said = finding.check()
    assert confirmed, f"{statement}: {said}"
    return said


def theory() -> pd.DataFrame:
    """The paper's claims about theory, each check run now, in the columns of the last line.

    The remark ends with what the check found; a check that fails makes the claim not testable.
    """
    found = checked()
    found = found[found["verdict"].isin(_OF_CLAIMS)]
    remark = (found["remark"] + "; " + found["evidence"]).str.removeprefix("; ")
    verdict = found["verdict"].map(_OF_CLAIMS).where(found["confirmed"], _UNTESTABLE)
    numbers = [f"T{n}" for n in range(1, len(found) + 1)]
    found = found.assign(number=numbers, remark=remark, verdict=verdict)
    return found[["number", "statement", "verdict", "where", "remark"]].reset_index(drop=True)
