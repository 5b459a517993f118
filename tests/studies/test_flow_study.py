"""The flow against the sheets of Eq. 16: rows made up so that the answer is known."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from cdpbook import evidence, flow, near
from cdpbook.figures import flow as draw
from cdpbook.statistics.hulls import Hull
from cdpbook.studies import flow as study
from cdplib.errors import DataError
from cdplib.storage import paths

#: Three corners of a sheet: C falls only where P is large.
SHEET = {"mse": [0.02, 0.03, 0.03], "p_judge": [1.0, 0.1, 0.6], "error_rate": [0.2, 0.2, 0.1]}


def sheet() -> pd.DataFrame:
    rows = []
    for seed in (0, 1, 2):
        part = pd.DataFrame(SHEET).assign(beta=[0.0, 0.1, 0.1], gamma=[0.0, 0.0, 0.1], seed=seed)
        rows.append(part.assign(p_judge=part["p_judge"] + 0.01 * seed, p_judge_se=0.005))
    return pd.concat(rows, ignore_index=True)


def made(mse: float, p: float, error: float = 0.15) -> pd.DataFrame:
    each = {"steps": 4, "draw": 0, "mse": mse, "error_rate": error, "error_rate_se": 0.003}
    rows = [{**each, "seed": seed, "p_judge": p + 0.01 * seed} for seed in (0, 1, 2)]
    return pd.DataFrame(rows).assign(p_judge_se=0.005)


def test_the_sheet_at_a_distortion_is_what_mixtures_reach():
    hull = Hull.of(*SHEET.values())
    assert study.least_p(hull, 0.025) == pytest.approx(0.55)
    assert study.least_p(hull, 0.05) == pytest.approx(0.1)
    assert study.least_p(hull, 0.019) == math.inf
    assert study.least_d(hull, 0.55) == pytest.approx(0.025)
    assert study.least_d(hull, 2.0) == pytest.approx(0.02)
    assert study.least_d(hull, 0.09) == math.inf


@pytest.mark.parametrize(
    ("p", "verdict"), [(0.30, "below"), (0.55, "on"), (0.80, "above")], ids=str
)
def test_a_flow_is_where_it_was_put(p, verdict):
    (one,) = study.against(made(0.025, p), "made up", sheet())
    assert one.verdict == verdict
    assert one.p.value == pytest.approx(p - 0.55)
    assert one.d.value == pytest.approx((p - 0.55) / 90)


def test_a_smaller_distortion_than_any_has_no_equal():
    (one,) = study.against(made(0.01, 0.5), "made up", sheet())
    assert (one.verdict, one.p, one.error) == ("has no equal", None, None)


def test_error_is_held_against_mixtures_of_the_same_budgets():
    # at D = .03 and P = .35 half of each of the last two: C = .15
    (one,) = study.against(made(0.03, 0.35, error=0.17), "made up", sheet())
    assert one.error.value == pytest.approx(0.02, abs=1e-5)
    # below the sheet, against its own edge: C = .2
    (one,) = study.against(made(0.025, 0.3, error=0.17), "made up", sheet())
    assert one.error.value == pytest.approx(-0.03, abs=1e-5)


def test_images_widen_the_interval():
    table = made(0.025, 0.5)
    narrow = study.against(table, "made up", sheet())[0].p
    wide = study.against(table.assign(p_judge_se=0.1), "made up", sheet())[0].p
    assert wide.value == narrow.value
    assert wide.upper - wide.value > 1.9 * 0.1
    assert narrow.upper - narrow.value < 0.03


def test_a_row_of_other_code_is_not_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    (tmp_path / "flow.csv").write_text("key,seed,steps\nother,0,1\n")
    with pytest.raises(DataError, match=r"flow.csv: nothing is published for this code; run"):
        flow.published()


def test_a_flow_starts_from_the_network_that_is_published():
    assert near.key() in set(near.published()["key"])
    assert flow.wanted(0)[: len(flow.STEPS)] == [(steps, 0) for steps in flow.STEPS]
    assert len(set(flow.wanted(0))) == len(flow.wanted(0)) > len(flow.wanted(1))


def test_published_rows_are_whole_and_of_this_code():
    table = flow.published()
    assert set(table["key"]) == {flow.key()}
    for seed, rows in table.groupby("seed"):
        assert sorted(zip(rows["steps"], rows["draw"], strict=True)) == sorted(flow.wanted(seed))
    assert not table.isna().any(axis=None)
    assert set(flow.samples()) == {"clean", "noisy", "restored", *map(str, flow.STEPS)}


def test_published_bits_give_the_published_error_rates():
    for row in flow.published().itertuples():
        for name in ("cnn1", "logistic"):
            column = "error_rate" if name == "cnn1" else f"error_rate_{name}"
            named = flow.named(name, row.steps, row.draw)
            wrong = evidence.wrong("flow", flow.at(row.seed), named)
            assert wrong.mean() == pytest.approx(getattr(row, column), abs=1e-6)


def test_the_figure_shows_every_number_of_steps_and_every_sheet():
    curve, sheets = study.curve(), study.sheets()
    axes = draw.plane(curve, sheets, study.free(), 0.035).axes[0]
    assert {text.get_text() for text in axes.texts} == {str(steps) for steps in flow.STEPS}
    assert len(axes.collections) == len(sheets)
    assert axes.get_xlabel()
    assert axes.get_ylabel()


def test_the_first_table_says_what_the_answer_says():
    found = study.compared()
    table = study.verdict_table(found)
    most = table[table["steps"] == table["steps"].max()].iloc[0]
    assert f"By the rule it is *{most[study.NEAR].strip('*')}* the sheet" in study.answer(
        found, 0.035
    )
    assert set(study.SHEETS) < set(table.columns)
