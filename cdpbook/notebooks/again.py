"""What a downloaded notebook does for itself: checks its values, and says how it was made.

Two cells of every executed notebook call these, so that plain papermill or Jupyter refuses what
`cdp run` refuses, and the last cell tells of this run and of no earlier one.
"""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdpbook.notebooks import provenance, sources
from cdpbook.notebooks.job import Job, check_trained, preset_values
from cdplib import parameters
from cdplib.errors import InputError, unknown

_BEGIN = """\
# Checks the values above, whoever runs this notebook, and starts the clock of its last cell.
from cdpbook.notebooks import again

declares = r'''
{declares}
'''
again.begin({name!r}, preset={preset!r}, source={source!r}, student={student}, declares=declares)"""


class Refused(InputError):
    """Wrong values; a notebook shows the one line and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"InputError: {self}"]


@dataclass(frozen=True)
class _Begun:
    """A run of a notebook from its checked values on."""

    job: Job
    declared: Mapping[str, parameters.Parameter]
    source: str
    at: float


_begun: _Begun | None = None


def begin_cell(job: Job) -> str:
    """The code of the cell after the parameters: a call of :func:`begin`."""
    cells = job.chapter.notebook().cells
    declares = [c.source for c in cells if "parameters" in c.metadata.get("tags", ())]
    return _BEGIN.format(
        name=job.chapter.name,
        preset=job.preset,
        source=provenance.source_digest(job.chapter),
        student=job.student,
        declares="\n".join(declares),
    )  # fmt: skip


def made_cell(packages: Sequence[str]) -> str:
    """The code of the last cell: a call of :func:`made`."""
    return f"again.made({', '.join(map(repr, packages))})"


def begin(name: str, *, preset: str, source: str, student: bool, declares: str) -> None:
    """Check the values of the notebook that calls this against its declarations.

    ``name`` is the chapter's, ``source`` the digest of the source that the notebook was made from,
    ``declares`` its parameters cell. An int becomes a float where one is declared. Raises
    :class:`Refused`, one line, for an unknown name or a wrong value.
    """
    from IPython.core.getipython import get_ipython

    global _begun
    shell = get_ipython()
    assert shell is not None  # a notebook calls this
    try:
        declared = parameters.declared(declares)
        for injected in _injected(shell.user_ns["In"]):
            if injected not in declared:
                raise unknown("parameter", injected, declared)
        values = {n: p.check(shell.user_ns.get(n, p.default)) for n, p in declared.items()}
        chapter = sources.find(name)
        check_trained(chapter, values)
        preset = values.get("preset", preset)
        base = preset_values(chapter, preset, declared)
    except InputError as error:
        raise Refused(str(error)) from None
    shell.user_ns.update(copy.deepcopy(values))  # a cell may change its lists
    _begun = _Begun(Job(chapter, preset, values, base, student), declared, source, time.monotonic())


def _injected(cells: Sequence[str]) -> list[str]:
    """The names that papermill's cell assigns, of the sources that a kernel has run."""
    found = [cell for cell in cells if cell.startswith("# Parameters\n")]
    body = ast.parse(found[-1]).body if found else []
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def made(*packages: str) -> Any:
    """How this run was made, as Markdown; ``packages`` are the import names whose versions count.

    Raises :class:`Refused` before :func:`begin`.
    """
    from IPython.display import Markdown

    if _begun is None:
        raise Refused("nothing was begun: run the cell after the parameters, and all after it")
    seconds = time.monotonic() - _begun.at
    return Markdown(provenance.table(_begun.job, _begun.declared, _begun.source, packages, seconds))
