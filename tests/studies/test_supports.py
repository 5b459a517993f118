"""Revealed optimality: clouds trained exactly at their weights pass, shuffled ones do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from clouds import optimal

from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNTESTABLE
from cdpbook.statistics.trends import WEIGHTS
from cdpbook.studies import landscapes, supports
from cdplib.errors import InputError
from cdplib.theory.toy import GaussianToy


def given_out(frame, order):
    """The points of a one-seed table in another order, the weights in place."""
    measured = [name for name in frame.columns if name not in {*WEIGHTS, "seed"}]
    return frame.assign(**{name: frame[name].to_numpy()[order] for name in measured})


def test_points_trained_at_their_supporting_weights_all_minimise_and_are_monotone():
    found = supports.revealed(optimal())
    assert found.own.value == 1
    assert found.below.value == found.regret.value == found.violated.value == 0
    assert found.own.p_value == found.violated.p_value == 0.001
    assert (found.table["rank"] == 1).all()
    assert not found.table["beaten"].any()
    assert found.pairs == 12 * 11 // 2


def test_chance_is_what_it_is_for_points_given_out_at_random():
    found = supports.revealed(optimal())
    assert found.own.chance == pytest.approx(1 / 12)
    assert found.below.chance == pytest.approx(1 / 2)
    assert found.regret.chance == pytest.approx(1)
    assert found.violated.chance == pytest.approx(1 / 2, abs=0.02)


def test_shuffled_points_look_like_chance():
    p_values, shares = [], []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(12)
        found = supports.revealed(given_out(optimal(), order), permutations=199)
        p_values.append(found.violated.p_value)
        shares.append(found.violated.value)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.2


def test_points_in_the_opposite_order_violate_every_pair():
    frame = optimal(betas=(1.0,), gammas=(0.5, 1.0, 2.0, 4.0, 8.0))
    found = supports.revealed(given_out(frame, np.arange(5)[::-1]))
    assert found.violated.value == 1
    assert found.violated.p_value > 0.9
    assert found.own.value == pytest.approx(1 / 5)  # the one in the middle


def test_one_point_above_the_surface_is_beaten_and_disturbs_no_other():
    frame = optimal()
    frame.loc[5, "ce"] += 10
    found = supports.revealed(frame)
    assert found.own.value == pytest.approx(11 / 12)
    assert found.table["beaten"].to_list() == [k == 5 for k in range(12)]
    assert found.table["rank"][5] == 12
    assert found.below.value == pytest.approx(1 / 12)


def test_equal_points_are_all_least():
    frame = pd.concat([optimal(gammas=(1.0,)), optimal(gammas=(1.0,)).assign(gamma=1.001)])
    found = supports.revealed(frame)
    assert found.own.value == 1
    assert found.own.chance == pytest.approx(1 / 3)


def test_the_interval_over_seeds_is_students_and_one_seed_has_none():
    frame = optimal(seeds=2)
    frame.loc[5, "ce"] += 10  # seed 0
    found = supports.revealed(frame)
    assert found.seeds == 2
    assert found.own.value == pytest.approx(23 / 24)
    # 11/12 and 1: standard error 1/24, Student's 97.5 % point with one degree 12.7062
    assert found.own.upper - found.own.value == pytest.approx(12.7062 / 24, rel=1e-4)
    assert not found.table["beaten"].any()  # not in seed 1
    alone = supports.revealed(optimal())
    assert (alone.own.lower, alone.own.upper) == (-np.inf, np.inf)
    assert "[" not in alone.own.text()
    assert found.own.text() == "96 % [43, 100], chance 8 %"


def test_triples_that_a_seed_lacks_are_left_out():
    frame = optimal(seeds=2).drop(index=3)
    found = supports.revealed(frame)
    assert len(found.table) == 11
    assert found.own.value == 1


@pytest.mark.parametrize("column", ["frechet", "ce"])
def test_a_column_that_was_not_measured_is_refused(column):
    frame = optimal().assign(ce=np.nan)
    with pytest.raises(InputError, match=column):
        supports.revealed(frame, error=column)


def test_one_triple_is_no_cloud():
    with pytest.raises(InputError, match="1 points in every seed"):
        supports.revealed(optimal().head(1))


def test_only_noise_that_neither_weights_nor_seeds_explain_counts():
    columns = ["mse", "ce"]
    frame = optimal(seeds=3)
    frame["mse"] += 5.0 * frame["seed"]  # a whole seed moves
    assert supports.noise_shares(frame, columns) == pytest.approx({"mse": 0, "ce": 0}, abs=1e-9)
    assert supports.noise_shares(optimal(), columns) == {}
    rng = np.random.default_rng(0)
    noisy = optimal(betas=np.linspace(0.5, 2, 20), seeds=6)
    noisy["ce"] += 0.1 * np.ptp(optimal()["ce"]) * rng.standard_normal(len(noisy))
    assert supports.noise_shares(noisy, columns)["ce"] == pytest.approx(0.1, rel=0.2)


class Run:
    def __init__(self, table):
        self.table = table

    def origin(self):
        return "Rows."


def test_the_page_shows_what_is_published_and_says_if_it_is_not():
    table, stand_in = optimal(), optimal(seeds=2)
    both = {"exp2": Run(table), "exp4": Run(table)}
    assert supports.chosen(both, "exp4", stand_in).title == "Exp-4"
    other = supports.chosen(both, "exp5", stand_in)
    assert other.title == "Exp-2"
    assert other.text.startswith("Exp-5 is not published yet; shown is Exp-2.")
    none = supports.chosen({}, "exp2", stand_in)
    assert none.table is stand_in
    assert not none.trained
    assert "No experiment is published yet" in none.text


def named(verdicts):
    return [claim.verdict for claim in verdicts]


def test_verdicts_follow_the_cloud():
    sheet = [landscapes.trained_landscape(optimal())]
    exact = supports.verdicts(optimal(), "p_judge", sheet)
    assert named(exact)[0] == named(exact)[1] == REPRODUCED
    shuffled = given_out(optimal(), np.random.default_rng(1).permutation(12))
    assert named(supports.verdicts(shuffled, "p_judge", sheet))[0] == NOT
    nearly = optimal()
    nearly.loc[5, "ce"] += 0.3
    assert named(supports.verdicts(nearly, "p_judge", sheet))[0] == PARTLY
    few = supports.verdicts(optimal(betas=(1.0,)), "p_judge", sheet)
    assert named(few)[:4] == [UNTESTABLE] * 4


def test_what_is_trained_and_what_is_plotted_are_judged_apart():
    frame = optimal()
    sheet = [landscapes.trained_landscape(frame)]
    frame["error_rate"] = frame["error_rate"].to_numpy()[::-1]
    trained, _, plotted, *_ = named(supports.verdicts(frame, "p_judge", sheet))
    assert trained == REPRODUCED
    assert plotted in (NOT, PARTLY)


def test_what_a_hull_has_by_construction_is_no_evidence():
    hull = landscapes.trained_landscape(optimal())
    toy = landscapes.toy_landscape(GaussianToy())
    assert named(supports.verdicts(optimal(), "p_judge", [hull]))[-3:-1] == [UNTESTABLE] * 2
    assert named(supports.verdicts(optimal(), "p_judge", [hull, toy]))[-3:-1] == [REPRODUCED] * 2


def test_a_stand_in_gives_no_verdict_on_trained_points():
    sheet = [landscapes.trained_landscape(optimal())]
    found = supports.verdicts(optimal(), "p_judge", sheet, trained=False)
    assert named(found)[:4] == [UNTESTABLE] * 4


def test_one_budget_at_a_time_is_the_familys_own():
    toy = landscapes.toy_landscape(GaussianToy())
    hull = landscapes.trained_landscape(optimal())
    assert named(supports.verdicts(optimal(), "p_judge", [toy]))[-1] == REPRODUCED
    assert named(supports.verdicts(optimal(), "p_judge", [toy, hull]))[-1] == PARTLY
    assert named(supports.verdicts(optimal(), "p_judge", [hull]))[-1] == NOT


def test_noise_may_or_may_not_explain_the_exceptions():
    frame = optimal(seeds=3)
    frame["ce"] += 0.1 * np.random.default_rng(0).standard_normal(len(frame))
    noisy = supports.revealed(frame)
    assert "is enough to explain" in supports.against_noise(noisy, noisy)
    order = np.tile(np.random.default_rng(1).permutation(12), 3) + np.repeat([0, 12, 24], 12)
    shuffled = supports.revealed(given_out(frame, order))
    assert "does not explain" in supports.against_noise(shuffled, noisy)
    assert "With one seed" in supports.against_noise(noisy, None)
    assert "nothing is left" in supports.against_noise(supports.revealed(optimal()), None)


def test_the_table_has_a_row_for_each_test():
    text = supports.revealed_table(
        {"a": supports.revealed(optimal()), "b": supports.revealed(optimal())}
    )
    assert len(text.splitlines()) == 4
    assert "| a | 1 | 100\u00a0%, chance 8\u00a0% |" in text
