"""Bad inputs as one table of cases, and fuzzers: each ends with one line, and changes no file."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdpbook import cli, problem_file
from cdplib import parameters
from cdplib.errors import DataError, InputError
from cdplib.experiments import results
from cdplib.storage import paths
from tests.torture.trials import Row

GOOD: dict[str, Any] = {
    "joint": [[0.7, 0.0], [0.0, 0.3]], "channel": [[0.9, 0.1], [0.2, 0.8]], "labels": [0, 1],
    "distortion": "hamming", "divergence": "tv", "D": 0.5, "P": 0.1,
}  # fmt: skip

#: Changes of a problem file (None: without it) that must be refused.
PROBLEMS: list[dict[str, Any]] = [
    *({key: None} for key in GOOD),
    *({key: value} for key in GOOD for value in ({}, True, "x", [], [[]], [None])),
    *({key: [[0.5, "a"], [0.5, 0.5]]} for key in ("joint", "channel", "distortion")),
    *({key: [[1e400, 0], [0, 0]]} for key in ("joint", "channel", "distortion")),
    *({key: [[0.5], [0.25, 0.25]]} for key in ("joint", "channel", "distortion")),
    {"joint": [[0.7, 0.0], [0.0, 0.4]]}, {"joint": [[-0.1, 0.8], [0.0, 0.3]]},
    {"channel": [[0.9, 0.2], [0.2, 0.8]]}, {"channel": [[1.0], [1.0], [1.0]]},
    {"distortion": "squared", "x": [-1e308, 1e308]}, {"labels": [0, 2]}, {"labels": [0, -1]},
    {"labels": [0, 0.5]}, {"labels": [0, 10**30]}, {"labels": [0]}, {"labels": [0] * 200_001},
    {"x": [0]}, {"x": ["a"] * 1000}, {"px": [0.5, 0.6]}, {"px": [0.5]},
    {"divergence": "renyi:0"}, {"divergence": "renyi:-1"}, {"divergence": "renyi:"},
    {"divergence": "renyi:nan"}, {"divergence": "KL"}, {"D": "nan"}, {"P": "-inf"}, {"Ds": [1]},
    {"Ds": [1], "Ps": [1]}, {"D": None, "P": None, "Ds": [], "Ps": [1]}, {"colour": 1},
    {"D": None, "P": None, "Ds": [0.1] * 50_000, "Ps": [0.1] * 50_000}, {"title": 5},
]  # fmt: skip

#: Files that are no problem at all.
TEXTS = (
    *("", "{", "[]", "null", "1", '"x"', "{'a': 1}", "\0", "[" * 99_999, '{"a":' * 99_999),
    *("{" + '"D": 1, ' * 2 + '"P": 0}', "nan", "\ufeff", "{}{}", '{"joint": }'),
)

_SWEEP = ("sweep", "exp2", "--preset", "smoke", "--dry-run", "-p")
#: Command lines that must be refused.
COMMANDS: list[tuple[str, ...]] = [
    ("data", "mnist2"), ("data", ""), ("run", ""), ("run", "99"), ("run", "07_exp2", "-p", "x"),
    ("run", "07_exp2", "--output", "/dev/null/x"), ("book", "--only", "x"),
    ("sweep", ""), ("sweep", "exp6"), ("sweep", "Exp2"),
    (*_SWEEP[:5], "--ablation", ""), (*_SWEEP[:5], "--dataset", "x"),
    (*_SWEEP[:5], "--workers", "0"), (*_SWEEP[:5], "--device", "tpu"),
    (*_SWEEP[:5], "--device", "cuda:9999"), (*_SWEEP[:5], "--store", "/dev/null/x"),
    ("compare", "nowhere"), ("compare", "params"),
    ("compare", "book/results", "--experiments", "exp9"), ("exact", "."), ("exact", ""),
    ("exact", "book/_static/problems/three_grades.json", "--output", "/"),
    *((*_SWEEP, text) for text in (
        "", "=", "x=1", "steps", "steps=", "steps=0", "steps=-1", "steps=1.5", "steps=true",
        "steps=1e99", "steps=[1]", "steps=nan", "steps=0x10", "steps=010", "steps=1_0",
        "steps=1:30", "steps={a: 1, a: 2}", "steps=!!python/object:os.system", "gammas=1",
        "gammas=[]", "gammas=[-1]", "gammas=[nan]", "gammas=[inf]", "gammas=[1e400]", "gammas=[a]",
        "gammas=[[1]]", "gammas=[0", "betas=2001-01-01", "seeds=[-1]", "seeds=[0.5]",
        "critic=x", "dataset=x", "restorer=x", "grid=x", "against=x", "batch=0", "lr=0",
        "alphas=[0]", "a b=1", "steps=1\n2: 3", "steps=&a [*a]", "gammas=[" + "0," * 30_000 + "0]",
    )),
]  # fmt: skip


def _state(folder: Path) -> str:
    found = sorted((str(p), p.read_bytes() if p.is_file() else b"") for p in folder.rglob("*"))
    return hashlib.sha256(repr(found).encode()).hexdigest()


def _refused(arguments: tuple[str, ...], folder: Path) -> list[str]:
    """What is wrong with how ``cdp`` refuses ``arguments``."""
    before, err, out = _state(folder), io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
        try:
            status: Any = cli.main(arguments)
        except SystemExit as stop:  # argparse's own refusals, with the usage
            status = stop.code
        except Exception as error:
            status = f"{type(error).__name__}: {error}"
    lines = [line for line in err.getvalue().splitlines() if not line.startswith(("usage", " "))]
    shown = " ".join(arguments)[:40]
    wrong = [f"{shown!r} ends with {status!r:.80}"] * (status != 2)
    wrong += [f"{shown!r} says {len(lines)} lines"] * (len(lines) != 1)
    return wrong + ["a file was changed"] * (_state(folder) != before)


def table(folder: Path) -> Row:
    """Every bad input once."""
    row = Row("bad inputs, a table of cases")
    file = folder / "problem.json"
    folder.mkdir(parents=True, exist_ok=True)
    texts = [json.dumps({k: v for k, v in (GOOD | c).items() if v is not None}) for c in PROBLEMS]
    with (
        mock.patch.dict("os.environ", {"CDP_CACHE": str(folder / "cache")}),
        contextlib.chdir(paths.ROOT),
    ):
        for text in (*texts, *TEXTS):
            file.write_text(text)
            row.count(_refused(("exact", str(file)), folder))
        for arguments in COMMANDS:
            row.count(_refused(arguments, folder))
    return row


@contextlib.contextmanager
def _only(*allowed: type[Exception]) -> Iterator[None]:
    with contextlib.suppress(*allowed):
        yield


def _fuzz(name: str, strategy: Any, check: Callable[[Any], None], examples: int) -> Row:
    """``check`` on that many examples: Hypothesis shrinks what raises, which is one line here."""
    row = Row(f"fuzzed: {name}")

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def run(example: Any) -> None:
        row.tried += 1
        check(example)
        row.survived += 1

    try:
        run()
    except Exception as error:
        row.lost.append(f"{type(error).__name__}: {' '.join(str(error).split())}")
    return row


def fuzzed(folder: Path, examples: int) -> list[Row]:
    """Values, parameter cells, problem files and tables that nobody would write."""
    folder.mkdir(parents=True, exist_ok=True)
    known = parameters.declared(
        "n: int = 1  # in [0, 9]; n\nx: list[float] = [0.0]  # in [0, 1]; x\n"
    )

    def value(text: str) -> None:
        with _only(InputError):
            parameters.resolve(known, parameters.assignments([text]))

    def cell(text: str) -> None:
        with _only(InputError):
            parameters.declared(text)

    def answer(changes: dict[str, Any]) -> None:
        (folder / "p.json").write_text(json.dumps(GOOD | changes))
        with _only(InputError):
            problem_file.problem(problem_file.load(folder / "p.json"))

    real = (paths.BOOK / "results" / "exp1.csv").read_bytes()[:4000]

    def spoilt(change: tuple[int, bytes]) -> None:
        at, piece = change
        (folder / "t.csv").write_bytes(real[: at % len(real)] + piece + real[at % len(real) :])
        with _only(DataError):
            results.read(folder / "t.csv")

    json_ = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=12,
    )
    names = st.sampled_from([*GOOD, "x", "px", "Ds", "Ps", "title"])
    return [
        _fuzz("-p NAME=VALUE", st.builds("{}={}".format, st.sampled_from(["n", "x"]), st.text()),
              value, examples),
        _fuzz("parameter cells", st.text() | st.builds("{}: int = {}  # {}".format,
              st.text(), st.text(), st.text()), cell, examples),
        _fuzz("problem files", st.dictionaries(names, json_, max_size=3), answer, examples),
        _fuzz("tables of results", st.tuples(st.integers(0), st.binary(max_size=6)), spoilt,
              examples),
    ]  # fmt: skip
