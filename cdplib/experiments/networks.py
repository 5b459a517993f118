"""Every network: the paper's (exact parameter counts), the fast restorers and the critics.

Sizes and layers were read from the authors' release (see the book's table of deviations). There
convolutions start uniform with variance 4/(fan_in + fan_out/stride^2) and biases zero, batch-norm
at scale 1 and offset 0: :func:`initialise` does the same. The start of its linear layers could not
be read; Glorot's uniform, the default of the library it builds on, is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cdplib.errors import InputError, unknown
from cdplib.experiments.table import RESTORERS


def count(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@torch.no_grad()
def initialise(model: nn.Module, generator: torch.Generator) -> nn.Module:
    """Set every weight as the release does, from ``generator`` only; returns ``model``."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            taps = math.prod(module.kernel_size)
            fan_in = module.in_channels * taps
            fan_out = module.out_channels * taps / math.prod(module.stride)
            bound = math.sqrt(3 * 4 / (fan_in + fan_out))
        elif isinstance(module, nn.Linear):
            bound = math.sqrt(3 * 2 / (module.in_features + module.out_features))
        else:
            continue
        module.weight.uniform_(-bound, bound, generator=generator)
        if module.bias is not None:
            module.bias.zero_()
    return model


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2)


class Restorer(nn.Module):
    """A network from the degraded image to the restored one, (n, c, h, w) to (n, c, h, w).

    The output is clipped to [0, 1], with zero gradient outside, as in the release. With
    ``noise_input`` one channel of N(0, 1) noise is appended to the input, so that the restoration
    is a distribution p(x^|y), as Theorem 1 has it, and no function of y.
    """

    def __init__(self, body: nn.Module, noise_input: bool = False) -> None:
        super().__init__()
        self.body = body
        self.noise_input = noise_input

    def forward(self, degraded: Tensor, generator: torch.Generator | None = None) -> Tensor:
        if self.noise_input:
            shape = (len(degraded), 1, *degraded.shape[2:])
            # Drawn on the CPU: the same noise wherever the network is.
            noise = torch.randn(shape, generator=generator).to(degraded.device)
            degraded = torch.cat([degraded, noise], 1)
        return self.body(degraded).clamp(0, 1)


class LowResolutionSR(nn.Module):
    """Super-resolution at low resolution (ESPCN's idea): the bicubic input plus a learned residue.

    The interpolated image (n, inputs, size, size) is edge-padded, as the degradation pads it, and
    sampled down by ``factor``; all convolutions run there, and a pixel shuffle brings them back.
    """

    def __init__(
        self, inputs: int, channels: int, factor: int, size: int, width: int, depth: int
    ) -> None:
        super().__init__()
        self.channels, self.size, self.factor = channels, size, factor
        self.low = -(-size // factor)
        while (self.low * factor - size) % 2:
            self.low += 1
        self.pad = (self.low * factor - size) // 2
        layers: list[nn.Module] = [_conv(inputs * 4, width, 3), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [_conv(width, width, 3), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers, _conv(width, channels * factor**2, 3))
        self.shuffle = nn.PixelShuffle(factor)

    def forward(self, degraded: Tensor) -> Tensor:
        # Means over quarter cells keep the phase that one value a cell would lose.
        padded = F.pad(degraded, (self.pad,) * 4, mode="replicate")
        fine = F.adaptive_avg_pool2d(padded, 2 * self.low)
        residue = self.shuffle(self.convolutions(F.pixel_unshuffle(fine, 2)))
        window = slice(self.pad, self.pad + self.size)
        return degraded[:, : self.channels] + residue[:, :, window, window]


def denoiser(channels: int = 1, *, noise_input: bool = False) -> Restorer:
    """The paper's denoiser (206,913 parameters for one channel): five 5x5 layers, not residual."""
    body = nn.Sequential(
        *(_conv(channels + noise_input, 32, 5), nn.ReLU()),
        *(_conv(32, 64, 5), nn.BatchNorm2d(64), nn.ReLU()),
        *(_conv(64, 64, 5), nn.BatchNorm2d(64), nn.ReLU()),
        *(_conv(64, 32, 5), nn.BatchNorm2d(32), nn.ReLU()),
        _conv(32, channels, 5),
    )
    return Restorer(body, noise_input)


def super_resolver(channels: int, *, noise_input: bool = False) -> Restorer:
    """The paper's SR net (57,281 parameters for 1 channel, 69,251 for 3); no batch-norm."""
    body = nn.Sequential(
        *(_conv(channels + noise_input, 64, 9), nn.ReLU()),
        *(_conv(64, 32, 5), nn.ReLU()),
        _conv(32, channels, 5),
    )
    return Restorer(body, noise_input)


def fast_denoiser(
    channels: int = 1, *, width: int = 32, depth: int = 5, noise_input: bool = False
) -> Restorer:
    """A denoiser on 2x2-unshuffled pixels: ``depth`` 3x3 layers of ``width`` channels (S2D)."""
    layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
    layers += [_conv(4 * (channels + noise_input), width, 3), nn.ReLU()]
    for _ in range(depth - 2):
        layers += [_conv(width, width, 3), nn.BatchNorm2d(width), nn.ReLU()]
    return Restorer(
        nn.Sequential(*layers, _conv(width, 4 * channels, 3), nn.PixelShuffle(2)), noise_input
    )


def fast_super_resolver(
    channels: int,
    factor: int,
    size: int,
    *,
    width: int = 64,
    depth: int = 5,
    noise_input: bool = False,
) -> Restorer:
    """:class:`LowResolutionSR` as a restorer of images of ``size`` pixels a side."""
    inputs = channels + noise_input
    return Restorer(LowResolutionSR(inputs, channels, factor, size, width, depth), noise_input)


def restorer(
    kind: str,
    task: str,
    channels: int,
    *,
    factor: int = 0,
    size: int = 28,
    width: int = 0,
    noise_input: bool = False,
) -> Restorer:
    """The restorer ``kind`` (of :data:`.table.RESTORERS`) for ``task`` (``denoising`` or ``sr``).

    ``width`` overrides the channels of a fast restorer (0: its own).
    """
    if kind not in RESTORERS:
        raise unknown("restorer", kind, RESTORERS)
    if task not in ("denoising", "sr"):
        raise unknown("task", task, ("denoising", "sr"))
    if kind == "paper":
        if width:
            raise InputError(f"width={width}: the paper's networks have one size: expected 0")
        make = denoiser if task == "denoising" else super_resolver
        return make(channels, noise_input=noise_input)
    large = kind == "fast-large"
    if task == "denoising":
        default, depth = (64, 6) if large else (32, 5)
        return fast_denoiser(channels, width=width or default, depth=depth, noise_input=noise_input)
    default, depth = (96, 6) if large else (64, 5)
    return fast_super_resolver(
        channels, factor, size, width=width or default, depth=depth, noise_input=noise_input
    )


class Critic(nn.Module):
    """A score a image (n,): three 5x5 layers of stride 2, ``width`` times 1, 2, 4, then linear.

    ``batch_norm=True`` and ``width=32`` is the paper's (259,457 parameters for one channel,
    261,057 for three). Batch-norm makes a score depend on the other images of its batch, which a
    gradient penalty cannot allow: the default has none.
    """

    def __init__(self, channels: int = 1, *, width: int = 16, batch_norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(channels, width, 5, 2), nn.LeakyReLU(0.2)]
        for inputs in (width, 2 * width):
            layers.append(_conv(inputs, 2 * inputs, 5, 2))
            if batch_norm:
                layers.append(nn.BatchNorm2d(2 * inputs))
            layers.append(nn.LeakyReLU(0.2))
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * width * 16, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.body(images).squeeze(1)


@contextmanager
def evaluating(model: nn.Module, statistics: str = "running") -> Iterator[nn.Module]:
    """``model`` ready for the test: batch-norm with ``running`` or with ``batch`` statistics.

    ``batch`` is what the release does at test time too. Nothing is updated; modes are put back.
    """
    if statistics not in ("batch", "running"):
        raise unknown("statistics", statistics, ("batch", "running"))
    was = {module: module.training for module in model.modules()}
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = {norm: norm.momentum for norm in norms}
    counts = {n: t.clone() for n in norms if (t := n.num_batches_tracked) is not None}
    model.eval()
    try:
        if statistics == "batch":
            for norm in norms:
                norm.train()
                norm.momentum = 0.0  # its running statistics stay as they are
        with torch.no_grad():
            yield model
    finally:
        for norm in norms:
            norm.momentum = momenta[norm]
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.copy_(counts[norm])
        for module, training in was.items():
            module.training = training


def restore(
    model: Restorer,
    degraded: Tensor,
    *,
    statistics: str = "running",
    batch: int = 50,
    seed: int = 0,
) -> Tensor:
    """The restored images of ``degraded`` (n, c, h, w), in batches of ``batch``.

    ``batch`` matters only for ``statistics="batch"``; ``seed`` only for a noise-input restorer.
    """
    generator = torch.Generator().manual_seed(seed)
    with evaluating(model, statistics):
        return torch.cat([model(part, generator).float() for part in degraded.split(batch)])
