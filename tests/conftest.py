"""What every test shares: one thread, no display, no progress bars; and which files are slow."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")

#: They train, execute chapters, start processes or solve many problems: not in `make check`.
SLOW = {
    *("test_ablations.py", "test_additions.py", "test_certificates.py", "test_cli.py"),
    *("test_driver.py", "test_publication.py", "test_restoration.py", "test_sensitivity.py"),
    *("test_sweep.py", "test_torture.py", "test_verdicts.py", "test_again.py", "test_lab.py"),
    *("test_classroom.py", "test_explore.py"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW:
            item.add_marker(pytest.mark.slow)
