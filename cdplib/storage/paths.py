"""Where things are: the checkout, its build folder, and the cache outside it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

#: The checkout: both packages are installed editable, chapters, presets and results beside them.
ROOT = Path(__file__).resolve().parent.parent.parent
BOOK = ROOT / "book"
PARAMS = ROOT / "params"
PUBLISHED = BOOK / "results"
BUILD = ROOT / "_build"


def cache() -> Path:
    """The folder for data, trained classifiers and points: ``$CDP_CACHE`` or the user's cache."""
    given = os.environ.get("CDP_CACHE")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("cdp-book"))
