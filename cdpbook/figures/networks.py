"""Networks drawn from their own modules: one box a layer, with its output and its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from cdpbook.figures import style

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Layer:
    """One box: what it does, the shape that leaves it (without the batch), its parameters."""

    text: str
    shape: tuple[int, ...]
    parameters: int


def layers(module: nn.Module, shape: tuple[int, ...]) -> list[Layer]:
    """The leaf modules in the order in which a forward pass of a (1, *shape) batch visits them.

    Activations, batch-norm and pooling join the box of the layer that they follow.
    """
    import torch

    found: list[Layer] = []

    def visit(layer: Any, _: Any, output: Any) -> None:
        text, own = _describe(layer), sum(p.numel() for p in layer.parameters())
        size = tuple(output.shape[1:])
        if found and _follows(layer):
            last = found.pop()
            text, own = f"{last.text}, {text}" if text else last.text, own + last.parameters
        if text:
            found.append(Layer(text, size, own))

    leaves = [m for m in module.modules() if not list(m.children())]
    hooks = [leaf.register_forward_hook(visit) for leaf in leaves]
    training = {m: m.training for m in module.modules()}
    try:
        module.eval()
        with torch.no_grad():
            module(torch.zeros(1, *shape))
    finally:
        for hook in hooks:
            hook.remove()
        for m, was in training.items():
            m.training = was
    return found


def _follows(layer: nn.Module) -> bool:
    from torch import nn

    joins = (nn.ReLU, nn.LeakyReLU, nn.BatchNorm2d, nn.MaxPool2d, nn.Dropout, nn.Flatten)
    return isinstance(layer, (*joins, nn.Identity))


def _describe(layer: Any) -> str:
    name = type(layer).__name__
    if name == "Conv2d":
        stride = "" if layer.stride[0] == 1 else f", stride {layer.stride[0]}"
        kernel = f"{layer.kernel_size[0]}×{layer.kernel_size[1]}"
        return f"conv {kernel}, {layer.in_channels}→{layer.out_channels}{stride}"
    if name == "Linear":
        return f"linear {layer.in_features}→{layer.out_features}"
    if name == "MaxPool2d":
        return f"max-pool {layer.kernel_size}"
    if name == "LeakyReLU":
        return f"leaky ReLU {layer.negative_slope:g}"
    if name == "Dropout":
        return f"dropout {layer.p:g}"
    plain = {
        "BatchNorm2d": "BN",
        "PixelUnshuffle": "pixel unshuffle",
        "Identity": "",
        "PixelShuffle": "pixel shuffle",
        "Flatten": "",
    }
    return plain.get(name, name)


def _box(axes: Axes, y: float, text: str, note: str, colour: Any) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (0.02, y), 0.66, 0.62, boxstyle="round,pad=0.0,rounding_size=0.06", facecolor=colour,
            edgecolor="black", linewidth=1, alpha=0.9, mutation_aspect=4,
        )
    )  # fmt: skip
    axes.text(0.35, y + 0.31, text, ha="center", va="center", fontsize=10)
    axes.text(0.70, y + 0.31, note, ha="left", va="center", fontsize=9.5)


def diagram(modules: Mapping[str, tuple[nn.Module, tuple[int, ...]]]) -> Figure:
    """Draw each network from top to bottom, the data flowing down.

    ``modules``: title -> (module, shape of one input without the batch). Beside each box stand
    the shape that leaves it and its number of parameters; the title carries the total.
    """
    stacks = {title: layers(module, shape) for title, (module, shape) in modules.items()}
    rows = sum(len(stack) + 1.6 for stack in stacks.values())
    figure = style.canvas(height=0.42 * rows)
    axes = figure.axes[0]
    y = 0.0
    for number, (title, stack) in enumerate(stacks.items()):
        total = sum(layer.parameters for layer in stack)
        shape = modules[title][1]
        axes.text(0.02, y - 0.35, f"{title}: {total:,} parameters", fontsize=12, weight="bold")
        axes.text(0.35, y - 1.0, f"input {_shape(shape)}", ha="center", va="center", fontsize=9.5)
        y -= 1.25
        tint = _tint(style.COLOURS[(5, 4, 2, 3)[number % 4]])
        for layer in stack:
            y -= 1.0
            note = f"{_shape(layer.shape)}" + (
                f"   {layer.parameters:,}" if layer.parameters else ""
            )
            axes.annotate("", (0.35, y + 0.62), (0.35, y + 1.05), arrowprops={"arrowstyle": "->"})
            _box(axes, y, layer.text, note, tint)
        y -= 0.8
    axes.set(xlim=(0, 1), ylim=(y + 0.4, 0.1))
    axes.axis("off")
    return figure


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(str(n) for n in shape) if shape else "1 number"


def _tint(colour: str) -> tuple[float, float, float]:
    """``colour`` mixed with white, so that black letters stand on it."""
    import matplotlib.colors as colors

    red, green, blue = (0.45 * part + 0.55 for part in colors.to_rgb(colour))
    return red, green, blue
