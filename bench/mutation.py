"""Change the code in small ways and see whether a test notices: the share of mutants that die.

    .venv/bin/python bench/mutation.py [--sample 0] [--seed 0] [--again] [MODULE ...]

Each mutant differs from its module in one operator, comparison, constant, condition, check or value
returned. A process of its own runs the module's tests on it, quick ones first, until one fails.
What became of each is written to _build/mutation.jsonl at once: a run that is stopped goes on where
it was, and a mutant that died is not tried again, unless ``--again``. What survives is printed with
the reason that bench/survivors.yml gives for it; status 1 where one has none, or fewer than 90 %
of a module's mutants died.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import io
import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "_build" / "mutation.jsonl"
REASONS = ROOT / "bench" / "survivors.yml"
#: The share of a module's mutants that is to die.
WANTED = 0.9
#: Each module with the tests that are to notice.
TESTS = {
    "cdplib.theory.problem": ("theory/test_problem.py",),
    "cdplib.theory.certificate": ("theory/test_certificates.py",),
    "cdplib.theory.divergences": (
        "theory/test_divergences.py",
        "theory/test_divergences_digits.py",
    ),
    "cdplib.experiments.losses": ("experiments/test_losses.py",),
    "cdplib.experiments.measures": ("experiments/test_measures.py",),
    "cdplib.storage.files": ("storage/test_files.py",),
    "cdplib.parameters": ("test_parameters.py",),
}
#: Left out: they take long, and fail with others.
SLOW = "not 60_digits and not two_percent and not unit_of_distortion"
_SWAPS: dict[type, type] = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult},
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}


@dataclass(frozen=True)
class Mutant:
    """One change: of node ``node`` of a module's tree, the change number ``change``."""

    node: int
    change: int
    line: int
    statement: str
    was: str
    now: str

    def source(self, tree: ast.Module) -> str:
        """The whole changed source."""
        other = copy.deepcopy(tree)
        target = next(n for i, n in enumerate(ast.walk(other)) if i == self.node)
        list(changes(target))[self.change](target)
        return ast.unparse(ast.fix_missing_locations(other))

    def __str__(self) -> str:
        return f"line {self.line}, {self.statement}: {self.was} -> {self.now}"


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
    if isinstance(node, ast.Return) and ast.unparse(node) not in ("return", "return None"):
        yield lambda n: setattr(n, "value", ast.Constant(None))


def mutants(tree: ast.Module) -> list[Mutant]:
    """Every mutant of a module; annotations and the words of messages are left alone."""
    skipped: set[int] = set()
    within: dict[int, ast.stmt] = {}
    for node in ast.walk(tree):
        noted = [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.JoinedStr):
            noted.append(node)
        for part in filter(None, noted):
            skipped |= {id(inner) for inner in ast.walk(part)}
        if isinstance(node, ast.stmt):  # statements are walked from the outside in
            within |= {id(inner): node for inner in ast.walk(node)}
    found = []
    for index, node in enumerate(ast.walk(tree)):
        for number in range(0 if id(node) in skipped else len(list(changes(node)))):
            other = copy.deepcopy(node)
            list(changes(other))[number](other)
            was, now = (
                ast.unparse(ast.fix_missing_locations(n)).splitlines()[0] for n in (node, other)
            )
            statement = ast.unparse(within[id(node)]).splitlines()[0]
            found.append(Mutant(index, number, getattr(node, "lineno", 0), statement, was, now))
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


class _QuickFirst:
    """A pytest plugin: notes what each test takes, and runs the quick ones first."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.took.get(item.nodeid, 0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took[report.nodeid] = self.took.get(report.nodeid, 0) + report.duration


class Trial:
    """The tests of one module, which are run once here on the module as it is.

    All that they import from elsewhere is there from then on; modules of this repository are
    forgotten, so that a child of this process has only those to import.
    """

    def __init__(self, module: str) -> None:
        self.module, self.order = module, _QuickFirst()
        wall, cpu = time.monotonic(), time.process_time()
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = self._pytest()
        if status != 0:
            raise SystemExit(f"{said.getvalue()}\n{module}: its tests fail without any change")
        self.cpu, self.wall = time.process_time() - cpu, time.monotonic() - wall
        for name, there in list(sys.modules.items()):
            file = Path(getattr(there, "__file__", None) or "/")
            if file.is_relative_to(ROOT) and ".venv" not in file.parts and name != "__main__":
                del sys.modules[name]
                parent, _, own = name.rpartition(".")
                if hasattr(sys.modules.get(parent), own):
                    delattr(sys.modules[parent], own)

    def _pytest(self) -> int:
        tests = [str(ROOT / "tests" / name) for name in TESTS[self.module]]
        plain = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
        return int(pytest.main([*plain, "-W", "ignore", "-k", SLOW, *tests], plugins=[self.order]))

    def survives(self, source: str) -> bool:
        """Whether the tests pass with ``source`` in the module's place; too long is a death."""
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            limit = int(5 + 3 * self.cpu)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            sys.meta_path.insert(0, _Mutated(self.module, source))
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os._exit(self._pytest())
        end, status = time.monotonic() + 60 + 5 * self.wall, None
        while time.monotonic() < end and status is None:
            done, found = os.waitpid(child, os.WNOHANG)
            status = found if done else None
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):  # it, or what it has started and left
            os.killpg(child, signal.SIGKILL)
        if status is None:
            os.waitpid(child, 0)
        return status == 0


def examined(module: str, sample: int, seed: int, again: bool) -> tuple[int, int, list[Mutant]]:
    """(mutants there are, mutants tried, those that survive) of ``module``."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    every = mutants(tree)
    drawn = list(range(len(every)))
    if 0 < sample < len(every):
        drawn = sorted(random.Random(seed).sample(drawn, sample))
    lines = [] if again or not RESULTS.is_file() else RESULTS.read_text().splitlines()
    dead = {row["key"] for row in map(json.loads, lines) if row["died"]}
    trial: Trial | None = None
    alive = []
    for number in drawn:
        mutant = every[number]
        source = mutant.source(tree)
        key = hashlib.sha256(f"{module}\n{source}".encode()).hexdigest()[:16]
        if key in dead:
            continue
        if trial is None:
            trial = Trial(module)
            if not trial.survives(ast.unparse(tree)):
                raise SystemExit(f"{module}: its tests fail in a process of their own")
        if survives := trial.survives(source):
            alive.append(mutant)
        with RESULTS.open("a", encoding="utf-8") as stream:
            row = {"module": module, "key": key, "died": not survives, "mutant": str(mutant)}
            stream.write(json.dumps(row) + "\n")
    return len(every), len(drawn), alive


def main() -> int:
    """Print the table, and what survived with its reason."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("modules", nargs="*", default=list(TESTS))
    parser.add_argument("--sample", type=int, default=0, help="mutants of a module (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="try those that died before, too")
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    os.chdir(ROOT)
    RESULTS.parent.mkdir(exist_ok=True)
    reasons = yaml.safe_load(REASONS.read_text(encoding="utf-8")) if REASONS.is_file() else {}
    killed = total = 0
    bad = False
    for module in args.modules:
        known = {(r["in"], r["change"]): r["why"] for r in reasons.get(module, ())}
        there, tried, alive = examined(module, args.sample, args.seed, args.again)
        killed, total = killed + tried - len(alive), total + tried
        share = (tried - len(alive)) / tried
        print(f"{module}: {tried - len(alive)} of {tried} died, {share:.1%} ({there} in all)")
        bad |= share < WANTED
        for mutant in alive:
            why = known.get((mutant.statement, f"{mutant.was} -> {mutant.now}"))
            bad |= why is None
            print(f"  {mutant}\n    {why or 'NO REASON GIVEN'}")
        sys.stdout.flush()
    print(f"{killed} of {total} died: {killed / total:.1%}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
