"""Tables about the experiments themselves, as Markdown, from the code that runs them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch

from cdpbook import text
from cdpbook.claims import NAMES
from cdpbook.runs import floor_estimate
from cdplib.experiments import (
    classifiers,
    data,
    degradations,
    measures,
    networks,
    perception,
    settings,
)
from cdplib.experiments.table import EXPERIMENTS


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """:func:`.text.table` for those who still call it so."""
    return text.table([list(map(str, row)) for row in rows], head)


def table1() -> str:
    """Table 1 of the paper, from the table that the engine reads."""
    data_sets = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
    rows = [
        (text.title(row.name), data_sets[row.dataset],
         "denoising, $N(0,1)$" if row.task == "denoising" else f"super-resolution ×{row.factor}",
         NAMES[row.classifier])
        for row in EXPERIMENTS.values()
    ]  # fmt: skip
    return text.table(rows, ["", "data set", "task", "classifier"])


def network_counts() -> str:
    """Every network with its trainable parameters, counted."""
    made: dict[str, torch.nn.Module] = {
        "denoiser (paper)": networks.denoiser(),
        "SR net (paper), MNIST": networks.super_resolver(1),
        "SR net (paper), CIFAR-10": networks.super_resolver(3),
        "critic (paper), MNIST": networks.Critic(1, width=32, batch_norm=True),
        "critic (paper), CIFAR-10": networks.Critic(3, width=32, batch_norm=True),
        "critic (ours, gradient penalty), MNIST": networks.Critic(1),
        "denoiser (fast)": networks.restorer("fast", "denoising", 1),
        "denoiser (fast-large)": networks.restorer("fast-large", "denoising", 1),
        "SR net (fast), MNIST": networks.restorer("fast", "sr", 1, factor=6, size=28),
        "SR net (fast), CIFAR-10": networks.restorer("fast", "sr", 3, factor=3, size=32),
    }
    for name in ("logistic", "cnn1", "cnn2", "cnn2c"):
        made[NAMES[name]] = classifiers.build(name, "cifar10" if name == "cnn2c" else "mnist")
    rows = [(name, networks.count(module)) for name, module in made.items()]
    return text.table(rows, ["network", "parameters"])


def degradations_of(dataset: str) -> list[str]:
    """The degradations that Table 1 applies to ``dataset`` (Fashion-MNIST: as MNIST)."""
    like = "cifar10" if dataset == "cifar10" else "mnist"
    rows = [row for row in EXPERIMENTS.values() if row.dataset == like]
    kinds = ("noise" if row.task == "denoising" else f"sr{row.factor}" for row in rows)
    return list(dict.fromkeys(kinds))


def classifier_table(dataset: str) -> str:
    """Error rates (%) on clean and degraded test images of every classifier, and the MSE.

    Classifiers that are not in the cache are trained first.
    """
    whole = data.load(dataset)
    clean, labels = whole.test.tensors()
    images = {"clean": clean}
    for kind in degradations_of(dataset):
        images[degradations.get(kind).title] = degradations.degrade(kind, whole, "test")
    rows = [
        ["**MSE**", "", *(f"{float((x - clean).square().mean()):.4f}" for x in images.values())]
    ]
    for name in classifiers.names(dataset):
        model = classifiers.get(name, dataset)
        errors = [100 * (1 - classifiers.accuracy(model, x, labels)) for x in images.values()]
        own = [text.title(row.name) for row in EXPERIMENTS.values()
               if (row.classifier, row.dataset) == (name, dataset)]  # fmt: skip
        role = ", ".join(own) or "independent"
        rows.append([NAMES[name], role, *(f"{error:.2f}" for error in errors)])
    return text.table(rows, ["error rate (%) of", "predefined in", *images])


def perception_table(dataset: str, kind: str) -> str:
    """Each measure of P: its floor (real against real) and its value for the degraded input.

    With the standard error over the test images where the measure has one.
    """
    whole = data.load(dataset)
    clean, _ = whole.test.tensors()
    bad = degradations.degrade(kind, whole, "test").clamp(0, 1)
    features = classifiers.get(classifiers.FEATURES[dataset], dataset).features
    one, other = perception.halves(len(clean))
    fake, real = measures.outputs(features, bad[one]), measures.outputs(features, clean[other])
    found = {
        "p_judge": perception.judge(bad, clean),
        "sliced_w2": perception.Estimate(perception.sliced_w2(bad, clean), math.nan),
        "frechet": perception.Estimate(perception.frechet(fake, real), math.nan),
    }
    names = {
        "p_judge": "judge's gap (Wasserstein-1, one critic for all)",
        "sliced_w2": "sliced Wasserstein-2, pixels",
        "frechet": "Fréchet, features of an independent classifier",
    }
    rows = [
        (f"`{name}`: {said}", _estimate(floor_estimate(dataset, name)), _estimate(found[name]))
        for name, said in names.items()
    ]
    title = degradations.get(kind).title
    return text.table(rows, ["measure of P", "floor: real against real", f"{title}, clipped"])


def _estimate(found: perception.Estimate | None) -> str:
    if found is None:
        return ""
    return f"{found.value:.3g}" + ("" if math.isnan(found.se) else f" ± {found.se:.2g}")


def presets(experiment: str) -> str:
    """What each preset trains in ``experiment``."""
    rows = []
    for preset in ("smoke", "quick", "full", "paper"):
        s = settings.resolve(experiment, preset)
        start = f"{s.pretrain_steps:,}" if s.start == "star" else "from scratch"
        critic = {"gp": "gradient penalty", "clip": "clipped"}[s.critic]
        grid = len(settings.weights(s, experiment)), len(s.seeds)
        rows.append((f"`{preset}`", f"`{s.restorer}`", *grid, start, s.steps, critic))
    head = ["preset", "restorer", "pairs of weights", "seeds", "MSE-only steps", "steps a point"]
    return text.table(rows, [*head, "critic"])
