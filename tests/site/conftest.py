"""The site as the preset ``smoke`` makes it, from real data, and a browser to look at it."""

import os
import shutil
from pathlib import Path

import pytest

from cdpbook.notebooks import book, vendor

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE_SHA256 = "0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292"
#: No sandbox (tests may run as root in a container); nothing that calls home by itself.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def pages(capfd_off):
    """The folder of the rendered pages; the whole driver runs to make them.

    ``CDP_SITE`` names a folder of pages that are there already, of any preset.
    """
    given = os.environ.get("CDP_SITE")
    if given:
        return Path(given).resolve()
    return book.build("smoke").parent


@pytest.fixture(scope="session")
def capfd_off(request):
    """Let the driver say what it is doing: this takes minutes the first time."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        yield


@pytest.fixture(scope="session")
def axe():
    """The script of axe-core (Deque), which looks for what shuts readers out; fetched once."""
    folder = vendor.fetched("axe-core@4.10.3", AXE_SHA256, ("axe.min.js", "LICENSE"))
    return (folder / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; skips where there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("Chromium is not installed (make test installs it where it can)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()
