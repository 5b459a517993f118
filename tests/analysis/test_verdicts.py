"""Verdicts follow from rows: the right one on tables whose answer is known, and on none."""

import numpy as np
import pandas as pd
import pytest

from cdplib.analysis import chapter, comparisons, verdicts
from cdplib.analysis.claims import NOT, PARTLY, REPRODUCED, UNTESTABLE
from cdplib.errors import InputError
from cdplib.experiments import settings
from cdplib.figures import verdicts as draw


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    monkeypatch.setattr(verdicts, "_SAMPLES", 40)


BETAS, GAMMAS = (0.0, 0.01, 0.02, 0.03), (0.0, 0.01, 0.02, 0.03)


def rows(error, spread=1e-4, **changes):
    """A sheet in which D and P follow the weights, and C is ``error(D, P, beta, gamma)``."""
    random = np.random.default_rng(0)
    found = []
    for seed in (0, 1, 2):
        for b in BETAS:
            for g in GAMMAS:
                d = 0.02 + 0.3 * b + 0.2 * g
                p = 1.0 - 25 * b + 12 * g
                found.append(
                    {
                        **{"alpha": 1.0, "beta": b, "gamma": g, "seed": seed, "mse": d},
                        **{"p_judge": p, "p_critic": 2 * p, "frechet": p**2, "steps": 500},
                        "error_rate": error(d, p, b, g) + spread * random.normal(),
                        "error_rate_se": 0.004,
                        "error_rate_convbn": 0.2 + g,
                        "seconds": 10.0,
                        **changes,
                    }
                )
    return pd.DataFrame(found)


def run(table, experiment="exp2"):
    own = settings.resolve(experiment, "quick")
    return chapter.Run(experiment, own, "quick", table, True)


def found(table):
    return {line.statement.number: line for line in verdicts.lines({"exp2": run(table)})}


def test_a_convex_decreasing_sheet_reproduces_the_shape_claims():
    lines = found(rows(lambda d, p, b, g: 0.1 + 0.0008 / d + 0.01 / (p + 0.2), spread=0))
    for number in ("E1", "E2", "E3", "E4", "E8"):
        assert lines[number].verdict == REPRODUCED, lines[number].cells["exp2"]


def test_an_increasing_sheet_does_not():
    lines = found(rows(lambda d, p, b, g: 0.1 + d + 0.05 * p))
    for number in ("E1", "E2", "E3", "E4"):
        assert lines[number].verdict == NOT, lines[number].cells["exp2"]


def test_directions_need_their_sign():
    falling = found(rows(lambda d, p, b, g: 0.2 - g))
    rising = found(rows(lambda d, p, b, g: 0.2 + g))
    assert falling["E9"].verdict == REPRODUCED
    assert rising["E9"].verdict == NOT
    assert falling["E5"].verdict == falling["E6"].verdict == falling["E7"].verdict == REPRODUCED


def test_recognition_follows_the_independent_classifier():
    agreeing = found(rows(lambda d, p, b, g: 0.2 + g))["E10"]
    gamed = found(rows(lambda d, p, b, g: 0.2 - g))["E10"]
    assert agreeing.verdict == REPRODUCED
    assert gamed.verdict == NOT


def test_short_training_and_missing_columns_are_not_testable():
    short = found(rows(lambda d, p, b, g: 0.2 - g, steps=20))
    assert {line.verdict for line in short.values()} == {UNTESTABLE}
    table = rows(lambda d, p, b, g: 0.2 - g).drop(columns="p_critic")
    assert found(table)["E11"].verdict == UNTESTABLE


def test_too_few_comparable_points_give_no_verdict_on_counts():
    table = rows(lambda d, p, b, g: 0.2 - g)
    corners = table[table["beta"].isin([0.0, 0.03]) & table["gamma"].isin([0.0, 0.01])]
    cell = found(corners)["E1"].cells["exp2"]
    assert cell.verdict == UNTESTABLE, cell


def test_experiments_that_disagree_make_a_statement_partly_reproduced():
    good, bad = (rows(lambda d, p, b, g, s=s: 0.2 + s * g) for s in (-1, 1))
    lines = verdicts.lines({"exp2": run(good), "exp3": run(bad, "exp3")})
    (e9,) = [line for line in lines if line.statement.number == "E9"]
    assert e9.verdict == PARTLY
    assert "not reproduced" in verdicts.matrix(lines)
    assert "fig-exp3-planes" in verdicts.details(lines)


def test_similar_trends_need_the_same_order_of_points():
    one = rows(lambda d, p, b, g: 0.3 - g)
    two = rows(lambda d, p, b, g: 0.2 - 2 * g)
    opposite = rows(lambda d, p, b, g: 0.2 + 2 * g)
    for other, expected in ((two, REPRODUCED), (opposite, NOT)):
        pair = {"exp1": run(one, "exp1"), "exp2": run(other)}
        similar = {c.number: c for c in comparisons.comparisons(pair)}
        assert similar["E13"].verdict == expected, similar["E13"]
        assert similar["E12"].verdict == REPRODUCED
        assert similar["E14"].verdict == UNTESTABLE


def test_a_constant_column_has_no_correlation():
    with pytest.raises(InputError, match="constant"):
        verdicts.correlation(rows(lambda *_: 0.2, p_critic=1.0), "p_critic", "p_judge")


def test_every_rule_serves_a_statement_and_the_theory_s_checks_all_confirm():
    assert {s.rule for s in verdicts.STATEMENTS} == set(verdicts.RULES)
    assert UNTESTABLE not in {verdict for *_, verdict in verdicts.theory()}


def test_without_rows_the_page_says_so():
    assert "Nothing is published" in verdicts.evidence({})
    assert {line.verdict for line in verdicts.lines({})} == {UNTESTABLE}


def test_the_picture_refuses_an_unknown_verdict():
    assert draw.matrix({"E1": {"exp2": PARTLY}}).axes
    with pytest.raises(InputError, match="maybe"):
        draw.matrix({"E1": {"exp2": "maybe"}})
