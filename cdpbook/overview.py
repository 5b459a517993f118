"""Tables about the experiments themselves, as Markdown, from the code that runs them."""

from __future__ import annotations

import math

import torch

from cdpbook import references, text
from cdpbook.claims import NAMES
from cdplib.experiments import (
    classifiers,
    datasets,
    degradations,
    networks,
    perception,
    settings,
)
from cdplib.experiments.table import EXPERIMENTS


def table1() -> str:
    """Table 1 of the paper, from the table that the engine reads."""
    rows = [
        (row.label, datasets.get(row.dataset).title,
         "denoising, $N(0,1)$" if row.task == "denoising" else row.task_title,
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
    for dataset in (name for name, row in datasets.DATASETS.items() if row.paper):
        for name in classifiers.predefined(dataset):
            made[NAMES[name]] = classifiers.build(name, dataset)
    rows = [(name, networks.count(module)) for name, module in made.items()]
    return text.table(rows, ["network", "parameters"])


def classifier_table(dataset: str) -> str:
    """Error rates (%) on clean and degraded test images of every classifier, and the MSE."""
    images = [references.CLEAN, *references.degradations_of(dataset)]
    measured = [references.value(dataset, kind, "mse").value for kind in images]
    rows = [["**MSE**", "", *(f"{value:.4f}" for value in measured)]]
    for name in classifiers.names(dataset):
        errors = (references.value(dataset, kind, f"error_rate_{name}").value for kind in images)
        own = [row.label for row in EXPERIMENTS.values()
               if (row.classifier, row.dataset) == (name, dataset)]  # fmt: skip
        role = ", ".join(own) or "independent"
        rows.append([NAMES[name], role, *(f"{100 * error:.2f}" for error in errors)])
    titles = [kind if kind == references.CLEAN else degradations.get(kind).title for kind in images]
    return text.table(rows, ["error rate (%) of", "predefined in", *titles])


def perception_table(dataset: str, kind: str) -> str:
    """Each measure of P: its floor (real against real) and its value for the degraded input.

    With the standard error over the test images where the measure has one.
    """
    names = {
        "p_judge": "judge's gap (Wasserstein-1, one critic for all)",
        "sliced_w2": "sliced Wasserstein-2, pixels",
        "frechet": "Fréchet, features of an independent classifier",
    }
    rows = [
        (f"`{name}`: {said}", *(_estimate(references.value(dataset, images, name))
                                for images in (references.CLEAN, kind)))
        for name, said in names.items()
    ]  # fmt: skip
    title = degradations.get(kind).title
    return text.table(rows, ["measure of P", "floor: real against real", f"{title}, clipped"])


def _estimate(found: perception.Estimate) -> str:
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
