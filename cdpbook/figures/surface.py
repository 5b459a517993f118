"""C(D,P) over all restorations: surfaces, slices, plans, and one to be turned without a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cdpbook.figures import style
from cdplib.theory import exact
from cdplib.theory.exact import Problem, Surface

Array = NDArray[np.float64]
MARKERS = ("o", "s", "^", "D", "v", "P")
#: Where a page of the book finds plotly's script; the site copies it there.
SCRIPT = "_static/vendor/plotly.min.js"
#: On a phone nearly square, or the sides would be cut.
_TURNED = """<script>window.PlotlyConfig = {{MathJaxConfig: "local"}};</script>
<script src="{script}"></script>
<div role="group" aria-label="{alternative}">
<div class="plotly-graph-div" id="{div_id}" style="height: min(600px, 110vw)"></div></div>
<script>
(() => {{
  const page = document.documentElement, look = () => {{
    const dark = page.dataset.theme === "dark", ink = dark ? "#ced6dd" : "#222832";
    const colours = {{paper_bgcolor: "rgba(0,0,0,0)", "font.color": ink}};
    for (const axis of ["x", "y", "z"]) {{
      colours[`scene.${{axis}}axis.gridcolor`] = dark ? "#48566b" : "#d1d5da";
      colours[`scene.${{axis}}axis.backgroundcolor`] = "rgba(0,0,0,0)";
    }}
    colours["updatemenus[0].font.color"] = "#222832"; // its chosen button is always white
    colours["updatemenus[0].bgcolor"] = "#d1d5da";
    Plotly.relayout("{div_id}", colours);
  }};
  const config = {{displaylogo: false, responsive: true}};
  Plotly.newPlot("{div_id}", {{...{figure}, config}}).then(() => {{
    look();
    new MutationObserver(look).observe(page, {{attributeFilter: ["data-theme"]}});
  }});
}})();
</script>"""


def _drawn(surface: Surface) -> tuple[Array, Array, Array]:
    """Ds, Ps and values with infeasible and unbounded budgets left out (nan)."""
    i, j = np.isfinite(surface.Ds), np.isfinite(surface.Ps)
    value = np.where(np.isfinite(surface.value), surface.value, np.nan)[np.ix_(i, j)]
    return surface.Ds[i], surface.Ps[j], value


def _labels(divergence: str) -> tuple[str, str, str]:
    return "D: allowed distortion", f"P: allowed {divergence}", "C(D,P): error rate"


def heights(surface: Surface, title: str = "", divergence: str = "divergence") -> Figure:
    """A map of C(D,P): colour and level lines are the error rate, grey is infeasible."""
    Ds, Ps, value = _drawn(surface)
    figure = style.canvas(height=4.4)
    axes = figure.axes[0]
    axes.set_facecolor("0.85")
    mesh = axes.pcolormesh(Ds, Ps, value.T, cmap=style.MAP, shading="nearest")
    low, high = np.nanmin(value, initial=math.inf), np.nanmax(value, initial=-math.inf)
    if min(value.shape) > 1 and high - low > 1e-9:
        axes.contour(Ds, Ps, value.T, levels=8, colors="white", linewidths=0.8)
    label_D, label_P, label_C = _labels(divergence)
    axes.set(xlabel=label_D, ylabel=label_P, title=title)
    axes.grid(visible=False)
    figure.colorbar(mesh, label=label_C)
    return figure


def static(surface: Surface, title: str = "", divergence: str = "divergence") -> Figure:
    """The surface in perspective, and below it slices of it at four distortions."""
    Ds, Ps, value = _drawn(surface)
    figure = style.canvas(2, height=8.4, height_ratios=(4.8, 3.6))
    above, slices = figure.axes
    place = above.get_subplotspec()
    above.remove()
    space: Any = figure.add_subplot(place, projection="3d")
    grid_D, grid_P = np.meshgrid(Ds, Ps, indexing="ij")
    space.plot_surface(grid_D, grid_P, value, cmap=style.MAP, edgecolor="0.3", linewidth=0.15)
    space.set(xlabel="D", ylabel="P", zlabel="C", title=title)
    style.perspective(space, 24, 35)
    shown = np.flatnonzero(np.isfinite(value).sum(axis=1) > 1)
    picks = shown[np.unique(np.linspace(0, len(shown) - 1, 4).astype(int))] if len(shown) else []
    for row, colour, dash in zip(picks, style.COLOURS, style.DASHES, strict=False):
        slices.plot(Ps, value[row], color=colour, linestyle=dash, label=f"D = {Ds[row]:.3g}")
    slices.set(xlabel=_labels(divergence)[1], ylabel=_labels(divergence)[2])
    if len(picks):
        style.legend_above(slices)
    return figure


def edge(problem: Problem, divergence: str, Ps: Array, inside: float = 3e-4) -> tuple[Array, Array]:
    """Where C(D,P) begins at each of ``Ps``: the least D, and C there, ``inside`` of the edge."""
    least = np.array([float(exact.least_distortion(problem, divergence, P)) for P in Ps]) + inside
    pairs = zip(least, Ps, strict=True)
    values = [exact.solve(problem, divergence, float(D), float(P)).value for D, P in pairs]
    return least, np.array(values)


def _sheet(
    Ds: Array, Ps: Array, value: Array, begins: tuple[Array, Array] | None
) -> tuple[Array, Array, Array]:
    """D, P and C of a surface, each (nP, nD); what lies before the edge is drawn up to it."""
    x, y = np.meshgrid(Ds, Ps)
    if begins is None:
        return x, y, value.T
    least, height = (part[:, None] for part in begins)
    return np.maximum(x, least), y, np.where(x < least, height, value.T)


def interactive(
    surfaces: Mapping[str, Surface],
    div_id: str,
    divergence: str = "divergence",
    script: str = SCRIPT,
    edges: Mapping[str, tuple[Array, Array]] | None = None,
) -> str:
    """HTML of named surfaces that can be turned, chosen by buttons; the first is shown at once.

    A slider moves a slice at fixed D over the first.  ``div_id``: fixed, so that the page is the
    same on every build.  ``script``: address of plotly.min.js beside the page; nothing is loaded
    from anywhere else.  Colour repeats the height, so it needs no bar of its own.  ``edges``: where
    a named surface begins, as :func:`edge` has it, at each finite P; without, it ends in steps.
    """
    import plotly.graph_objects as go

    drawn = {name: _drawn(surface) for name, surface in surfaces.items()}
    sheets = {name: _sheet(*part, (edges or {}).get(name)) for name, part in drawn.items()}
    figure = go.Figure(
        [
            go.Surface(
                x=_rounded(x), y=_rounded(y), z=_rounded(z),
                name=name, colorscale=style.MAP.title(),
                visible=number == 0, showscale=False,
                hovertemplate="D %{x:.4g}<br>P %{y:.4g}<br>C %{z:.5f}<extra></extra>",
            )
            for number, (name, (x, y, z)) in enumerate(sheets.items())
        ]
    )  # fmt: skip
    last = len(drawn)
    Ds, Ps, value = next(iter(drawn.values()))
    figure.add_scatter3d(
        x=np.full(Ps.size, Ds[-1]), y=Ps, z=_rounded(value[-1]), mode="lines", name="slice",
        line={"color": style.COLOURS[1], "width": 8}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    slices = [
        {
            "label": f"{D:.3g}", "method": "restyle",
            "args": [{"x": [[float(D)] * Ps.size], "z": [_rounded(row)]}, [last]],
        }
        for D, row in zip(Ds, value, strict=True)
    ]  # fmt: skip
    buttons = [
        {
            "label": name, "method": "restyle",
            "args": [{"visible": [other == name for other in drawn]}, [*range(last)]],
        }
        for name in drawn
    ]  # fmt: skip
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 60, "b": 105},
        scene={
            "xaxis": {"title": {"text": "D"}, "nticks": 5},
            "yaxis": {"title": {"text": f"P ({divergence})"}, "nticks": 5},
            "zaxis": {"title": {"text": "C"}, "nticks": 5},
            "camera": {"eye": {"x": 1.6, "y": 1.5, "z": 0.75}, "center": {"z": -0.15}},
        },
        sliders=[
            {
                "currentvalue": {"prefix": "slice at D = "}, "active": len(Ds) - 1,
                "pad": {"t": 30, "l": 20, "r": 20}, "steps": slices,
            }
        ],
        updatemenus=[
            {
                "type": "buttons", "direction": "right", "buttons": buttons,
                "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
            }
        ],
    )  # fmt: skip
    ranges = [
        f"{name}: C from {np.nanmin(value):.3f} to {np.nanmax(value):.3f}"
        for name, (_, _, value) in drawn.items()
    ]
    alternative = "C as a surface over D and P that can be turned; " + ", ".join(ranges)
    return _TURNED.format(
        script=script, div_id=div_id, alternative=escape(alternative), figure=figure.to_json()
    )


def _rounded(values: Array) -> list[Any]:
    """Six digits, None for nan: small pages, and the same ones on every machine."""
    rounded = np.round(values, 6)
    return np.where(np.isnan(rounded), None, rounded.astype(object)).tolist()  # type: ignore[call-overload]


def curves(
    lines: Mapping[str, tuple[Array, Array]],
    labels: tuple[str, str],
    dots: Mapping[str, tuple[Array, Array]] | None = None,
) -> Figure:
    """Named ``lines`` (x, y), and ``dots`` (x, y) in the colour of the line of the same name."""
    figure = style.canvas()
    axes = figure.axes[0]
    for k, (name, (x, y)) in enumerate(lines.items()):
        colour = style.COLOURS[k % len(style.COLOURS)]
        axes.plot(x, y, color=colour, linestyle=style.DASHES[k % 4], label=name)
        if dots and name in dots:
            axes.plot(*dots[name], MARKERS[k % len(MARKERS)], color=colour, markersize=5)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.legend()
    return figure


def plans(problem: Problem, shown: Mapping[str, Array], threshold: float) -> Figure:
    """Restorers p(x̂|y) below one another; the dotted line is the classifier's threshold."""
    figure = style.canvas(len(shown), height=2.7 * len(shown) + 1, sharex=True)
    for axes, (name, plan) in zip(figure.axes, shown.items(), strict=True):
        restorer = np.clip(plan / problem.py[:, None], 1e-3, 1.0)
        mesh = axes.pcolormesh(
            problem.x, problem.x, restorer.T, cmap=style.MAP, norm=LogNorm(1e-3, 1),
            shading="nearest",
        )  # fmt: skip
        axes.axhline(threshold, color="white", linestyle=":")
        axes.set(title=name, ylabel=r"restored $\hat x$", xlim=(-4, 5), ylim=(-3.5, 4))
        axes.grid(visible=False)
    figure.axes[-1].set_xlabel("received y")
    label = r"$p(\hat x\mid y)$, at least 0.001"
    figure.colorbar(mesh, ax=figure.axes, label=label, location="bottom", aspect=40, pad=0.01)
    return figure


def growth(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Seconds of a surface against n, on logarithmic axes: a power law is a straight line."""
    figure = style.canvas()
    axes = figure.axes[0]
    groups = sorted({(row["divergence"], row["toy"]) for row in rows})
    for k, (divergence, toy) in enumerate(groups):
        mine = [row for row in rows if (row["divergence"], row["toy"]) == (divergence, toy)]
        axes.loglog(
            [row["n"] for row in mine], [row["seconds"] for row in mine],
            marker=MARKERS[k], linestyle=style.DASHES[k], label=f"{divergence}, toy {toy}",
        )  # fmt: skip
    sizes = sorted({int(row["n"]) for row in rows})
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set(xlabel="n, letters of each alphabet", ylabel="seconds for 400 points")
    axes.legend()
    return figure
