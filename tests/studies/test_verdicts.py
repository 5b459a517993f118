"""Verdicts follow from rows: the right one on tables whose answer is known, and on none."""

import numpy as np
import pandas as pd
import pytest

from cdpbook import runs
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE, Claim
from cdpbook.figures import verdicts as draw
from cdpbook.studies import rules, verdicts
from cdplib.errors import InputError
from cdplib.experiments import settings

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
    return runs.Run(experiment, own, "quick", table, True)


def found(table):
    return {line.statement.number: line for line in verdicts.lines({"exp2": run(table)})}


def cell(table, number):
    return found(table)[number].cells["exp2"]


def test_a_convex_decreasing_sheet_reproduces_the_shape_claims():
    table = rows(lambda d, p, b, g: 0.1 + 0.0008 / d + 0.01 / (p + 0.2))
    for number in ("E1", "E1b", "E2", "E4a", "E4b", "E7"):
        assert cell(table, number).verdict == REPRODUCED, cell(table, number)


def test_a_count_says_what_is_left_without_the_largest_beta():
    table = rows(lambda d, p, b, g: 0.1 + 0.0008 / d + 0.01 / (p + 0.2) + (b == BETAS[-1]))
    found = cell(table, "E2")
    assert found.verdict != REPRODUCED
    assert "without β = 0.03 0 of" in found.found
    four = cell(table.query("beta < 0.015 and gamma < 0.015"), "E2")  # two would be left
    assert "contradict" in four.found
    assert "without" not in four.found


def test_an_increasing_sheet_does_not():
    table = rows(lambda d, p, b, g: 0.1 + d + 0.05 * p)
    for number in ("E2", "E4b"):
        assert cell(table, number).verdict == NOT, cell(table, number)


def test_a_concave_falling_sheet_is_monotone_and_not_convex():
    table = rows(lambda d, p, b, g: 0.3 - 20 * d**2 - 0.05 * p**2)
    assert cell(table, "E2").verdict == REPRODUCED
    assert cell(table, "E4a").verdict == NOT
    assert cell(table, "E4b").verdict == REPRODUCED
    assert cell(table, "E3").verdict in (NOT, PARTLY)


def test_a_plane_and_pure_noise_are_undecided():
    assert cell(rows(lambda d, p, b, g: 0.3 - d - 0.05 * p), "E4a").verdict == UNDECIDED
    noise = rows(lambda *_: 0.2, spread=0.01)
    assert cell(noise, "E2").verdict == UNDECIDED
    assert cell(noise, "E10").verdict == UNDECIDED


def test_directions_need_their_sign():
    falling = found(rows(lambda d, p, b, g: 0.2 - g))
    rising = found(rows(lambda d, p, b, g: 0.2 + g))
    assert falling["E10"].verdict == REPRODUCED
    assert rising["E10"].verdict == NOT
    assert falling["E5"].verdict == falling["E6"].verdict == falling["E8"].verdict == REPRODUCED


def test_rows_must_all_agree():
    some = cell(rows(lambda d, p, b, g: 0.2 - g * (b < 0.015)), "E10")
    assert some.verdict == PARTLY
    assert "so at 2 of 4 β" in some.found
    mixed = cell(rows(lambda d, p, b, g: 0.2 - g * (1 if b < 0.025 else -1)), "E10")
    assert mixed.verdict == PARTLY
    assert "the opposite at 1 (β = 0.03)" in mixed.found


def test_the_curve_is_lifted_only_if_p_rises_at_equal_d():
    table = rows(lambda *_: 0.2)
    at = verdicts.elevation(table, "p_judge")
    # At equal D, beta is less by g 2/3: P = 1 - 25 (b - 2/3 g) + 12 g lies (12 + 50/3) g higher.
    assert at.change == pytest.approx((12 + 50 / 3) * 0.03)
    flat = table.assign(p_judge=1 - 30 * table["mse"])
    assert verdicts.elevation(flat, "p_judge").change == pytest.approx(0, abs=1e-9)
    apart = table.assign(mse=table["mse"] + 10 * table["gamma"])
    with pytest.raises(InputError, match="share no D"):
        verdicts.elevation(apart, "p_judge")


def test_recognition_follows_the_independent_classifier():
    agreeing = found(rows(lambda d, p, b, g: 0.2 + g))["E11"]
    gamed = found(rows(lambda d, p, b, g: 0.2 - g))["E11"]
    assert agreeing.verdict == REPRODUCED
    assert gamed.verdict == NOT


def test_a_critic_may_order_the_points_without_measuring_them():
    table = rows(lambda *_: 0.2)
    assert [cell(table, n).verdict for n in ("E12", "E13")] == [REPRODUCED, REPRODUCED]
    bent = table.assign(p_critic=table["p_judge"] ** 4)
    assert [cell(bent, n).verdict for n in ("E12", "E13")] == [REPRODUCED, NOT]
    upside_down = table.assign(p_critic=-table["p_judge"])
    assert cell(upside_down, "E12").verdict == NOT


def test_short_training_and_missing_columns_are_not_testable():
    short = found(rows(lambda d, p, b, g: 0.2 - g, steps=20))
    assert {line.verdict for line in short.values()} == {UNTESTABLE}
    table = rows(lambda d, p, b, g: 0.2 - g).drop(columns="p_critic")
    assert found(table)["E12"].verdict == UNTESTABLE


def test_too_few_comparable_points_give_no_verdict_on_counts():
    table = rows(lambda d, p, b, g: 0.2 - g)
    corners = table[table["beta"].isin([0.0, 0.03]) & table["gamma"].isin([0.0, 0.01])]
    assert cell(corners, "E2").verdict == UNTESTABLE


def line_of(*found_in):
    line = verdicts.Line(verdicts.statements()[0])
    for k, verdict in enumerate(found_in, start=1):
        line.cells[f"exp{k}"] = Claim("", "", verdict)
    return line


def test_the_overall_verdict_hides_no_failure():
    assert line_of(REPRODUCED, REPRODUCED, UNTESTABLE).verdict == REPRODUCED
    assert line_of(REPRODUCED, NOT).verdict == PARTLY
    assert line_of(REPRODUCED, NOT, NOT).verdict == NOT
    assert line_of(REPRODUCED, UNDECIDED, UNDECIDED).verdict == UNDECIDED
    assert line_of(UNTESTABLE, UNTESTABLE).verdict == line_of().verdict == UNTESTABLE
    assert line_of(REPRODUCED, NOT, NOT).counts == (
        "**not reproduced** (1 reproduced, 2 not reproduced)"
    )


def test_the_tables_show_each_verdict_with_its_figure():
    good, bad = (rows(lambda d, p, b, g, s=s: 0.2 + s * g) for s in (-1, 1))
    lines = verdicts.lines({"exp2": run(good), "exp3": run(bad, "exp3")})
    statement, overall = (
        verdicts.matrix(lines)
        .set_index("statement")
        .pipe(lambda t: next((k, v) for k, v in t["overall"].items() if k.startswith("E10")))
    )
    assert statement.startswith("E10: ")
    assert overall == "**partly** (1 reproduced, 1 not reproduced)"
    details = verdicts.details(lines)
    assert list(details[details[""] == "E10"]["verdict"]) == [REPRODUCED, NOT]
    figures = set(details["figure"])
    assert {"{numref}`fig-exp3-planes`", "{numref}`fig-exp2-gaming`"} <= figures


def test_the_answer_says_what_both_weights_do_and_which_statements_hold():
    one = run(rows(lambda d, p, b, g: 0.2 - g))
    said = verdicts.answer(one, verdicts.of(one)).sentences.replace("\u00a0", " ")
    assert "γ = 0.03 in place of 0 lowers the error rate C of CNN-1 by 2.99 points" in said
    assert "raises D by 0.00600" in said
    assert "β = 0.03 in place of 0 lowers P by 0.750 [0.750, 0.750]" in said
    assert "95 % intervals, 3 seeds" in said
    assert f"{sum(c.verdict == REPRODUCED for c in verdicts.of(one))} hold" in said


def test_the_answer_leaves_out_what_the_rows_cannot_tell():
    table = rows(lambda *_: 0.2, spread=0.01)
    flat = run(table)
    said = verdicts.answer(flat, []).sentences
    assert "does not clearly change the error rate C of CNN-1 (" in said
    single = verdicts.answer(run(table.query("gamma == 0")), []).sentences
    assert "γ =" not in single
    assert "β = 0.03 in place of 0" in single


def test_a_constant_column_has_no_correlation():
    with pytest.raises(InputError, match="constant"):
        verdicts.correlation(rows(lambda *_: 0.2, p_critic=1.0), "p_critic", "p_judge")


def test_every_rule_serves_a_statement():
    assert {s.rule for s in verdicts.statements()} == set(verdicts.RULES)


def test_without_rows_nothing_is_testable():
    assert verdicts.evidence({}).empty
    assert {line.verdict for line in verdicts.lines({})} == {UNTESTABLE}


def test_the_picture_refuses_an_unknown_verdict():
    assert draw.matrix({"E1": {"exp2": PARTLY}}).axes
    with pytest.raises(InputError, match="maybe"):
        draw.matrix({"E1": {"exp2": "maybe"}})


def test_failed_trainings_are_left_out_unless_the_rule_keeps_them():
    good = rows(lambda d, p, b, g: 0.1 + 0.0008 / d + 0.01 / (p + 0.2))
    bad = (good["beta"] == 0.03) & (good["gamma"] == 0)
    spoilt = good.assign(mse=good["mse"].where(~bad, 0.5), error_rate=good["error_rate"] + bad)
    assert rules.failures(good).eq("").all()
    assert (rules.failures(spoilt) == "D too large").equals(bad.rename(None))
    assert cell(spoilt, "E2").verdict == REPRODUCED
    fooled = good.assign(p_critic=good["p_critic"].where(~bad, 0.01), p_judge_se=0.01)
    assert (rules.failures(fooled) == "its critic was fooled").equals(bad.rename(None))
    assert "48 points" not in cell(fooled, "E13").found
    assert "over 16 points" in cell(fooled, "E13").found  # all_trainings
    unclear = fooled.assign(p_judge_se=1.0)
    assert rules.failures(unclear).eq("").all()
    listed = verdicts.failed({"exp2": run(spoilt)})
    assert list(listed["trainings"]) == ["3 of 48"]


def test_what_changed_names_the_old_statement_and_the_reason():
    table = rows(lambda d, p, b, g: 0.3 - 20 * d**2 - 0.05 * p**2)  # falling, but concave
    runs_ = {"exp2": run(table)}
    changed = verdicts.changed(runs_, verdicts.lines(runs_), "p_judge")
    (four,) = changed[changed[""] == "E4"].to_dict("records")
    assert four["before"] == NOT
    assert four["now"] == f"E4a {NOT}; E4b {REPRODUCED}"
    assert "two things" in four["why"]
    assert "E1b" not in set(changed[""])
