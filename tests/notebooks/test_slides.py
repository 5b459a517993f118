"""Slides are made of what the lecture's pages show, and of nothing else."""

import pytest

from cdpbook.notebooks import slides, teaching

PAGE = """<div><h1>{name} outside</h1></div>
<h1><span>1. </span>Title of {name}<a class="headerlink" href="#t">#</a></h1>
<script>window.MathJax = {{"a": 1}}</script>
<script defer src="_static/vendor/mathjax/es5/startup.js"></script>
<div class="cell_output docutils container">
<p>The answer of {name}.</p><p>More.</p></div>
<h2>A section</h2>
<div class="cell_output docutils container"><p>Not the answer.</p></div>
{figures}"""
FIGURE = """<figure class="a" id="{label}"><img src="_images/{label}.png"/>
<figcaption>{label}<a class="headerlink" href="#f">#</a></figcaption></figure>
"""
PLAN = teaching.load()["plans"]["lecture"]


@pytest.fixture
def site(tmp_path):
    """The pages of the lecture, each with its figures; one of them is drawn by a script."""
    for name in {step["page"] for step in PLAN["steps"]}:
        steps = [step for step in PLAN["steps"] if step["page"] == name]
        labels = [label for step in steps for label in step.get("figures", ())]
        figures = "".join(FIGURE.format(label=label) for label in labels)
        figures = figures.replace('<img src="_images/fig-toy-knob.png"/>', "<canvas></canvas>")
        (tmp_path / f"{name}.html").write_text(PAGE.format(name=name, figures=figures))
    return tmp_path


def test_every_step_and_figure_has_a_slide_and_an_answer_is_told_once(site):
    text = slides.write(site).read_text()
    figures = [label for step in PLAN["steps"] for label in step.get("figures", ())]
    assert text.count("<section>") == 1 + len(PLAN["steps"]) + len(figures)
    for label in set(figures) - {"fig-toy-knob"}:
        assert text.count(f'src="_images/{label}.png"') == 1
    assert '<a href="03_toy_example.html#fig-toy-knob">' in text
    for name in {step["page"] for step in PLAN["steps"]}:
        assert text.count(f"The answer of {name}.") == 1
        assert f'<a href="{name}.html">1. Title of {name}</a>' in text
    assert "Not the answer" not in text
    assert "headerlink" not in text
    assert f"to {PLAN['minutes']}:" in text


def test_slides_ask_nothing_of_the_network_and_have_the_pages_formulas(site):
    text = slides.write(site).read_text()
    assert "http" not in text
    assert text.count("<script") == 2
    assert "_static/vendor/mathjax/" in text


def test_a_site_of_a_few_chapters_has_no_slides(site, tmp_path):
    (site / "11_verdicts.html").unlink()
    assert slides.write(site) is None
    assert not (site / slides.NAME).exists()
