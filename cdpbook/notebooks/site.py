"""From executed notebooks to pages: a source tree for jupyter-book, and its run.

The tree is ``SOURCE/book`` (pages, ``_config.yml``, ``_toc.yml``, ``_static``), with ``cdplib``
and others beside ``book`` for ``literalinclude``; the site has every page at its top.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from cdpbook.notebooks import vendor
from cdpbook.notebooks.inputs import PACKAGES
from cdpbook.notebooks.sources import Chapter
from cdplib.errors import DataError
from cdplib.storage import files, paths

_NOT_RUN = """:::{admonition} Not executed in this build
:class: warning
The code of this page has not been run. Run it with `cdp run NAME`.
:::"""


def assemble(source: Path, chapters: Sequence[Chapter], executed: Path, student: bool) -> None:
    """Make the tree for ``chapters``, the first as the front page; old content goes.

    A chapter without an executed notebook in ``executed`` is shown without outputs, and says so.
    """
    shutil.rmtree(source, ignore_errors=True)
    book = source / "book"
    book.mkdir(parents=True)
    for name in (*PACKAGES, "params", "proofs", "tests"):
        (source / name).symlink_to(paths.ROOT / name)
    for path in paths.BOOK.iterdir():
        if path.is_dir() and path.name != "_static":
            (book / path.name).symlink_to(path)
        elif path.suffix not in (".py", ".md", ".ipynb") and path.is_file():
            shutil.copyfile(path, book / path.name)
    own = shutil.ignore_patterns("vendor")
    shutil.copytree(paths.BOOK / "_static", book / "_static", ignore=own)
    # Not in _static: jupyter-book would load every script it finds there on every page.
    vendor.copy(source / "extra" / "_static" / "vendor")
    for chapter in chapters:
        _page(chapter, executed, book, student)
    shutil.copyfile(paths.ROOT / "_config.yml", book / "_config.yml")
    content = toc_of(chapters)
    files.write_text(book / "_toc.yml", yaml.safe_dump(content, sort_keys=False))


def _page(chapter: Chapter, executed: Path, book: Path, student: bool) -> None:
    import nbformat

    notebook = chapter.notebook(student)
    done = executed / f"{chapter.name}.ipynb"
    if done.is_file():
        shutil.copyfile(done, book / done.name)
    elif chapter.has_code():
        text = _NOT_RUN.replace("NAME", chapter.name)
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(text, id="not-executed"))
        files.write_text(book / done.name, nbformat.writes(notebook))
    else:
        # jupyter-book needs no notebook for prose; its front matter would name a kernel.
        prose = "\n\n".join(cell.source for cell in notebook.cells)
        files.write_text(book / f"{chapter.name}.md", prose + "\n")


def toc_of(chapters: Sequence[Chapter]) -> dict[str, Any]:
    """``_toc.yml`` for ``chapters`` alone, without the folder: pages are at the site's top."""
    content = yaml.safe_load((paths.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = {chapter.name for chapter in chapters}

    def keep(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = []
        for entry in entries:
            name = Path(entry["file"]).name
            if name in names:
                kept.append({**entry, "file": name})
        return kept

    root = Path(content["root"]).name
    if root not in names:
        return {"format": "jb-book", "root": chapters[0].name}
    parts = [{**part, "chapters": keep(part["chapters"])} for part in content.get("parts", [])]
    parts = [part for part in parts if part["chapters"]]
    if not parts:  # the front page alone: an empty list of parts is malformed
        return {"format": content["format"], "root": root}
    return {**content, "root": root, "parts": parts}


def render(source: Path, output: Path, strict: bool = True) -> Path:
    """Run jupyter-book on the tree; return the folder of the pages, ``output/_build/html``.

    They take the place of the former ones when all of them are there, so that a reader never finds
    half a site, whatever ends this.
    ``strict``: warnings and broken references are errors. Raises :class:`DataError` with the
    first warnings; everything jupyter-book said is in ``output/site.log``.
    """
    unfinished = output / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    program = f"from cdplib import lifetime; lifetime.end_with({os.getpid()}); "
    program += "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", program, "build"]
    command += [str(source / "book"), "--path-output", str(unfinished), "--all"]
    command += ["-W", "-n", "--keep-going"] if strict else []
    # jupyter-book reads no network, but Sphinx extensions look at the terminal's width and colours.
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    files.write_text(output / "site.log", said)
    if done.returncode:
        problems = [_short(line, source) for line in said.splitlines() if _is_problem(line)]
        shown = "\n  ".join(problems[:20] or said.splitlines()[-8:])
        raise DataError(
            f"the site has {len(problems) or 'unknown'} problems (all of it: {output}/site.log)\n"
            f"  {shown}"
        )
    for page in (unfinished / "_build" / "html").glob("*.html"):
        page.write_text(mended(page.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.rmtree(output / "_build", ignore_errors=True)
    (unfinished / "_build").replace(output / "_build")
    shutil.rmtree(unfinished)
    return output / "_build" / "html"


def mended(html: str) -> str:
    """A page without what the theme and its extensions get wrong.

    A page opened from disk may not preload fonts (its stylesheet may load them). Icons come twice,
    as that font and as 1.5 MB of script. A button whose label is other than its words cannot be
    called by them. A bibliography has entries of its own kind, and no list's.
    """
    html = re.sub(r'<link rel="preload" as="font"[^>]*>', "", html)
    html = re.sub(r"<script [^>]*/fontawesome/[^>]*></script>", "", html)
    html = html.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    html = html.replace('<summary aria-label="Toggle hidden content">', "<summary>")
    return re.sub(r'(<button [^>]*search-button-field[^>]*) aria-label="Search"', r"\1", html)


def _is_problem(line: str) -> bool:
    return any(word in line for word in ("WARNING:", "ERROR:", "CRITICAL:", "Exception"))


def _short(line: str, source: Path) -> str:
    line = line.replace(f"{source / 'book'}{os.sep}", "")
    # myst-nb counts cell n (from 1), line m of a notebook as line 10000 n + m.
    place = re.match(r"(\w+)\.ipynb:(\d{5,}):", line)
    if place:
        cell, row = divmod(int(place[2]), 10000)
        notebook = json.loads((source / "book" / f"{place[1]}.ipynb").read_text(encoding="utf-8"))
        name = notebook["cells"][cell - 1]["id"]
        line = f"{place[1]}, cell {name}, line {row}:{line[place.end() :]}"
    return line
