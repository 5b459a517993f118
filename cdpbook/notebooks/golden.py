"""Golden notebooks: chapters as executed by the preset ``smoke``, with the outputs that are pinned.

``python -m cdpbook.notebooks.golden`` writes them; pytest (nbval) runs them again and compares the
outputs of the cells tagged ``nbval-check-output``. A chapter is golden when it has such a cell and
needs no torch, whose numbers depend on the processor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cdpbook.notebooks import execute, inputs, sources
from cdplib.storage import files, paths

FOLDER = paths.ROOT / "tests" / "golden" / "smoke"
TAG = "nbval-check-output"


def chapters() -> list[sources.Chapter]:
    """The chapters of the table of contents that have pinned outputs."""
    found = [sources.find(name) for name in sources.toc()]
    return [chapter for chapter in found if _is_golden(chapter)]


def _is_golden(chapter: sources.Chapter) -> bool:
    notebook = chapter.notebook()
    tagged = any(TAG in cell.metadata.get("tags", ()) for cell in notebook.cells)
    return tagged and "torch" not in inputs.closure(inputs.code_of(notebook))[1]


def code(chapter: sources.Chapter) -> list[str]:
    """The code cells of ``chapter`` as the preset ``smoke`` runs them."""
    from papermill.parameterize import parameterize_notebook

    job = execute.prepare(chapter, "smoke")
    changed = execute.injected(job)
    notebook = chapter.notebook()
    if changed:
        notebook = parameterize_notebook(notebook, changed, kernel_name="python3")
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def strip(notebook: Any) -> Any:
    """``notebook`` with the chapter's code cells alone and the outputs of the tagged ones."""
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [c for c in code_cells if execute.DRIVER not in c.metadata.get("tags", ())]
    notebook.metadata = {"kernelspec": dict(sources.KERNEL)}
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        if TAG not in tags:
            cell.outputs = []
    return notebook


def write(folder: Path = FOLDER) -> None:
    """Execute every golden chapter and write it; files of chapters that are not golden go."""
    import nbformat

    kept = set()
    for chapter in chapters():
        with files.scratch("cdp-golden") as work:
            seconds = execute.execute(execute.prepare(chapter, "smoke"), work)
            notebook = strip(nbformat.read(work / f"{chapter.name}.ipynb", as_version=4))
        target = folder / f"{chapter.name}.ipynb"
        files.write_text(target, nbformat.writes(notebook) + "\n")
        kept.add(target)
        print(f"{chapter.name}: {seconds:.0f} s, {target.stat().st_size // 1000} KB", flush=True)
    for path in set(folder.glob("*.ipynb")) - kept:
        path.unlink()
        print(f"{path.name}: no longer golden, removed", flush=True)


if __name__ == "__main__":
    write()
