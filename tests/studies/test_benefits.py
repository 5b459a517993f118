"""The sentences of the page on who benefits."""

from dataclasses import replace

from cdpbook import runs
from cdpbook.studies import benefits


def test_levels_compare_two_readers_of_the_same_restorations(monkeypatch):
    run = runs.published_run("exp3", [("quick", "fast")])
    assert run is not None
    monkeypatch.setattr(
        benefits.classifiers,
        "facts",
        lambda name, _: {"test_accuracy": {"cnn2": 0.99}.get(name, 1)},
    )
    equal = run.table.assign(error_rate=0.2, error_rate_cnn1=0.2)
    said = benefits.levels(replace(run, table=equal), "cnn1")
    assert "CNN-2 errs on 1.00 % and CNN-1 on 0.00 %" in said
    assert "on 20.00 and 20.00 %, a difference of 0.00" in said
    worse = equal.assign(error_rate=0.21)
    assert "a difference of +1.00" in benefits.levels(replace(run, table=worse), "cnn1")
