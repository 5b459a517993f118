"""``cdp params``: what a chapter can be given, and what a preset makes of it."""

from __future__ import annotations

import textwrap

from cdpbook import asked
from cdpbook.notebooks import job, sources
from cdplib.parameters import Parameter


def listing(chapter: str, preset: str = "read") -> str:
    """The parameters of ``chapter`` as plain text: type, range, default, the preset's value.

    A value that ``preset`` changes stands beside the default. Raises
    :class:`cdplib.errors.InputError` for an unknown chapter or preset.
    """
    found = sources.find(chapter)
    declared = found.declared()
    if not declared:
        return f"{found.name} has no parameters"
    values = job.prepare(found, preset).preset_values
    lines = [f"{found.name}, preset {preset}: cdp run {found.name} --preset {preset} -p NAME=VALUE"]
    for name, parameter in declared.items():
        default, value = asked.as_yaml(parameter.default), asked.as_yaml(values[name])
        kind = f"{parameter.kind}{_expected(parameter)}{' or null' if parameter.optional else ''}"
        changed = f", {value} in preset {preset}" if value != default else ""
        lines += ["", f"{name}={default}{changed}", f"    {kind}"]
        lines += textwrap.wrap(
            parameter.help, 96, initial_indent=" " * 4, subsequent_indent=" " * 4
        )
    return "\n".join(lines)


def _expected(parameter: Parameter) -> str:
    """The range or the choices, as an error would name them."""
    if parameter.choices:
        return f", one of {', '.join(map(str, parameter.choices))}"
    return f" in {parameter.range}" if parameter.bounded else ""
