"""Every page of the site, opened from disk as a reader does, in Chromium."""

import pytest
from bs4 import BeautifulSoup

from cdpbook.notebooks import sources, weighed

NAMES = sources.toc()
PHONE = 390

pytestmark = [pytest.mark.browser, pytest.mark.data]


class Visit:
    """A page that was opened, what it asked for outside the site, and what its console said."""

    def __init__(self, browser, address, width):
        self.outside, self.said, self.failed = [], [], []
        # Without motion: axe-core would measure a fold that is still fading in.
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce"
        )
        self.context.route("**/*", self._route)
        self.page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))
        self.page.goto(address, wait_until="load", timeout=120_000)
        self.page.evaluate("window.MathJax?.startup?.promise?.then(() => true)")

    def _route(self, route):
        if route.request.url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def _console(self, message):
        if message.type == "error":
            self.said.append(message.text)

    def evaluate(self, script):
        return self.page.evaluate(script)


@pytest.fixture(scope="module", params=NAMES)
def visit(request, pages, chromium):
    opened = Visit(chromium, (pages / f"{request.param}.html").as_uri(), 1280)
    yield opened
    opened.context.close()


def test_formulas_are_rendered(visit):
    written = visit.evaluate("document.querySelectorAll('.math').length")
    empty = "[...document.querySelectorAll('.math')].filter(e => !e.querySelector('mjx-container'))"
    left = visit.evaluate(f"{empty}.map(e => e.textContent.slice(0, 80))")
    assert left == [], f"{len(left)} of {written} formulas are not rendered"
    wrong = visit.evaluate(
        "[...document.querySelectorAll('mjx-merror, [data-mjx-error]')].map(e => e.textContent)"
    )
    assert wrong == []


def test_no_formula_or_directive_is_left_as_text(visit):
    left = visit.evaluate(
        """() => {
          const copy = document.querySelector('article').cloneNode(true);
          const code = 'pre, code, script, style, mjx-container';
          copy.querySelectorAll(code).forEach(e => e.remove());
          const raw = /.{0,40}(:::|\\$\\$|\\{(ref|eq|cite)\\}|\\|---).{0,40}/g;
          return copy.textContent.match(raw) || [];
        }"""
    )
    assert left == []


def test_figures_are_loaded_and_described(visit):
    figures = visit.evaluate(
        """() => [...document.querySelectorAll('article img')]
          .map(i => ({src: i.src.slice(-80), width: i.naturalWidth, alt: i.alt}))"""
    )
    assert [f["src"] for f in figures if f["width"] == 0] == []
    assert [f["src"] for f in figures if not f["alt"].strip()] == []


def test_interactive_figures_are_drawn(visit):
    drawn = visit.evaluate(
        "[...document.querySelectorAll('.plotly-graph-div')]"
        ".map(e => Boolean(e.querySelector('svg.main-svg, canvas')))"
    )
    assert all(drawn)


def test_nothing_is_loaded_from_outside_and_nothing_fails(visit):
    assert visit.outside == []
    assert visit.failed == []
    assert visit.said == []


def test_no_table_loses_a_column_beside_the_contents(visit):
    lost = visit.evaluate(
        """() => {
          document.querySelectorAll('details').forEach(fold => { fold.open = true; });
          const wide = e => e && e.clientWidth && e.scrollWidth > e.clientWidth + 2;
          return [...document.querySelectorAll('article table')]
            .filter(table => wide(table.parentElement) || wide(table.closest('.cell_output')))
            .map(table => table.textContent.slice(0, 80));
        }"""
    )
    assert lost == []


def test_nothing_moves_for_a_reader_who_asks_for_no_motion(visit):
    moving = visit.evaluate(
        """() => {
          document.querySelectorAll('details').forEach(fold => { fold.open = true; });
          return document.getAnimations().map(a => a.animationName || a.transitionProperty);
        }"""
    )
    assert moving == []


def _shut_out(page, axe):
    """What axe-core calls critical or serious on a page, each with the place of its first node."""
    page.evaluate(axe)
    also = "{'label-content-name-mismatch': {enabled: true}}"  # axe calls it experimental
    found = page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], rules: {also}}})")
    return [
        (one["id"], len(one["nodes"]), one["nodes"][0]["html"][:150])
        for one in found["violations"]
        if one["impact"] in ("critical", "serious")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_reader_is_shut_out(visit, axe, scheme):
    visit.page.emulate_media(color_scheme=scheme)
    visit.page.wait_for_selector(f"html[data-theme={scheme}]")
    assert _shut_out(visit.page, axe) == []


def test_a_page_that_shuts_readers_out_is_noticed(chromium, axe, tmp_path):
    (tmp_path / "bad.html").write_text("<html lang=en><title>t</title><img src='data:,'><input>")
    opened = Visit(chromium, (tmp_path / "bad.html").as_uri(), PHONE)
    assert {name for name, *_ in _shut_out(opened.page, axe)} == {"image-alt", "label"}
    opened.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_shows_the_page_without_sideways_scrolling(pages, chromium, name):
    opened = Visit(chromium, (pages / f"{name}.html").as_uri(), PHONE)
    try:
        wide = opened.evaluate(
            f"""() => document.documentElement.scrollWidth <= {PHONE} ? [] :
              [...document.querySelectorAll('article *')]
                .filter(e => e.getBoundingClientRect().right > {PHONE} + 1)
                .slice(0, 5).map(e => e.tagName + '.' + e.className)"""
        )
        assert opened.evaluate("document.documentElement.scrollWidth") <= PHONE, wide
    finally:
        opened.context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_light(pages, chromium, name):
    """What is its own; scripts, styles and fonts are shared but for the one that turns surfaces."""
    weight = weighed.weight(chromium, pages / f"{name}.html")
    assert weight.own <= 1.5, weight
    assert weight.bytes["scripts"] <= (3e6 if name == "04_exact_cdp" else 1e6), weight
    assert weight.megabytes <= (6 if name == "04_exact_cdp" else 3.3), weight
    assert weight.words > 0


@pytest.fixture(scope="module")
def parsed(pages):
    return {
        page.name: BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for page in pages.glob("*.html")
    }


def _anchors(soup):
    return {tag[key] for key in ("id", "name") for tag in soup.find_all(attrs={key: True})}


def test_no_internal_link_is_broken(pages, parsed):
    anchors = {name: _anchors(soup) for name, soup in parsed.items()}
    broken = []
    for name, soup in parsed.items():
        for link in soup.find_all("a", href=True):
            target, _, anchor = link["href"].partition("#")
            if "://" in target or target.startswith(("mailto:", "javascript:")):
                continue
            target = target.partition("?")[0] or name
            if not (pages / target).is_file():
                broken.append(f"{name}: {link['href']}")
            elif anchor and target in anchors and anchor not in anchors[target]:
                broken.append(f"{name}: {link['href']} (no such anchor)")
    assert broken == []


def test_every_executed_page_says_how_it_was_made_and_offers_its_notebook(pages, parsed):
    for name in NAMES:
        if not sources.find(name).has_code():
            continue
        soup = parsed[f"{name}.html"]
        assert "How this page was made" in soup.text
        links = [a["href"] for a in soup.find_all("a", href=True)]
        offered = [href for href in links if "_downloads" in href and href.endswith(".ipynb")]
        assert offered
        executed = pages.parent.parent / "executed" / f"{name}.ipynb"
        assert (pages / offered[0]).read_bytes() == executed.read_bytes()


def test_an_unreachable_page_is_noticed(chromium, tmp_path):
    """The checks above can fail: a page with every fault has every fault reported."""
    (tmp_path / "bad.html").write_text(
        "<article><script src='https://example.org/x.js'></script>"
        "<img src='missing.png' alt=''><span class='math'>x</span></article>"
    )
    opened = Visit(chromium, (tmp_path / "bad.html").as_uri(), PHONE)
    assert opened.outside == ["https://example.org/x.js"]
    assert any("missing.png" in url for url in opened.failed)
    assert opened.said
    with pytest.raises(AssertionError):
        test_formulas_are_rendered(opened)
    with pytest.raises(AssertionError):
        test_figures_are_loaded_and_described(opened)
    opened.context.close()
