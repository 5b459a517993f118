"""C(D,P) drawn: a static surface, its slices, and an interactive one that needs no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cdpbook.figures import style
from cdplib.theory.exact import Surface

Array = NDArray[np.float64]

#: Where a page of the book finds plotly's script; the site copies it there.
SCRIPT = "_static/vendor/plotly.min.js"


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
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    plt.close(figure)
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
    figure = plt.figure(figsize=(6.4, 8.4), layout="constrained")
    plt.close(figure)
    _, label_P, label_C = _labels(divergence)
    grid = figure.add_gridspec(2, 1, height_ratios=(4.8, 3.6))
    space: Any = figure.add_subplot(grid[0], projection="3d")
    grid_D, grid_P = np.meshgrid(Ds, Ps, indexing="ij")
    space.plot_surface(grid_D, grid_P, value, cmap=style.MAP, edgecolor="0.3", linewidth=0.15)
    space.set(xlabel="D", ylabel="P", zlabel="C", title=title)
    space.view_init(elev=24, azim=35)
    space.locator_params(nbins=5)
    for axis, pad in ((space.xaxis, 8), (space.yaxis, 8), (space.zaxis, 14)):
        axis.labelpad = pad
    space.zaxis.set_tick_params(pad=6)
    slices = figure.add_subplot(grid[1])
    shown = np.flatnonzero(np.isfinite(value).sum(axis=1) > 1)
    picks = shown[np.unique(np.linspace(0, len(shown) - 1, 4).astype(int))] if len(shown) else []
    for row, colour, dash in zip(picks, style.COLOURS, ("-", "--", "-.", ":"), strict=False):
        slices.plot(Ps, value[row], color=colour, linestyle=dash, label=f"D = {Ds[row]:.3g}")
    slices.set(xlabel=label_P, ylabel=label_C)
    if len(picks):
        style.legend_above(slices)
    return figure


def interactive(
    surface: Surface,
    div_id: str,
    title: str = "",
    divergence: str = "divergence",
    others: Sequence[tuple[str, Surface]] = (),
    script: str = SCRIPT,
) -> str:
    """HTML of a surface that can be turned; a slider moves a slice at fixed D over it.

    ``div_id``: fixed, so that the page is the same on every build.  ``others``: further named
    surfaces, chosen by buttons.  ``script``: address of plotly.min.js beside the page; nothing is
    loaded from anywhere else.  Colour repeats the height, so it needs no bar of its own.
    """
    import plotly.graph_objects as go
    import plotly.io as pio

    named = [("all restorations" if others else title, surface), *others]
    figure = go.Figure()
    for place, (name, one) in enumerate(named):
        Ds, Ps, value = _drawn(one)
        figure.add_trace(
            go.Surface(
                x=Ds, y=Ps, z=_rounded(value.T), name=name, colorscale="Cividis",
                visible=place == 0, showscale=False,
                hovertemplate="D %{x:.4g}<br>P %{y:.4g}<br>C %{z:.5f}<extra></extra>",
            )
        )  # fmt: skip
    Ds, Ps, value = _drawn(surface)
    figure.add_trace(
        go.Scatter3d(
            x=np.full(Ps.size, Ds[-1]), y=Ps, z=_rounded(value[-1]), mode="lines", name="slice",
            line={"color": style.COLOURS[1], "width": 8}, hoverinfo="skip", showlegend=False,
        )
    )  # fmt: skip
    last = len(named)
    figure.update_layout(
        title={"text": title},
        margin={"l": 0, "r": 0, "t": 60, "b": 105},
        scene={
            "xaxis": {"title": {"text": "D"}, "nticks": 5},
            "yaxis": {"title": {"text": f"P ({divergence})"}, "nticks": 5},
            "zaxis": {"title": {"text": "C"}, "nticks": 5},
            "camera": {"eye": {"x": 1.6, "y": 1.5, "z": 0.75}, "center": {"z": -0.15}},
        },
        sliders=[
            {
                "currentvalue": {"prefix": "slice at D = "},
                "active": len(Ds) - 1,
                "pad": {"t": 30, "l": 20, "r": 20},
                "steps": [
                    {
                        "label": f"{D:.3g}",
                        "method": "restyle",
                        "args": [
                            {"x": [[float(D)] * Ps.size], "z": [_rounded(value[i])]},
                            [last],
                        ],
                    }
                    for i, D in enumerate(Ds)
                ],
            }
        ],
    )
    if others:
        figure.update_layout(
            updatemenus=[
                {
                    "type": "buttons", "direction": "right",
                    "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
                    "buttons": [
                        {
                            "label": name, "method": "restyle",
                            "args": [{"visible": [k == i for k in range(last)]}, [*range(last)]],
                        }
                        for i, (name, _) in enumerate(named)
                    ],
                }
            ]
        )  # fmt: skip
    html = pio.to_html(
        figure, full_html=False, include_plotlyjs=False, include_mathjax=False, div_id=div_id,
        config={"displaylogo": False, "responsive": True},
        default_height="min(600px, 110vw)",  # on a phone nearly square, or the sides are cut
    )  # fmt: skip
    ranges = [
        f"{name}: C from {np.nanmin(value):.3f} to {np.nanmax(value):.3f}"
        for name, value in ((name, _drawn(one)[2]) for name, one in named)
    ]
    alternative = escape("C as a surface over D and P that can be turned; " + ", ".join(ranges))
    return (
        f'<script src="{script}"></script>\n<div role="img" aria-label="{alternative}">{html}</div>'
    )


def _rounded(values: Array) -> list[Any]:
    """Six digits, None for nan: small pages, and the same ones on every machine."""
    rounded = np.round(values, 6)
    return np.where(np.isnan(rounded), None, rounded.astype(object)).tolist()  # type: ignore[call-overload]
