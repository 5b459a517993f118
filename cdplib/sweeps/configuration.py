"""What a point, its start and its row depend on and say: configurations, their hashes, identity.

A configuration holds whatever can change numbers beyond rounding; its hash is the key under which
the store, the shipped weights and the published rows know it.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from cdplib import __version__, checkout
from cdplib.experiments import classifiers, datasets, device, generation, measures
from cdplib.experiments.settings import GRID, VERSION, Point
from cdplib.storage import store


def of_start(point: Point) -> dict[str, Any]:
    """What the pre-trained restorer depends on; Exp-1 to Exp-3 share theirs."""
    s = point.settings
    names = ["restorer", "width", "noise_input", "noise_sigma"]
    names += ["pretrain_steps", "pretrain_lr", "batch"]
    return {
        "kind": "restorer",
        "version": VERSION,
        "data": datasets.get(s.dataset).digest,
        "task": point.row.task,
        "factor": point.row.factor,
        "seed": point.seed,
        **{name: getattr(s, name) for name in names},
        **generation.mark("restorer", "job"),
    }


def of_critic(point: Point) -> dict[str, Any]:
    """What the warmed critic depends on."""
    s = point.settings
    names = ("critic", "critic_width", "critic_lr", "warm_steps")
    bound = "penalty" if s.critic == "gp" else "clip"
    return {
        **of_start(point),
        "kind": "critic",
        **{name: getattr(s, name) for name in (*names, bound)},
        **generation.mark("restorer", "critic", "job"),
    }


def of_point(point: Point, where: str = "cpu", precision: str | None = None) -> dict[str, Any]:
    """The whole configuration of a point: whatever can change its numbers beyond rounding.

    ``precision`` of the training: ``bf16`` or ``fp32``; None is what the device ``where`` uses.
    """
    s = point.settings
    return {
        **s._asdict(),
        **dict.fromkeys(GRID),
        "kind": "point",
        "version": VERSION,
        "experiment": point.experiment,
        "data": datasets.get(s.dataset).digest,
        "against": [classifiers.key(name, s.dataset) for name in against(point)],
        "start": store.digest(of_start(point)) if s.start == "star" else "scratch",
        **point.coordinates,
        "precision": precision or device.precision(device.choose(where).type),
        "measures": measures.VERSION,
        **_selection(point),
        **code(point),
    }


def _selection(point: Point) -> dict[str, Any]:
    """What is kept of the selected step, and by which loss: rows that were trained before had its
    restorer with the last step's critic, and an ensemble's first member in the loss."""
    if not point.settings.select:
        return {}
    return {"selected": "restorer and critic, by the loss over all classifiers"}


def code(point: Point) -> dict[str, Any]:
    """What of the code that trains and measures ``point`` is not on record: as ``code``, or empty.

    Classifiers without a record are new ones: they add a column to a row and change no other.
    """
    measured = {row.kind for row in classifiers.rows(point.settings.dataset).values()}
    stages = ("point", "job", "critic") if point.settings.start == "star" else ("point", "job")
    return generation.mark(*stages, *sorted(measured & set(generation.recorded())))


def key(point: Point, where: str = "cpu", precision: str | None = None) -> str:
    """The point's ``config_hash``; ``precision`` as for :func:`of_point`."""
    return store.digest(of_point(point, where, precision))


def against(point: Point) -> tuple[str, ...]:
    """Names of the classifiers that the point trains against; the predefined one is first."""
    s = point.settings
    if s.against == "one":
        return (s.classifier,)
    return tuple(dict.fromkeys((s.classifier, *classifiers.ensemble(s.dataset))))


def identity(point: Point, where: torch.device) -> dict[str, Any]:
    """The columns of a row that say what was trained, how and where."""
    s = point.settings
    named = ("dataset", "restorer", "classifier", "test_images", "steps", "critic")
    return {
        "experiment": point.experiment,
        **point.coordinates,
        **{name: getattr(s, name) for name in named},
        "pretrain_steps": s.pretrain_steps if s.start == "star" else 0,
        "device": where.type,
        "precision": device.precision(where.type),
        "threads": 1,
        "hardware": device.hardware(where.type),
        "config_hash": key(point, str(where)),
        "code_version": code_version(),
        "torch": torch.__version__,
        **({"code": "not on record"} if code(point) else {}),
    }


@functools.cache
def code_version() -> str:
    """The commit of the checkout (``+`` when files of cdplib differ from it), or the version."""
    head = checkout.git("rev-parse", "--short=10", "HEAD")
    if head is None:
        return __version__
    differs = checkout.git("status", "--porcelain", "--untracked-files=no", "--", "cdplib")
    return head + ("+" if differs else "")
