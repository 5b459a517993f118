"""How a classifier is trained: on clean images, selected on validation, its batch-norm folded.

The deeper networks are trained with batch-norm, which is then folded exactly into the plain
network of the paper.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdplib.experiments import data, device
from cdplib.experiments.networks import initialise


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained: one cycle of the learning rate with peak ``lr``.

    ``shift`` moves images by up to so many pixels, ``flip`` mirrors half of them. SGD has
    Nesterov momentum .9.
    """

    epochs: int
    lr: float
    optimizer: str = "adam"
    batch: int = 128
    decay: float = 0.0
    smoothing: float = 0.0
    shift: int = 0
    flip: bool = False
    fold: bool = False
    seed: int = 0


def train(
    make: Callable[[bool], nn.Module], how: Recipe, whole: data.Dataset, where: str = "cpu"
) -> tuple[nn.Module, dict[str, str]]:
    """Train from nothing; the plain network with the best validation accuracy, and its facts.

    ``make`` gives the untrained network, with batch-norm or without.
    """
    start, target = time.perf_counter(), torch.device(where)
    generator = torch.Generator().manual_seed(how.seed)
    torch.manual_seed(how.seed)  # dropout has no generator of its own
    model = make(how.fold)
    initialise(model, generator)
    device.to_device(model, target)
    images, labels = whole.train.tensors(device=target)
    steps = how.epochs * (len(images) // how.batch)
    optimizer = _optimizer(model, how)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, how.lr, total_steps=steps, pct_start=0.25, cycle_momentum=False
    )
    best: tuple[float, dict[str, Tensor], int] = (-1.0, {}, 0)
    for epoch in range(how.epochs):
        model.train()
        order = torch.randperm(len(images), generator=generator).to(target)
        for chosen in order.split(how.batch):
            if len(chosen) < how.batch:
                break
            batch = augment(images[chosen], how.shift, how.flip, generator)
            with device.autocast(target):
                logits = model(device.channels_last(batch))
            loss = F.cross_entropy(logits.float(), labels[chosen], label_smoothing=how.smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            cycle.step()
        found = accuracy(model, *whole.validation.tensors(device=target))
        if found >= best[0]:
            best = (found, {k: v.clone() for k, v in model.state_dict().items()}, epoch + 1)
    model.load_state_dict(best[1])
    plain = fold(model, make(False)) if how.fold else model
    plain.to(memory_format=torch.contiguous_format).eval()
    test = accuracy(plain, *whole.test.tensors(device=target))
    return plain, {
        "test_accuracy": f"{test:.4f}",
        "validation_accuracy": f"{best[0]:.4f}",
        "epoch": str(best[2]),
        "seconds": f"{time.perf_counter() - start:.0f}",
    }


def _optimizer(model: nn.Module, how: Recipe) -> torch.optim.Optimizer:
    if how.optimizer == "adam":
        return torch.optim.AdamW(model.parameters(), lr=how.lr, weight_decay=how.decay)
    return torch.optim.SGD(
        model.parameters(), lr=how.lr, momentum=0.9, nesterov=True, weight_decay=how.decay
    )


def augment(images: Tensor, shift: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Images moved by up to ``shift`` pixels each way (zeros come in), half mirrored if asked."""
    n, _, height, width = images.shape
    if flip:
        mirrored = torch.rand(n, generator=generator).to(images.device) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    if shift:
        by = torch.randint(0, 2 * shift + 1, (2, n, 1), generator=generator).to(images.device)
        rows = by[0] + torch.arange(height, device=images.device)
        columns = by[1] + torch.arange(width, device=images.device)
        padded = F.pad(images, (shift,) * 4).permute(0, 2, 3, 1)
        every = torch.arange(n, device=images.device)[:, None, None]
        images = padded[every, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return images


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of ``images`` that ``model`` gives their label."""
    was = model.training
    model.eval()
    # Small batches, channels last: twice as fast on a CPU as batches of 500.
    right = sum(
        int((model(device.channels_last(part)).argmax(1) == wanted).sum())
        for part, wanted in zip(images.split(50), labels.split(50), strict=True)
    )
    model.train(was)
    return right / len(images)


@torch.no_grad()
def fold(trained: nn.Module, plain: nn.Module) -> nn.Module:
    """``plain`` with the weights of ``trained``, its batch-norms folded into the convolutions.

    In evaluation mode both compute the same function, up to rounding.
    """
    layers = [m for m in trained.modules() if not list(m.children())]
    targets = iter(m for m in plain.modules() if isinstance(m, nn.Conv2d | nn.Linear))
    for index, layer in enumerate(layers):
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        target = next(targets)
        after = layers[index + 1] if index + 1 < len(layers) else None
        weight, bias = layer.weight, layer.bias
        assert bias is not None
        assert target.bias is not None
        if isinstance(after, nn.BatchNorm2d):
            assert after.running_mean is not None
            assert after.running_var is not None
            scale = after.weight / torch.sqrt(after.running_var + after.eps)
            weight = weight * scale[:, None, None, None]
            bias = (bias - after.running_mean) * scale + after.bias
        target.weight.copy_(weight)
        target.bias.copy_(bias)
    return plain
