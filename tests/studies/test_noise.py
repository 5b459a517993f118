"""The curve over the noise: known effects come out, the rules judge what they were written for."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cdpbook.figures import noise as figures
from cdpbook.statistics.estimates import Interval
from cdpbook.studies import noise
from cdplib.errors import DataError
from cdplib.experiments import results
from cdplib.sweeps import compare

SIGMAS = (0.25, 0.5, 1.0, 2.0)
POINTS = ((1.0, 0.0, 0.0), (1.0, 0.0, 0.03), (1.0, 0.03, 0.0), (1.0, 0.03, 0.03),
          (0.0, 0.03, 0.0), (0.0, 0.03, 0.03))  # fmt: skip


def table(seeds: int = 3, d_cost=lambda sigma: 0.1, p_cost=lambda sigma: 0.2) -> pd.DataFrame:
    """Gamma takes a tenth of C, with a seed's own part of a hundredth, and adds ``d_cost`` of D and
    ``p_cost`` to P; alpha 0 doubles D and halves P."""
    lines = []
    for sigma in SIGMAS:
        for seed in range(seeds):
            for alpha, beta, gamma in POINTS:
                on, own = gamma > 0, 0.01 * (seed - (seeds - 1) / 2)
                lines.append(
                    {"alpha": alpha, "beta": beta, "gamma": gamma, "seed": seed, "sigma": sigma,
                     "error_rate": 0.1 * sigma * (1 - (0.1 + own) * on),
                     "mse": 0.02 * sigma * (1 + (d_cost(sigma) + own) * on) * (2 - alpha),
                     "p_judge": (0.5 + (p_cost(sigma) + own) * on) * (0.5 + alpha / 2)}
                )  # fmt: skip
    return pd.DataFrame(lines)


def test_effects_are_paired_by_seed_and_relative_ones_are_parts_of_the_level():
    found = noise.curve(table())
    assert list(found.index) == list(SIGMAS)
    c = found.loc[2.0]["error_rate", True]
    assert c.value == pytest.approx(-0.1)
    # Student's for three seeds a hundredth apart.
    assert c.upper - c.value == pytest.approx(4.3027 * 0.01 / math.sqrt(3), rel=1e-4)
    assert found.loc[2.0]["error_rate", False].value == pytest.approx(-0.02)
    assert found.loc[0.25]["mse", True].value == pytest.approx(0.1)
    assert found.loc[0.25]["p_judge", False].value == pytest.approx(0.2)


def test_a_seed_without_all_weights_is_left_out_and_one_seed_has_no_interval():
    rows = table(2)
    rows = rows[(rows["seed"] == 0) | (rows["beta"] > 0)]
    found = noise.curve(rows)["error_rate", True][1.0]
    assert found.value == pytest.approx(-0.095)  # that of seed 0 alone
    assert not found.known


@pytest.mark.parametrize(
    ("c", "d", "p", "said"),
    [(-1, 1, 0, "costs"), (-1, -1, 1, "costs"), (-1, 0, 0, "free"), (-1, -1, -1, "free"),
     (0, 1, 1, "no gain"), (1, 1, 1, "no gain")],
)  # fmt: skip
def test_gamma_costs_where_it_gains_and_d_or_p_clearly_rises(c, d, p, said):
    c, d, p = (Interval(sign, sign - 0.5, sign + 0.5) for sign in (c, d, p))
    assert noise.verdict(c, [d, p]) == said


def test_one_seed_is_not_judged_and_its_point_has_no_bar():
    rows = table()
    rows = rows[(rows["sigma"] > 0.3) | (rows["seed"] == 0)]
    assert set(noise.verdicts(rows).loc[0.25]) == {"one seed"}
    assert "Of 6 pairs" in noise.answer(rows)
    assert "From σ = 0.5 to 2" in noise.answer(rows)
    assert noise.slope(rows, "p_judge").known  # of the other levels
    figure = next(iter(figures.curves({"α = 1": noise.curve(rows)}).figures.values()))
    (bars,) = figure.axes[0].containers[0].lines[2]
    assert [len(bar) for bar in bars.get_segments()] == [0, 2, 2, 2]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (["free", "free", "costs"], "decides"),
        (["costs", "costs", "costs"], "does not"),
        (["no gain", "costs", "costs"], "does not"),
        (["free", "free", "free"], "undecided"),
        (["free", "costs", "free"], "undecided"),
        (["costs", "free", "free"], "undecided"),
        (["no gain", "free", "costs"], "undecided"),
        (["no gain", "no gain"], "undecided"),
        (["one seed", "free", "costs"], "decides"),
        (["one seed", "one seed"], "undecided"),
        ([], "undecided"),
    ],
)
def test_noise_decides_only_where_free_turns_into_cost_once(found, said):
    column = pd.Series(found, index=range(len(found)), dtype=object)
    assert noise.decides(column) == said
    assert noise.decides(column[::-1]) == said  # in the order of sigma, not of the rows


def test_a_known_level_of_noise_is_found_and_its_absence_too():
    def decided(**costs):
        found = noise.verdicts(table(**costs))
        assert list(found.columns) == [0.0, 0.03]
        return {noise.decides(found[beta]) for beta in found}

    late = {"d_cost": lambda s: 0.3 * (s > 0.6), "p_cost": lambda s: 0.3 * (s > 0.6)}
    assert decided(**late) == {"decides"}
    assert decided() == {"does not"}
    assert decided(d_cost=lambda s: 0.0, p_cost=lambda s: 0.0) == {"undecided"}


def test_the_slope_is_that_against_octaves_of_sigma():
    rows = table(d_cost=lambda sigma: 0.05 * np.log2(8 * sigma))
    found = noise.slope(rows, "mse", relative=True)
    assert found.value == pytest.approx(0.05)
    assert noise.slope(table(), "p_judge").value == pytest.approx(0, abs=1e-12)
    holes = rows[(rows["sigma"] < 2) & (rows["sigma"] > 0.3) | (rows["seed"] > 0)]
    assert noise.slope(holes, "mse", relative=True).value == pytest.approx(0.05)
    assert math.isnan(noise.slope(rows.iloc[:0], "mse").value)


def test_without_the_weight_of_d_its_rise_and_what_it_buys_are_found():
    found = noise.without_distortion(table()).loc[1.0]
    assert found["mse"].value == pytest.approx(1.0)  # twice, so all of it more
    assert found["p_judge"].value == pytest.approx(-0.25)
    assert found["error_rate"].value == 0
    assert found["gamma_error_rate"].value == pytest.approx(-0.01)
    assert found["gamma_p_judge"].value == pytest.approx(0.1)


def test_a_sigma_without_alpha_0_has_no_line_about_it():
    rows = table()
    part = rows[(rows["alpha"] == 1) | (rows["sigma"] == 1)]
    assert list(noise.bare(part)["σ"]) == ["1"]
    assert "**−0.250" in noise.bare(part)["α → 0 on P"].item()
    assert noise.bare(rows[rows["alpha"] == 1]).empty
    assert "Without the weight" not in noise.answer(rows[rows["alpha"] == 1])
    assert "at 1 of 1 σ" in noise.answer(part)


def test_levels_count_seeds_and_trainings_that_failed():
    assert list(noise.levels(table())["failed"]) == [0] * 4
    found = noise.levels(table(d_cost=lambda sigma: 1.5 * (sigma == 2)))
    assert list(found["failed"]) == [0, 0, 0, 6]  # D is more than twice the least
    assert found.loc[2.0, "error_rate"] == pytest.approx(0.2)
    assert set(found["seeds"]) == {3}


def test_what_is_missing_and_what_was_there_before_the_rules_is_said(monkeypatch):
    rows = table()
    rows = rows[(rows["sigma"] > 0.3) & ((rows["alpha"] == 1) | (rows["seed"] == 0))]
    said = noise.state(rows, [0.5])
    assert "with the weight of D 3 seeds at 0.5, 1 and 2, none at 0.25, 0.75, 1.25 and 1.5" in said
    assert "without it 1 seed at 0.5, 1 and 2, none" in said
    assert "those at σ = 0.5 were published before" in said
    assert "before the rules" not in noise.state(rows)
    two = rows.assign(precision=np.where(rows["sigma"] > 1, "fp32", "bf16"))
    assert "is bf16 at 0.5 and 1; fp32 at 2." in noise.state(two)
    assert "across" not in noise.state(two)
    two.loc[two["alpha"] == 0, "precision"] = "fp32"
    assert "At 0.5 and 1 what α → 0 changes is across the two." in noise.state(two)
    assert "precision" not in noise.state(two[two["sigma"] > 1])
    rows = rows.assign(config_hash=[f"{i}" for i in range(len(rows))])
    old = rows[rows["sigma"] == 1].iloc[1:].assign(variant="")  # one of them is new
    old = pd.concat([old, rows[rows["sigma"] == 2].assign(variant="noise_sigma=2.0")])
    every = pd.concat([old, rows.assign(variant="grid=noise")])
    monkeypatch.setattr(results, "load", lambda *_, **__: every)
    assert noise.earlier(rows) == [2.0]


def test_rows_are_those_of_the_named_grid_alone(monkeypatch):
    variants = ["", "grid=noise", "grid=noise noise_sigma=0.25", "noise_sigma=0.25", "grid=rdpc",
                "grid=noise noise_sigma=0.25 steps=9"]  # fmt: skip
    given = pd.DataFrame({"variant": variants, "seed": range(6)})
    monkeypatch.setattr(results, "load", lambda *_, **__: given)
    found = noise.rows()
    assert list(found["sigma"]) == [1.0, 0.25]
    assert list(found["seed"]) == [1, 2]


def test_a_published_row_of_the_grid_is_a_training_of_its_own_weights_and_noise():
    table = noise.rows()
    assert set(table["alpha"]) <= {0.0, 1.0}
    for row in table.groupby("sigma").tail(1).to_dict("records"):
        point = compare.point_of(row)
        assert point.coordinates == {n: row[n] for n in ("alpha", "beta", "gamma", "seed")}
        assert point.settings.noise_sigma == row["sigma"]


def test_without_published_rows_there_are_none(monkeypatch):
    def nothing(*_, **__):
        raise DataError("nothing is published")

    monkeypatch.setattr(results, "load", nothing)
    assert noise.rows().empty


def test_the_figure_has_a_panel_a_measure_and_every_point():
    found = figures.curves({"α = 1": noise.curve(table()), "α = 0": noise.curve(table(), alpha=0)})
    assert len(found.figures) == 3
    axes = [figure.axes[0] for figure in found.figures.values()]
    assert all(len(each.containers) == 2 for each in axes)
    assert axes[0].get_xlabel() == "σ of the noise"
    drawn = axes[1].containers[0].lines[0].get_ydata()
    np.testing.assert_allclose(drawn.astype(float), 10)
