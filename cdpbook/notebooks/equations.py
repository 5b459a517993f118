"""A Sphinx extension: equations of the paper keep the paper's numbers.

An equation labelled ``eq:paper-7`` is (7) wherever it stands and in every ``{eq}`` to it; the
book's own are numbered within their chapter, (3.1), (3.2), by the chapter's file name.
"""

from __future__ import annotations

import re
from typing import Any

_PAPER = re.compile(r"eq:paper-(\w+)$")


def _number(app: Any, doctree: Any) -> None:
    from docutils import nodes

    equations = app.env.get_domain("math").equations
    docname = app.env.docname
    chapter = docname.partition("_")[0].lstrip("0") if "_" in docname else ""
    own = 0
    for node in doctree.findall(nodes.math_block):
        label = node.get("label")
        if not label or not node.get("number"):
            continue
        if match := _PAPER.match(label):
            number = match[1]
        else:
            own += 1
            number = f"{chapter}.{own}" if chapter else f"{own}"
        node["number"] = number
        equations[label] = (docname, number)


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("doctree-read", _number)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
