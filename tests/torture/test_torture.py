"""A short run of `make torture`: every fault that needs no other process a few times."""

from tests.torture import run


def test_nothing_is_lost_or_left_by_any_fault(capfd):
    rows = run.table(minutes=0.5, seed=1, say=lambda line: None)
    assert [str(row) for row in rows if row.lost or row.survived < row.tried] == []
    assert sum(row.tried for row in rows) > 300
