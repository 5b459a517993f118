"""The planes of an experiment as a figure that answers: what ``book/_static/planes.js`` is given.

The script counts contradictions as :func:`cdpbook.statistics.shapes.count` does, from the same
rows; trainings that failed by the rules of the verdicts are drawn, and not counted.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from cdpbook import text
from cdpbook.claims import NAMES
from cdpbook.figures import answers
from cdpbook.figures.planes import PERCEPTION
from cdpbook.figures.samples import mosaic
from cdpbook.runs import Run
from cdpbook.studies import rules
from cdplib.experiments import classifiers

_EVERY = 99  # more weights than any grid has
_LABEL = "Linked planes: point at a restorer"
_STILL = "Pointing needs scripts; each experiment's page has the same planes, still."


def data(run: Run, perception: str = "p_judge", count: int = 6) -> dict[str, Any]:
    """All rows of ``run``, every classifier's error rate, and ``count`` test images at each point.

    ``rows`` are [beta, gamma, seed, failed, D, C, then each P and each other error rate], null
    where nothing was measured.
    """
    table = run.table[run.table["error_rate"].notna()].sort_values(["seed", "beta", "gamma"])
    measures = [name for name in PERCEPTION if name in table and table[name].notna().any()]
    order = classifiers.shown(run.settings.dataset)
    others = [name for name in order if f"error_rate_{name}" in table]
    columns = ["mse", "error_rate", *measures, *(f"error_rate_{name}" for name in others)]
    weights = table[["beta", "gamma", "seed"]].assign(failed=rules.failures(table) != "")
    rows = np.column_stack([weights.to_numpy(float), table[columns].to_numpy(float)])
    kept: dict[str, Any] = {
        "rows": rows,
        "perception": perception if perception in measures else measures[0],
        "measures": [[n, text.quantity(n).name, text.quantity(n).digits] for n in measures],
        "readers": [run.classifier, *(NAMES.get(name, name) for name in others)],
        "images": {},
    }
    if not count:
        return kept
    shown = run.images(count, rows=_EVERY, columns=_EVERY)
    for (beta, gamma), restored in shown["restored"].items():
        read = shown["predicted"][beta, gamma]
        kept["images"][f"{beta:g},{gamma:g}"] = {"source": _picture(restored), "read": read}
    pictures = {name: _picture(shown[name]) for name in ("original", "degraded")}
    return {**kept, **pictures, "labels": shown["labels"]}


def _picture(images: np.ndarray) -> str:
    """Images in a row as the address of a PNG."""
    pixels = np.round(255 * mosaic(images, len(images))).astype(np.uint8)
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
        return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def planes(run: Run, perception: str = "p_judge") -> str:
    """HTML of the linked planes of a run's points."""
    count = 6 if run.settings.dataset != "cifar10" else 4
    return answers.moving("planes", data(run, perception, count), _LABEL, _STILL)


def planes_of(runs: Mapping[str, Run], perception: str = "p_judge") -> str:
    """HTML of the linked planes of several runs, to be chosen among; without their images."""
    several = {text.title(name): data(run, perception, count=0) for name, run in runs.items()}
    return answers.moving("planes", {"runs": several}, _LABEL, _STILL)
