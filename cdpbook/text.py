"""How the pages write names and numbers."""

from __future__ import annotations

from cdplib.experiments import table

#: The weights of Eq. 16 as the text writes them.
LETTERS = {"alpha": "α", "beta": "β", "gamma": "γ"}


def title(experiment: object) -> str:
    """``Exp-2`` for ``exp2``."""
    return table.get(str(experiment)).label


def signed(value: float, digits: int) -> str:
    """A number with its sign and a true minus; what rounds to zero has no sign."""
    rounded = round(value, digits)
    text = f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"
    return text.replace("-", "\u2212")


def correlation(value: float, lower: float, upper: float) -> str:
    """A correlation and its interval: ``0.84 [0.80, 0.89]``, with a true minus."""
    return f"{value:.2f} [{lower:.2f}, {upper:.2f}]".replace("-", "\u2212")
