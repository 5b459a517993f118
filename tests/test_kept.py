"""Published tables: shown while they hold, computed where what they rest on changed."""

import pandas as pd
import pytest

from cdpbook import kept
from cdpbook.notebooks import sources
from cdpbook.studies import critic_bound, spoilt
from cdplib.experiments import device
from cdplib.storage import paths


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PUBLISHED", tmp_path)
    monkeypatch.delenv("CDP_KEEP", raising=False)
    calls = []

    def ask(code=(spoilt,), **given):
        def compute():
            calls.append(given)
            return pd.DataFrame({"a": [1.5, 2.5]}, index=["real", "blurred"])

        found = kept.table("numbers", {"dataset": "mnist", **given}, code, compute)
        assert found["a"].to_dict() == {"real": 1.5, "blurred": 2.5}
        assert set(found) == {"a", "hardware"}
        return len(calls)

    return ask


def test_a_table_is_computed_until_it_is_published_and_then_read(asked, monkeypatch):
    assert asked(seed=0) == 1
    assert asked(seed=0) == 2
    monkeypatch.setenv("CDP_KEEP", "1")
    assert asked(seed=0) == 3
    monkeypatch.delenv("CDP_KEEP")
    assert asked(seed=0) == 3


def test_other_arguments_data_or_code_are_computed(asked, monkeypatch):
    monkeypatch.setenv("CDP_KEEP", "1")
    assert asked(seed=0) == 1
    monkeypatch.delenv("CDP_KEEP")
    assert asked(seed=1) == 2
    assert asked(seed=0, dataset="fashion-mnist") == 3
    assert asked(seed=0, code=(spoilt, critic_bound)) == 4
    assert asked(seed=0) == 4


@pytest.mark.slow
@pytest.mark.data
def test_what_a_reader_is_shown_is_published_for_the_code_of_today(monkeypatch):
    """Else the page computes it again at every build, half a minute, without a word."""
    asked = []

    def table(name, given, code, compute):
        known = pd.read_csv(paths.PUBLISHED / f"{name}.csv", index_col=0, dtype=str)
        holds = (known["rests_on"] == kept._rests_on(given, code)).all()
        asked.append((name, holds))
        return original(name, given, code, compute)

    original = kept.table
    monkeypatch.setattr(kept, "table", table)
    monkeypatch.setattr(device, "hardware", None)  # what is computed would ask for it
    page, shown = sources.find("13_measuring_perception").notebook(), {}
    last = max(n for n, cell in enumerate(page.cells) if "kept.table" in cell.source)
    for cell in page.cells[: last + 1]:
        if cell.cell_type == "code":
            exec(cell.source, shown)
    assert dict(asked) == {"spoilt": True, "critics": True, "exact_w1": True}
