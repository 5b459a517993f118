"""Own error against others': curves over gamma, effects with intervals, and single images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cdpbook.claims import NAMES
from cdpbook.figures import style
from cdpbook.figures.samples import mosaic
from cdpbook.runs import Run
from cdpbook.statistics import trends
from cdpbook.statistics.trends import Effect
from cdpbook.studies.readings import Example
from cdpbook.text import title as titled
from cdplib.experiments import datasets

#: Colour, dashes and marker of each classifier, the same in every panel.
LOOKS = {
    "cnn1": (0, "-", "o"), "cnn1b": (5, (0, (1, 1)), "P"), "cnn2": (2, (0, (6, 2)), "D"),
    "cnn2c": (4, "-", "h"), "convbn": (1, (0, (4, 2, 1, 2)), "s"), "resnet": (5, (0, (5, 3)), "p"),
    "mlp": (3, (0, (2, 2)), "^"), "logistic": (6, (0, (5, 1, 1, 1, 1, 1)), "v"),
}  # fmt: skip
#: How an effect is drawn: colour, marker, filled.
DIRECTIONS = {
    "lowers": (style.COLOURS[0], "v", True),
    "raises": (style.COLOURS[1], "^", True),
    "unclear": ("0.4", "o", False),
}
_FALLS = {"lowers": "error falls", "raises": "error rises", "unclear": "interval holds zero"}


def empty(text: str = "Nothing is published yet") -> Figure:
    """A figure that says why it is empty."""
    figure, axes = plt.subplots(figsize=(6.4, 1.0), layout="constrained")
    plt.close(figure)  # pyplot must not draw it too, whatever happens below
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def _ends(values: Sequence[float], most: int) -> list[float]:
    different = sorted(set(values))
    at = np.linspace(0, len(different) - 1, min(most, len(different))).round().astype(int)
    return [different[k] for k in at]


def curves(runs: Mapping[str, Run], others: int = 2, betas: int = 2) -> Figure:
    """Error rates over gamma: a row of panels an experiment, a column a beta.

    The thick line is the classifier trained against; ``others`` independent ones are thin. At
    most ``betas`` betas, both ends among them. Bars as in :func:`.trends.over_seeds`.
    """
    if not runs:
        return empty()
    columns = max(len(_ends(run.table["beta"], betas)) for run in runs.values())
    figure, axes = plt.subplots(
        len(runs), columns, figsize=(6.4, 2.7 * len(runs) + 0.8), squeeze=False,
        sharey="row", layout="constrained",
    )  # fmt: skip
    plt.close(figure)  # pyplot must not draw it too, whatever happens below
    shown: dict[str, None] = {}
    for line, (experiment, run) in zip(axes, runs.items(), strict=True):
        points = trends.over_seeds(run.table)
        names = (run.settings.classifier, *run.shown_others(others))
        shown.update(dict.fromkeys(names))
        chosen = _ends(run.table["beta"], betas)
        for ax in line[len(chosen) :]:
            ax.axis("off")
        for ax, beta in zip(line, chosen, strict=False):
            rows = points[points["beta"] == beta].sort_values("gamma")
            at = np.arange(len(rows))
            for rank, name in enumerate(names):
                column = f"error_rate_{name}" if rank else "error_rate"
                _curve(ax, at, 100 * rows[column], 100 * rows[f"{column}_bar"], name, rank == 0)
            ax.set_xticks(at, [f"{g:g}" for g in rows["gamma"]])
            ax.set_xlim(-0.3, len(rows) - 0.7)
            ax.set_title(f"{experiment.replace('exp', 'Exp-')}, β = {beta:g}", fontsize=12)
        line[0].set_ylabel("error rate (%)")
    for ax in axes[-1]:
        ax.set_xlabel("γ")
    figure.legend(
        handles=[_key(name) for name in shown], loc="outside upper center", ncols=2,
        fontsize=11, frameon=False, handlelength=3.2,
    )  # fmt: skip
    return figure


def _curve(
    axes: Axes, at: np.ndarray, values: np.ndarray, bars: np.ndarray, name: str, own: bool
) -> None:
    colour, dashes, marker = _look(name)
    axes.errorbar(
        at, values, bars, color=colour, linestyle=dashes, marker=marker, capsize=3,
        linewidth=3.2 if own else 1.6, markersize=8 if own else 6,
        markerfacecolor=colour if own else "white", zorder=3 if own else 2,
    )  # fmt: skip


def _look(name: str) -> tuple[str, Any, str]:
    colour, dashes, marker = LOOKS[name]
    return style.COLOURS[colour], dashes, marker


def _key(name: str) -> Line2D:
    colour, dashes, marker = _look(name)
    return Line2D(
        [], [], color=colour, linestyle=dashes, marker=marker, markerfacecolor="white",
        label=NAMES.get(name, name),
    )  # fmt: skip


def forest(
    groups: Mapping[str, Mapping[str, Effect]],
    axis: str,
    shared: bool = False,
    missing: str = "Nothing is published yet",
) -> Figure:
    """Effects on error rates with their 95 % intervals, in percentage points, a panel a group.

    ``groups``: title to classifier to effect; the first of each is the predefined one, in bold.
    Panels have their own scales, around zero, unless ``shared``. An interval that would dwarf the
    rest is cut at the frame, which an arrow head shows. Without any group the figure says
    ``missing``.
    """
    if not groups:
        return empty(missing)
    counts = [len(lines) for lines in groups.values()]
    figure, axes = plt.subplots(
        len(groups), 1, figsize=(6.4, 0.3 * sum(counts) + 0.75 * len(groups) + 0.9),
        squeeze=False, height_ratios=counts, layout="constrained",
    )  # fmt: skip
    plt.close(figure)  # pyplot must not draw it too, whatever happens below
    widest = _limit([e for lines in groups.values() for e in lines.values()])
    for ax, (title, lines) in zip(axes[:, 0], groups.items(), strict=True):
        limit = widest if shared else _limit(list(lines.values()))
        for at, effect in enumerate(lines.values()):
            _interval(ax, at, effect, limit)
        ax.axvline(0, color="0.2", linewidth=1.2, zorder=1)
        ax.set(xlim=(-limit, limit), ylim=(len(lines) - 0.5, -0.5))
        ax.set_yticks(range(len(lines)), [NAMES.get(n, n) for n in lines], fontsize=11)
        ax.get_yticklabels()[0].set_fontweight("bold")
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold")
        ax.grid(axis="y", visible=False)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    axes[-1, 0].set_xlabel(axis)
    figure.legend(handles=_direction_keys(), loc="outside upper center", ncols=3, fontsize=10,
                  frameon=False, handletextpad=0.3, columnspacing=1.2)  # fmt: skip
    return figure


def _limit(effects: Sequence[Effect]) -> float:
    """Half the width of the axis, in points: all changes, and intervals up to three times those."""
    changes = max(abs(100 * e.change) for e in effects)
    ends = [abs(100 * end) for e in effects for end in (e.lower, e.upper) if np.isfinite(end)]
    return 1.08 * max(changes, min(max(ends, default=changes), 3 * changes)) or 1.0


def _interval(axes: Axes, at: float, effect: Effect, limit: float) -> None:
    colour, marker, filled = DIRECTIONS[effect.direction]
    low, high = (float(np.clip(100 * x, -limit, limit)) for x in (effect.lower, effect.upper))
    axes.plot([low, high], [at, at], color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
    for end, value, head in ((low, effect.lower, "<"), (high, effect.upper, ">")):
        if abs(100 * value) > limit:
            axes.plot(end, at, marker=head, color=colour, markersize=7, clip_on=False)
    axes.plot(100 * effect.change, at, marker=marker, color=colour, markersize=8,
              markerfacecolor=colour if filled else "white", zorder=3)  # fmt: skip


def _direction_keys() -> list[Line2D]:
    return [
        Line2D([], [], color=colour, marker=marker, linestyle="none", markersize=8,
               markerfacecolor=colour if filled else "white", label=_FALLS[word])
        for word, (colour, marker, filled) in DIRECTIONS.items()
    ]  # fmt: skip


def strips(examples: Sequence[Example]) -> Figure:
    """One line an example: original, degraded, restored without and with gamma; what is read.

    Under a restored image stand the class that the predefined and the other classifier read, with
    a tick where it is right and a cross where it is wrong.
    """
    if not examples:
        return empty("No example among the published images")
    figure, axes = plt.subplots(
        len(examples), 4, figsize=(6.6, 2.45 * len(examples)), squeeze=False, layout="constrained"
    )
    plt.close(figure)  # pyplot must not draw it too, whatever happens below
    for line, example in zip(axes, examples, strict=True):
        found, k = example.readings, example.index
        classes = datasets.get(found.dataset).classes
        names = [f"γ = {g:g}" for g in found.gammas]
        images = (found.clean, found.degraded, found.before, found.after)
        for ax, stack, title in zip(line, images, ("original", "degraded", *names), strict=True):
            ax.imshow(mosaic(stack[k : k + 1], 1), cmap="gray", vmin=0, vmax=1,
                      interpolation="nearest")  # fmt: skip
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.set_title(title, fontsize=11)
        line[0].set_xlabel(
            f"{titled(found.experiment)}, class {classes[found.labels[k]]}\n"
            f"{example.kind}", fontsize=9.5,
        )  # fmt: skip
        readers = (next(iter(found.read)), example.other)
        for ax, when in ((line[2], 0), (line[3], 1)):
            said = [_said(name, found.read[name][when][k], found.labels[k], classes)
                    for name in readers]  # fmt: skip
            ax.set_xlabel("\n".join(said), fontsize=9.5)
    return figure


def _said(name: str, read: int, label: int, classes: Sequence[str]) -> str:
    return f"{NAMES.get(name, name)}: {classes[read]} {'✓' if read == label else '✗'}"
