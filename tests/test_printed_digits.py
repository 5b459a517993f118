"""Every value of C that chapters 01 to 04 print is proved: both ends of an interval print the same.

The cells that print are run as the pages run them, and each value is enclosed from the problem that
the page built; the toy of chapter 03 is no finite problem, so its formula is put in balls.
"""

from __future__ import annotations

import ast
import math
from fractions import Fraction

import numpy as np
import pytest

from cdpbook.notebooks import golden, sources
from cdplib.errors import InputError
from cdplib.theory import exact

inf = math.inf


def run(name, *marks):
    """The names and the printed text of the cells of a page that contain one of ``marks``."""
    cells = golden.code(sources.find(name))
    assert all(any(mark in cell for cell in cells) for mark in marks)
    said: list[str] = []
    scope = {"print": lambda *words: said.append(" ".join(map(str, words)))}
    for cell in cells:
        if any(mark in cell for mark in ("import numpy", "# in [", *marks)):
            tree = ast.parse(cell)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), scope)
            if last is not None:
                shown = eval(compile(ast.Expression(last.value), name, "eval"), scope)
                said.append(str(getattr(shown, "data", "")))
    return scope, "\n".join(said)


def ends(*point):
    """Both ends of the proved interval, as the floats that are printed."""
    low, high = exact.enclose(*point)
    assert low <= high
    return float(low), float(high)


def word(text, start, number):
    """Word ``number`` of the line of ``text`` that begins with ``start``."""
    (line,) = (line for line in text.splitlines() if line.startswith(start))
    return line.split()[number]


@pytest.mark.slow
def test_chapter_01():
    page, said = run("01_formulation", "")
    problem = page["problem"]
    for C in ends(problem, "tv", inf, inf):
        assert f"errs in **{100 * C:.1f} %** of cases" in said
        assert f"least C = {C:.3f}" in said
        assert f"best classifier of Y: {C:.3f}, least C: {C:.3f}" in said
        assert f"maps: [0.4   0.024 {C:.3f}]" in said  # of the 27 maps, the best one for C alone
    D = float(exact.least_distortion(problem, "tv", 0.0))
    for C in ends(problem, "tv", D, 0.0):
        assert f"in **{100 * C:.1f} %**. The difference" in said
    with pytest.raises(InputError, match="infeasible"):
        exact.enclose(problem, "tv", page["tight_D"], page["tight_P"])
    row = r"[[  inf {}] [{} {}]]"
    others = ((2.0, page["tight_P"]), (page["tight_D"], 1.0), (2.0, 1.0))
    for found in zip(*(ends(problem, "tv", D, P) for D, P in others), strict=True):
        shown = [f"{C:.3f}" for C in found]
        assert row.format(*shown) in said.replace("\n", "")
        assert "| **large P** | {1} | {2} |".format(*shown) in said
    # ex:formulation-1, the last cell but one: budgets are those of the identity
    D, P, _ = page["judge"](np.eye(3))
    for C in ends(problem, "tv", D * (1 + 1e-15), P * (1 + 1e-15)):
        assert f"[{D:.1f}   {P:.3f} {C:.3f}] {C:.3f}" in said


@pytest.mark.slow
def test_chapter_02():
    page, said = run("02_proof_checks", "fair_bit = ")
    for C in ends(page["fair_bit"], "tv", page["distortion"], 0.0):
        assert f"error {C:.3f}" in said


@pytest.mark.slow
def test_chapter_04():
    marks = ("least_D = ", "spoiled = ", "hamming = ", "fair = ", "skew = ", "three_classes = ")
    page, said = run("04_exact_cdp", *marks)
    A, B = page["problems"]
    least_D = page["least_D"]
    for C, least in zip(ends(A, "tv", least_D, inf), ends(A, "tv", inf, inf), strict=True):
        assert f"error rate of {100 * C:.2f} %, and the least is {100 * least:.2f} %" in said
    for C, least in zip(ends(B, "tv", least_D, inf), ends(B, "tv", inf, inf), strict=True):
        assert f"**{100 * C:.2f} %** at the least distortion against {100 * least:.2f} %" in said
    for C in ends(B, page["divergence"], 0.68, 0.01):
        assert f"optimal C = {C:.3f} " in said
    for C in ends(page["fair"], "kl", page["least"], 0.0):
        assert f"C = {C:.2f}, and the least is {C:.2f}" in said
    for P in (0.0, 0.04, 0.08, 0.1):
        for C in ends(page["skew"], "tv", inf, P):
            assert word(said, f"{P} ", 2) == str(round(C, 4))
    three = page["three_classes"]
    for D in (0.3, 0.5, 0.7, 0.8, 0.9):
        for C in ends(three, "kl", D, 0.0):
            assert word(said, f"{D} ", 1) == str(round(C, 4))
    for C in ends(three, "kl", inf, 0.0):
        assert word(said, "0.9 ", 3) == str(round(C, 4))


# -- the toy of chapter 03 ---------------------------------------------------------------------


class Toy:
    """C(D,P) over the gains in balls, for priors .7 and .3, means -1 and 1 and unit variances."""

    def __init__(self):
        from flint import acb, arb

        self.arb, self.acb = arb, acb
        self.priors = arb(0.7), 1 - arb(0.7)
        self.threshold = (self.priors[0] / self.priors[1]).log() / 2

    def error(self, a):
        """eps(a) = .7 Q((t/a + 1)/sqrt 2) + .3 Phi((t/a - 1)/sqrt 2), in complementary errors."""
        one, two = ((self.threshold / a + sign) / 2 for sign in (1, -1))
        return (self.priors[0] * one.erfc() + self.priors[1] * (-two).erfc()) / 2

    def gains_within_mse(self, D):
        """The roots of 2 - 4a + 3a^2 = D."""
        root = (4 - 3 * (2 - self.arb(D))).sqrt()
        return (2 - root) / 3, (2 + root) / 3

    def kl(self, a):
        """KL(p_X || p_aY): on [-12, 12] by a proved quadrature, and a bound of what lies beyond.

        There p(x) <= phi(|x| - 1), and |log p/q| <= 10 x^2 for a in [.4, 1.2]; an integrand that
        falls faster than exp(-x) leaves at most its value at the end.
        """
        acb = self.acb

        def log_law(x, variance, scale, analytic):
            parts = (
                w * (-((x - sign * scale) ** 2) / (2 * variance)).exp()
                for w, sign in zip(self.priors, (-1, 1), strict=True)
            )
            density = sum(parts) / (2 * self.arb.pi() * variance).sqrt()
            return density, density.log(analytic=analytic)

        def integrand(x, analytic):
            p, log_p = log_law(x, acb(1), acb(1), analytic)
            _, log_q = log_law(x, acb(2 * a**2), acb(a), analytic)
            return p * (log_p - log_q)

        tail = 2 * 10 * 144 * (-(self.arb(11) ** 2) / 2).exp()
        return acb.integral(integrand, -12, 12).real + tail * self.arb(0, 1)

    def least_gain_within(self, P, near):
        """The smaller gain with KL(a) = P, between two floats about ``near``.

        KL is convex in 1/a: above P at one float and below it at the next, it crosses once there,
        and is above P at every smaller gain.
        """
        left, right = near * (1 - 1e-9), near * (1 + 1e-9)
        assert self.kl(self.arb(left)) > self.arb(P)
        assert self.kl(self.arb(right)) < self.arb(P)
        return self.arb(left).union(self.arb(right))


def between(ball):
    """The ends of a ball as floats."""
    return float(ball.lower()), float(ball.upper())


@pytest.mark.slow
def test_chapter_03():
    marks = ("linear_excess", "least error", "spreads =", "def spread")
    page, said = run("03_toy_example", *marks)
    toy, small_D = Toy(), page["small_D"]
    best = toy.error(toy.arb(0.5))  # at half of Y the threshold is that of the best classifier of Y
    for C in between(best):
        assert f"least error {C:.4f} at a = 0.500" in said
    low, high = toy.gains_within_mse(small_D)
    for change in between(toy.error(high) - toy.error(low)):
        assert f"the error rate falls by **{change:.4f}**" in said
        assert f"'small D': {round(change, 4)}" in said
    # at P = .02 it is P that binds: the gain is the smaller end of both intervals' meeting
    near = page["toy"].gains_within_divergence(0.02)[0][0]
    gain = toy.least_gain_within(0.02, near)
    assert low < gain < high
    assert gain > toy.arb(0.5)
    for excess in between(toy.error(gain) - best):
        assert f"the best gain errs by **{excess:.4f}** more" in said
    problem = page["problem"]
    floor = exact.enclose(problem, "kl", inf, inf)
    point = exact.enclose(problem, "kl", small_D, 0.02)
    for excess in (point[0] - floor[1], point[1] - floor[0]):
        assert f"the best of *all* restorations errs by **{abs(float(excess)):.4f}** more" in said


def test_a_wrong_digit_would_be_seen():
    toy = exact.make_problem(np.diag([0.7, 0.3]), [[0.8, 0.2], [0.2, 0.8]], 1 - np.eye(2), [0, 1])
    assert {f"{C:.4f}" for C in ends(toy, "tv", inf, 0.0)} == {"0.2211"}
    assert exact.enclose(toy, "tv", inf, 0.0)[0] > Fraction("0.22105")
