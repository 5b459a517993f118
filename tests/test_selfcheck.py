"""Every check tells right from wrong: the solution passes; the stub and typical mistakes do not."""

import ast
import itertools
import types

import numpy as np
import pandas as pd
import pytest

from cdpbook import selfcheck, selfcheck_exact
from cdpbook.notebooks import exercises, sources
from cdplib.theory.toy import GaussianToy

P_X = np.array([0.46, 0.32, 0.22])
CHANNEL = np.array([[0.6, 0.4, 0.0], [0.2, 0.6, 0.2], [0.0, 0.4, 0.6]])
POSTERIOR = (P_X[:, None] * CHANNEL).T / (P_X @ CHANNEL)[:, None]
TOY = GaussianToy()
EDGE = (np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0]))


def family(restrict, kind="kl"):
    """The divergence at the gain that ``restrict`` makes of the largest one allowed."""
    return lambda D: float(TOY.divergence(restrict(TOY.gains_within_mse(D)[0][1]), kind))


def best(a):
    return min(a, TOY.least_divergence_gain())


def run():
    """Six points: of least MSE, two within the budget, each best for one classifier, and others."""
    rows = [(0, 0, 1.0, 0.2, 0.3), (0, 1, 1.05, 0.1, 0.4), (1, 0, 1.08, 0.3, 0.2), (1, 1, 2, 0, 0)]
    columns = ["beta", "gamma", "mse", "error_rate", "error_rate_b"]
    points = pd.DataFrame(rows, columns=columns, dtype=float)
    return types.SimpleNamespace(points=lambda: points, shown_others=lambda: ("b",))


def bound(clip, width):
    return 98.0 * width * clip**2


def cases():
    """(name, check, the solution, [(a wrong answer, words of its line)])."""
    yield (
        *("posterior", lambda a: selfcheck.posterior(a, P_X, CHANNEL), POSTERIOR),
        [
            (..., "no answer"),
            (POSTERIOR.T, "columns sum to one"),
            (CHANNEL.T / CHANNEL.T.sum(axis=1, keepdims=True), "weighs them by p_X"),
            (np.eye(3)[POSTERIOR.argmax(axis=1)], "no lots"),
            (np.tile(P_X, (3, 1)), "law of"),
            ("p(x|y)", "expected numbers of shape"),
        ],
    )
    yield (
        *("hellinger", lambda a: selfcheck.hellinger_triple(*a)),
        ([0.99, 0.01], [0.98, 0.02], [0.2, 0.8]),
        [
            ((..., ..., ...), "no answer"),
            (EDGE, "edge"),
            (([0.5, 0.5], [0.2, 0.8], [0.9, 0.1]), "convex here"),
            (([0.5, 0.6], [0.2, 0.8], [0.9, 0.1]), "sums to 1.1"),
        ],
    )
    yield (
        *("least P", lambda a: selfcheck.least_perception(a, TOY), family(best)),
        [
            (lambda D: ..., "no answer"),
            (family(lambda a: a), "a smaller one does better"),
            (family(lambda a: 2 / 3), "is allowed and has less"),
            (family(best, "reverse_kl"), "other direction"),
            (lambda D: 0.0, "comes as close"),
        ],
    )
    yield (
        *("certificate", lambda a: selfcheck_exact.certificate(*a), (0.1 / 0.38, 0.08)),
        [
            ((..., ...), "no answer"),
            ((0.1, 0.08), "per unit of its mass"),
            ((0.0, 0.08), "close that gap"),
            ((0.1 / 0.38, 0.1), "ended before"),
            ((0.1 / 0.38, 0.04), "beyond"),
        ],
    )
    yield (
        *("weights", lambda a: selfcheck.weights(*a, run()), ((0, 1), (1, 0))),
        [
            ((..., ...), "no answer"),
            (((1, 1), (1, 1)), "100 % more MSE"),
            (((1, 0), (0, 1)), "2 other points"),
            (((5, 0), (1, 0)), "in that order"),
            ((0, 1), "expected numbers of shape"),
        ],
    )
    yield (
        *("factors", lambda a: selfcheck.factors(a, bound), (4, 2, 100)),
        [
            ((..., ..., ...), "no answer"),
            ((2, 2, 100), "how many places"),
            ((4, 4, 100), "inputs"),
            ((4, 2, 0.01), "one factor less"),
        ],
    )


WRONG = [(name, check, answer, said) for name, check, _, all_ in cases() for answer, said in all_]


@pytest.mark.parametrize(("name", "check", "solution"), [case[:3] for case in cases()])
def test_the_solution_is_right(name, check, solution, capsys):
    check(solution)
    assert capsys.readouterr().out.startswith("Right")


@pytest.mark.parametrize(("name", "check", "answer", "said"), WRONG)
def test_a_wrong_answer_gets_one_line_that_helps(name, check, answer, said):
    with pytest.raises(selfcheck.Wrong, match=said) as caught:
        check(answer)
    (line,) = caught.value._render_traceback_()
    assert "\n" not in line
    assert 20 < len(line) < 160


def checked():
    """(chapter, the check cell, the answer cell) of every check of the book."""
    for name in sources.toc():
        cells = sources.find(name).notebook().cells
        for before, cell in itertools.pairwise(cells):
            if exercises.CHECK in cell.metadata.get("tags", ()):
                yield name, cell, before


def test_the_six_chapters_have_a_check_each_behind_its_answer():
    found = list(checked())
    assert {name[:2] for name, _, _ in found} >= {"01", "02", "03", "04", "07", "13"}
    for name, cell, answer in found:
        assert exercises.ANSWER in answer.metadata["tags"], name
        assert "selfcheck." in cell.source


def names(code, kind):
    """The names that ``code`` gives a value to (ast.Store) or reads (ast.Load)."""
    nodes = list(ast.walk(ast.parse(code)))
    found = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, kind)}
    return found | {n.name for n in nodes if isinstance(n, ast.FunctionDef) and kind is ast.Store}


def test_a_stub_gives_dots_to_what_the_check_takes():
    for name, cell, answer in checked():
        stub = answer.metadata["stub"]
        given = names(stub, ast.Store)
        assert "..." in stub, name
        assert given & names(cell.source, ast.Load), name
        assert given <= names(answer.source, ast.Store) | {"other"}, "the solution has other names"
