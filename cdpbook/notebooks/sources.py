"""Chapter sources: found by name, read as notebooks with stable cell ids, parameters declared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cdpbook.notebooks import exercises, teaching
from cdplib import parameters
from cdplib.errors import InputError, unknown
from cdplib.storage import paths

#: Pages that are no part of the site, in a folder of ``book/``: made of what a user brings.
TEMPLATES = "templates"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_EDITION = """\
:::{admonition} Student edition
:class: note
The solutions of the exercises are left out. Some have an answer cell in their place: write where
the dots are, and run the cell after it, which says whether the answer is right and, if it is not,
what to look at.
:::
"""


@dataclass(frozen=True)
class Chapter:
    """One chapter of ``book/``: its file name without ending, and where it is."""

    name: str
    path: Path

    @property
    def section(self) -> str:
        """Its section in the presets: ``toy_example`` for ``03_toy_example``."""
        return parameters.section_of(self.name)

    @property
    def sections(self) -> list[str]:
        """The preset sections it takes, the later over the earlier."""
        return ["all", self.section]

    @property
    def kind(self) -> str:
        """What jupytext calls its format."""
        return "py:percent" if self.path.suffix == ".py" else "md:myst"

    def text(self, student: bool = False) -> str:
        """The source as it is written; on the front page of students, that it is theirs."""
        text = self.path.read_text(encoding="utf-8")
        if student and self.name == toc()[0] and _EDITION not in text:  # once
            text = text.replace("\n```{code-cell}", f"\n{_EDITION}\n```{{code-cell}}", 1)
        return text

    def notebook(self, student: bool = False, bare: bool = False) -> Any:
        """The source as a notebook without outputs: ids ``NAME-000``, a full kernelspec.

        ``student`` leaves out everything from ``solution-start`` to ``solution-end`` but answer
        cells, with their stubs, and checks; the front page says so. ``bare`` leaves out what
        :mod:`.teaching` adds.
        """
        import jupytext

        notebook = jupytext.reads(self.text(student), fmt=self.kind)
        for index, cell in enumerate(notebook.cells):
            cell["id"] = f"{self.name}-{index:03d}"[:64]
        if not bare:
            notebook.cells = teaching.with_teaching(self.name, notebook.cells, self.path.parent)
        if student:
            notebook.cells = exercises.without_solutions(notebook.cells)
        notebook.metadata["kernelspec"] = dict(KERNEL)
        notebook.metadata["language_info"] = {"name": "python"}
        notebook.nbformat, notebook.nbformat_minor = 4, 5
        return notebook

    def has_code(self) -> bool:
        """Whether there is anything to execute (a page of prose has nothing)."""
        return any(cell.cell_type == "code" for cell in self.notebook().cells)

    def declared(self) -> dict[str, parameters.Parameter]:
        """What its parameters cell declares; empty without such a cell."""
        cells = [
            cell
            for cell in self.notebook().cells
            if "parameters" in cell.metadata.get("tags", ()) and cell.cell_type == "code"
        ]
        if len(cells) > 1:
            raise InputError(f"{self.path.name}: {len(cells)} parameters cells, expected one")
        where = f"{self.path.name}, parameters cell"
        return parameters.declared(cells[0].source, where) if cells else {}


def toc() -> list[str]:
    """The chapters in the order of ``_toc.yml`` (the front page first)."""
    content = yaml.safe_load((paths.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [content["root"], *_files(content.get("parts", [])), *_files(content)]
    return [Path(entry).name for entry in entries]


def _files(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _files(item)]
    own = [node["file"]] if "file" in node else []
    return own + [name for key in ("chapters", "sections") for name in _files(node.get(key, []))]


def find(name: str, folder: Path | None = None) -> Chapter:
    """The chapter called ``name``: ``07_exp2``, its number ``07`` or its short name ``exp2``.

    Raises :class:`InputError` with the nearest name.
    """
    if folder is None and name in parameters.chapters(paths.BOOK / TEMPLATES):
        folder = paths.BOOK / TEMPLATES
    folder = paths.BOOK if folder is None else folder
    names = parameters.chapters(folder)
    asked = Path(name).stem
    matches = [n for n in names if asked in (n, parameters.section_of(n), n.partition("_")[0])]
    if len(matches) > 1:  # `03` with a draft of one's own beside the chapter: the book's
        matches = [n for n in matches if n in toc()]
    if len(matches) != 1:
        raise unknown("chapter", name, matches or names)
    path = next(folder / f"{matches[0]}{s}" for s in (".py", ".md") if _is(folder, matches[0], s))
    return Chapter(matches[0], path)


def _is(folder: Path, name: str, suffix: str) -> bool:
    return (folder / f"{name}{suffix}").is_file()
