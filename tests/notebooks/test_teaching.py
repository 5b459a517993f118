"""What chapters teach: every one has its box; plans fill their time with what the chapters have."""

import re

import nbformat
import pytest

from cdpbook import plans
from cdpbook.notebooks import classroom, exercises, sources, teaching
from cdplib.errors import InputError

DATA = teaching.load()
CHAPTERS = list(DATA["chapters"])
md, py = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell


HINT = re.compile(r"<details class=\"hint\"><summary>Hint</summary>.*?</details>", re.S)


def text_of(name):
    return "\n\n".join(cell.source for cell in sources.find(name).notebook().cells)


def test_every_page_of_the_contents_teaches_or_is_looked_up():
    assert sorted([*CHAPTERS, *DATA["others"]]) == sorted(sources.toc())


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_says_goals_needs_and_minutes_between_its_answer_and_its_first_section(name):
    cells = sources.find(name).notebook().cells
    (place,) = [n for n, cell in enumerate(cells) if cell.id == f"{name}-goals"[-64:]]
    for words in ("You learn to", "You need", "to read"):
        assert words in cells[place].source
    before = "\n".join(cell.source for cell in cells[:place] if cell.cell_type == "markdown")
    assert before.count("\n# ") + before.startswith("# ") == 1
    assert "\n## " not in before
    assert len({cell.id for cell in cells}) == len(cells)


@pytest.mark.parametrize("name", CHAPTERS)
def test_nothing_of_a_chapter_is_lost_or_moved_by_what_is_added(name):
    added = {f"{name}-goals"[-64:], f"{name}-questions"[-64:]}
    bare, full = (sources.find(name).notebook(bare=b).cells for b in (True, False))
    kept = [cell for cell in full if cell.id not in added]
    code = [[c.source for c in cells if c.cell_type == "code"] for cells in (bare, kept)]
    assert code[0] == code[1]
    texts = [" ".join(c.source for c in cells) for cells in (bare, kept)]
    assert texts[0].split() == HINT.sub("", texts[1]).split()


@pytest.mark.parametrize("name", CHAPTERS)
def test_five_questions_stand_behind_folds_before_the_exercises(name):
    text = text_of(name)
    asked, heading, _ = text.partition("## Ask yourself")[2].partition("## Exercises")
    assert heading or not exercises.of(sources.find(name).notebook().cells)
    assert asked.count("<summary>") == asked.count("</details>") == 5
    assert "<script" not in asked
    assert asked.count("</summary>\n\n") == 5, "an answer is Markdown only after an empty line"
    summaries = re.findall(r"<summary>(.*?)</summary>", asked, re.S)
    assert not [one for one in summaries if re.search(r"[$`*{\\]", one)], "no Markdown is in these"


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_exercise_ends_in_one_hint_which_is_no_part_of_its_solution(name):
    cells = sources.find(name).notebook().cells
    own = [exercise.label for exercise in exercises.of(cells)]
    hints = DATA["chapters"][name].get("hints", {})
    assert list(hints) == own
    assert text_of(name).count("<summary>Hint</summary>") == len(own)
    for _, cell in (part for part in exercises.split(cells) if part[0]):
        assert "<summary>Hint</summary>" not in cell.source
    student = sources.find(name).notebook(student=True).cells
    assert sum(cell.source.count("<summary>Hint</summary>") for cell in student) == len(own)


def test_a_hint_stands_in_its_exercise_and_nowhere_else():
    one = "```{exercise-start} One (5 minutes)\n:label: ex:one\n```\nask\n```{exercise-end}\n```"
    two = one.replace("ex:one", "ex:two").replace("ask", "beg")
    found = teaching.hinted(f"{one}\n\n{two}", {"ex:two": "*Look* twice."})
    fold = '<details class="hint"><summary>Hint</summary>\n\n*Look* twice.\n\n</details>'
    assert found == f"{one}\n\n{two}".replace("beg\n", f"beg\n\n{fold}\n\n")
    assert teaching.hinted(one, {"ex:two": "none"}) == one


def test_what_goes_wrong_is_told_to_instructors_alone():
    wrong = teaching.load(name=teaching.INSTRUCTOR)
    assert list(wrong) == [name for name in CHAPTERS if name != "playground"]
    for name, items in wrong.items():
        chapter = sources.find(name)
        theirs = classroom.assignment(chapter, solved=True).cells
        (place,) = [n for n, cell in enumerate(theirs) if cell.id == f"{name}-wrong"[-64:]]
        assert theirs[place].source.count("\n* ") == len(items) >= 2
        assert "## Exercises" in theirs[place + 1].source
        for other in (chapter.notebook(), classroom.assignment(chapter)):
            assert not any("what goes wrong" in cell.source for cell in other.cells)
    assert not any(teaching.INSTRUCTOR in name for name in classroom.TREE)


@pytest.mark.parametrize("name", DATA["plans"])
def test_the_steps_of_a_plan_fill_its_time_and_exist(name):
    plan = DATA["plans"][name]
    assert sum(step["minutes"] for step in plan["steps"]) == plan["minutes"]
    assert f"In all {plan['minutes']} minutes" in plans.plan(name)
    for step in plan["steps"]:
        chapter = sources.find(step["page"])
        own = {e.label: e.minutes or 0 for e in exercises.of(chapter.notebook().cells)}
        asked = [own[label] for label in step.get("exercises", ())]
        assert sum(asked) <= step["minutes"], step
        for label in step.get("figures", ()):
            assert f'"{label}"' in chapter.text(), label
        assert set(step) <= {"minutes", "page", "figures", "exercises", "do"}


def test_the_lab_has_checks_to_go_on_by():
    asked = [label for step in DATA["plans"]["lab"]["steps"] for label in step.get("exercises", ())]
    cells = [sources.find(s["page"]).notebook().cells for s in DATA["plans"]["lab"]["steps"]]
    found = {e.label: e for own in cells for e in exercises.of(own)}
    assert all(found[label].tagged(exercises.CHECK) for label in asked)


def test_an_unknown_plan_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'lecture'"):
        plans.plan("lectures")


def test_minutes_are_counted_from_words_outside_exercises():
    task = "```{exercise-start} One (5 minutes)\n:label: ex:one\n```\nask\n```{exercise-end}\n```"
    cells = [md("# Title\n\n" + 1000 * "word "), py("x = 1\n" * 500)]
    cells += [md("## Exercises\n\n" + task + "\n\n" + 500 * "word ")]
    assert teaching.reading(cells) == 10
    said = teaching.box(cells, {"goals": "count", "needs": "numbers"})
    assert "about 10 to read, 5 for an exercise." in said
    paper = task.replace("(5 minutes)", "(paper, 7 minutes)")
    assert exercises.of([md(paper)])[0].minutes == 7
    longer = task.replace("(5 minutes)", "(overnight)").replace("ex:one", "ex:two")
    said = teaching.box([*cells, md(longer)], {"goals": "count", "needs": "numbers"})
    assert "5 for an exercise, with 1 more that may take longer." in said


def test_a_page_that_the_file_does_not_name_is_left_as_it_is(tmp_path):
    cells = [md("# Draft\n\n## Section")]
    assert teaching.with_teaching("draft", cells) is cells
    assert teaching.load(tmp_path) == {}
    (tmp_path / "teaching.yml").write_text("chapters: {a: 1, a: 2}")
    with pytest.raises(InputError, match="'a' is given twice"):
        teaching.load(tmp_path)
