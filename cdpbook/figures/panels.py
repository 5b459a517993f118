"""Figures side by side on a wide page and below one another on a phone, as one output of a cell.

A picture cannot flow again, so each panel is one of its own, in a grid that needs no stylesheet:
the executed notebook has none. The book's stylesheet lets the grid use the margin of a wide page.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from matplotlib.figure import Figure

from cdpbook.figures import palette

#: Inches of a panel; on a phone it has the width of the screen, on a wide page a third of it.
WIDTH = 3.6
_GRID = (  # at most three columns, and fewer than 13rem are no panel
    "display:grid; gap:.5rem; grid-template-columns:repeat(auto-fit,minmax(max(13rem,30%),1fr))"
)
_DPI = 200  # twice what a screen shows


@dataclass(frozen=True)
class Panels:
    """``figures`` by their alternative texts; above them the rows of a ``legend``, by theirs."""

    figures: Mapping[str, Figure]
    legend: Mapping[str, Figure] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        rows = "".join(_image(f"Legend: {text}", row) for text, row in self.legend.items())
        images = "\n".join(_image(text, figure) for text, figure in self.figures.items())
        above = f'<div style="grid-column:1/-1; text-align:center">{rows}</div>\n' if rows else ""
        return f'<div class="panels full-width" style="{_GRID}">\n{above}{images}\n</div>'


def _image(alternative: str, figure: Figure) -> str:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    data = base64.b64encode(palette.smaller(stream.getvalue())).decode()
    width = round(96 * figure.get_figwidth())
    return (
        f'<img alt="{escape(alternative)}" width="{width}" style="max-width:100%" '
        f'src="data:image/png;base64,{data}">'
    )
