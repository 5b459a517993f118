"""Measure the exact solver against what one would write first: `bench/theory.py [--full]`.

Surfaces of 20 x 20 budgets of ``gaussian_mixture_problem(n)``.  TV: one warm model with its
certificates against a cold ``scipy.optimize.linprog`` (HiGHS, all columns) per point.  KL: against
cvxpy with Clarabel per point, also in the plane; and one point of real digits.  The alternatives
are timed on a sample of points and scaled to the surface; they give no certificate.  Then the
growth of time with n; --write keeps it as JSON for the chapter.

Times are CPU seconds of this process: they hardly depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from cdpbook.studies import planar, real_digits
from cdplib.errors import DataError
from cdplib.storage import files, paths
from cdplib.theory import exact

#: The chapter reads the table of growth from here.
GROWTH = paths.BOOK / "_static" / "growth.json"
BUDGETS = {"tv": (0.02, 0.3), "kl": (0.004, 0.3)}
SIDE = 20
#: Letters up to which cvxpy is asked for a point of the plane (144: tens of thousands of columns).
LARGEST_CVXPY = 144
#: The paper's toy, and the one whose classifier does not fit.
TOYS = {"A": None, "B": 1.2}


def budgets(divergence: str) -> tuple[np.ndarray, np.ndarray]:
    """The grid: 20 distortions and 20 divergences, with an infeasible corner."""
    return np.linspace(0.65, 1.2, SIDE), np.linspace(*BUDGETS[divergence], SIDE)


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds and result of ``action``."""
    start = time.process_time()
    result = action()
    return time.process_time() - start, result


def cold_linprog(problem: exact.Problem, D: float, P: float) -> float:
    """One TV point as the textbook writes it: every column, no basis, no certificate."""
    m, n = problem.shape
    rows = sparse.kron(sparse.identity(m), np.ones((1, n)))
    link = sparse.kron(np.ones((1, m)), sparse.identity(n))
    a_eq = sparse.hstack([rows, sparse.csr_matrix((m, n))], format="csc")
    a_ub = sparse.bmat(
        [
            [-link, -sparse.identity(n)],
            [sparse.csr_matrix(problem.delta.reshape(1, -1)), None],
            [None, np.ones((1, n))],
        ],
        format="csc",
    )
    cost = np.concatenate([problem.err.ravel(), np.zeros(n)])
    bound = np.concatenate([-problem.px, [D, P]])
    got = linprog(cost, A_ub=a_ub, b_ub=bound, A_eq=a_eq, b_eq=problem.py, method="highs")
    return float(got.fun) if got.status == 0 else np.inf


def cvxpy_clarabel(problem: exact.Problem, D: float, P: float) -> float:
    """One KL point as cvxpy states it, solved by Clarabel."""
    import cvxpy as cp

    W = cp.Variable(problem.shape, nonneg=True)
    program = cp.Problem(
        cp.Minimize(cp.sum(cp.multiply(problem.err, W))),
        [
            cp.sum(W, axis=1) == problem.py,
            cp.sum(cp.multiply(problem.delta, W)) <= D,
            cp.sum(cp.kl_div(problem.px, cp.sum(W, axis=0))) <= P,
        ],
    )
    program.solve(solver=cp.CLARABEL)
    return float(program.value)


def attempt(
    alternative: Callable[[exact.Problem, float, float], float],
    problem: exact.Problem,
    D: float,
    P: float,
) -> float:
    """The alternative's value; inf where it raises because its solver gave up."""
    try:
        return alternative(problem, D, P)
    except Exception as error:  # whatever it is, it is a result of this measurement
        print(f"    the alternative failed at D={D:.3g}, P={P:.3g}: {str(error)[:40]}...")
        return np.inf


def compare(n: int, divergence: str, toy: str, sample: int) -> dict[str, Any]:
    """Our surface, and the alternative on ``sample`` feasible points, scaled to all of them."""
    problem = exact.gaussian_mixture_problem(n, threshold=TOYS[toy])
    Ds, Ps = budgets(divergence)
    ours, surface = timed(lambda: exact.surface(problem, divergence, Ds, Ps))
    feasible = np.argwhere(surface.status != "infeasible")
    alternative = cold_linprog if divergence == "tv" else cvxpy_clarabel
    seconds, worst = 0.0, 0.0
    picks = feasible[np.linspace(0, len(feasible) - 1, sample).astype(int)] if sample else []
    for i, j in picks:
        took, value = timed(lambda i=i, j=j: attempt(alternative, problem, Ds[i], Ps[j]))
        seconds += took
        worst = max(worst, abs(value - surface.value[i, j]))
    other = seconds / len(picks) * len(feasible) if len(picks) else np.nan
    return {
        "divergence": divergence,
        "toy": toy,
        "n": n,
        "ours": ours,
        "other": other,
        "ratio": other / ours,
        "disagree": worst if len(picks) else np.nan,
        "certified": int((surface.status == "optimal").sum()),
        "feasible": len(feasible),
        "gap": float(surface.gap.max()),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def growth(sizes: list[int], divergence: str, toy: str, limit: float) -> list[dict[str, Any]]:
    """Seconds of whole surfaces for growing n, while the next promises to stay in ``limit``."""
    table: list[dict[str, Any]] = []
    for n in sizes:
        if table and table[-1]["seconds"] * (n / table[-1]["n"]) ** 2.5 > limit:
            break
        row = compare(n, divergence, toy, sample=0)
        table.append({key: row[key] for key in ("divergence", "toy", "n", "gap")})
        table[-1] |= {"seconds": row["ours"], "certified": row["certified"] == row["feasible"]}
        print(f"  {divergence} toy {toy} n={n:4d} {row['ours']:8.2f} s  worst gap {row['gap']:.1e}")
    return table


def exponent(table: list[dict[str, Any]]) -> float:
    """The slope of log seconds against log n (least squares)."""
    n, seconds = (np.log([row[key] for row in table]) for key in ("n", "seconds"))
    return float(np.polyfit(n, seconds, 1)[0])


def side_by_side(full: bool) -> None:
    """Print the comparisons, one row a case."""
    print("div toy    n   ours s  other s  ratio  certified  worst gap  disagree  peak MB")
    cases = [("tv", "A", 64, 6), ("tv", "A", 128, 3), ("tv", "A", 256, 2 if full else 1)]
    cases += [("tv", "B", 128, 3), ("kl", "A", 64, 4), ("kl", "B", 64, 4)]
    cases += [("kl", "A", 128, 1), ("kl", "B", 128, 1 if full else 0)]
    for divergence, toy, n, sample in cases:
        row = compare(n, divergence, toy, sample)
        print(
            f"{divergence:3s} {toy:3s} {n:4d} {row['ours']:8.2f} {row['other']:8.1f} "
            f"{row['ratio']:6.0f}  {row['certified']:4d}/{row['feasible']:<4d}  {row['gap']:9.1e}"
            f"  {row['disagree']:8.1e} {row['peak_mb']:8.0f}",
            flush=True,
        )


def plane(side: int, P: float = 0.02) -> str:
    """One KL point of the toy in the plane, n = side^2 letters: ours, and cvxpy while it can."""
    problem = planar.problem(side)
    first, least = timed(lambda: exact.least_distortion(problem, "kl", P))
    D = 1.05 * float(least)
    took, at = timed(lambda: exact.solve(problem, "kl", D, P))
    line = f"  n={side**2:4d} edge {first:6.2f} s, edge and point {took:6.2f} s, {at.status}, "
    line += f"gap {at.gap:.0e}"
    if side**2 <= LARGEST_CVXPY:
        other, value = timed(lambda: attempt(cvxpy_clarabel, problem, D, P))
        line += f"; cvxpy {other:6.2f} s, {abs(value - at.value):.0e} away"
    return line


def digits(N: int = 1000, m: int = 500, P: float = 1.0) -> str:
    """One KL point of real digits a percent above the least D of P; a line where there are none."""
    try:
        of = real_digits.sample(real_digits.Setting(digits=N, noisy=m))
    except DataError as error:
        return f"  left out: {error}"
    first, least = timed(lambda: exact.least_distortion(of.problem, "kl", P))
    took, at = timed(lambda: exact.solve(of.problem, "kl", 1.01 * float(least), P))
    return (
        f"  N={N}, m={m}, {of.problem.px.size} letters: edge {first:.2f} s, edge and point "
        f"{took:.2f} s, {at.status}, gap {at.gap:.0e}"
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="n = 256 cold, growth up to 512")
    parser.add_argument("--growth", action="store_true", help="only the growth")
    parser.add_argument("--write", action="store_true", help="keep the growth for the chapter")
    args = parser.parse_args(argv)
    print(f"{platform.machine()}, python {platform.python_version()}, numpy {np.__version__}")
    if not args.growth:
        side_by_side(args.full)
        print("KL in the plane, from a cold start")
        for side in (8, 12, 24):
            print(plane(side), flush=True)
        print("KL of real digits, from a cold start")
        print(digits(), flush=True)
    print("growth of a 20 x 20 surface with n")
    sizes = [32, 64, 128, 256, 512, 1024] if args.full else [32, 64, 128]
    tables = [growth(sizes, d, toy, limit=40.0) for d in BUDGETS for toy in TOYS]
    for table in tables:
        name = f"{table[0]['divergence']} toy {table[0]['toy']}"
        print(f"  {name}: seconds grow like n^{exponent(table):.2f}")
    if args.write:
        content = {
            "what": "CPU seconds of a certified 20 x 20 surface of gaussian_mixture_problem(n)",
            "rows": [row for table in tables for row in table],
        }
        files.write_text(GROWTH, json.dumps(content, indent=1) + "\n")
        print(f"written to {GROWTH.relative_to(paths.ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
