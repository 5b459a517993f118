"""C(D,P) of real digits, solved once: a line a point, with its certificate's two bounds.

``book/results/real_digits.csv`` is written by ``python -m cdpbook.surfaces [PART ...]``, each line
as soon as it is solved; lines that are there are not solved again.  A line counts while the data,
the classifier and :data:`VERSION` are those that it rests on.
"""

from __future__ import annotations

import csv
import functools
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cdpbook.studies import planar, real_digits, trained
from cdpbook.studies.real_digits import Sample, Setting
from cdplib.errors import DataError, unknown
from cdplib.experiments import classifiers, datasets
from cdplib.storage import paths, store
from cdplib.theory import exact
from cdplib.theory.solver.engine import Engine

#: Bumped when the same setting would give other numbers.
VERSION = 1
COMMAND = "python -m cdpbook.surfaces"
SETTING = tuple(Setting.__dataclass_fields__)
#: ``name`` says which number of a part a line is; ``value`` is C where D and P are budgets.
FIELDS = (
    *("part", *SETTING, "divergence", "name"),
    *("D", "P", "value", "lower", "upper", "lam", "mu", "status", "seconds", "rests_on"),
)  # fmt: skip
Line = dict[str, Any]

CLASSIFIERS, SIGMAS = ("cnn1", "logistic"), (2.0, 1.0)
SETTINGS = [Setting(name, sigma) for sigma in SIGMAS for name in CLASSIFIERS]
#: Sizes N = m of the growth, each with its seeds (and blocks of digits).
GROWTH = {125: 8, 250: 6, 500: 4, 1000: 2, 2000: 1}
#: Shares by which D is above the least one of its P.
RIM = (1e-6, 1e-4, 1e-3, 1e-2, 0.1)
LADDER = [250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 55000]


def file() -> Any:
    """Where the lines are."""
    return paths.PUBLISHED / "real_digits.csv"


@functools.cache
def rests_on(classifier: str) -> str:
    """A digest of the data, the classifier and the version."""
    used = classifiers.key(classifier, "mnist") if classifier else ""
    known = {"data": datasets.get("mnist").digest, "classifier": used, "v": VERSION}
    return store.digest(known)[:16]


def lines(part: str, **where: Any) -> pd.DataFrame:
    """The published lines of ``part`` with these values, in the order in which they were solved.

    Raises :class:`DataError` where there is none for these data and this classifier.
    """
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    table = _table()
    table = table[table["part"] == part]
    for name, value in where.items():
        table = table[table[name] == value]
    now = [rests_on(name) for name in table["classifier"].fillna("")]
    table = table[table["rests_on"] == now]
    if table.empty:
        raise DataError(f"{part} {where}: nothing is published in {file().name}; run: {COMMAND}")
    point = ["part", *SETTING, "divergence", "name", "D", "P"]
    return table.drop_duplicates(point, keep="last").reset_index(drop=True)


def surface(part: str, **where: Any) -> exact.Surface:
    """The published points of one surface as the solver would return them."""
    table = lines(part, **where)
    Ds, Ps = np.sort(table["D"].unique()), np.sort(table["P"].unique())
    known = {
        name: table.pivot(index="D", columns="P", values=name).reindex(index=Ds, columns=Ps)
        for name in ("value", "lower", "upper", "lam", "mu", "status")
    }
    missing = known["status"].isna().to_numpy()
    if missing.any():
        raise DataError(f"{part} {where}: {missing.sum()} points are missing; run: {COMMAND}")
    numbers = {n: v.to_numpy(dtype=float) for n, v in known.items() if n != "status"}
    return exact.Surface(Ds, Ps, status=known["status"].to_numpy(dtype=str), **numbers)


def _table() -> pd.DataFrame:
    if not file().is_file():
        return pd.DataFrame(columns=list(FIELDS))
    text = dict.fromkeys(
        ("part", "classifier", "alphabet", "divergence", "name", "status", "rests_on"), str
    )
    return pd.read_csv(file(), dtype=text)


# -- what is solved --------------------------------------------------------------------------------


def _surfaces(part: str, settings: list[Setting], side: int, ground: bool) -> Iterator[Line]:
    for setting in settings:
        if _done(part, setting, side):
            continue
        of = real_digits.sample(setting)
        d = of.ground() if ground else "tv"
        Ds, Ps = real_digits.budgets(of, side)
        if ground:
            Ps = np.array([0, 0.03, 0.07, 0.15, 0.3, 0.5, 0.75, 1]) * real_digits.w1(
                of.images, of.means
            )
        engine = Engine(of.problem, d)
        for turn, D in enumerate(Ds):
            for P in Ps[:: 1 if turn % 2 == 0 else -1]:
                yield _point(part, setting, engine, float(D), float(P))


def _point(part: str, setting: Setting, engine: Engine, D: float, P: float, **more: Any) -> Line:
    begun = time.perf_counter()
    at = engine.point(D, P)
    found = {k: getattr(at, k) for k in ("value", "lower", "upper", "lam", "mu", "status")}
    name = engine.scaled.divergence.name
    return {
        "part": part, **asdict(setting), "divergence": "tv" if name == "tv" else "w1",
        "D": D, "P": P, "seconds": time.perf_counter() - begun, **found, **more,
    }  # fmt: skip


def _done(part: str, setting: Setting, side: int) -> bool:
    """Whether all points of a surface are there (a part of one is solved again)."""
    table = _table()
    at = (table["part"] == part) & (table["rests_on"] == rests_on(setting.classifier))
    for name, value in asdict(setting).items():
        at &= table[name] == value
    return at.any() and table[at]["D"].nunique() == side and len(table[at]) % side == 0


def _named(part: str, setting: Setting, values: dict[str, float], **more: Any) -> Iterator[Line]:
    for name, value in values.items():
        yield {"part": part, **asdict(setting), "name": name, "value": value, **more}


def tv() -> Iterator[Line]:
    """Surfaces under TV, with every y's own letters."""
    yield from _surfaces("tv", SETTINGS, 10, ground=False)


def rim() -> Iterator[Line]:
    """C a little above the least distortion of each P; ``name`` is by how much, as a share."""
    for setting in _unsolved("rim"):
        engine = Engine(real_digits.sample(setting).problem, "tv")
        for P in (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0):
            least = float(engine.edge(P))
            for share in RIM:
                yield _point("rim", setting, engine, (1 + share) * least, P, name=repr(share))


def plain() -> Iterator[Line]:
    """The same where only the digits themselves may be returned."""
    settings = [Setting(c, alphabet="digits") for c in CLASSIFIERS]
    yield from _surfaces("plain", settings, 8, ground=False)


def ground() -> Iterator[Line]:
    """Surfaces under W1 with the Euclidean distance between images."""
    settings = [Setting(c, 2.0, 300, 300, "blends") for c in CLASSIFIERS]
    yield from _surfaces("w1", settings, 7, ground=True)


def growth() -> Iterator[Line]:
    """Edges and ends of C(D,P) as N = m grows, over fresh noise and other digits."""
    for size, seeds in GROWTH.items():
        for seed in range(seeds):
            for name in CLASSIFIERS:
                setting = Setting(name, 2.0, size, size, "own", seed, seed)
                if not _known("growth", setting):
                    yield from _named("growth", setting, ends(setting))


def spread() -> Iterator[Line]:
    """The same numbers over fresh samples of Y from one and the same prior."""
    for seed in range(10):
        for sigma in SIGMAS:
            setting = Setting("cnn1", sigma, 250, 250, "own", seed)
            if not _known("spread", setting):
                yield from _named("spread", setting, ends(setting))


def ends(setting: Setting) -> dict[str, float]:
    """Numbers of one sample that say where its surface begins and ends."""
    of = real_digits.sample(setting)
    real_digits.sample.cache_clear()
    known = real_digits.floor(of)
    perfect = float(exact.least_distortion(of.problem, "tv", 0.0))
    at = exact.solve(of.problem, "tv", 1.01 * perfect, 0.0)
    half = exact.solve(of.problem, "tv", (known["mse"] + perfect) / 2, 0.5)
    drawn = np.abs(of.weights.mean(axis=0) - 1 / len(of.images)).sum() / 2
    return known | {
        "perfect": perfect, "perfect_error": at.value, "half_error": half.value,
        "gap": max(at.gap, half.gap), "sample_tv": float(drawn),
    }  # fmt: skip


def ladder() -> Iterator[Line]:
    """What a prior of N digits knows, up to all 55,000."""
    for sigma in (1.0, 2.0):
        setting = Setting("", sigma, 0, 1000)
        for size in LADDER:
            if _known("ladder", replace(setting, digits=size)):
                continue
            found = real_digits.ladder(setting, [size]).iloc[0].drop("digits")
            yield from _named("ladder", replace(setting, digits=size), found.to_dict())


def floors() -> Iterator[Line]:
    """What the least error costs where P is no matter."""
    for setting in _unsolved("floors"):
        yield from _named("floors", setting, real_digits.floor(real_digits.sample(setting)))


def restorers() -> Iterator[Line]:
    """Restorers with a name as points, and the least C at their own D and P."""
    for setting in _unsolved("restorers"):
        of = real_digits.sample(setting)
        tv = exact.divergences.get("tv")
        for title, plan in real_digits.restorers(of).items():
            r = plan.sum(axis=0)
            D, C = of.problem.distortion(plan), of.problem.error_rate(plan)
            P = tv.value(of.problem.px, r / r.sum())
            best = exact.solve(of.problem, "tv", D * (1 + 1e-9), min(1.0, P + 1e-12))
            yield {
                "part": "restorers", **asdict(setting), "divergence": "tv", "name": title,
                "D": D, "P": P, "value": C, "lower": best.lower, "upper": best.upper,
                "status": best.status,
            }  # fmt: skip


def networks() -> Iterator[Line]:
    """Trained networks on the digits of the prior: D, C and W1, and what was attainable."""
    for sigma in sorted(SIGMAS):  # the quicker one first
        setting = Setting("cnn1", sigma)
        if _known("networks", setting):
            continue
        of = real_digits.sample(setting)
        small = real_digits.sample(Setting("cnn1", sigma, 200, 200, "blends"))
        other = real_digits.digits(replace(setting, block=1))[0]
        yield from _named("networks", setting, {"floor": real_digits.w1(of.images, other)})
        clean, _, noisy = real_digits.unseen(setting)
        for title, restore in trained.restorers(sigma).items():
            away = float(((restore(noisy) - clean) ** 2).mean())
            for one in (of, small):
                found = real_digits.as_restored(one, restore(one.noisy))
                if one is small:
                    found |= attainable(small, restore(one.noisy), found)
                else:
                    found["fresh_mse"] = away
                for name, value in found.items():
                    yield {
                        "part": "networks", **asdict(one.setting), "divergence": "w1",
                        "name": f"{title}/{name}", "value": value,
                    }  # fmt: skip


def attainable(of: Sample, restored: NDArray[np.float64], at: dict[str, float]) -> dict[str, float]:
    """The least D at a network's W1, and the least C at its D and W1, its outputs being letters."""
    wider = real_digits.with_letters(of, restored)
    engine = Engine(wider.problem, wider.ground())
    best = engine.point(at["mse"] * (1 + 1e-9), at["w1"] * (1 + 1e-9))
    return {"least_mse": float(engine.edge(at["w1"])), "least_error": best.value, "gap": best.gap}


def plane() -> Iterator[Line]:
    """The toy in the plane, between the line and images."""
    setting = Setting("", 1.0, planar.SIDE**2, planar.SIDE**2)
    table = _table()
    for name in planar.BUDGETS:
        done = table[(table["part"] == "plane") & (table["alphabet"] == name)]
        known = set(zip(done["name"], done["P"], strict=True))
        for found in planar.points(planar.SIDE, name, known):
            yield {"part": "plane", **asdict(replace(setting, alphabet=name)), **found}


PARTS: dict[str, Callable[[], Iterator[Line]]] = {
    "tv": tv, "floors": floors, "rim": rim, "restorers": restorers, "ladder": ladder, "w1": ground,
    "plain": plain, "networks": networks, "spread": spread, "growth": growth, "plane": plane,
}  # fmt: skip


def _unsolved(part: str) -> Iterator[Setting]:
    """Those of :data:`SETTINGS` that ``part`` has no line of."""
    return (setting for setting in SETTINGS if not _known(part, setting))


def _known(part: str, setting: Setting) -> bool:
    table = _table()
    at = (table["part"] == part) & (table["rests_on"] == rests_on(setting.classifier))
    for name, value in asdict(setting).items():
        at &= table[name].fillna("") == value
    return bool(at.any())


def write(parts: list[str]) -> None:
    """Solve what is missing of ``parts`` and add its lines, one by one."""
    new = not file().is_file()
    with file().open("a", newline="", encoding="utf-8") as stream:
        out = csv.DictWriter(stream, FIELDS, lineterminator="\n")
        if new:
            out.writeheader()
            stream.flush()
        for part in parts:
            if part not in PARTS:
                raise unknown("part", part, PARTS)
            for line in PARTS[part]():
                line["rests_on"] = rests_on(line["classifier"])
                out.writerow({k: _short(k, v) for k, v in line.items()})
                stream.flush()
                print(
                    {k: line.get(k) for k in ("part", "name", "D", "P", "value", "seconds")},
                    flush=True,
                )


def _short(name: str, value: Any) -> Any:
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    return f"{value:.2f}" if name == "seconds" else repr(float(value))


if __name__ == "__main__":
    write(sys.argv[1:] or list(PARTS))
