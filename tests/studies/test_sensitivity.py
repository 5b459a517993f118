"""What verdicts hang on: points spoilt on purpose are named, and without them the theory holds."""

from dataclasses import replace

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


def assessed(table):
    run = chapter.Run("exp2", settings.resolve("exp2", "quick"), "quick", table, True)
    runs = {"exp2": run}
    return sensitivity.assess(runs, verdicts.lines(runs))


def verdict(found, name):
    return next(
        line.cells["exp2"].verdict for line in found[name].lines if line.statement.number == "E2"
    )


@pytest.fixture(scope="module")
def spoilt():
    return assessed(trained(spoilt=4.0))


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
    found = assessed(trained(spoilt=1.1))
    assert verdict(found, "all points") == PARTLY
    assert verdict(found, "without the largest β") == PARTLY
    assert verdict(found, "without disowned points") == REPRODUCED


def test_tables_say_which_points_are_left_out_and_what_changes(spoilt):
    assert list(sensitivity.left_out(spoilt).iloc[0]) == ["Exp-2", 16, "4 at β = 4", "4 at β = 4"]
    assert list(sensitivity.left_out(assessed(trained())).iloc[0])[3] == "none"
    changed = [one.partition(":")[0] for one in sensitivity.changes(spoilt)["statement"]]
    assert "E2" in changed
    assert "E6" not in changed  # beta raises D nowhere here
    (row,) = sensitivity.pairs(spoilt).to_numpy()
    assert row[1].endswith(f"clearly: **{PARTLY}**")
    assert all(cell.endswith(f"0 clearly: **{REPRODUCED}**") for cell in row[2:])


def test_the_caveat_names_each_statement_whose_verdict_is_another(spoilt):
    without = [part.split(", for ")[1] for part in sensitivity.caveat(spoilt).split("; ")]
    assert all(f"E2 ({REPRODUCED})" in part for part in without)
    assert "without disowned points, for no statement." in sensitivity.caveat(assessed(trained()))


def test_where_nothing_changes_the_table_is_empty():
    runs = assessed(trained())["all points"].runs
    lines = verdicts.lines(runs)
    same = {name: sensitivity.Selection(runs, lines) for name in ("one", "other")}
    assert sensitivity.changes(same).empty


def test_a_cloud_of_too_few_points_has_no_pairs(spoilt):
    whole = spoilt["all points"]
    few = trained().query("beta == 0.5 and gamma < 1")
    runs = {"exp2": replace(whole.runs["exp2"], table=few)}
    (row,) = sensitivity.pairs({"few": sensitivity.Selection(runs, whole.lines)}).to_numpy()
    assert row[1] == "too few points"


def test_another_network_stands_beside_the_first(spoilt):
    whole, better = spoilt["all points"], spoilt["without disowned points"]
    large = {n: replace(r, settings=r.settings._replace(restorer="fast-large"))
             for n, r in better.runs.items()}  # fmt: skip
    table = sensitivity.networks(whole, sensitivity.Selection(large, better.lines))
    assert list(table.columns) == ["statement", "Exp-2, `fast`", "Exp-2, `fast-large`"]
    two = table[table["statement"].str.startswith("E2")].iloc[0]
    assert list(two)[1:] == [PARTLY, REPRODUCED]
    assert sensitivity.networks(whole, sensitivity.Selection({}, [])).empty
