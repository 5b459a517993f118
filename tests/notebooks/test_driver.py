"""The driver on a chapter of four cells: values, provenance, what is executed again, failures."""

import json
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from cdpbook.notebooks import book, execute, inputs, provenance, run, site, sources
from cdplib.errors import DataError, InputError
from cdplib.storage import paths

CHAPTER = '''# %% [markdown]
r"""
(ch:tiny)=
# Tiny

A formula, $a^2$; see {ref}`ch:toy`, {eq}`eq:paper-7`, {prf:ref}`thm:cdp`.
"""

# %% tags=["parameters"]
a: int = 1  # in [0, 9]; the number
names: list[str] = ["x"]  # one of x|y|z; letters

# %%
import os
import sys

b = a + 1
print(b, names, os.environ["OMP_NUM_THREADS"], sys.executable)
'''
FRONT = "(ch:front)=\n# Front\n\nProse.\n"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A book of a front page and two chapters, in a folder of its own."""
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / "_static").mkdir()
    (folder / "index.md").write_text(FRONT)
    (folder / "references.bib").write_text("")
    (folder / "01_tiny.py").write_text(CHAPTER)
    (folder / "02_other.py").write_text(CHAPTER.replace("tiny", "other"))
    presets = tmp_path / "params"
    presets.mkdir()
    (presets / "smoke.yml").write_text("all: {a: 2, unrelated: 1}\n")
    monkeypatch.setattr(paths, "BOOK", folder)
    monkeypatch.setattr(paths, "PARAMS", presets)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(sources, "toc", lambda: ["index", "01_tiny", "02_other"])
    return folder


@pytest.fixture
def unrendered(monkeypatch):
    """Without the pages, which another test renders."""
    monkeypatch.setattr(site, "assemble", lambda *arguments: None)
    monkeypatch.setattr(site, "render", lambda source, output: output)


def output_of(notebook):
    return "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )


def test_run_writes_an_executed_notebook_and_its_page(tiny, tmp_path, capsys):
    import sys

    page = run.run_chapter("tiny", "smoke", ["names=[y,z]"], tmp_path / "out dir")
    notebook = nbformat.read(tmp_path / "out dir" / "01_tiny.ipynb", as_version=4)
    assert output_of(notebook) == f"3 ['y', 'z'] 1 {sys.executable}\n"
    assert [cell.id for cell in notebook.cells] == [
        "01_tiny-elsewhere",
        "01_tiny-000",
        "01_tiny-001",
        "01_tiny-injected",
        "01_tiny-begin",
        "01_tiny-002",
        "01_tiny-head",
        "01_tiny-made",
    ]
    hidden = [cell.id for cell in notebook.cells if "remove-cell" in cell.metadata.get("tags", ())]
    assert hidden == ["01_tiny-elsewhere", "01_tiny-begin"]  # pages leave them out
    made = notebook.cells[-1].outputs[0].data["text/markdown"]
    assert "cdp run 01_tiny --preset smoke -p 'names=[y,z]'" in made
    assert "| `names` | **`[y,z]`** | `[x]` | letters |" in made
    assert "| `a` | `2` | `2` | the number |" in made
    text = page.read_text()
    assert "How this page was made" in text
    assert "_downloads/" in text
    # Chapters that are not in this build are named, not linked.
    assert "see <em>The toy example: two Gaussians and one knob</em>, <span>(7)</span>" in text
    assert "<em>Theorem: Theorem 1 of the paper</em>" in text
    said = capsys.readouterr().out.splitlines()
    # On a machine that renders its first page MathJax is fetched, which takes one line more.
    assert len([line for line in said if not line.startswith("fetching ")]) == 3


def test_a_users_matplotlib_takes_no_figure_away(tiny, tmp_path, monkeypatch):
    drawing = "import matplotlib.pyplot as plt\n\nplt.plot([a, 1])\nplt.show()\n"
    (tiny / "01_tiny.py").write_text(CHAPTER.split("# %%\n")[0] + "# %%\n" + drawing)
    (tmp_path / "matplotlibrc").write_text("text.usetex: true\nfont.family: none of these\n")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path / "matplotlibrc"))
    execute.execute(execute.prepare(sources.find("tiny"), "smoke"), tmp_path / "out")
    notebook = nbformat.read(tmp_path / "out" / "01_tiny.ipynb", as_version=4)
    (output,) = [o for cell in notebook.cells[:-1] for o in cell.get("outputs", [])]
    assert "image/png" in output.data


def test_an_output_is_meant_where_the_command_was_given(tiny, tmp_path, monkeypatch):
    elsewhere, checkout = tmp_path / "elsewhere", tmp_path / "checkout"
    elsewhere.mkdir()
    (checkout / "res").mkdir(parents=True)
    monkeypatch.setattr(paths, "ROOT", checkout)  # kernels run there
    monkeypatch.setattr(site, "assemble", lambda *arguments, **how: None)
    monkeypatch.setattr(site, "render", lambda source, output, strict: elsewhere)
    monkeypatch.setattr(run.shutil, "copytree", lambda *arguments, **how: None)
    monkeypatch.chdir(elsewhere)
    run.run_chapter("tiny", "smoke", [], Path("res/deep/er"))
    assert (elsewhere / "res/deep/er/01_tiny.ipynb").is_file()
    (tiny / "01_tiny.py").write_text(CHAPTER.replace("b = a + 1", "b = a / 0"))
    with pytest.raises(DataError, match="division by zero"):
        run.run_chapter("tiny", "smoke", [], Path("res"))
    assert (elsewhere / "res/01_tiny.failed.ipynb").is_file()
    assert not list((checkout / "res").iterdir())


def test_a_chapter_is_found_beside_copies_and_drafts(tiny):
    (tiny / "01_tiny-Copy1.py").write_text(CHAPTER)
    (tiny / "01_draft.py").write_text(CHAPTER)
    assert sources.find("01").name == "01_tiny"
    assert sources.find("draft").name == "01_draft"


@pytest.mark.parametrize(
    ("chapter", "given", "said"),
    [
        ("tiny", "aa=1", "did you mean 'a'?"),
        ("tiny", "a=10", "a=10: 10 is not in [0, 9]"),
        ("tiny", "names=[w]", "'w' is not one of x, y, z"),
        ("tinny", "a=1", "unknown chapter 'tinny'"),
    ],
)
def test_wrong_input_starts_no_kernel(tiny, tmp_path, chapter, given, said):
    with pytest.raises(InputError) as error:
        run.run_chapter(chapter, "smoke", [given], tmp_path / "out")
    assert said in str(error.value)
    assert not (tmp_path / "out").exists()


def test_output_must_not_be_a_file(tiny, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="expected a folder"):
        run.run_chapter("tiny", "smoke", [], tmp_path / "out")
    with pytest.raises(InputError, match="is no folder"):
        run.run_chapter("tiny", "smoke", [], tmp_path / "out" / "deeper")


def test_a_chapter_of_prose_names_its_page_alone(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(site, "assemble", lambda *arguments, **how: None)
    monkeypatch.setattr(site, "render", lambda source, output, strict: output)
    monkeypatch.setattr(run.shutil, "copytree", lambda *arguments, **how: None)
    run.run_chapter("index", "smoke", [], tmp_path / "out")
    assert capsys.readouterr().out == f"index: {tmp_path / 'out' / 'index.html'}\n"


def test_a_book_executes_only_what_has_changed(tiny, unrendered, capsys):
    book.build("smoke", workers=2)
    assert "executing 2 chapters" in capsys.readouterr().out
    book.build("smoke", workers=2)
    assert capsys.readouterr().out.count("unchanged, not executed again") == 2
    (tiny / "02_other.py").write_text(CHAPTER.replace("tiny", "other").replace("+ 1", "+ 2"))
    book.build("smoke", workers=2)
    said = capsys.readouterr().out
    assert "01_tiny: unchanged" in said
    assert "executing 1 chapters, 2 at a time: 02_other" in said


@pytest.mark.parametrize("end", ["killed", "failed", "whole"])
def test_a_rendering_that_does_not_end_leaves_the_former_pages(tmp_path, monkeypatch, end):
    pages = tmp_path / "_build" / "html"
    pages.mkdir(parents=True)
    (pages / "former.html").write_text("former")
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "of_a_kill").write_text("")

    def rendered(command, **options):
        into = Path(command[command.index("--path-output") + 1]) / "_build" / "html"
        into.mkdir(parents=True)
        (into / "new.html").write_text("<html>")
        if end == "killed":
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(command, int(end == "failed"), "ERROR: something")

    monkeypatch.setattr(site.subprocess, "run", rendered)
    if end == "whole":
        assert site.render(tmp_path / "source", tmp_path) == pages
        assert not (tmp_path / "unfinished").exists()
    else:
        with pytest.raises((KeyboardInterrupt, DataError)):
            site.render(tmp_path / "source", tmp_path)
        assert not (tmp_path / "unfinished" / "of_a_kill").exists()
    assert [p.name for p in pages.iterdir()] == ["new.html" if end == "whole" else "former.html"]


def test_only_and_force_choose_chapters(tiny, unrendered, capsys):
    book.build("smoke", only=["tiny"])
    book.build("smoke", only=["tiny"], force=True)
    said = capsys.readouterr().out
    assert said.count("executing 1 chapters") == 2
    assert "02_other" not in said


def test_a_failing_chapter_is_named_with_its_cell_and_the_others_are_kept(tiny, unrendered):
    source = CHAPTER.replace("b = a + 1", "b = a / 0").replace("tiny", "other")
    (tiny / "02_other.py").write_text(source)
    with pytest.raises(DataError) as error:
        book.build("smoke", workers=2)
    assert "1 of 2 chapters failed" in str(error.value)
    assert "chapter 02_other failed in cell 02_other-002" in str(error.value)
    assert "ZeroDivisionError: division by zero" in str(error.value)
    executed = paths.BUILD / "smoke" / "executed"
    assert (executed / "01_tiny.ipynb").is_file()
    assert not (executed / "02_other.ipynb").exists()
    assert (executed / "02_other.failed.ipynb").is_file()


def test_a_chapter_whose_kernel_dies_is_named_in_one_line(tiny, unrendered):
    killed = "import os; os.kill(os.getpid(), 9); b = a"
    (tiny / "01_tiny.py").write_text(CHAPTER.replace("b = a + 1", killed))
    with pytest.raises(DataError, match="01_tiny: its kernel died"):
        book.build("smoke", workers=1)


def test_cells_and_what_they_write_of_their_points_are_told_as_they_come(tiny, tmp_path):
    source = CHAPTER + '\n# %%\nprint("1/2 point: about 3 s left", file=sys.stderr)\n'
    (tiny / "01_tiny.py").write_text(source)
    job, heard = execute.prepare(sources.find("tiny"), "smoke"), []
    assert execute.last_time(job, tmp_path) is None
    took = execute.execute(job, tmp_path, lambda *told: heard.append(told))
    cells = heard[0][1]
    assert [done for done, _, text in heard if not text] == list(range(cells))
    assert [told for told in heard if told[2]] == [
        (cells - 1, cells, "1/2 point: about 3 s left\n")
    ]
    assert execute.last_time(job, tmp_path) == round(took, 1)


def test_the_digest_follows_source_values_and_preset(tiny):
    def digest(preset="smoke", **given):
        return execute.prepare(sources.find("tiny"), preset, given).digest

    before = digest()
    assert digest() == before
    assert digest(a=3) != before
    (paths.PARAMS / "quick.yml").write_text("all: {a: 2}\n")
    assert digest("quick") != before
    (tiny / "01_tiny.py").write_text(CHAPTER.replace("A formula", "The formula"))
    assert digest() != before


def test_the_digest_follows_measurements_and_the_results_of_experiments_only(tiny, monkeypatch):
    def digest():
        return execute.prepare(sources.find("tiny"), "smoke").digest

    before = digest()
    (tiny / "_static" / "bench.json").write_text("{}")
    assert digest() != before
    # A checkout in a folder of that name is no reason to read the results.
    results = tiny.parent / "experiments"
    results.mkdir()
    monkeypatch.setattr(paths, "ROOT", results)
    monkeypatch.setattr(paths, "PUBLISHED", results)
    for text, source in (("", CHAPTER), ("from cdplib.experiments import results\n", CHAPTER)):
        (tiny / "01_tiny.py").write_text(source.replace("import os\n", f"import os\n{text}"))
        (results / "requirements.txt").write_text("")
        before = digest()
        (results / ".publishing.lock").write_text("")
        assert digest() == before
        (results / f"exp{len(text)}.csv").write_text("")
        assert (digest() != before) is bool(text)


def test_a_damaged_record_means_executing_again(tiny, tmp_path):
    job = execute.prepare(sources.find("tiny"), "smoke")
    assert not execute.is_fresh(job, tmp_path)
    (tmp_path / "01_tiny.json").write_text(json.dumps({"digest": job.digest}))
    assert not execute.is_fresh(job, tmp_path)  # the notebook itself is missing
    (tmp_path / "01_tiny.ipynb").write_text("{}")
    assert execute.is_fresh(job, tmp_path)
    (tmp_path / "01_tiny.json").write_text("[")
    assert not execute.is_fresh(job, tmp_path)


def test_imports_are_followed_through_cdplib_and_no_further():
    files, packages = inputs.closure("from cdplib.theory import toy\n%matplotlib inline\n")
    names = {path.name for path in files}
    assert "toy.py" in names
    assert "errors.py" in names
    assert "numpy" in packages
    assert not any("experiments" in path.parts for path in files)
    assert "torch" not in packages


def test_the_command_in_the_provenance_is_read_back_as_the_same_values():
    import shlex

    from cdplib import parameters

    values = {"f": [1e-05, 2.0], "s": "", "t": "on", "b": False, "w": "a b", "n": -3}
    command = provenance.command("01_x", "read", values, dict.fromkeys(values))
    words = [word for word in shlex.split(command) if "=" in word]
    read = parameters.assignments(words)
    check = parameters.Parameter("f", "list[float]", [])
    assert check.check(read.pop("f")) == values.pop("f")
    assert read == values


def test_what_a_cell_prints_is_one_output_a_stream_however_it_was_sent():
    def stream(name, text):
        return nbformat.v4.new_output("stream", name=name, text=text)

    figure = nbformat.v4.new_output("display_data", {"text/plain": "x"})
    cut = [stream("stdout", "c"), stream("stdout", "\n")]
    sent = [
        [stream("stdout", "a\nb\n"), stream("stderr", "w\n"), figure, stream("stdout", "c\n")],
        [stream("stdout", "a\nb"), stream("stderr", "w\n"), stream("stdout", "\n"), figure, *cut],
        [stream("stderr", "w\n"), stream("stdout", "a\nb\n"), figure, stream("stdout", "c\n")],
    ]
    whole = [execute._whole_streams(outputs) for outputs in sent]
    assert whole[0] == whole[1] == whole[2]
    assert [output.get("text") for output in whole[0]] == ["a\nb\n", "w\n", None, "c\n"]


def test_a_chapter_executed_twice_is_the_same_bytes(tiny, tmp_path):
    for folder in ("one", "two"):
        execute.execute(execute.prepare(sources.find("tiny"), "smoke"), tmp_path / folder)
    one, two = ((tmp_path / f / "01_tiny.ipynb").read_text() for f in ("one", "two"))
    # When it was made, and how long that took, is said at its end.
    time = re.compile(r"[0-9-]{10} [0-9:]{5} UTC|[0-9.]+ s(?:econds)?\b")
    assert time.sub("", one) == time.sub("", two)
