"""Executed notebooks hold no user, no host and no path of the machine that made them."""

import getpass
import re
import socket
from pathlib import Path

import pytest

from cdplib.storage import paths

#: Homes on Linux and macOS, and where temporary files are.
HOMES = ("home", "Users", "root", "tmp", "private", "var")
PATHS = rf"(?<![\w.:/])/(?:{'|'.join(HOMES)})/\w|site-packages"


def told(text):
    """What of this machine, or of any, the text tells."""
    words = {socket.gethostname(), str(paths.ROOT), str(Path.home())} - {"", "/", "localhost"}
    words |= {getpass.getuser()} - {"root"}  # which is a word of mathematics, too
    own = [rf"(?<!\w){re.escape(word)}(?!\w)" for word in words]
    # pictures, as base64, have every short word in them
    return re.findall("|".join([PATHS, *own]), re.sub(r"[\w+/=\\]{300,}", "", text))


def executed():
    """Notebooks that were executed, and pages that were made, here and for the golden outputs."""
    golden = (paths.ROOT / "tests" / "golden").rglob("*.ipynb")
    built = [p for kind in ("*.ipynb", "*.html") for p in paths.BUILD.glob(f"*/executed/{kind}")]
    pages = paths.BUILD.glob("*/_build/html/*.html")
    # A chapter that failed leaves its traceback beside them, for whoever ran it.
    return [*golden, *(p for p in built if not p.name.endswith(".failed.ipynb")), *pages]


@pytest.mark.parametrize("path", executed(), ids=lambda path: path.stem)
def test_an_executed_notebook_tells_nothing_of_who_made_it(path):
    assert told(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text", [*(f"in /{home}/ada" for home in HOMES), str(paths.ROOT), str(Path.home())]
)
def test_what_would_tell_is_found(text):
    assert told(f"see {text}")
    assert told("the square root of a host; see book/results and /dev/null") == []
