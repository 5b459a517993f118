"""Every knob of a sweep, typed and with its range, and the points that a sweep consists of.

The body of :class:`Settings` is a parameters cell: the chapters, the presets in ``params/`` and
``-p NAME=VALUE`` use these names, and :mod:`cdplib.parameters` checks all of them alike.
"""

# ruff: noqa: RUF012  (NamedTuple defaults are read, never changed; the grammar wants lists)
from __future__ import annotations

import functools
import inspect
import itertools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from cdplib import parameters
from cdplib.errors import InputError, unknown
from cdplib.experiments import datasets
from cdplib.experiments.table import EXPERIMENTS, RESTORERS, Experiment, get
from cdplib.storage import paths


class Settings(NamedTuple):
    """What a sweep trains: its grid of weights, networks and schedule."""

    dataset: str = "default"  # a data set; default: Table 1's
    classifier: str = "default"  # a predefined one, whose CE trains; default: Table 1's
    restorer: str = "fast"  # the restoration network
    width: int = 0  # in [0, 512]; channels of a fast restorer, 0: 32 (denoising) or 64 (SR)
    grid: str = ""  # a named grid of params/grids.yml, in place of alphas, betas and gammas
    alphas: list[float] = [1.0]  # in [0, 100]; weights of the MSE (Eq. 16)
    betas: list[float] = [0.0, 0.01]  # in [0, 100]; weights of the adversarial loss (Eq. 16)
    gammas: list[float] = [0.0, 0.01]  # in [0, 100]; weights of the cross entropy (Eq. 16)
    seeds: list[int] = [0]  # in [0, 2147483647]; one whole training a seed
    noise_sigma: float = 1.0  # in (0, 10]; standard deviation of the noise (denoising)
    noise_input: bool = False  # a noise channel in the restorer: a stochastic restoration
    against: str = "one"  # one of one|ensemble; train against one classifier, or several
    statistics: str = "running"  # one of running|batch; of batch-norm, at test
    start: str = "star"  # one of star|scratch; from the MSE pre-training, or from nothing
    pretrain_steps: int = 300  # in [0, 1000000]; MSE-only steps, once a seed
    pretrain_lr: float = 0.002  # in (0, 1]; peak of the pre-training's one cycle
    warm_steps: int = 50  # in [0, 1000000]; steps of the critic alone before the points
    steps: int = 100  # in [1, 1000000]; restorer steps of each point
    batch: int = 50  # in [2, 10000]; images a step
    lr: float = 0.0005  # in (0, 1]; restorer's learning rate in the points
    schedule: str = "cosine"  # one of cosine|release; release: a fifth after every quarter
    anneal_alpha: bool = False  # start from alpha 1, as the release: max(alpha, 1 - step/299)
    select: bool = False  # keep the step of lowest validation loss, as the release
    critic: str = "gp"  # one of gp|clip; gradient penalty, or batch-norm and clipping (release)
    critic_width: int = 16  # in [1, 512]; channels of the critic's first layer
    critic_steps: int = 1  # in [1, 100]; critic steps a restorer step
    critic_lr: float = 0.0005  # in (0, 1]; critic's learning rate
    penalty: float = 10.0  # in (0, 1000]; weight of the gradient penalty
    test_images: int = 10000  # in [100, 10000]; the first images of the test set are measured
    clip: float = 0.01  # in (0, 1]; bound on the critic's parameters when critic is clip


#: Bumped when the same settings would train other numbers: a part of every point's hash.
VERSION = 2
#: What reads a user's own images, whichever experiment restores them.
OWN_CLASSIFIER = "cnn1"
#: Settings that choose the points; every other one is part of each point.
GRID = ("alphas", "betas", "gammas", "seeds", "grid")


@functools.cache
def declared() -> dict[str, parameters.Parameter]:
    """The settings as :class:`cdplib.parameters.Parameter`, by name."""
    source = textwrap.dedent(inspect.getsource(Settings).split('"""')[2])
    known = parameters.declared(source, where="settings")
    return known | {"restorer": replace(known["restorer"], choices=RESTORERS)}


def resolve(experiment: str, preset: str, given: Mapping[str, Any] | None = None) -> Settings:
    """The settings of ``experiment`` under ``preset`` with ``given`` over it, all checked.

    Raises :class:`InputError` for an unknown experiment, preset or name, a value out of range, or
    values that do not go together.
    """
    row = get(experiment)
    known = declared()
    base = parameters.preset(preset, ["all", experiment], known)
    over = parameters.resolve(known, given or {})
    values = {**base, **{name: over[name] for name in given or {}}}
    if "grid" not in (given or {}) and set(GRID[:3]) & set(given or {}):
        values["grid"] = ""  # weights that are given replace a preset's named grid
    if values.get("dataset", "default") == "default":
        values["dataset"] = row.dataset
    row.check_dataset(values["dataset"])
    images = datasets.get(values["dataset"])
    if values.get("classifier", "default") == "default":
        values["classifier"] = OWN_CLASSIFIER if images.own else row.classifier
    settings = Settings(**values)
    settings = settings._replace(test_images=min(settings.test_images, images.tests))
    _check_classifier(settings)
    if settings.restorer == "paper" and settings.width:
        raise InputError(f"width={settings.width}: expected 0 with the paper's restorer")
    weights(settings, experiment)
    return settings


def _check_classifier(settings: Settings) -> None:
    """Refuse a classifier that the data set has not, or not for training against it alone."""
    from cdplib.experiments import classifiers  # torch: everything else is checked without it

    known = classifiers.predefined(settings.dataset)
    if settings.classifier not in known:
        raise InputError(
            f"classifier={settings.classifier!r}: not for {settings.dataset}: expected one of "
            f"{', '.join(known)}"
        )


def weights(settings: Settings, experiment: str) -> list[tuple[float, float, float]]:
    """The (alpha, beta, gamma) of the sweep: a product, or the blocks of a named grid."""
    blocks: Sequence[Mapping[str, Any]]
    if settings.grid:
        grids = _grids().get(experiment, {})
        if settings.grid not in grids:
            raise unknown(f"grid of {experiment}", settings.grid, grids)
        blocks = grids[settings.grid]
    else:
        blocks = [{name: getattr(settings, name) for name in GRID[:3]}]
    found: dict[tuple[float, float, float], None] = {}
    for block in blocks:
        found.update(dict.fromkeys(itertools.product(*(block[name] for name in GRID[:3]))))
    if (0.0, 0.0, 0.0) in found:
        raise InputError("alphas, betas, gammas: alpha=beta=gamma=0 leaves nothing to train")
    return list(found)


def _grids() -> dict[str, dict[str, Any]]:
    """The blocks of every grid in ``params/grids.yml``, by experiment and name."""
    return _named(paths.PARAMS / "grids.yml", _blocks)


def _ablations() -> dict[str, dict[str, Any]]:
    """What every ablation in ``params/ablations.yml`` changes, by experiment and name."""
    return _named(paths.PARAMS / "ablations.yml", _changes)


@functools.cache
def _named(file: Path, check: Callable[[Any, str], Any]) -> dict[str, dict[str, Any]]:
    """A file of ``params/`` with entries by experiment and name, each of them checked."""
    where = f"{file.parent.name}/{file.name}"
    content = _mapping(parameters.read_yaml(file.read_bytes(), where), where, "experiments")
    found: dict[str, dict[str, Any]] = {}
    for experiment, entries in content.items():
        if experiment not in EXPERIMENTS:
            raise unknown(f"experiment in {where}", experiment, EXPERIMENTS)
        named = _mapping(entries, f"{where}, {experiment}", "names")
        found[experiment] = {
            name: check(entry, f"{where}, {experiment}, {name}:") for name, entry in named.items()
        }
    return found


def _mapping(value: Any, where: str, of: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected {of} with their entries, got {value!r:.60}")
    return value


def _blocks(entry: Any, where: str) -> list[dict[str, list[float]]]:
    if not isinstance(entry, list) or not entry:
        raise InputError(f"{where} expected a list of blocks, got {entry!r:.60}")
    found = []
    for block in entry:
        given = _mapping(block, where.rstrip(":"), "alphas, betas and gammas")
        missing = [name for name in GRID[:3] if name not in given]
        if missing:
            raise InputError(
                f"{where} a block without {missing[0]}: expected alphas, betas, gammas"
            )
        known = {name: declared()[name] for name in GRID[:3]}
        found.append(parameters.resolve(known, given, where))
    return found


def _changes(entry: Any, where: str) -> dict[str, Any]:
    given = _mapping(entry, where.rstrip(":"), "settings")
    checked = parameters.resolve(declared(), given, where)
    return {name: checked[name] for name in given}


def ablation(experiment: str, name: str) -> dict[str, Any]:
    """The settings that the ablation ``name`` of ``params/ablations.yml`` changes.

    Raises :class:`InputError` for an unknown experiment or name.
    """
    known = _ablations().get(get(experiment).name, {})
    if name not in known:
        raise unknown(f"ablation of {experiment}", name, known)
    return dict(known[name])


def ablations(experiment: str) -> tuple[str, ...]:
    """Names of the experiment's ablations."""
    return tuple(_ablations().get(get(experiment).name, {}))


@dataclass(frozen=True)
class Point:
    """One training to be done: an experiment, its settings, three weights and a seed."""

    experiment: str
    preset: str
    settings: Settings
    alpha: float
    beta: float
    gamma: float
    seed: int

    @property
    def row(self) -> Experiment:
        """The experiment's row of Table 1."""
        return get(self.experiment)

    @property
    def coordinates(self) -> dict[str, float]:
        """What tells it from the other points of its sweep: its weights and its seed."""
        return {n: getattr(self, n) for n in ("alpha", "beta", "gamma", "seed")}

    def label(self) -> str:
        """A short name for messages."""
        return (
            f"{self.experiment} alpha={self.alpha:g} beta={self.beta:g} gamma={self.gamma:g} "
            f"seed={self.seed}"
        )


def plan(experiment: str, preset: str, given: Mapping[str, Any] | None = None) -> list[Point]:
    """The points of a sweep, all input checked."""
    return points(experiment, preset, resolve(experiment, preset, given))


def variant(experiment: str, preset: str, settings: Settings) -> str:
    """What ``settings`` change of the preset's: ``critic=clip``, ``grid=rdpc``, or nothing.

    Other weights and seeds are more points of the same sweep; a named grid is a sweep of its own.
    """
    plain, apart = resolve(experiment, preset)._asdict(), (*GRID[:4], "dataset", "restorer")
    return " ".join(
        f"{name}={value}"
        for name, value in settings._asdict().items()
        if value != plain[name] and name not in apart and (name, value) != ("grid", "")
    )


def points(experiment: str, preset: str, settings: Settings) -> list[Point]:
    """Every point of the sweep, seed by seed (so that a whole grid is there early)."""
    return [
        Point(experiment, preset, settings, alpha, beta, gamma, seed)
        for seed in dict.fromkeys(settings.seeds)
        for alpha, beta, gamma in weights(settings, experiment)
    ]
