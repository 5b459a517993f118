"""The tables and the three answers of the page on who benefits, on rows whose answer is known."""

import pytest
from gains import ensemble_rows, run, table

from cdpbook import text
from cdpbook.studies import benefits, ensembles, transfer


def test_the_three_answers_follow_what_was_computed():
    both = {"exp2": run(table(other=0.5, beta=-1.0)), "exp4": run(table(other=-0.9), "exp4")}
    means, each = transfer.mean_gains(both), transfer.beta_effects(both)
    together = ensembles.compare(both["exp2"], ensemble_rows(beta=-1.0))
    assert together is not None
    said = benefits.answers(means, each, {"exp2": together}).splitlines()
    assert "Exp-2 −50\u00a0%\u00a0[−50,\u00a0−50] (**gamed**)" in said[0]
    assert "(**shared**)" in said[0]
    assert (
        "without γ it clearly **helps** in Exp-2 (β = 0.01, 0.03) and **harms** nowhere" in said[1]
    )
    assert "(difference −2.10\u00a0[" in said[2]


def test_without_published_rows_every_answer_says_so():
    assert benefits.answers({}, {}, {}).count("Not testable") == 3
    empty = (benefits.shares({}), benefits.gaming({}), benefits.betas({}))
    assert all(text.table(one) == "Nothing to show." for one in empty)


def test_tables_hold_points_and_parts_with_their_intervals():
    both = {"exp2": run(table(own=-1.0, other=0.5))}
    shares = benefits.shares(transfer.gains(both))
    assert shares["classifier"].iloc[0] == "**predefined**"
    assert shares["part of the gain"].iloc[1] == pytest.approx((-0.5, -0.5, -0.5))
    shown = text.table(shares, forms=benefits.FORMS)
    assert "| −3.00 [−3.00, −3.00] | – |" in shown
    assert "| −50\u00a0% [−50, −50] | **gamed** |" in shown
    mean = benefits.gaming(transfer.mean_gains(both))
    assert mean["share that is gaming"].iloc[0] == pytest.approx((1.5, 1.5, 1.5))
    betas = benefits.betas(transfer.beta_effects(both))
    assert list(betas["β"]) == ["0.01", "0.03"]
