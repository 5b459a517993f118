"""What no training changes is published once, and measured anew when what it rests on changes."""

from __future__ import annotations

import math

import pytest

from cdpbook import references
from cdplib.errors import InputError
from cdplib.experiments.perception import Estimate
from cdplib.experiments.table import EXPERIMENTS


@pytest.fixture(autouse=True)
def fresh():
    references.value.cache_clear()
    yield
    references.value.cache_clear()


@pytest.mark.parametrize("row", EXPERIMENTS.values(), ids=lambda row: row.name)
def test_every_page_finds_its_references_published(row, monkeypatch):
    monkeypatch.setattr(references, "_measured", lambda *asked: pytest.fail(f"{asked}: not there"))
    for images in (references.CLEAN, row.degradation):
        for measure in ("mse", f"error_rate_{row.classifier}", *references.PERCEPTION):
            found = references.value(row.dataset, images, measure)
            assert math.isfinite(found.value)
    assert references.value(row.dataset, references.CLEAN, "mse").value == 0


@pytest.mark.data
def test_published_references_are_what_is_measured_now():
    for images, measure in (("noise", "mse"), ("clean", "error_rate_logistic")):
        now = references._measured("mnist", images, measure, references.IMAGES)
        published = references.value("mnist", images, measure)
        assert published.value == pytest.approx(now.value, rel=1e-6)
        assert published.se == pytest.approx(now.se, rel=1e-4)


def test_other_code_and_other_classifiers_are_measured_anew(monkeypatch):
    anew = Estimate(0.5, 0.1)
    monkeypatch.setattr(references, "_measured", lambda *asked: anew)
    assert references.value("mnist", "noise", "error_rate_cnn1") != anew
    assert references.value("mnist", "noise", "error_rate_cnn1", 500) == anew
    references.value.cache_clear()
    monkeypatch.setattr(references.classifiers, "key", lambda *asked: "another")
    assert references.value("mnist", "noise", "error_rate_cnn1") == anew
    assert references.value("mnist", "noise", "mse") != anew
    references.value.cache_clear()
    monkeypatch.setattr(references.generation, "changed", lambda: ["losses"])
    assert references.value("mnist", "noise", "mse") == anew


@pytest.mark.data
def test_an_unknown_measure_is_refused():
    with pytest.raises(InputError, match="'psnr2'"):
        references.value("mnist", "clean", "psnr2", 500)
