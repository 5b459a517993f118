"""Random problems against the exact solver, judged in 60 digits: `python -m tests.theory.fuzz`.

Sizes 2 to 8, every divergence, units from 1e-30 to 1e30, letters without or with hardly any mass,
positions that tie, budgets that are 0, tiny, infinite, and at or around the edge.  The judge shares
no code with the library: it takes the floats of the reduced problem as exact numbers and redoes
both bounds with mpmath, the plan's rows rescaled to p_Y.  It prints one row a divergence; --log
appends every point that is wrong, and every uncertified one that should not be.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from cdplib.errors import InputError
from cdplib.theory import exact

DIVERGENCES = (
    "tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2",
    "renyi:0.3", "renyi:0.9", "renyi:3", "renyi:20", "renyi:inf",
)  # fmt: skip
LINEAR = ("tv", "w1", "renyi:inf")

#: How far a budget may be exceeded: the rounding that the library states, with a little room.
SLACK = mpf(3e-14)
mpmath.mp.dps = 60


# -- problems ----------------------------------------------------------------------------------


def some_problem(rng: np.random.Generator) -> tuple[exact.Problem, bool]:
    """A problem, and whether it has letters of 0 < mass < 1e-9."""
    classes, n, m = (int(v) for v in rng.integers((2, 2, 2), (4, 9, 9)))
    k = n if rng.random() < 0.8 else int(rng.integers(2, 9))
    joint = rng.dirichlet(np.full(classes * k, rng.choice([0.3, 1.0, 3.0]))).reshape(classes, k)
    joint = np.maximum(joint, 1e-6)
    if rng.random() < 0.25 and k > 2:
        joint[:, rng.integers(k, size=rng.integers(1, 3))] = 0
    light = bool(rng.random() < 0.12) and k == n
    if light:
        joint[:, rng.integers(k)] *= 10 ** rng.uniform(-25, -9)
    if not joint.sum() > 1e-3:
        joint[:, 0] = 1
    channel = rng.dirichlet(np.full(m, rng.choice([0.2, 1.0, 5.0])), size=k)
    if rng.random() < 0.15:
        channel = np.eye(m)[rng.integers(m, size=k)]
    x, z = rng.normal(size=n), rng.normal(size=k)
    if rng.random() < 0.25:
        x = np.round(x)  # ties
    if k == n:
        z = x
    kind = rng.choice(
        ["squared", "hamming", "random", "signed", "offset"], p=[0.4, 0.2, 0.25, 0.1, 0.05]
    )
    cost = {
        "squared": lambda: (z[:, None] - x[None]) ** 2,
        "hamming": lambda: 1.0 - np.eye(k, n),
        "random": lambda: rng.random((k, n)),
        "signed": lambda: rng.normal(size=(k, n)),
        "offset": lambda: 1e3 + rng.random((k, n)),
    }[str(kind)]()
    if rng.random() < 0.3:
        cost = cost * 10 ** rng.uniform(-30, 30)
    if rng.random() < 0.3:
        x = (x + rng.choice([0.0, 5.0, 1e3])) * 10 ** rng.uniform(-12, 20)
    px = None if k == n else rng.dirichlet(np.ones(n))
    labels = rng.integers(0, classes, n)
    problem = exact.make_problem(joint / joint.sum(), channel, cost, labels, x=x, px=px)
    mass = problem.px[problem.px > 0]
    return problem, bool(mass.min() < 1e-9)


def some_budgets(
    rng: np.random.Generator, problem: exact.Problem, name: str
) -> tuple[float, float, float, bool]:
    """(D, P, edge at P, whether the solver has no excuse)."""
    span = float(np.ptp(problem.x)) if name == "w1" else 1.0
    unit = float(rng.choice([0, 10 ** rng.uniform(-16, -6), 1e-6, 1e-3, 0.01, 0.05, 0.2, 0.6, 1, 3,
                             10 ** rng.uniform(-6, 2), math.inf]))  # fmt: skip
    P = unit if unit in (0, math.inf) else unit * (span or 1.0)
    edge = exact.least_distortion(problem, name, P)
    low = float(problem.py @ problem.delta.min(axis=1))
    far = float(problem.py @ (problem.delta @ problem.px))
    way = int(rng.integers(8))
    near = float(rng.choice([-1e-3, -1e-6, -1e-9, -1e-13, 0, 1e-15, 1e-13, 1e-9, 1e-6, 1e-4]))
    D = {
        0: lambda: math.inf,
        1: lambda: float(edge) + near * abs(float(edge)),
        2: lambda: float(rng.choice([0.0, low, low * (1 - 1e-15), -abs(far), 1e-12 * far])),
        3: lambda: float(edge) + 0.02 * abs(float(edge)),
        4: lambda: float(edge) + 10 ** rng.uniform(-2, 0) * abs(float(edge)),
    }.get(way, lambda: float(edge) + rng.uniform(0, 1.2) * (far - float(edge)))()
    fair = (unit == 0 or unit >= 1e-6) and (D - float(edge) >= 0.01 * abs(float(edge)) > 0)
    return D, P, edge, bool(fair or (D == math.inf and (unit == 0 or unit >= 1e-6)))


# -- the judge ---------------------------------------------------------------------------------


class Judge:
    """A reduced problem and a divergence in 60 digits."""

    def __init__(self, problem: exact.Problem, name: str) -> None:
        self.name, self.n, self.m = name, problem.px.size, problem.py.size
        law = lambda v: [mpf(a) / s for s in [mpmath.fsum(map(mpf, v))] for a in map(float, v)]  # noqa: E731
        self.px, self.py = law(problem.px.tolist()), law(problem.py.tolist())
        self.delta = [[mpf(float(v)) for v in row] for row in problem.delta]
        self.err = [[mpf(float(v)) for v in row] for row in problem.err]
        self.x = [mpf(float(v)) for v in problem.x]
        self.order = {"kl": mpf(1), "hellinger2": mpf(0.5), "chi2": mpf(2)}.get(name)
        if name.startswith("renyi:"):
            self.order = mpf(name.split(":")[1])
        self.typical = mpmath.fsum(
            q * max(abs(min(row)), 0) for q, row in zip(self.py, self.delta, strict=True)
        )

    def rate(self, P: float) -> Any:
        """The Rényi budget of P."""
        if self.name == "hellinger2":
            return -2 * mpmath.log(1 - mpf(P)) if P < 1 else mpf("inf")
        return mpmath.log(1 + mpf(P)) if self.name == "chi2" else mpf(P)

    def value(self, r: list[Any]) -> Any:
        """d(p_X, r) by its definition."""
        p, log, inf = self.px, mpmath.log, mpf("inf")
        pairs = list(zip(p, r, strict=True))
        if self.name == "tv":
            return mpmath.fsum(abs(a - b) for a, b in pairs) / 2
        if self.name == "w1":
            order = sorted(range(self.n), key=lambda j: self.x[j])
            total, flow = mpf(0), mpf(0)
            for i, j in itertools.pairwise(order):
                flow += p[i] - r[i]
                total += abs(flow) * (self.x[j] - self.x[i])
            return total
        if self.name == "reverse_kl":
            if any(a == 0 and b > 0 for a, b in pairs):
                return inf
            return mpmath.fsum(b * log(b / a) for a, b in pairs if b > 0)
        a = self.order
        on = [(s, q) for s, q in pairs if s > 0]
        if a >= 1 and any(q == 0 for _, q in on):
            return inf
        if a == inf:
            return max(log(s / q) for s, q in on)
        if a == 1:
            return mpmath.fsum(s * log(s / q) for s, q in on)
        total = mpmath.fsum(s**a * q ** (1 - a) for s, q in on if q > 0)
        if self.name == "hellinger2":
            return 1 - total
        return total - 1 if self.name == "chi2" else (log(total) / (a - 1) if total > 0 else inf)

    def support(self, u: list[Any], P: float) -> Any:
        """The least <u, r> in the ball of P, as the top of its dual function."""
        p, low = self.px, min(u)
        if P == math.inf:
            return low
        if self.name == "tv":
            left, total = mpf(P), mpmath.fsum(a * b for a, b in zip(p, u, strict=True))
            for j in sorted(range(self.n), key=lambda j: -u[j]):
                moved = min(left, p[j])
                total, left = total - moved * (u[j] - low), left - moved
            return total
        if self.name == "w1":
            near = [[abs(a - b) for b in self.x] for a in self.x]

            def curve(t: Any) -> Any:
                return mpmath.fsum(
                    p[i] * min(u[j] + t * near[i][j] for j in range(self.n)) for i in range(self.n)
                ) - t * mpf(P)

            slopes = [
                abs(u[i] - u[j]) / near[i][j]
                for i in range(self.n)
                for j in range(i)
                if near[i][j] > 0
            ]
            top = max(slopes, default=mpf(0))
            return max(curve(mpf(0)), _highest(curve, top)) if top > 0 else curve(mpf(0))
        on = [(a, b) for a, b in zip(p, u, strict=True) if a > 0]
        if self.name == "reverse_kl":
            low = min(b for _, b in on)
            size = max(b for _, b in on) - low
            if P == 0 or size == 0:
                return mpmath.fsum(a * b for a, b in on)

            def curve(mu: Any) -> Any:
                return low - mu * (
                    mpmath.log(mpmath.fsum(a * mpmath.exp((low - b) / mu) for a, b in on)) + mpf(P)
                )

            return max(low, _highest(curve, size * mpf(10) ** 20))
        rate, power = self.rate(P), 1 - 1 / self.order
        size = max(u) - low
        if rate == 0:
            return mpmath.fsum(a * b for a, b in on)
        if rate == mpf("inf") or size == 0:
            return low

        def curve(t: Any) -> Any:
            logs = [(a, mpmath.log(1 + (b - low) / t)) for a, b in on]
            if power == 0:
                mean = mpmath.fsum(a * v for a, v in logs)
            else:
                mean = mpmath.log(mpmath.fsum(a * mpmath.exp(power * v) for a, v in logs)) / power
            return low + t * mpmath.expm1(mean - rate)

        return max(low, _highest(curve, size * mpf(10) ** 20))

    def lower(self, D: float, P: float, lam: float, u: np.ndarray, with_error: bool) -> Any:
        """The certificate's bound."""
        price, vector = mpf(lam), [mpf(float(v)) for v in u]
        least = mpmath.fsum(
            self.py[y]
            * min(
                (self.err[y][j] if with_error else 0) + price * self.delta[y][j] - vector[j]
                for j in range(self.n)
            )
            for y in range(self.m)
        )
        charge = price * mpf(D) if lam > 0 else mpf(0)
        return least - charge + self.support(vector, P)

    def upper(self, D: float, P: float, plan: np.ndarray) -> tuple[Any, str]:
        """The error rate of the plan, and what is wrong with it."""
        if not (plan >= 0).all():
            return None, "negative plan"
        rows = [mpmath.fsum(map(mpf, row)) for row in plan.tolist()]
        if any(abs(s - q) > 1e-12 * q for s, q in zip(rows, self.py, strict=True)):
            return None, "rows of the plan"
        W = [
            [mpf(v) * q / s if s > 0 else mpf(0) for v in row]
            for row, q, s in zip(plan.tolist(), self.py, rows, strict=True)
        ]
        cells = [(y, j) for y in range(self.m) for j in range(self.n)]
        value = mpmath.fsum(self.err[y][j] * W[y][j] for y, j in cells)
        if D < math.inf:
            E = mpmath.fsum(self.delta[y][j] * W[y][j] for y, j in cells)
            if E - mpf(D) > SLACK * max(abs(mpf(D)), self.typical):
                return value, f"distortion over by {mpmath.nstr(E - mpf(D), 3)}"
        if P < math.inf:
            over = self.value([mpmath.fsum(W[y][j] for y in range(self.m)) for j in range(self.n)])
            over -= mpf(P)
            floor = mpf(4e-15) * (max(self.x) - min(self.x) if self.name == "w1" else 1)
            if self.name not in LINEAR:
                floor = mpf(3e-22) * max(1, self.order or 1)
            if over > SLACK * mpf(P) + floor:
                return value, f"perception over by {mpmath.nstr(over, 3)}"
        return value, ""


def _highest(curve: Any, top: Any) -> Any:
    """The maximum of a concave function on (0, top], by golden section in the logarithm."""
    ratio = (mpmath.sqrt(5) - 1) / 2
    a, b = mpmath.log(top) - 140, mpmath.log(top)
    best = curve(mpmath.exp(b))
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    fc, fd = curve(mpmath.exp(c)), curve(mpmath.exp(d))
    while b - a > mpf(10) ** -13:  # the top is flat: twice as many digits of the value
        best = max(best, fc, fd)
        if fc > fd:
            b, d, fd = d, c, fc
            c = b - ratio * (b - a)
            fc = curve(mpmath.exp(c))
        else:
            a, c, fc = c, d, fd
            d = a + ratio * (b - a)
            fd = curve(mpmath.exp(d))
    return max(best, fc, fd)


def verdict(
    problem: exact.Problem, name: str, D: float, P: float, at: exact.Solution, edge: Any
) -> str:
    """What is wrong with the answer ``at``; "" where everything that it claims holds."""
    judge = Judge(problem, name)
    if at.status == "infeasible":
        return "" if judge.lower(D, P, at.lam, at.u, False) > 0 else "infeasible without a proof"
    low = judge.lower(D, P, at.lam, at.u, True)
    if mpf(at.lower) > low + mpf(1e-15):
        return f"lower bound too high by {mpmath.nstr(at.lower - low, 3)}"
    if at.plan is None:
        return "optimal without a plan" if at.status == "optimal" else ""
    value, wrong = judge.upper(D, P, at.plan)
    if wrong:
        return wrong
    if abs(value - mpf(at.value)) > 1e-13:
        return "value is not the plan's"
    if at.status != "optimal":
        return ""
    tolerance = exact.LINEAR_GAP if name in LINEAR or P in (0, math.inf) else exact.CONIC_GAP
    if value - low > tolerance * (1 + 1e-6) or low - value > 2e-10:
        return f"value {mpmath.nstr(value, 12)} against certificate {mpmath.nstr(low, 12)}"
    scale = max(abs(mpf(D)), judge.typical) if D < math.inf else 1
    if D < math.inf and judge.lower(D, P, 1.0, edge.u, False) > SLACK * scale:
        return "optimal, though the edge's certificate refuses it"
    return ""


def run(problems: int, seed: int, points: int = 4, log: Any = None) -> dict[str, Counter[str]]:
    """The table: by divergence how many points had which end."""
    table: dict[str, Counter[str]] = {name: Counter() for name in DIVERGENCES}
    for number in range(problems):
        rng = np.random.default_rng([seed, number])
        name = DIVERGENCES[number % len(DIVERGENCES)]
        row = table[name]
        try:
            problem, light = some_problem(rng)
        except InputError:
            row["refused"] += 1
            continue
        for turn in range(points):
            D = P = math.nan
            row["points"] += 1
            try:
                D, P, edge, fair = some_budgets(rng, problem, name)
                start = time.process_time()
                at = exact.solve(problem, name, D, P)
                row["ms"] += round(1000 * (time.process_time() - start))
                wrong = verdict(problem, name, D, P, at, edge)
                end = "wrong" if wrong else at.status
                row["fair"] += fair and not light
                row["fair uncertified"] += fair and not light and at.status == "uncertified"
                say = wrong or (
                    "uncertified" if end == "uncertified" and fair and not light else ""
                )
            except InputError:
                end, say = "refused", ""
            except Exception as error:  # what must not happen, whatever it is
                end, say = "exception", f"{type(error).__name__}: {error}"
            row[end] += 1
            if log is not None and say:
                print(
                    f"{name} seed=[{seed},{number}] turn={turn} D={D!r} P={P!r}: {say}",
                    file=log,
                    flush=True,
                )
        if log is not None and number % 100 == 99:
            print(f"after {number + 1} problems\n{printed(table)}", file=log, flush=True)
    return table


COLUMNS = ("points", "optimal", "infeasible", "uncertified", "wrong", "exception", "refused",
           "fair", "fair uncertified", "ms")  # fmt: skip


def printed(table: dict[str, Counter[str]]) -> str:
    """The table as text, with its sums."""
    total: Counter[str] = sum(table.values(), Counter())
    lines = ["divergence  " + " ".join(f"{c:>11.16s}" for c in COLUMNS)]
    for name, row in [*table.items(), ("all", total)]:
        lines.append(f"{name:11s} " + " ".join(f"{row[c]:11d}" for c in COLUMNS))
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--problems", type=int, default=200, help="four points each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", help="file for what went wrong, as it happens")
    args = parser.parse_args(argv)
    log = Path(args.log).open("a", encoding="utf-8") if args.log else sys.stderr  # noqa: SIM115
    table = run(args.problems, args.seed, log=log)
    print(f"seed {args.seed}, {args.problems} problems\n{printed(table)}")
    if args.log:
        print(f"seed {args.seed}, {args.problems} problems: done\n{printed(table)}", file=log)
        log.close()
    return int(any(row["wrong"] + row["exception"] for row in table.values()))


if __name__ == "__main__":
    sys.exit(main())
