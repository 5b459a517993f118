"""Table 1 of the paper: the five experiments are five rows of one table."""

from __future__ import annotations

from dataclasses import dataclass

from cdplib.errors import InputError, unknown
from cdplib.experiments import datasets

#: Networks that restore (:func:`.networks.restorer`): the paper's, and faster ones.
RESTORERS = ("paper", "fast", "fast-large")


@dataclass(frozen=True)
class Experiment:
    """One row: what is degraded, how, what restores it and which classifier judges it.

    ``task`` is ``denoising`` (additive Gaussian noise) or ``sr`` (super-resolution by ``factor``);
    ``classifier`` names a network of :mod:`.classifiers`, the paper's predefined one.
    """

    name: str
    title: str
    dataset: str
    task: str
    classifier: str
    factor: int = 0

    @property
    def label(self) -> str:
        """The name as the text writes it: ``Exp-2`` for ``exp2``."""
        return self.name.replace("exp", "Exp-")

    @property
    def degradation(self) -> str:
        """What is done to the images, a name of :mod:`.degradations`: ``noise``, ``sr6``."""
        return f"sr{self.factor}" if self.task == "sr" else "noise"

    @property
    def task_title(self) -> str:
        """The task as the text writes it."""
        return f"super-resolution ×{self.factor}" if self.task == "sr" else "denoising"

    def check_dataset(self, dataset: str) -> None:
        """Raise :class:`InputError` unless this experiment can be run on ``dataset``."""
        family = datasets.get(self.dataset).family
        if datasets.get(dataset).own:
            return  # brought to a size that every network takes
        allowed = [row.name for row in datasets.DATASETS.values() if row.family == family]
        if dataset not in allowed:
            raise InputError(
                f"dataset={dataset!r}: {self.name} ({self.title}) expected one of "
                f"{', '.join(allowed)}: its networks take images of that shape"
            )


EXPERIMENTS = {
    row.name: row
    for row in (
        Experiment("exp1", "MNIST denoising, logistic", "mnist", "denoising", "logistic"),
        Experiment("exp2", "MNIST denoising, CNN-1", "mnist", "denoising", "cnn1"),
        Experiment("exp3", "MNIST denoising, CNN-2", "mnist", "denoising", "cnn2"),
        Experiment("exp4", "MNIST super-resolution x6, CNN-1", "mnist", "sr", "cnn1", factor=6),
        Experiment("exp5", "CIFAR-10 super-resolution x3, CNN-2'", "cifar10", "sr", "cnn2c", 3),
    )
}


def get(name: str) -> Experiment:
    """The experiment called ``name`` (``exp1`` to ``exp5``), else :class:`InputError`."""
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]
