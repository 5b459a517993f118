"""Where things are: the checkout, its build folder, and the cache outside it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from cdplib.errors import DataError

#: The checkout: both packages are installed editable, chapters, presets and results beside them.
ROOT = Path(__file__).resolve().parent.parent.parent
BOOK = ROOT / "book"
PARAMS = ROOT / "params"
PUBLISHED = BOOK / "results"
BUILD = ROOT / "_build"


def settle() -> None:
    """Make ``$CDP_CACHE`` absolute, as it is meant where the program was started.

    Kernels and workers, which run in other folders, then mean the same one.
    """
    if given := os.environ.get("CDP_CACHE"):
        os.environ["CDP_CACHE"] = str(_home(given).absolute())


def cache() -> Path:
    """The folder for data, trained classifiers and points: ``$CDP_CACHE`` or the user's cache.

    Raises :class:`DataError` where neither is known: no HOME, and a user without an account.
    """
    if given := os.environ.get("CDP_CACHE"):
        return _home(given)
    try:
        return Path(platformdirs.user_cache_dir("cdp-book"))
    except RuntimeError:
        raise DataError(NO_HOME) from None


#: What is said where a folder of the user's is needed.
NO_HOME = "this user has no home folder: set HOME, or CDP_CACHE to the folder for data and points"


def _home(given: str) -> Path:
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise DataError(f"CDP_CACHE={given!r}: {NO_HOME}") from None
