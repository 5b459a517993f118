"""Slides of the lecture: ``slides.html`` beside the pages, of their own answers and figures.

One page without a script of its own: each slide fills the window, the keys that scroll go from one
to the next, and a print has one a sheet. Nothing is copied but what the rendered pages show.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cdpbook.notebooks import teaching
from cdplib.storage import files

NAME = "slides.html"
_TITLE = re.compile(r'<h1>((?:(?!</h1>).)*)<a class="headerlink".*?</h1>(.*?)(?=<h2>|$)', re.S)
_ANSWER = re.compile(r'<div class="cell_output docutils container">\s*(<p>.*?</p>)', re.S)
_LINK = re.compile(r"<a class=\"headerlink\".*?</a>", re.S)
_MATHJAX = re.compile(
    r"<script>window\.MathJax = .*?</script>|<script [^>]*/mathjax/[^>]*></script>"
)
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<style>
html {{ scroll-snap-type: y proximity; font: clamp(16px, 2vw, 26px)/1.4 system-ui, sans-serif; }}
body {{ margin: 0; color: #1a1a1a; background: #fff; }}
section {{ box-sizing: border-box; min-height: 100vh; padding: 4vh 5vw; scroll-snap-align: start;
  break-after: page; display: flex; flex-direction: column; gap: 2vh; justify-content: center; }}
h1, h2, p {{ margin: 0; }} h1 {{ font-size: 1.8em; }} h2 {{ font-size: 1.3em; }}
.time, figcaption {{ font-size: .65em; color: #444; }} figure {{ margin: 0; text-align: center; }}
img {{ max-width: 100%; max-height: 68vh; }} figcaption {{ max-width: 60em; margin: auto; }}
a {{ color: #004b8d; }}
</style>
{mathjax}
</head>
<body>
<main>
{slides}
</main>
</body>
</html>
"""


def write(pages: Path) -> Path | None:
    """Write the slides of the plan ``lecture`` into ``pages``, the rendered site; return the file.

    None where the site lacks a page of the plan, as that of a few chapters does.
    """
    plan = teaching.load().get("plans", {}).get("lecture")
    names = {step["page"] for step in plan["steps"]} if plan else set()
    if not plan or not all((pages / f"{name}.html").is_file() for name in names):
        return None
    texts = {name: (pages / f"{name}.html").read_text(encoding="utf-8") for name in sorted(names)}
    mathjax = "\n".join(_MATHJAX.findall(next(iter(texts.values()))))
    slides = "\n".join(f"<section>\n{slide}\n</section>" for slide in _slides(plan, texts))
    files.write_text(
        pages / NAME, _PAGE.format(title=html.escape(plan["title"]), mathjax=mathjax, slides=slides)
    )
    return pages / NAME


def _slides(plan: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[str]:
    """The content of each slide: a title, then of each step what is done, the answer, figures."""
    yield (
        f'<h1>The CDP Book</h1>\n<p>{html.escape(plan["about"])}</p>\n<p class="time">'
        f"{plan['minutes']} minutes; the keys that scroll turn the slides.</p>"
    )
    spent, seen = 0, set()
    for step in plan["steps"]:
        name, end = step["page"], spent + step["minutes"]
        title = _TITLE.search(texts[name])
        said, top = title.groups() if title else (name, "")  # the answer is above all sections
        page = f'<a href="{name}.html">{re.sub("<[^>]*>", "", said)}</a>'
        head = f'<p class="time">Minutes {spent} to {end}: {page}</p>'
        head += f"\n<h2>{html.escape(step['do'])}</h2>"
        answer = _ANSWER.search(top)
        first = answer[1] if answer and name not in seen else ""
        yield "\n".join(part for part in (head, first) if part)
        yield from (_figure(name, texts[name], label) for label in step.get("figures", ()))
        seen.add(name)
        spent = end


def _figure(name: str, text: str, label: str) -> str:
    """A figure of a page with its caption; a link to one that only its page can draw."""
    found = re.search(rf'<figure [^>]*id="{re.escape(label)}".*?</figure>', text, re.S)
    if found and "<img" in found[0]:
        return _LINK.sub("", found[0]).replace(' id="', ' data-of="')
    return f'<h2><a href="{name}.html#{label}">On the page itself: move it</a></h2>'
