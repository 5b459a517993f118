"""Two experiments are compared only where they were trained alike, and the verdict follows."""

import numpy as np
import pandas as pd
import pytest

from cdpbook import runs as chapter
from cdpbook.claims import NOT, PARTLY, REPRODUCED, UNDECIDED, UNTESTABLE
from cdpbook.studies import comparisons
from cdplib.errors import DataError, InputError
from cdplib.experiments import settings

BETAS, GAMMAS = (0.0, 0.01, 0.03), (0.0, 0.003, 0.01, 0.03)


def run(slope=-1.0, level=0.2, experiment="exp2", preset="quick", seeds=3, noise=1e-5, **changes):
    """A run in which C is ``level`` plus ``slope`` times gamma, D and P follow both weights."""
    random = np.random.default_rng(len(experiment) + int(experiment[-1]))
    rows = [
        {
            **{"alpha": 1.0, "beta": b, "gamma": g, "seed": seed, "steps": 500},
            **{"mse": 0.02 + 0.3 * b + 0.2 * g, "p_judge": 1.0 - 25 * b + 12 * g},
            "error_rate": level + slope * g + noise * random.normal(),
            **changes,
        }
        for seed in range(seeds)
        for b in BETAS
        for g in GAMMAS
    ]
    own = settings.resolve(experiment, preset)
    return chapter.Run(experiment, own, preset, pd.DataFrame(rows), True)


@pytest.fixture
def published(monkeypatch):
    """Publish the given runs: their rows are what the results of their experiment hold."""
    kept: dict[str, list[pd.DataFrame]] = {}

    def load(name):
        if name not in kept:
            raise DataError(name)
        return pd.concat(kept[name])

    def publish(*runs):
        for r in runs:
            names = {"restorer": r.settings.restorer, "dataset": r.settings.dataset}
            rows = r.table.assign(experiment=r.experiment, preset=r.preset, **names)
            kept.setdefault(r.experiment, []).append(rows)

    monkeypatch.setattr(chapter.published, "load", load)
    return publish


def verdicts():
    return {c.number: c.verdict for c in comparisons.between()}


def test_runs_match_in_the_first_preset_that_all_have(published):
    published(run(), run(experiment="exp1"), run(preset="full"))
    assert {r.preset for r in chapter.matched_runs(("exp1", "exp2")).values()} == {"quick"}
    published(run(preset="full", experiment="exp1"))
    assert {r.preset for r in chapter.matched_runs(("exp1", "exp2")).values()} == {"full"}
    assert chapter.matched_runs(("exp2", "exp3")) == {}
    assert chapter.matched_runs(()) == {}


def test_one_seed_in_either_run_gives_way_to_three_in_both(published):
    published(run(), run(experiment="exp1"), run(preset="full"))
    published(run(preset="full", experiment="exp1", seeds=1))
    found = chapter.matched_runs(("exp1", "exp2"))
    assert {r.preset for r in found.values()} == {"quick"}


@pytest.mark.parametrize(
    ("change", "what"),
    [({"preset": "full"}, "preset"), ({"steps": 400}, "steps"), ({"critic": "clip"}, "critic")],
)
def test_runs_that_were_trained_otherwise_are_not_compared(change, what):
    with pytest.raises(InputError, match=f"{what} differs"):
        comparisons.common(run(), run(experiment="exp1", **change))


def test_runs_without_common_weights_are_not_compared(published):
    apart = run(experiment="exp1")
    apart.table["beta"] += 1
    with pytest.raises(InputError, match="no weights in common"):
        comparisons.common(run(), apart)
    published(run(), apart)
    assert set(verdicts().values()) == {UNTESTABLE}


@pytest.mark.parametrize(
    ("level", "verdict"), [(0.3, REPRODUCED), (0.21, PARTLY), (0.2, UNDECIDED)]
)
def test_much_is_more_than_the_weights_do(level, verdict):
    # The weights move C by 3 points in both; the other levels differ by 10, 1 and no points.
    one = run(level=level, experiment="exp1")
    one.table["error_rate"] += 0.001 * (one.table["seed"] - 1)
    assert comparisons._levels(one, run(), "p_judge")[1] == verdict
    _, reach = comparisons.gap(comparisons.common(one, run()))
    assert reach == pytest.approx(0.03, abs=1e-3)


def test_one_seed_decides_nothing(published):
    published(run(level=0.3, experiment="exp1", seeds=1), run(seeds=1))
    assert [verdicts()[n] for n in ("B1", "B2")] == [UNDECIDED, UNDECIDED]
    assert "[unknown]" in comparisons.between()[0].found


def test_trends_are_similar_where_gamma_orders_the_points_alike(published):
    published(run(), run(slope=-2.0, experiment="exp1"), run(slope=2.0, experiment="exp3"))
    found = verdicts()
    assert found["B2"] == REPRODUCED
    assert found["B4"] == NOT  # C is opposite, although D and P agree


def test_beta_alone_makes_no_trends_similar():
    # Beta lifts C in both by far more than the noise, gamma does nothing.
    one, two = run(slope=0.0, noise=1e-3), run(slope=0.0, noise=1e-3, experiment="exp1")
    for each in (one, two):
        each.table["error_rate"] += each.table["beta"]
    value, low, high = comparisons.trend(comparisons.common(one, two), "error_rate")
    assert low < 0 < high
    assert abs(value) < 0.6


def test_shared_restorers_at_the_least_gamma_count_for_nothing():
    one, two = run(), run(experiment="exp1")
    before = comparisons.trend(comparisons.common(one, two), "error_rate")
    for each in (one, two):
        each.table.loc[each.table["gamma"] == 0, "error_rate"] = 0.9
    assert comparisons.trend(comparisons.common(one, two), "error_rate") == before


def test_a_constant_column_and_too_few_points_have_no_trend():
    with pytest.raises(InputError, match="constant"):
        comparisons.trend(comparisons.common(run(mse=0.02), run(experiment="exp1")), "mse")
    both = comparisons.common(run(), run(experiment="exp1"))
    with pytest.raises(InputError, match="fewer than 4"):
        comparisons.trend(both[both["gamma"] < 0.01], "mse")


def test_only_the_first_pair_is_the_papers_and_the_table_says_so(published):
    published(run(), run(experiment="exp1"))
    found = comparisons.between()
    assert [comparisons.ours(c) for c in found] == [False, False, True, True]
    assert [c.found for c in found[2:]] == ["not published alike"] * 2
    assert found[3].statement.endswith("(ours, as for Exp-1: Exp-3, Exp-2)")
