"""Which way the arrows run: read from the imports themselves, those in functions too."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from cdplib.storage import paths

PACKAGES = ("cdplib", "cdpbook")
#: Lower layers first: each may import what stands before it.
LAYERS = ("cdplib.storage", "cdplib.experiments", "cdplib.sweeps")


def _modules():
    """Every module of the two packages, with its file."""
    found = {}
    for package in PACKAGES:
        for path in sorted((paths.ROOT / package).rglob("*.py")):
            parts = path.relative_to(paths.ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imports(name):
    """What a module imports anywhere: our modules, and the top names of other packages."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are written in full"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in MODULES else str(node.module))
    return {full if full in MODULES else full.partition(".")[0] for full in found}


IMPORTS = {name: _imports(name) for name in MODULES}


def _all(name):
    """Everything that importing a module imports, ours followed."""
    seen, waiting = set(), {name}
    while waiting:
        at = waiting.pop()
        seen.add(at)
        waiting |= IMPORTS.get(at, set()) - seen
    return seen - {name}


def _of(*packages):
    return [name for name in MODULES if any(f"{name}.".startswith(f"{p}.") for p in packages)]


def _arrows(sources, targets):
    """The imports that lead from ``sources`` to ``targets``, in words."""
    return [f"{a} -> {b}" for a in sources for b in sorted(IMPORTS[a]) if b in targets]


def test_the_modules_are_found_and_their_imports_read():
    assert len(_of("cdplib")) > 30
    assert "cdplib.experiments.losses" in IMPORTS["cdplib.experiments.restoration"]
    assert "torch" in IMPORTS["cdplib.experiments.losses"]
    assert (
        "cdplib.experiments.classifiers" in IMPORTS["cdplib.experiments.settings"]
    )  # in a function


def test_nothing_in_the_library_imports_the_book():
    assert _arrows(_of("cdplib"), _of("cdpbook")) == []


@pytest.mark.parametrize("number", range(len(LAYERS)))
def test_no_layer_imports_a_higher_one(number):
    higher = _of(*LAYERS[number + 1 :])
    if number:
        assert _arrows(_of(LAYERS[number]), _of(*LAYERS[:number])), "the layers are misnamed"
    assert _arrows(_of(LAYERS[number]), higher) == []


def test_the_theory_needs_no_torch_and_nothing_of_the_experiments():
    others = {*_of(*LAYERS, "cdpbook"), "torch", "torchvision", "pandas"}
    for name in _of("cdplib.theory"):
        assert _all(name).isdisjoint(others), name


def test_importing_the_theory_loads_no_torch():
    names = ", ".join(_of("cdplib.theory"))
    code = f"import sys, {names}; print([n for n in ('torch', 'cdpbook') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_theory_runs_where_there_is_only_what_it_needs():
    """As after `pip install .`, without torch, matplotlib or anything of the experiments."""
    code = """
import importlib.machinery as machinery
import sys

class Only:
    def find_spec(self, name, path=None, target=None):
        wanted = {"cdplib", "numpy", "scipy", "highspy", "clarabel", "flint"}
        if name.partition(".")[0] in wanted | set(sys.stdlib_module_names) or name[0] == "_":
            return machinery.PathFinder.find_spec(name, path, target)

sys.meta_path = [machinery.BuiltinImporter, machinery.FrozenImporter, Only()]
try:
    import matplotlib
except ModuleNotFoundError:
    from cdplib.theory import divergences, exact, toy
    problem = exact.gaussian_mixture_problem(12)
    point = exact.solve(problem, "tv", D=2.0, P=0.1)
    print(point.status, divergences.get("kl").value([0.5, 0.5], [0.5, 0.5]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT
    )
    assert done.stdout.split() == ["optimal", "0.0"], done.stderr


def test_checking_settings_and_the_command_line_load_no_torch():
    code = (
        "import sys, cdpbook.cli; from cdplib.experiments import settings; settings.declared();"
        "cdpbook.cli._parser(); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=paths.ROOT, check=True
    )
    assert done.stdout.strip() == "False"


def test_statistics_and_text_know_no_runs_studies_or_figures():
    reached = {b for a in _of("cdpbook.statistics", "cdpbook.text") for b in _all(a)}
    assert reached.isdisjoint(_of("cdpbook.runs", "cdpbook.studies", "cdpbook.figures"))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package):
    """Imports for type checkers only count as well."""
    inside = set(_of(package))
    graph = {name: IMPORTS[name] & inside - {name} for name in inside}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_circle_would_be_found():
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()
