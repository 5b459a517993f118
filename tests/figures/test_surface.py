"""The drawings of C(D,P): what they show, and that the interactive one loads nothing else."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from cdpbook.figures import surface as drawing
from cdplib.theory import exact


@pytest.fixture(scope="module")
def surface():
    problem = exact.gaussian_mixture_problem(16, threshold=1.2)
    return exact.surface(problem, "tv", [0.6, 0.7, 0.8, 1.0, math.inf], [0.02, 0.1, 0.2])


def test_static_figures_have_labelled_axes_and_leave_out_what_is_infinite(surface):
    figure = drawing.heights(surface, "a title")
    axes = figure.axes[0]
    assert axes.get_xlabel().startswith("D")
    assert axes.get_ylabel().startswith("P")
    assert axes.get_xlim()[1] < 2
    both = drawing.static(surface)
    assert len(both.axes) == 2
    assert len(both.axes[0].lines) > 1


def test_interactive_figure_is_local_and_the_same_every_time(surface):
    html = drawing.interactive({"one": surface, "again": surface}, "surface-test")
    assert html == drawing.interactive({"one": surface, "again": surface}, "surface-test")
    assert re.findall(r'src="([^"]*)"', html) == ["_static/vendor/plotly.min.js"]
    assert 'id="surface-test"' in html
    assert 'role="group" aria-label="C as a surface' in html
    assert "cdn" not in html.lower()
    assert "NaN" not in html
    assert "one: C from" in html


def test_a_surface_with_its_edge_has_no_steps():
    problem = exact.gaussian_mixture_problem(16, threshold=1.2)
    Ds, Ps = np.linspace(0.6, 0.8, 5), np.array([0.02, 0.1])
    surface = exact.surface(problem, "tv", Ds, Ps)
    least, value = drawing.edge(problem, "tv", Ps)
    assert [
        exact.solve(problem, "tv", D - 2e-3, P).status for D, P in zip(least, Ps, strict=True)
    ] == ["infeasible"] * 2
    x, _, z = drawing._sheet(*drawing._drawn(surface), (least, value))
    assert np.isfinite(z).all()
    assert not np.isfinite(surface.value).all()
    assert x.min(axis=1) == pytest.approx(np.maximum(least, 0.6))
    assert z[0, 0] == pytest.approx(value[0])


def test_the_name_of_a_surface_cannot_end_the_script(surface):
    html = drawing.interactive({"</script><b>": surface}, "surface-test")
    assert html.count("</script>") == 3
    assert "<b>" not in html


def test_flat_surface_is_drawn_without_level_lines(surface):
    flat = exact.Surface(
        np.array([1.0, 2.0]), np.array([0.1, 0.2]), *[np.full((2, 2), 0.2)] * 5,
        np.full((2, 2), "optimal"),
    )  # fmt: skip
    drawing.heights(flat)
    drawing.static(flat)


def test_the_script_of_the_page_is_of_the_version_that_the_package_draws_for():
    import plotly

    from cdpbook.notebooks import vendor

    shipped = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    version = re.search(r"plotly\.js v([\d.]+)", shipped.read_text(encoding="utf-8")[:200])[1]
    assert vendor.PLOTLY.rpartition("@")[2] == version
