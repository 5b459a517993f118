"""Change the code in small ways and see whether a test notices: the share of mutants that die.

    .venv/bin/python bench/mutation.py [--sample 60] [--seed 0] [MODULE ...]

Each mutant differs from its module in one operator, comparison, constant, condition, check or value
returned, and runs the module's own tests in a process of its own, until the first failure. A sample
of each module is drawn with the seed. What survives is printed with its line; so is the score.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: Each module with the tests that are to notice, fast ones first.
TESTS = {
    "cdplib.theory.certificate": ("theory/test_certificates.py",),
    "cdplib.theory.divergences": ("theory/test_divergences.py",),
    "cdplib.theory.problem": ("theory/test_problem.py",),
    "cdplib.experiments.measures": ("experiments/test_measures.py",),
    "cdplib.experiments.losses": ("experiments/test_losses.py",),
    "cdplib.storage.files": ("storage/test_files.py",),
    "cdplib.parameters": ("test_parameters.py",),
}
#: Left out: they take long, and fail with others.
SLOW = "not 60_digits and not two_percent and not unit_of_distortion and not ssim_is_one"
_SWAPS: dict[type, type] = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult},
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}


def changes(node: ast.AST) -> Iterator[Callable[[Any], None]]:
    """What can be changed in place at a node, one change at a time."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in _SWAPS:
        yield lambda n: setattr(n, "op", _SWAPS[type(n.op)]())
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            if type(op) in _SWAPS:
                yield lambda n, i=i: n.ops.__setitem__(i, _SWAPS[type(n.ops[i])]())
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield lambda n: setattr(n, "value", not n.value)
        elif isinstance(node.value, int | float):
            yield lambda n: setattr(n, "value", n.value + 1)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.Raise):  # a check that is left out
        yield lambda n: n.__setattr__("exc", None) or n.__setattr__("__class__", ast.Pass)
    if isinstance(node, ast.Return) and node.value is not None:
        yield lambda n: setattr(n, "value", ast.Constant(None))


def mutants(source: str) -> list[tuple[int, str, str]]:
    """(line, what it was, the whole changed source) of every mutant; annotations are left alone."""
    tree = ast.parse(source)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        noted = [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.JoinedStr):  # the words of a message
            noted.append(node)
        for part in filter(None, noted):
            skipped |= {id(inner) for inner in ast.walk(part)}
    found = []
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in skipped:
            continue
        for change in changes(node):
            other = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(other)) if i == index)
            change(target)
            text = ast.unparse(ast.fix_missing_locations(other))
            line = getattr(node, "lineno", 0)
            found.append((line, ast.unparse(node).splitlines()[0][:70], text))
    return found


class _Mutated(MetaPathFinder):
    """Finds one module with another source."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != self.name:
            return None
        spec = PathFinder.find_spec(name, path)
        assert spec is not None
        assert spec.origin is not None
        loader = SourceFileLoader(name, spec.origin)
        code = compile(self.source, spec.origin, "exec")
        loader.get_code = lambda _: code  # type: ignore[method-assign, assignment]
        spec.loader = loader
        return spec


def survives(module: str, source: str, limit: float) -> bool:
    """Whether the module's tests pass with ``source`` in its place; too long is a death."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        sys.meta_path.insert(0, _Mutated(module, source))
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        import pytest

        tests = [str(ROOT / "tests" / name) for name in TESTS[module]]
        plain = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore", "-k", SLOW]
        os._exit(int(pytest.main([*plain, *tests])))
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main() -> int:
    """Print the table, and what survived."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--sample", type=int, default=60, help="mutants of a module (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    os.chdir(ROOT)
    # Once for all children: what takes longest to import, and none of the modules above.
    for name in ("numpy", "scipy.optimize", "cvxpy", "mpmath", "torch", "jsonschema"):
        __import__(name)
    killed = total = 0
    for module in args.modules:
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        started = time.monotonic()
        if not survives(module, ast.unparse(ast.parse(source)), 600):
            raise SystemExit(f"{module}: its tests fail without any change")
        limit = 10 + 3 * (time.monotonic() - started)
        every = mutants(source)
        drawn = every
        if 0 < args.sample < len(every):
            drawn = sorted(random.Random(args.seed).sample(every, args.sample))
        alive = [m for m in drawn if survives(module, m[2], limit)]
        killed, total = killed + len(drawn) - len(alive), total + len(drawn)
        print(f"{module}: {len(drawn) - len(alive)} of {len(drawn)} killed ({len(every)} in all)")
        for line, was, _ in alive:
            print(f"  line {line} survived: {was}")
        sys.stdout.flush()
    print(f"{killed} of {total} killed: {100 * killed / total:.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
