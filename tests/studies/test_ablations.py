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


def test_effects_are_those_of_the_rows(published):
    text = ablations.beside("exp2", {"noise_input": "noise", "scratch": "scratch"})
    table, said = text.split("\n\n")
    lines = {line.split("|")[1].strip(): line for line in table.splitlines()}
    assert "*noise* changes" in said
    # In the rows gamma takes C from .18 to .17 and beta raises D by as much as itself.
    assert lines["γ on C (points)"].count("−1.00 [−1.00, −1.00]") == 2
    assert "+10.00 [+10.00, +10.00]" in lines["β on D (10⁻³)"]
    assert lines["C there (%)"].split("|")[2:4] == [" 18.00 ", " 19.00 "]
    assert "not published yet" in lines["seeds"]
    floor = lines["P of real images against real (floor ± standard error)"]
    assert floor.split("|")[2:5] == [" 0.002 ± 0.013 ", " 0.002 ± 0.013 ", "  "]
    assert "Of one seed" not in text


def jittered(lift=0.0, slope=-1.0, variant=""):
    """As :func:`sheet` with seeds that differ, and gamma's effect on C times ``-slope``."""
    rows = sheet(variant, lift)
    for row in rows:
        row["error_rate"] += 0.001 * row["seed"] * (1 + 20 * row["gamma"])
        row["error_rate"] += (1 + slope) * row["gamma"]
    return results.frame(rows)


def test_differences_are_paired_by_seed():
    found = ablations.differences(jittered(), jittered(lift=0.01))
    assert set(found) == {line[0] for line in ablations.LINES}
    # The seeds differ by a point and more, their pairs by exactly one point in level and not at
    # all in effect.
    assert found["C there (%)"] == pytest.approx((1, 1, 1))
    assert found["γ on C (points)"] == pytest.approx((0, 0, 0), abs=1e-9)
    one = jittered().query("seed == 0")
    assert ablations.differences(one, jittered()) == {}
    assert ablations.seen(one, jittered(), "other") == ""


def test_a_turned_sign_is_said_and_an_equal_one_is_not():
    lifted = ablations.seen(jittered(), jittered(lift=0.01), "lifted")
    assert "*lifted* changes C there by +1.00 [+1.00, +1.00]" in lifted
    assert "turns no sign" in lifted
    turned = ablations.seen(jittered(), jittered(slope=1.0), "turned")
    assert "turns the sign of γ on C (points)" in turned
    assert "γ on C by +2.00" in turned


def test_a_column_of_one_seed_is_remarked_on():
    text = ablations.effects({"many": jittered(), "single": jittered().query("seed == 0")})
    assert "Of one seed: single." in text
    assert "noise of training" in text


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
    text = ablations.effects(kept)
    assert "β to" not in text
    assert "−0.98 [" in next(line for line in text.splitlines() if "γ on C" in line)
    # Over all of its own weights the second column averages gamma's effect over another range.
    assert "−0.85 [" in ablations.effects(tables)


def test_a_column_over_other_weights_says_how_far_they_go():
    apart = {
        "one": results.frame(MAIN),
        "two": results.frame(MAIN).assign(beta=lambda t: t.beta + 5),
    }
    assert ablations.at_shared_weights(apart)["two"] is apart["two"]
    head = ablations.effects(apart).splitlines()[0]
    assert head == "|  | one: β to 0.01, γ to 0.01 | two: β to 5.01, γ to 0.01 |"
    assert ablations.at_shared_weights({}) == {}


def test_effects_over_other_weights_are_not_compared():
    # As the released critic: another range of beta, beta = 0 in common.
    main, other = jittered(), jittered(slope=1.0).assign(beta=lambda t: 50 * t["beta"])
    found = ablations.differences(main, other)
    assert not [line for line in found if line.startswith("β")]
    assert found["γ on C (points)"][0] == pytest.approx(2)
    assert "C there (%)" in found
    said = ablations.seen(main, other, "critic")
    assert "Effects of β are not compared" in said
    assert "Effects of γ are compared at the common β = 0." in said
    assert "turns the sign of γ on C (points)" in said
    assert ablations.seen(main, jittered(), "same").endswith("no sign.")


def test_levels_at_other_least_weights_are_not_compared():
    found = ablations.differences(jittered(), jittered().query("beta > 0"))
    assert set(found) == {"γ on C (points)", "γ on D (10⁻³)", "γ on P"}
    apart = jittered().assign(beta=lambda t: t["beta"] + 5)
    assert set(ablations.differences(jittered(), apart)) == set()


def test_an_ablation_without_rows_is_its_command(published):
    text = ablations.beside("exp2", {"scratch": "from scratch"})
    assert text.startswith("**Not published yet.**")
    assert "--ablation scratch" in text
    assert "|" not in text


def test_only_common_weights_are_compared(published):
    main = ablations.rows("exp2")
    fewer = ablations.rows("exp2", "noise_input")
    fewer = fewer[fewer["seed"] < 2]
    assert set(ablations.common_weights(main, fewer)["seed"]) == {0, 1}
    none = fewer.assign(beta=fewer["beta"] + 5)
    assert len(ablations.common_weights(main, none)) == len(main)


def test_without_shipped_restorers_the_statistics_table_says_so(published):
    run = runs.published_run("exp2", [("quick", "fast")])
    assert run is not None
    assert "No restorer is shipped" in ablations.statistics_table(run, [1], 100)
    assert "No restorer is shipped" in ablations.statistics_table(None, [1], 100)


def test_batch_statistics_change_shipped_restorers_and_a_batch_of_one_most():
    run = runs.published_run("exp2", [("quick", "fast")])
    assert run is not None
    found = ablations.statistics_at_test(run, [1, 100], 200).set_index("statistics")
    assert list(found.index) == ["running", "batch of 1", "batch of 100"]
    changes = found["mse_change"].abs()
    assert changes["running"] == 0
    assert 0 < changes["batch of 100"] < changes["batch of 1"]
    assert found["mse_half"]["batch of 1"] > 0
    table = ablations.statistics_table(run, [1], 200)
    assert len(table.splitlines()) == 4
    assert " ± " in table
