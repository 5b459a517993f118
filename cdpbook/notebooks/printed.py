"""The pages of a built site as one PDF: a title, contents with page numbers, bookmarks, links.

``python -m cdpbook.notebooks.printed SITE FILE.pdf``. Chromium prints one document that holds the
articles of all pages in the order of the book; `print.css` says what paper leaves out.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import yaml

from cdpbook.notebooks import sources
from cdplib.errors import DataError
from cdplib.storage import paths

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARTICLE = re.compile(r'(<article class="bd-article"[^>]*>)(.*)</article>', re.S)
_TITLE = re.compile(r"<h1>(.*?)<a class=\"headerlink\"", re.S)
_FOOT = """<div style="width: 100%; margin: 0 16mm; font: 7.5pt sans-serif; color: #444;
  text-align: right"><span class="pageNumber"></span></div>"""
# Scripts have drawn with the ids that they know: now each is its page's own, and so are the links.
# Solutions and tables that are folded on the screen are no less a part of the book.
_JOIN = """names => {
  for (const fold of document.querySelectorAll('details')) fold.open = true;
  for (const fold of document.querySelectorAll('.toggle-hidden'))
    fold.classList.remove('toggle-hidden');
  for (const name of names) {
    const page = document.getElementById('page-' + name);
    for (const e of page.querySelectorAll('[id]:not(svg *)')) e.id = name + '--' + e.id;
    for (const a of page.querySelectorAll('a[href]')) {
      const [file, place] = a.getAttribute('href').split('#');
      const other = file.replace(/\\.html$/, '');
      if (/^[a-z]+:/.test(file)) continue;
      if (file && !names.includes(other)) a.removeAttribute('href');  // a download, the slides
      else a.setAttribute('href', '#' + (place ? (other || name) + '--' + place : 'page-' + other));
    }
  }
}"""
# What becomes bookmarks: a chapter, and the sections of its second level.
_HEADINGS = """names => names.map(name => {
  const page = document.getElementById('page-' + name);
  const text = heading => {
    const copy = heading.cloneNode(true);
    for (const e of copy.querySelectorAll('.headerlink, mjx-assistive-mml')) e.remove();
    return copy.textContent.trim();
  };
  const sections = [...page.querySelectorAll('h2')].map(h => [h.parentElement.id, text(h)]);
  return [name, text(page.querySelector('h1')), sections];
})"""
_NUMBER = """starts => {
  for (const [name, page] of Object.entries(starts))
    for (const e of document.querySelectorAll('#of-' + CSS.escape(name))) e.textContent = page;
}"""


def program() -> str:
    """The installed Chromium; :class:`DataError` where there is none."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise DataError(f"no {', '.join(_BROWSERS)} is installed: the pages cannot be opened")
    return found


def pages(site: Path, names: Sequence[str] = ()) -> list[Path]:
    """The pages of ``site`` (default: all) in order; :class:`DataError` where one is missing."""
    found = [site / f"{name}.html" for name in sources.toc() if not names or name in names]
    if missing := [page.name for page in found if not page.is_file()]:
        raise DataError(f"{site}: no page {', '.join(missing)}; make it with `cdp book`")
    return found


def joined(site: Path, names: Sequence[str] = ()) -> str:
    """One HTML page, for the folder of ``site``, with contents and then the articles of all."""
    texts = {page.stem: page.read_text(encoding="utf-8") for page in pages(site, names)}
    front = next(iter(texts.values()))
    articles = {name: _article(name, text) for name, text in texts.items()}
    body = contents(articles) + "\n".join(
        f'<div class="printed" id="page-{name}">{article}</div>'
        for name, article in articles.items()
    )
    return _ARTICLE.sub(lambda found: f"{found[1]}{body}</article>", front, count=1)


def _article(name: str, text: str) -> str:
    found = _ARTICLE.search(text)
    if found is None:
        raise DataError(f"{name}.html has no article")
    return found[2]


def contents(texts: dict[str, str]) -> str:
    """The list of parts and chapters of ``texts`` (HTML by name), numbers of pages left open."""
    toc = yaml.safe_load((paths.ROOT / "_toc.yml").read_text(encoding="utf-8"))
    lines = [_line(Path(toc["root"]).name, texts)]
    for part in toc["parts"]:
        lines.append(f"<dt>{escape(part['caption'])}</dt>")
        lines += [_line(Path(entry["file"]).name, texts) for entry in part["chapters"]]
    said = "Code is left out but in solutions; the pages and their notebooks have all of it."
    head = f"<p>Contents</p><div>{said}</div>"
    return f'<div class="printed-contents">{head}<dl>{"".join(lines)}</dl></div>'


def _line(name: str, texts: dict[str, str]) -> str:
    if name not in texts:
        return ""
    found = _TITLE.search(texts[name])
    title = found[1] if found else escape(name)
    return f'<dd><a href="#page-{name}">{title}</a><span id="of-{name}">000</span></dd>'


def write(site: Path, file: Path, names: Sequence[str] = ()) -> int:
    """Print ``site`` (default: all of its pages) to ``file``; the number of pages."""
    from playwright.sync_api import sync_playwright

    whole = site / "whole.html"  # beside the figures and styles that it names
    whole.write_text(joined(site, names), encoding="utf-8")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=program(), args=["--no-sandbox", "--allow-file-access-from-files"]
            )
            shown = browser.new_page()
            shown.set_default_timeout(600_000)
            shown.goto(whole.resolve().as_uri(), wait_until="load")
            shown.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => 1)")
            wanted = [page.stem for page in pages(site, names)]
            shown.evaluate(_JOIN, wanted)
            shown.evaluate(_NUMBER, _starts(_print(shown, file)))
            _print(shown, file)
            headings = shown.evaluate(_HEADINGS, wanted)
            browser.close()
    finally:
        whole.unlink()
    return _bookmarked(file, headings)


def _print(shown: Any, file: Path) -> Any:
    from pypdf import PdfReader

    shown.pdf(
        path=str(file), print_background=True, prefer_css_page_size=True, tagged=True,
        display_header_footer=True, header_template="<span></span>", footer_template=_FOOT,
    )  # fmt: skip
    return PdfReader(file)


def _starts(pdf: Any) -> dict[str, int]:
    """The number of the page, from 1, on which each chapter of ``pdf`` begins."""
    found = {}
    for name, place in pdf.named_destinations.items():
        if name.startswith("/page-"):
            found[name[len("/page-") :]] = pdf.get_destination_page_number(place) + 1
    return found


def _bookmarked(file: Path, headings: Sequence[Any]) -> int:
    """Give the PDF ``file`` its title and bookmarks; the number of its pages.

    Chromium's own bookmarks say every heading twice.
    """
    from pypdf import PdfReader, PdfWriter

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it wonders how Chromium counts objects
    read = PdfReader(file)
    places = {
        name[1:]: read.get_destination_page_number(place)
        for name, place in read.named_destinations.items()
    }
    writer = PdfWriter(clone_from=read)
    writer.add_metadata({"/Title": "The CDP Book"})
    for name, title, sections in headings:
        chapter = writer.add_outline_item(title, places[f"page-{name}"])
        for label, section in sections:
            if label in places:
                writer.add_outline_item(section, places[label], parent=chapter)
    writer.write(file)
    return len(writer.pages)


if __name__ == "__main__":
    try:
        count = write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
        print(f"pdf: {sys.argv[2]}: {count} pages")
    except DataError as error:
        sys.exit(f"pdf: {error}")
