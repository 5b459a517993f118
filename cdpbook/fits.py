"""How far published clouds are from a shape, judged by a simulation: simulated once and published.

``book/results/fits.csv`` has a line a cloud and shape, known by a digest of the cloud's numbers and
of the code of :mod:`.shapes`; anything else is simulated where it is asked for.
``python -m cdpbook.refits`` simulates what the pages ask of the published rows and writes the file.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import numpy as np
import pandas as pd

from cdpbook.statistics import shapes
from cdpbook.statistics.shapes import Cloud, Fit, Shape
from cdplib.experiments import generation
from cdplib.storage import files, paths, store

FILE = "fits.csv"
DRAWS = 99
_FITS: dict[str, tuple[str, Fit]] = {}  # what this process asked for: shape and fit, by digest


@functools.cache
def _code() -> str:
    return generation.plain(ast.parse(Path(shapes.__file__).read_text(encoding="utf-8")))


def rests_on(points: Cloud, shape: Shape) -> str:
    """A digest of all that a fit needs; numbers in ten digits, as sums differ by machine beyond."""
    numbers = np.concatenate([*points.means, points.noise])
    told = [f"{value:.9e}" for value in numbers]
    known = {"cloud": told, "shape": shape.__name__, "draws": DRAWS, "code": _code()}
    return store.digest(known)[:16]


def distance(points: Cloud, shape: Shape) -> Fit:
    """:func:`.shapes.distance` in :data:`DRAWS` draws: as published, else simulated, once."""
    key = rests_on(points, shape)
    if key not in _FITS:
        found = _published().get(key) or shapes.distance(points, shape, DRAWS)
        _FITS[key] = (shape.__name__, found)
    return _FITS[key][1]


@functools.cache
def _published() -> dict[str, Fit]:
    file = paths.PUBLISHED / FILE
    if not file.is_file():
        return {}
    table = pd.read_csv(file, dtype={"rests_on": str}, float_precision="round_trip")
    columns = ["rests_on", *Fit.__dataclass_fields__]
    return {key: Fit(*values) for key, *values in table[columns].itertuples(index=False)}


def publish() -> None:
    """Write every fit that this process was asked for to the file, in place of what it has."""
    lines = [
        (shape, key, f.residual, f.noise, f.p_value) for key, (shape, f) in sorted(_FITS.items())
    ]
    columns = ["shape", "rests_on", *Fit.__dataclass_fields__]
    files.write_table(paths.PUBLISHED / FILE, pd.DataFrame(lines, columns=columns))
