"""Three parameter sets a chapter: which there are, and that a page which says "nan" is noticed."""

import nbformat
import pytest

from cdpbook.notebooks import execute, sources, swept

py = nbformat.v4.new_code_cell


def page(said, kind="text/markdown"):
    output = nbformat.v4.new_output("display_data", {kind: said})
    return nbformat.v4.new_notebook(cells=[py("x", outputs=[output], id="c")])


def test_every_chapter_with_parameters_has_three_sets_that_it_takes():
    declared = {name: sources.find(name).declared() for name in sources.toc()}
    assert list(swept.SETS) == [name for name in declared if declared[name]]
    for name, sets in swept.SETS.items():
        job = execute.prepare(sources.find(name), "read")
        assert len(sets) == (1 if name == "reproducibility" else 3), name  # a switch has one other
        assert all(execute.prepare(sources.find(name), "read", values) for values in sets)
        assert sum(values.items() <= job.values.items() for values in sets) <= 1, name


@pytest.mark.parametrize("said", ["C is nan.", "falls by −inf points", "| NaN |", "None errs"])
def test_a_sentence_with_no_number_in_it_is_found(said):
    (found,) = swept.wrong(page(said))
    assert found.startswith("cell c says")


@pytest.mark.parametrize(
    "said", ["C(∞, P) is infinite", "information", "nano", "none of 12", "`renyi:inf`"]
)
def test_words_and_infinity_are_no_fault(said):
    assert list(swept.wrong(page(said))) == []
    assert list(swept.wrong(page("nan", "text/plain"))) == []


@pytest.mark.slow
@pytest.mark.parametrize("values", swept.SETS["03_toy_example"])
def test_the_toy_says_nothing_wrong_with_other_parameters(values):
    assert swept.run("03_toy_example", values) == []
