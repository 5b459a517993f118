"""Tables of ablations: known effects come out, what is not published is said."""

import pandas as pd
import pytest

from cdpbook import runs
from cdpbook.studies import ablations
from cdplib.errors import InputError
from cdplib.experiments import perception, results, settings
from cdplib.storage import paths


def sheet(variant="", lift=0.0):
    """Rows in which gamma lowers C by 1 point and beta raises D by .01, exactly, in every seed."""
    return [
        {
            **{"experiment": "exp2", "preset": "quick", "variant": variant, "dataset": "mnist"},
            **{"restorer": "fast", "classifier": "cnn1", "alpha": 1.0, "beta": b, "gamma": g},
            **{"seed": seed, "mse": 0.03 + b, "mse_se": 1e-4, "steps": 500, "seconds": 20.0},
            **{"error_rate": 0.18 + lift - g, "error_rate_se": 4e-3, "ce": 0.5, "p_judge": 1 - b},
            "config_hash": f"{variant}-{b}-{g}-{seed}",
        }
        for seed in (0, 1, 2)
        for b in (0.0, 0.01)
        for g in (0.0, 0.01)
    ]


MAIN = sheet()
OTHER = sheet(variant="noise_input=True", lift=0.01)


@pytest.fixture(autouse=True)
def floor(monkeypatch):
    """A floor of P that is not measured here: the judge is a training."""
    known = perception.Estimate(0.002, 0.013)
    monkeypatch.setattr(runs, "floor_estimate", lambda dataset, measure: known)


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    results.publish("exp2", [*MAIN, *OTHER])


@pytest.mark.parametrize("name", settings.ablations("exp2"))
def test_every_named_ablation_is_a_valid_change_of_the_preset(name):
    given = settings.ablation("exp2", name)
    preset = "full" if name == "longer" else "quick"
    points = settings.plan("exp2", preset, {**given, "seeds": [0, 1, 2]})
    assert points
    assert settings.variant("exp2", preset, settings.resolve("exp2", preset, given))
    grid = settings.resolve("exp2", preset)
    if name != "released_critic":  # whose scores are on another scale
        assert {p.beta for p in points} <= set(grid.betas)
    assert {p.gamma for p in points} <= set(grid.gammas)


def test_an_unknown_ablation_is_refused():
    with pytest.raises(InputError, match="expected one of"):
        settings.ablation("exp2", "nothing")
    with pytest.raises(InputError, match="exp9"):
        settings.ablation("exp9", "scratch")


def test_rows_of_an_ablation_and_of_the_main_table_do_not_mix(published):
    assert set(ablations.rows("exp2")["variant"]) == {""}
    assert set(ablations.rows("exp2", "noise_input")["variant"]) == {"noise_input=True"}
    assert ablations.rows("exp2", "scratch").empty
    assert ablations.rows("exp4").empty


def test_rows_of_another_network_do_not_mix_either(published):
    paper = [row | {"restorer": "paper", "config_hash": f"p{k}"} for k, row in enumerate(MAIN)]
    results.publish("exp2", paper)
    assert set(ablations.rows("exp2")["restorer"]) == {"fast"}
    assert len(ablations.rows("exp2")) == len(MAIN)


def lines(markdown):
    """The cells of each line of a table, by its title."""
    cells = [[cell.strip().replace("\u00a0", " ") for cell in line.split("|")[1:-1]]
             for line in markdown.splitlines()]  # fmt: skip
    return {title: rest for title, *rest in cells}


def test_effects_are_those_of_the_rows(published):
    found = lines(ablations.side_by_side(ablations.ways("noise_input", "scratch")))
    # In the rows gamma takes C from .18 to .17 and beta raises D by as much as itself.
    assert found["γ on C"][:2] == ["−1.00 points [−1.00, −1.00]"] * 2
    assert found["β on D"][0] == "+0.01000 [+0.01000, +0.01000]"
    assert found["C at the least weights (%)"] == ["18.00", "19.00", "+1.00 points [+1.00, +1.00]"]
    assert found["P of real images"] == ["0.002 ± 0.013", "0.002 ± 0.013", ""]
    assert found[""] == ["as in the main table", "a noise input", "change"]  # nothing of scratch


def jittered(lift=0.0, slope=-1.0, variant=""):
    """As :func:`sheet` with seeds that differ, and gamma's effect on C times ``-slope``."""
    rows = sheet(variant, lift)
    for row in rows:
        row["error_rate"] += 0.001 * row["seed"] * (1 + 20 * row["gamma"])
        row["error_rate"] += (1 + slope) * row["gamma"]
    return results.frame(rows)


def titles(found):
    return [line.title for line in found]


def test_changes_are_paired_by_seed():
    found = ablations.compare(jittered(), jittered(lift=0.01)).changes
    assert tuple(found) == ablations.LINES
    # The seeds differ by a point and more, their pairs by exactly one point in level and not at
    # all in effect.
    assert found["", "error_rate"] == pytest.approx((0.01, 0.01, 0.01))
    assert found["gamma", "error_rate"] == pytest.approx((0, 0, 0), abs=1e-9)
    assert ablations.compare(jittered().query("seed == 0"), jittered()).changes == {}


def test_a_turned_sign_is_found_and_an_equal_one_is_not():
    lifted = ablations.compare(jittered(), jittered(lift=0.01))
    assert titles(lifted.clear()) == ["C at the least weights (%)"]
    assert lifted.signs(-1) == []
    turned = ablations.compare(jittered(), jittered(slope=1.0))
    assert titles(turned.signs(-1)) == ["γ on C"]
    assert set(titles(turned.signs(1))) == {"β on D", "β on P"}
    assert turned.changes["gamma", "error_rate"].value == pytest.approx(0.02)


def wider():
    """The sheet with a further beta of 0.1; gamma's effect on C is -1 + 4 beta points."""
    table = results.frame(MAIN)
    more = table[table["beta"] > 0].assign(beta=0.1)
    table = pd.concat([table, more], ignore_index=True)
    table["error_rate"] = 0.18 - table["gamma"] * (1 - 4 * table["beta"])
    return table


def test_networks_are_compared_at_the_weights_that_all_have():
    tables = {"quick": results.frame(MAIN), "full": wider()}
    kept = ablations.at_shared_weights(tables)
    assert {frozenset(t["beta"]) for t in kept.values()} == {frozenset((0.0, 0.01))}
    assert lines(ablations.side_by_side(kept))["γ on C"][1].startswith("−0.98 points [")
    assert "β to" not in ablations.side_by_side(kept)
    # Over all of its own weights the second column averages gamma's effect over another range.
    assert ablations.values(tables["full"])["gamma", "error_rate"].value == pytest.approx(
        -0.0085, abs=1e-4
    )


def test_a_column_over_other_weights_says_how_far_they_go():
    apart = {
        "one": results.frame(MAIN),
        "two": results.frame(MAIN).assign(beta=lambda t: t.beta + 5),
    }
    assert ablations.at_shared_weights(apart)["two"] is apart["two"]
    head = lines(ablations.side_by_side(apart))[""]
    assert head == ["one: β to 0.01, γ to 0.01", "two: β to 5.01, γ to 0.01", "change"]
    assert ablations.at_shared_weights({}) == {}


def test_effects_over_other_weights_are_not_compared():
    # As the released critic: another range of beta, beta = 0 in common.
    main, other = jittered(), jittered(slope=1.0).assign(beta=lambda t: 50 * t["beta"])
    found = ablations.compare(main, other)
    assert not [line for line in (*found.changes, *found.effects) if line.weight == "beta"]
    assert found.changes["gamma", "error_rate"].value == pytest.approx(0.02)
    assert titles(found.signs(-1)) == ["γ on C"]
    shown = lines(ablations.side_by_side({"one": main, "two": other}))
    assert shown["β on D"][2] == "–"


def test_levels_at_other_least_weights_are_not_compared():
    found = ablations.compare(jittered(), jittered().query("beta > 0"))
    assert titles(found.changes) == ["γ on C", "γ on D", "γ on P"]
    apart = jittered().assign(beta=lambda t: t["beta"] + 5)
    assert ablations.compare(jittered(), apart) == ablations.Comparison({}, {})


def test_an_ablation_without_rows_shows_the_main_table_alone(published):
    ways = ablations.ways("scratch")
    assert ablations.compare(*ways.values()).changes == {}
    assert lines(ablations.side_by_side(ways))[""] == ["as in the main table"]
