"""Chapters run with other parameters than their own, and what then is wrong in what they say.

``python -m cdpbook.notebooks.swept [CHAPTER ...]`` runs each (default: all that have parameters)
with its three sets, prints a line for each, and ends with 1 where one fails.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdpbook.notebooks import execute, sources
from cdplib.errors import DataError
from cdplib.storage import files

_MEASURES = [{"perception": name} for name in ("p_critic", "sliced_w2", "frechet")]
#: What each chapter is run with: far from its defaults, near the ends of ranges, quick.
SETS: dict[str, list[dict[str, Any]]] = {
    "playground": [{"digits": 1}, {"digits": 3}, {"digits": 50}],
    "01_formulation": [
        {"prior": 0.95, "flip": 0.1, "n_samples": 20000},
        {"prior": 0.1, "flip": 1.0, "n_restorers": 50},
        {"prior": 0.5, "flip": 0.0, "seed": 7},
    ],
    "02_proof_checks": [
        {"n_exact": 1, "n_solved": 6, "n_search": 300},
        {"n_exact": 10, "n_solved": 7, "seed": 0},
        {"n_solved": 6, "seed": 4294967295},
    ],
    "03_toy_example": [
        {"wrong_threshold": 0.42, "gain": 3.0, "n_exact": 16},
        {"small_D": 0.749, "D_max": 2.0, "P_max": 3.0, "n_grid": 9},
        {"small_D": 0.667, "D_max": 0.68, "P_max": 0.02, "wrong_threshold": -3.0},
    ],
    "04_exact_cdp": [
        {"n": 16, "threshold": 0.43, "side": 6, "divergence": "tv"},
        {"n": 20, "threshold": 3.0, "side": 6, "divergence": "w1", "P_max": 1.0},
        {"n": 16, "side": 6, "divergence": "hellinger2", "prior": 0.5, "flip": 0.29},
    ],
    "05_experiments": [
        {"datasets": ["fashion-mnist"], "experiment": "exp4"},
        {"datasets": ["mnist"], "n_images": 2, "experiment": "exp1"},
        {"datasets": ["cifar10"], "experiment": "exp5"},
    ],
    **dict.fromkeys(("06_exp1", "07_exp2", "08_exp3", "09_exp4", "10_exp5"), _MEASURES),
    "11_verdicts": [{"perception": "frechet"}, {"source": "quick"}, {"source": "full"}],
    "12_who_benefits": [{"source": "quick"}, {"source": "full"}, {"examples_shown": 0}],
    "13_measuring_perception": [
        {"dataset": "fashion-mnist", "images": 500, "critic_steps": 2},
        {"images": 600, "clip": 0.1, "samples": [50, 100], "critic_steps": 2},
        {"images": 500, "seed": 3, "samples": [20], "critic_steps": 1},
    ],
    "14_theory_and_experiment": [
        {"experiment": "exp1", "permutations": 99, "side": 11, "n": 16},
        {"experiment": "exp4", "divergence": "tv", "threshold": 0.5, "permutations": 99},
        {"experiment": "exp5", "perception": "frechet", "permutations": 99, "side": 11},
    ],
    "15_ablations": [{"images": 100, "sizes": [1]}, {"sizes": [50]}, {"sizes": [10, 10000]}],
    "16_real_digits": [
        {"classifier": "logistic", "digits": 50, "noisy": 20},
        {"sigma": 1, "digits": 60, "noisy": 30, "P": 0.0},
        {"digits": 50, "noisy": 50, "P": 1.0, "seed": 9},
    ],
    "17_more_theory": [
        {"thresholds": [0.5, 1.5], "n": 24, "pieces": [1, 2], "sizes": [8, 16]},
        {"thresholds": [0.42], "n": 24, "flip": 0.29, "sizes": [8, 16], "threshold": 3.0},
        {"thresholds": [-1.0, 0.0, 2.0], "n": 24, "P_line": 0.05, "sizes": [8, 16]},
    ],
    "18_near_the_bound": [
        {"examples": 2, "beta": 0.0, "restored": 50},
        {"beta": 0.12, "restored": 100},
        {"examples": 12, "beta": 0.0123, "restored": 60},
    ],
    "19_trained_longer": _MEASURES,
    "20_flow": [{"examples": n} for n in (2, 5, 10)],
    "findings": [{"show": name} for name in ("all", "confirmed", "failed")],
    "deviations": [{"show": name} for name in ("all", "measured", "missing")],
    "reproducibility": [{"machine_tables": False}],
}
# Numbers that are none, as Python and as the book writes them; ∞ is a number that a page may say.
_NONE = re.compile(r"(?<![\w.-])(?:[+−-]?(?:nan|NaN|inf)|None)(?![\w-])")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.S)  # names, as of a divergence: renyi:inf


def wrong(notebook: Any) -> Iterator[str]:
    """What is no number in the sentences and tables that ``notebook`` computed, each in context."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            said = _CODE.sub("", output.get("data", {}).get("text/markdown", ""))
            for match in _NONE.finditer(said):
                around = " ".join(said[max(0, match.start() - 40) : match.end() + 20].split())
                yield f"cell {cell.id} says {match[0]!r}: {around}"


def run(chapter: str, values: Mapping[str, Any]) -> list[str]:
    """Run ``chapter`` in preset ``read`` with ``values``; what is wrong, in words.

    Raises :class:`cdplib.errors.InputError` where the chapter does not take them.
    """
    import nbformat

    job = execute.prepare(sources.find(chapter), "read", values)
    with files.scratch("cdp-swept") as folder:
        try:
            execute.execute(job, folder)
        except DataError as error:
            return [" ".join(str(error).split())]
        return list(wrong(nbformat.read(folder / f"{job.chapter.name}.ipynb", as_version=4)))


def main(chapters: Sequence[str]) -> int:
    """Run the sets of ``chapters``; 1 where something is wrong."""
    failed = 0
    execute.share_imports()
    for name in [sources.find(chapter).name for chapter in chapters] or SETS:
        for values in SETS[name]:
            started = time.monotonic()
            found = run(name, values)
            failed += bool(found)
            print(f"{name} {values}: {'; '.join(found) or 'right'}", end=" ")
            print(f"({time.monotonic() - started:.0f} s)", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
