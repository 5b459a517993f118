"""The PDF: one document in the order of the book, with contents, bookmarks, links, numbers."""

import shutil
import subprocess
import sys

import pytest

from cdpbook.notebooks import printed
from cdplib.errors import DataError

PAGE = """<!DOCTYPE html><html lang="en"><head><title>{name}</title></head><body>
<article class="bd-article"><section id="top">
<h1>{title}<a class="headerlink" href="#top">#</a></h1>
<p style="height: {height}px">Text of {name}; <a href="{other}.html#part">there</a>.</p>
<section id="part"><h2>Part of {name}<a class="headerlink" href="#part">#</a></h2>
<a href="_downloads/x.ipynb">notebook</a><details><summary>s</summary>folded {name}</details>
</section></section></article>
<script>window.MathJax = {{startup: {{promise: Promise.resolve()}}}}</script></body></html>"""
NAMES = ("index", "01_formulation", "03_toy_example")


@pytest.fixture
def site(tmp_path):
    """Three pages, the second of which is longer than a sheet."""
    for name, other, height in zip(NAMES, (*NAMES[1:], NAMES[0]), (10, 1500, 10), strict=True):
        text = PAGE.format(name=name, title=f"Title {name}", other=other, height=height)
        (tmp_path / f"{name}.html").write_text(text)
    return tmp_path


def test_articles_are_joined_in_order_below_their_contents(site):
    text = printed.joined(site, NAMES)
    places = [text.index(f'<div class="printed" id="page-{name}">') for name in NAMES]
    assert text.index("printed-contents") < places[0] < places[1] < places[2]
    assert text.count("<article") == 1
    for name in NAMES:
        assert f'<a href="#page-{name}">Title {name}</a><span id="of-{name}">' in text
    assert "02_proof_checks" not in text


def test_a_site_without_a_page_is_refused(site):
    (site / "index.html").unlink()
    with pytest.raises(DataError, match=r"no page index.html; make it with `cdp book`"):
        printed.pages(site, NAMES)
    (site / "index.html").write_text("<html>")
    with pytest.raises(DataError, match="has no article"):
        printed.joined(site, NAMES)


@pytest.mark.browser
def test_the_pdf_has_numbers_in_its_contents_bookmarks_and_links_within(site):
    pypdf = pytest.importorskip("pypdf")
    if not any(map(shutil.which, printed._BROWSERS)):
        pytest.skip("Chromium is not installed")
    style = "<style>@page { size: A4 } .printed { break-before: page }</style>"
    front = site / "index.html"
    front.write_text(front.read_text().replace("</head>", f"{style}</head>"))
    # In a process of its own: tests of the site may hold a browser, and its event loop, in ours.
    command = [sys.executable, "-m", "cdpbook.notebooks.printed", site, site / "book.pdf", *NAMES]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pdf = pypdf.PdfReader(site / "book.pdf")
    assert len(pdf.pages) == 5, told  # contents, a page, two, a page
    assert not (site / "whole.html").exists()
    said = " ".join(pdf.pages[0].extract_text().split())
    for name, number in zip(NAMES, (2, 3, 5), strict=True):
        assert f"Title {name}{number}" in said.replace(" " + str(number), str(number))
    found = [entry if isinstance(entry, list) else entry.title for entry in pdf.outline]
    assert found[0::2] == [f"Title {name}" for name in NAMES]
    assert [part.title for (part,) in found[1::2]] == [f"Part of {name}" for name in NAMES]
    starts = [pdf.get_destination_page_number(entry) for entry in pdf.outline[0::2]]
    assert starts == [1, 2, 4]
    assert "folded index" in pdf.pages[1].extract_text()
    actions = [
        note.get_object().get("/A", {}) for page in pdf.pages for note in page.get("/Annots") or ()
    ]
    assert not any("/URI" in action for action in actions), "no link leads to a file"
