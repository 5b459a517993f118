"""Which code made a number: a digest of the definitions that train and measure, and the record.

A digest is taken of the syntax trees of all that a training reaches (:data:`ROOTS`), without
docstrings, comments and layout. Digests on record gave the published numbers; any other code
marks the keys of what it trains, so that an edited loss gives new points. After `cdp compare
book/results` has shown that changed code gives equal numbers, a maintainer records it by
`python -m cdplib.experiments.generation`.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from cdplib.storage import files

FOLDER = Path(__file__).parent
RECORD = FOLDER / "generation.json"
PACKAGE = __package__
#: Where the walk begins for what is kept under a key; for a classifier at its network, too.
ROOTS = {
    "restorer": ("restoration.pretrain",),
    "critic": ("restoration.warm",),
    "point": (
        *("restoration.new_restorer", "restoration.new_critic", "restoration.train"),
        *("stacked.train", "measures.evaluate", "degradations.degrade"),
    ),
}
#: What makes a row of it outside this package, by file of cdplib: definitions and what they say.
JOB = {
    "sweeps/jobs.py": (
        *("_start", "_point", "_measured", "_stack", "train", "_networks", "_against"),
        *("evaluate", "restored"),
    ),
    "storage/store.py": ("rounded",),
}
#: Tables whose rows are in the keys themselves.
TABLES = ("settings", "table", "datasets", "results", "generation", "classifiers.CLASSIFIERS")
#: What brings bits that are checked by their digest.
CHECKED = ("data._damaged", "data._fetch", "degradations._read")


@functools.cache
def _bindings(module: str) -> dict[str, ast.AST]:
    """The names that a module binds at its top level, each with what binds it."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(a.asname or a.name).partition(".")[0]: node for a in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {t.id: node for t in targets if isinstance(t, ast.Name)}
    return found


def _imported(node: ast.AST, name: str) -> str:
    """What an import binds to ``name``, in full: ``torch.nn.functional``."""
    alias = next(a for a in node.names if (a.asname or a.name).partition(".")[0] == name)  # type: ignore[attr-defined]
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return prefix + alias.name


def _reached(roots: Iterable[str]) -> dict[str, str]:
    """Every definition, as ``module.name``, that ``roots`` reach by name, with its plain tree."""
    waiting, found = list(roots), dict[str, str]()
    while waiting:
        reached = waiting.pop()
        module, _, name = reached.partition(".")
        if reached in found or {module, reached} & {*TABLES, *CHECKED}:
            continue
        node = _bindings(module).get(name)
        if node is None:  # a builtin, or a name inside a function
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found[reached] = _imported(node, name)
            waiting += _within(found[reached])
            continue
        found[reached] = plain(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                waiting.append(f"{module}.{part.id}")
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                owner = _bindings(module).get(part.value.id)
                if isinstance(owner, ast.ImportFrom):
                    waiting += _within(f"{_imported(owner, part.value.id)}.{part.attr}")
    return found


def _within(full: str) -> list[str]:
    """``module.name`` of a full name in this package, unless it is a module or elsewhere."""
    inside = full.removeprefix(f"{PACKAGE}.")
    return [inside] if inside != full and inside.count(".") == 1 else []


def plain(node: object) -> str:
    """A syntax tree as text, without docstrings and empty fields: alike in every Python."""
    if isinstance(node, list):
        return f"[{', '.join(map(plain, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
        fields["body"] = node.body[1:]
    kept = [f"{name}={plain(v)}" for name, v in fields.items() if v is not None and v != []]
    return f"{type(node).__name__}({', '.join(kept)})"


@functools.cache
def digest(*roots: str) -> str:
    """SHA-256 of all that ``roots``, each ``module.name`` of this package, reach."""
    text = json.dumps(sorted(_reached(roots).items()))
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _job() -> str:
    """SHA-256 of the definitions of :data:`JOB`."""
    found = []
    for file, names in JOB.items():
        tree = ast.parse((FOLDER.parent / file).read_text(encoding="utf-8"))
        own = {n.name: plain(n) for n in tree.body if isinstance(n, ast.FunctionDef)}
        found += [(file, name, own[name]) for name in names]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _of(kind: str) -> str:
    """The digest of ``restorer``, ``critic``, ``point``, ``job`` or ``network/NAME``."""
    _, _, network = kind.partition("/")
    if network:
        return digest("fitting.train", f"classifiers.{network}")
    return _job() if kind == "job" else digest(*ROOTS[kind])


@functools.cache
def recorded() -> dict[str, str]:
    """The digests on record, by kind."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def mark(*kinds: str) -> dict[str, dict[str, str]]:
    """What a key gets from the code: as ``code`` the digest of each of ``kinds`` that is not on
    record, and nothing at all where every one is."""
    found = {kind: now for kind in kinds if (now := _of(kind)) != recorded().get(kind)}
    return {"code": found} if found else {}


def changed() -> list[str]:
    """The kinds on record whose code is another one here: published numbers are not of it."""
    return [kind for kind in recorded() if mark(kind)]


def main() -> None:
    """Record the present code as equal in numbers to what is published."""
    functions = {n for n, b in _bindings("classifiers").items() if isinstance(b, ast.FunctionDef)}
    table = ast.walk(_bindings("classifiers")["CLASSIFIERS"])
    networks = {part.id for part in table if isinstance(part, ast.Name)} & functions
    kinds = [*ROOTS, "job", *(f"network/{name}" for name in sorted(networks))]
    files.write_text(RECORD, json.dumps({kind: _of(kind) for kind in kinds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
