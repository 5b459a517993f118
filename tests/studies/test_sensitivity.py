"""What verdicts hang on: points spoilt on purpose are named, and without them the theory holds."""

import numpy as np
import pandas as pd
import pytest

from cdpbook import runs as chapter
from cdpbook.claims import PARTLY, REPRODUCED
from cdpbook.studies import sensitivity, verdicts
from cdplib.experiments import settings

BETAS, GAMMAS = (0.5, 1.1, 2.3, 4.0), (0.5, 0.9, 2.0, 4.3)


def trained(spoilt=None):
    """Minimisers of D + beta P + gamma C on a convex surface; those of beta ``spoilt`` are worse.

    On C = (1/D + 1/P) / 10 the minimiser is D^2 = gamma / 10, P^2 = gamma / (10 beta).
    """
    rng = np.random.default_rng(0)
    rows = []
    for seed in (0, 1, 2):
        for beta in BETAS:
            for gamma in GAMMAS:
                d, p = np.sqrt(gamma / 10), np.sqrt(gamma / (10 * beta))
                c = (1 / d + 1 / p) / 10
                if beta == spoilt:
                    d, p, c = 1.6 * d, 1.6 * p, 1.4 * c
                rows.append({"alpha": 1.0, "beta": beta, "gamma": gamma, "seed": seed, "mse": d,
                             "p_critic": p, "p_judge": p, "ce": c,
                             "error_rate": c + 1e-5 * rng.normal(), "error_rate_convbn": c,
                             "steps": 500, "seconds": 10.0})  # fmt: skip
    return pd.DataFrame(rows)


def judged(table):
    run = chapter.Run("exp2", settings.resolve("exp2", "quick"), "quick", table, True)
    runs = {"exp2": run}
    return sensitivity.judge(runs, verdicts.lines(runs))


def verdict(found, name):
    return next(
        line.cells["exp2"].verdict for line in found[name].lines if line.statement.number == "E2"
    )


@pytest.fixture(scope="module")
def spoilt():
    return judged(trained(spoilt=4.0))


def test_no_point_is_disowned_where_each_minimises_its_own_loss():
    table = trained()
    assert len(sensitivity.without_disowned(table)) == len(table)


def test_the_disowned_points_are_the_spoilt_ones():
    table = trained(spoilt=1.1)
    kept = sensitivity.without_disowned(table)
    assert set(table["beta"]) - set(kept["beta"]) == {1.1}
    assert list(kept.columns) == list(table.columns)


def test_points_worse_in_every_respect_contradict_and_leaving_them_out_mends_it(spoilt):
    assert verdict(spoilt, "all points") == PARTLY
    assert verdict(spoilt, "without the largest β") == REPRODUCED
    assert verdict(spoilt, "without disowned points") == REPRODUCED


def test_leaving_out_the_largest_beta_mends_nothing_where_others_are_spoilt():
    found = judged(trained(spoilt=1.1))
    assert verdict(found, "all points") == PARTLY
    assert verdict(found, "without the largest β") == PARTLY
    assert verdict(found, "without disowned points") == REPRODUCED


def test_tables_say_which_points_are_left_out_and_what_changes(spoilt):
    assert "| Exp-2 | 16 | 4 at β = 4 | 4 at β = 4 |" in sensitivity.left_out(spoilt)
    assert "| Exp-2 | 16 | 4 at β = 4 | none |" in sensitivity.left_out(judged(trained()))
    changed = sensitivity.table(spoilt)
    assert "| E2: " in changed
    assert "| E6: " not in changed  # beta raises D nowhere here
    pairs = sensitivity.pairs(spoilt)
    assert pairs.count(f"0 clearly: **{REPRODUCED}**") == 2
    assert f"clearly: **{PARTLY}**" in pairs


def test_the_caveat_names_each_statement_whose_verdict_is_another(spoilt):
    without = [part.split(", for ")[1] for part in sensitivity.caveat(spoilt).split("; ")]
    assert all(f"E2 ({REPRODUCED})" in part for part in without)
    assert "without disowned points, for no statement." in sensitivity.caveat(judged(trained()))


def test_where_nothing_changes_it_is_said():
    runs = judged(trained())["all points"].runs
    lines = verdicts.lines(runs)
    same = {name: sensitivity.Selection(runs, lines) for name in ("one", "other")}
    assert sensitivity.table(same) == "No verdict changes."


def test_a_cloud_of_too_few_points_has_no_pairs():
    found = judged(trained())
    few = sensitivity.Selection(
        {"exp2": chapter.Run("exp2", found["all points"].runs["exp2"].settings, "quick",
                             trained().query("beta == 0.5 and gamma < 1"), True)},
        found["all points"].lines,
    )  # fmt: skip
    assert "too few points" in sensitivity.pairs({"few": few})


def test_another_network_stands_beside_the_first(spoilt):
    whole, better = spoilt["all points"], spoilt["without disowned points"].runs
    text = sensitivity.networks(whole, better)
    assert "| statement | Exp-2, `fast` | Exp-2, `fast` |" in text
    row = next(line for line in text.splitlines() if line.startswith("| E2: "))
    assert row.endswith(f"| {PARTLY} | {REPRODUCED} |")
    for none in ({}, {"exp5": better["exp2"]}):
        assert sensitivity.networks(whole, none) == "No grid of another network is published."
