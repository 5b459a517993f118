"""How the pages write names and numbers."""

from __future__ import annotations


def title(experiment: object) -> str:
    """``Exp-2`` for ``exp2``."""
    return str(experiment).replace("exp", "Exp-")


def signed(value: float, digits: int) -> str:
    """A number with its sign and a true minus; what rounds to zero has no sign."""
    rounded = round(value, digits)
    text = f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"
    return text.replace("-", "\u2212")
