"""Learning curves: the validation error of the pre-trainings that points start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from cdpbook.figures import style
from cdplib.errors import InputError


def pretraining(curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]]) -> Figure:
    """Validation MSE over steps: one panel a pre-training (title to its seeds' curves).

    A curve is a list of ``{"step": int, "mse": float}``. Raises :class:`InputError` if there is
    none.
    """
    if not curves:
        raise InputError("no pre-training: expected at least one curve")
    figure = style.canvas(len(curves), height=2.3 * len(curves))
    for ax, (title, seeds) in zip(figure.axes, curves.items(), strict=True):
        for number, curve in enumerate(seeds):
            ax.plot(
                [at["step"] for at in curve],
                [1000 * at["mse"] for at in curve],
                color=style.COLOURS[number % len(style.COLOURS)],
                linestyle=style.DASHES[number % 4],
                marker="o",
                markersize=3.5,
                label=f"seed {number}",
            )
        ax.set_title(title, fontsize=11, loc="left")
        ax.set_ylabel("MSE (10⁻³)")
        ax.legend(fontsize=9, frameon=False, ncols=3)
    figure.axes[-1].set_xlabel("steps of the pre-training")
    return figure
