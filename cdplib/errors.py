"""The one exception that means "the input was wrong": the command line shows it as one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Wrong input by a user: the message quotes it and says what was expected.

    ``cdp`` prints the message as a single line and ends with status 2.
    """


class DataError(RuntimeError):
    """Something outside the program failed (network, disk, a damaged file): status 1."""


def unknown(kind: str, given: object, known: Iterable[object]) -> InputError:
    """An :class:`InputError` for a name that is not one of ``known``, with the nearest one.

    Names from YAML may be of any type.
    """
    names = sorted(map(str, known))
    if not names:
        return InputError(f"unknown {kind} {given!r}: there are none")
    near = difflib.get_close_matches(str(given), names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"unknown {kind} {given!r}: {hint}expected one of {', '.join(names)}")
