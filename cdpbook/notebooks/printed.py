"""The pages of a built site as PDF files, one a chapter, printed by Chromium.

``python -m cdpbook.notebooks.printed SITE FOLDER`` writes ``FOLDER/00_index.pdf`` and so on, in the
order of the book; `.ci/pdf` joins them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from cdpbook.notebooks import sources
from cdplib.errors import DataError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pages(site: Path) -> list[Path]:
    """The pages of ``site`` in the order of the book; :class:`DataError` where one is missing."""
    found = [site / f"{name}.html" for name in sources.toc()]
    if missing := [page.name for page in found if not page.is_file()]:
        raise DataError(f"{site}: no page {', '.join(missing)}; make it with `cdp book`")
    return found


def write(site: Path, folder: Path) -> list[Path]:
    """Print every page of ``site`` to ``folder``; the files, in order."""
    from playwright.sync_api import sync_playwright

    wanted = pages(site)
    program = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        raise DataError(f"no {', '.join(_BROWSERS)} is installed: the pages cannot be printed")
    made = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        shown = browser.new_page()
        for number, page in enumerate(wanted):
            shown.goto(page.resolve().as_uri(), wait_until="networkidle")
            # What is folded on the screen is no less a part of the book.
            shown.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
            file = folder / f"{number:02d}_{page.stem}.pdf"
            shown.pdf(path=str(file), format="A4", print_background=True)
            made.append(file)
        browser.close()
    return made


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]), Path(sys.argv[2]))
    except DataError as error:
        sys.exit(f"pdf: {error}")
