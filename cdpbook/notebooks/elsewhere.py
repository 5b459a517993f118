"""A Sphinx extension: a page built alone names what it refers to in the rest of the book.

``{ref}``, ``{eq}`` and ``{prf:ref}`` to labels of other chapters become plain words: the title of
the section, the number of the paper's equation, the title of the theorem. In the whole book
nothing is changed, and a broken reference stays an error.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from cdpbook.notebooks import sources
from cdplib import parameters

_SECTION = re.compile(r"^\((?P<label>[\w:-]+)\)=\n#+ (?P<title>.+)$", re.M)
_BLOCK = re.compile(
    r"^[`:]{3,}\{(?:prf:)?(?P<kind>\w+)\} ?(?P<title>.*)\n:label: (?P<label>\S+)$", re.M
)
_FIGURE = re.compile(r'"figure": \{"name": "(?P<label>[\w-]+)"')
_EQUATION = re.compile(r"^(?:\$\$ ?\(|:label: )(?P<label>eq:[\w:-]+)\)?$", re.M)


@functools.cache
def words() -> dict[str, str]:
    """Label to plain words, from the sources of all the chapters."""
    found: dict[str, str] = {}
    for path in (sources.find(name).path for name in parameters.chapters()):
        text = path.read_text(encoding="utf-8")
        found |= {match["label"]: _plain(match["title"]) for match in _SECTION.finditer(text)}
        for match in _BLOCK.finditer(text):
            found[match["label"]] = f"{match['kind'].capitalize()}: {_plain(match['title'])}"
        title = _SECTION.search(text)
        page = _plain(title["title"]) if title else path.stem
        for match in _FIGURE.finditer(text):
            found[match["label"]] = f"a figure of “{page}”"
        for match in _EQUATION.finditer(text):
            of_paper = re.fullmatch(r"eq:paper-(\w+)", match["label"])
            found[match["label"]] = f"({of_paper[1]})" if of_paper else f"(see {path.stem})"
    return found


def _plain(title: str) -> str:
    """A title without its markup: ``The edge for W_2``."""
    title = re.sub(r"\s*\(?\{\w+\}`[^`]*`\)?", "", title).replace("\\infty", "∞")
    return re.sub(r"[$`*]|\\(?:math\w+|hat)?\b ?", "", title).strip()


def _resolve(app: Any, env: Any, node: Any, content: Any) -> Any:
    from docutils import nodes

    label = node.get("reftarget", "")
    text = words().get(label)
    if len(env.found_docs) > 1 or text is None:
        return None
    if node.get("refexplicit"):
        text = content.astext()
    return nodes.emphasis(text, text) if label[:3] != "eq:" else nodes.inline(text, text)


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
