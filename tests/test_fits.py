"""Distances from shapes are published as they are simulated, and known by cloud, shape and code."""

import numpy as np
import pandas as pd
import pytest

from cdpbook import fits
from cdpbook.runs import published_run
from cdpbook.statistics import shapes
from cdplib.storage import paths

D, P = np.meshgrid(np.linspace(0, 1, 3), np.linspace(0, 1, 3))


def cloud(scale=1.0):
    d, p = D.ravel(), P.ravel()
    c = scale * ((1 - d) ** 2 + (1 - p) ** 2)
    return shapes.Cloud(d[None], p[None], c[None], (0.01, 0.01, 0.01), 20.0)


def test_another_cloud_shape_or_code_rests_on_something_else(monkeypatch):
    first = fits.rests_on(cloud(), shapes.convex)
    assert fits.rests_on(cloud(1 + 1e-13), shapes.convex) == first  # beyond what machines agree on
    assert fits.rests_on(cloud(1 + 1e-6), shapes.convex) != first
    assert fits.rests_on(cloud(), shapes.concave) != first
    monkeypatch.setattr(fits, "_code", lambda: "changed")
    assert fits.rests_on(cloud(), shapes.convex) != first


def test_what_is_not_published_is_simulated_once(monkeypatch):
    monkeypatch.setattr(fits, "_FITS", {})
    monkeypatch.setattr(fits, "_published", dict)
    found = fits.distance(cloud(), shapes.convex)
    assert found == shapes.distance(cloud(), shapes.convex, fits.DRAWS)
    monkeypatch.setattr(shapes, "distance", None)
    assert fits.distance(cloud(), shapes.convex) is found


def test_the_fits_of_the_published_rows_are_published_and_repeat(monkeypatch):
    run = published_run("exp2")
    assert run is not None
    points = shapes.cloud(run.table)
    known = pd.read_csv(paths.PUBLISHED / fits.FILE, index_col="rests_on")
    for shape in (shapes.falling, shapes.rising, shapes.convex_alone):
        assert known["shape"][fits.rests_on(points, shape)] == shape.__name__
    monkeypatch.setattr(fits, "_FITS", {})
    shown = fits.distance(points, shapes.falling)
    now = shapes.distance(points, shapes.falling, fits.DRAWS)
    assert shown.residual == pytest.approx(now.residual, abs=1e-5)
    assert shown.noise == pytest.approx(now.noise, rel=1e-3)
    assert shown.p_value == pytest.approx(now.p_value, abs=0.021)  # two draws near the edge
