"""Lessons made of chapters: the plans of ``book/teaching.yml`` as tables."""

from __future__ import annotations

from typing import Any

from cdpbook import text
from cdpbook.notebooks import exercises, sources, teaching
from cdplib.errors import unknown


def plan(name: str) -> str:
    """What plan ``name`` is about and its steps, as Markdown; the total is the sum of the steps.

    Raises :class:`cdplib.errors.InputError` for an unknown plan.
    """
    plans = teaching.load()["plans"]
    if name not in plans:
        raise unknown("plan", name, plans)
    rows, spent = [], 0
    for step in plans[name]["steps"]:
        rows.append((f"{spent}", f"{step['minutes']}", _page(step["page"]), _what(step)))
        spent += step["minutes"]
    table = text.table(rows, ["from", "minutes", "page", "what"])
    return f"{plans[name]['about']}\n\n{table}\n\nIn all {spent} minutes."


def overview() -> str:
    """Every chapter that is studied: minutes to read, exercises, those with a check, questions."""
    rows = []
    for name, about in teaching.load()["chapters"].items():
        cells = sources.find(name).notebook(bare=True).cells
        own = exercises.of(cells)
        minutes = sum(exercise.minutes or 0 for exercise in own)
        checked = sum(exercise.tagged(exercises.CHECK) is not None for exercise in own)
        asked = len(about.get("questions", ()))
        tasks = f"{len(own)} in {minutes}" if own else ""
        rest = (f"{count}" if count else "" for count in (checked, asked))
        rows.append((_page(name), f"{teaching.reading(cells)}", tasks, *rest))
    head = ["page", "to read", "exercises", "checks", "questions"]
    return text.table(rows, head)


def _page(name: str) -> str:
    return f"{{doc}}`{name}`"


def _what(step: dict[str, Any]) -> str:
    """What is done in a step, with links to its figures and exercises."""
    figures = ", ".join(f"{{numref}}`{label}`" for label in step.get("figures", ()))
    tasks = ", ".join(f"{{ref}}`{label}`" for label in step.get("exercises", ()))
    links = ", ".join(part for part in (figures, tasks) if part)
    return f"{step['do']} ({links})" if links else str(step["do"])
