"""Own error against others': effects with their intervals, and single images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cdpbook.claims import NAMES
from cdpbook.figures import style
from cdpbook.figures.samples import mosaic
from cdpbook.statistics.trends import Effect
from cdpbook.studies.readings import Example
from cdpbook.text import title
from cdplib.experiments import datasets

#: How an effect is drawn: colour, marker, filled, what the key says.
DIRECTIONS = {
    "lowers": (style.COLOURS[0], "v", True, "error falls"),
    "raises": (style.COLOURS[1], "^", True, "error rises"),
    "unclear": ("0.4", "o", False, "interval holds zero"),
}


def empty(text: str = "Nothing is published yet") -> Figure:
    """A figure that says why it is empty."""
    figure = style.canvas(height=1.0)
    figure.axes[0].axis("off")
    figure.axes[0].text(0.5, 0.5, text, ha="center", va="center")
    return figure


def forest(
    groups: Mapping[str, Mapping[str, Effect]],
    axis: str,
    shared: bool = False,
    missing: str = "Nothing is published yet",
) -> Figure:
    """Effects on error rates with their 95 % intervals, in percentage points, a panel a group.

    ``groups``: title to classifier to effect, the predefined one first, in bold. Panels have their
    own scales, around zero, unless ``shared``; an interval that would dwarf the rest is cut at the
    frame, with an arrow head. Without any group the figure says ``missing``.
    """
    if not groups:
        return empty(missing)
    counts = [len(lines) for lines in groups.values()]
    height = 0.24 * sum(counts) + 0.62 * len(groups) + 0.9
    figure = style.canvas(len(groups), height=height, height_ratios=counts)
    widest = _limit([e for lines in groups.values() for e in lines.values()])
    for ax, (name, lines) in zip(figure.axes, groups.items(), strict=True):
        limit = widest if shared else _limit(list(lines.values()))
        for at, effect in enumerate(lines.values()):
            _interval(ax, at, effect, limit)
        ax.axvline(0, color="0.2", linewidth=1.2, zorder=1)
        ax.set(xlim=(-limit, limit), ylim=(len(lines) - 0.5, -0.5))
        ax.set_yticks(range(len(lines)), [NAMES.get(n, n) for n in lines], fontsize=11)
        ax.get_yticklabels()[0].set_fontweight("bold")
        ax.set_title(name, loc="left", fontsize=12, fontweight="bold")
        ax.grid(axis="y", visible=False)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    figure.axes[-1].set_xlabel(axis)
    keys = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", markersize=8,
               markerfacecolor=colour if filled else "white", label=said)
        for colour, marker, filled, said in DIRECTIONS.values()
    ]  # fmt: skip
    figure.legend(handles=keys, loc="outside upper center", ncols=3, fontsize=10,
                  frameon=False, handletextpad=0.3, columnspacing=1.2)  # fmt: skip
    return figure


def _limit(effects: Sequence[Effect]) -> float:
    """Half the width of the axis, in points: all changes, and intervals up to three times those."""
    changes = max(abs(100 * e.change) for e in effects)
    ends = [abs(100 * end) for e in effects for end in (e.lower, e.upper) if np.isfinite(end)]
    return 1.08 * max(changes, min(max(ends, default=changes), 3 * changes)) or 1.0


def _interval(axes: Axes, at: float, effect: Effect, limit: float) -> None:
    colour, marker, filled, _ = DIRECTIONS[effect.direction]
    low, high = (float(np.clip(100 * x, -limit, limit)) for x in (effect.lower, effect.upper))
    axes.plot([low, high], [at, at], color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
    for end, value, head in ((low, effect.lower, "<"), (high, effect.upper, ">")):
        if abs(100 * value) > limit:
            axes.plot(end, at, marker=head, color=colour, markersize=7, clip_on=False)
    axes.plot(100 * effect.change, at, marker=marker, color=colour, markersize=8,
              markerfacecolor=colour if filled else "white", zorder=3)  # fmt: skip


def strips(examples: Sequence[Example]) -> Figure:
    """One line an example: original, degraded, restored without and with gamma, and the class that
    the predefined and the other classifier read, with a tick where it is right."""
    if not examples:
        return empty("No example among the published images")
    figure = style.canvas(len(examples), 4, width=6.6, height=2.2 * len(examples), squeeze=False)
    for row, example in enumerate(examples):
        line = figure.axes[4 * row : 4 * row + 4]
        found, k = example.readings, example.index
        classes = datasets.get(found.dataset).classes
        names = [f"γ = {g:g}" for g in found.gammas]
        images = (found.clean, found.degraded, found.before, found.after)
        for ax, stack, head in zip(line, images, ("original", "degraded", *names), strict=True):
            ax.imshow(mosaic(stack[k : k + 1], 1), cmap="gray", vmin=0, vmax=1,
                      interpolation="nearest")  # fmt: skip
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.set_title(head, fontsize=11)
        line[0].set_xlabel(
            f"{title(found.experiment)}, class {classes[found.labels[k]]}\n"
            f"{example.kind}", fontsize=9.5,
        )  # fmt: skip
        readers = (next(iter(found.read)), example.other)
        for ax, when in ((line[2], 0), (line[3], 1)):
            said = [_said(name, found.read[name][when][k], found.labels[k], classes)
                    for name in readers]  # fmt: skip
            ax.set_xlabel("\n".join(said), fontsize=8.5)
    return figure


#: Letters under an image that do not reach the next one.
_LONGEST = 24


def _said(name: str, read: int, label: int, classes: Sequence[str]) -> str:
    said = f"{NAMES.get(name, name)}: {classes[read]} {'✓' if read == label else '✗'}"
    return said if len(said) <= _LONGEST else said.replace(": ", ":\n")


def parts(found: pd.DataFrame) -> Figure:
    """The part of the gain that arrives, against beta: a line a reader (nan: no clear gain)."""
    figure = style.canvas(height=5.0)
    axes = figure.axes[0]
    each = found[found["beta"].notna()]
    betas = sorted(each["beta"].unique())
    for k, (name, rows) in enumerate(each.groupby("reader")):
        rows = rows.sort_values("beta")
        axes.plot(
            [betas.index(beta) for beta in rows["beta"]], [part.value for part in rows["part"]],
            marker="os^Dvp*hX"[k % 9], color=style.COLOURS[k % 7], label=name,
            linestyle=style.DASHES[k // 7],
        )  # fmt: skip
    for level in (0, 1):
        axes.axhline(level, color="0.4", linewidth=1.2, linestyle=":")
    axes.set_xticks(range(len(betas)), [f"{beta:g}" for beta in betas])
    axes.set(xlabel="β", ylabel="part of CNN-1's gain that arrives")
    figure.legend(loc="outside upper center", ncols=2, fontsize=10, frameon=False)
    return figure
