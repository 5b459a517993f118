"""Published tables: shown while they hold, computed where what they rest on changed."""

import pandas as pd
import pytest

from cdpbook import kept
from cdpbook.studies import critic_bound, spoilt
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
