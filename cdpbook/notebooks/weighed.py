"""What the pages of a built site weigh, how many words they have and how many screens they fill.

``python -m cdpbook.notebooks.weighed SITE`` prints a table: megabytes that a page loads from disk,
its own HTML, figures, styles and fonts, scripts; words of prose; screens on a desk and on a phone.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cdpbook.notebooks import printed
from cdplib.errors import DataError

#: Widths and heights in pixels: a window on a desk, a phone.
DESK, PHONE = (1280, 800), (390, 844)
_KINDS = {".html": "html", ".png": "figures", ".js": "scripts", ".json": "scripts"}
# Prose is what is read from left to right: paragraphs, lists and captions of the article, folds
# included; no code, table, formula or heading.
_WORDS = """() => {
  const copy = document.querySelector('article').cloneNode(true);
  const not = 'pre, table, script, style, mjx-container, svg, .cell_input, .headerlink, h1, h2, h3';
  copy.querySelectorAll(not).forEach(e => e.remove());
  return (copy.textContent.match(/[\\p{L}\\p{N}][^\\s]*/gu) || []).length;
}"""


@dataclass(frozen=True)
class Weight:
    """A page: bytes by kind of file, words of prose, screens at :data:`DESK` and :data:`PHONE`."""

    page: str
    bytes: dict[str, int]
    words: int
    screens: tuple[float, float]

    @property
    def own(self) -> float:
        """Its HTML and figures, in 10^6 bytes: the rest is the same files on every page."""
        return (self.bytes["html"] + self.bytes["figures"]) / 1e6

    @property
    def megabytes(self) -> float:
        """All that the page loads, in 10^6 bytes."""
        return sum(self.bytes.values()) / 1e6


def weigh(site: Path, names: list[str] | None = None) -> list[Weight]:
    """Open pages of ``site`` (default: all) in Chromium as a reader does, from disk."""
    from playwright.sync_api import sync_playwright

    wanted = [page for page in printed.pages(site) if names is None or page.stem in names]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=printed.program(), args=["--no-sandbox"]
        )
        try:
            return [weight(browser, page) for page in wanted]
        finally:
            browser.close()


def weight(browser: Any, page: Path) -> Weight:
    """One page, opened in ``browser``, scrolled to its end."""
    context = browser.new_context(viewport=dict(zip(("width", "height"), DESK, strict=True)))
    shown = context.new_page()
    shown.set_default_timeout(120_000)
    loaded: set[Path] = set()
    shown.on("request", lambda request: loaded.add(Path(unquote(urlsplit(request.url).path))))
    shown.goto(page.resolve().as_uri(), wait_until="networkidle")
    shown.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    shown.wait_for_load_state("networkidle")
    bytes_of = dict.fromkeys((*_KINDS.values(), "rest"), 0)
    for file in loaded:
        if file.is_file():  # not what is made in the page: data:, blob:
            bytes_of[_KINDS.get(file.suffix, "rest")] += file.stat().st_size
    shown.evaluate("window.MathJax?.startup?.promise?.then(() => true)")  # else TeX is words
    words, screens = shown.evaluate(_WORDS), []
    for width, height in (DESK, PHONE):
        shown.set_viewport_size({"width": width, "height": height})
        screens.append(shown.evaluate("document.body.scrollHeight") / height)
    context.close()
    return Weight(page.stem, bytes_of, words, (screens[0], screens[1]))


def table(weights: list[Weight]) -> str:
    """``weights`` and their sums as lines of plain text."""
    head = ["page", "MB", "html", "figures", "rest", "scripts", "words", "desk", "phone"]
    rows = [
        [w.page, f"{w.megabytes:.2f}"]
        + [f"{w.bytes[kind] / 1e6:.2f}" for kind in ("html", "figures", "rest", "scripts")]
        + [f"{w.words}", *(f"{screens:.1f}" for screens in w.screens)]
        for w in weights
    ]
    total = [f"{sum(w.words for w in weights)}"]
    total += [f"{sum(w.screens[n] for w in weights):.0f}" for n in (0, 1)]
    rows.append(["all", *[""] * 5, *total])
    return "\n".join(
        f"{row[0]:<28}" + "".join(f"{value:>9}" for value in row[1:]) for row in [head, *rows]
    )


if __name__ == "__main__":
    try:
        print(table(weigh(Path(sys.argv[1]), sys.argv[2:] or None)))
    except DataError as error:
        sys.exit(f"weighed: {error}")
