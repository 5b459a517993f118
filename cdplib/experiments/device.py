"""Device, precision and threads: what the machine can do, decided once and written in each row."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from torch import Tensor, nn

from cdplib import machine
from cdplib.errors import InputError

#: In what networks are trained: products of bfloat16, or 32 bits throughout.
PRECISIONS = ("bf16", "fp32")


def choose(name: str = "auto") -> torch.device:
    """``cpu``, ``cuda[:N]``, ``mps``, or ``auto``: what ``CDP_DEVICE`` names, else the first of
    CUDA, Apple's GPU and the CPU that is there. Raises :class:`InputError` for anything else.
    """
    if name == "auto":
        name = os.environ.get("CDP_DEVICE") or "auto"
    if name == "auto":
        apple = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if apple else "cpu")
    given = re.fullmatch(r"cpu|mps|cuda(?::([0-9]{1,3}))?", name)
    if not given:
        raise InputError(f"device {name!r:.60}: expected auto, cpu, cuda, cuda:N or mps")
    if name == "mps" and not torch.backends.mps.is_available():
        raise InputError("device 'mps': this machine has no GPU of Apple's that torch can use")
    if name.startswith("cuda") and int(given[1] or 0) >= torch.cuda.device_count():
        raise InputError(f"device {name!r}: this machine has {torch.cuda.device_count()} GPUs")
    return torch.device(name)


def measuring(where: torch.device) -> torch.device:
    """Where a point that was trained on ``where`` is measured: Apple's GPU has no float64."""
    return torch.device("cpu") if where.type == "mps" else where


@functools.cache
def precision(kind: str) -> str:
    """``bf16`` where the hardware multiplies bfloat16 itself, else ``fp32``.

    torch takes bf16 on any CPU; without AVX-512 BF16 or AMX it is many times slower than fp32.
    """
    if kind == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return "fp32"
    return "bf16" if flags & {"avx512_bf16", "amx_bf16"} else "fp32"


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """The context in which networks run on ``device``."""
    if precision(device.type) == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def to_device(model: nn.Module, device: torch.device) -> nn.Module:
    """``model`` on ``device``, laid out in memory as its convolutions run fastest."""
    return model.to(device).to(memory_format=torch.channels_last)


def channels_last(images: Tensor) -> Tensor:
    """``images`` (n, c, h, w) laid out for a model that :func:`to_device` placed."""
    return images.contiguous(memory_format=torch.channels_last)


@functools.cache
def hardware(kind: str) -> str:
    """The processor's (or GPU's) name and the number of cores this process may use."""
    if kind == "cuda":
        return torch.cuda.get_device_name()
    cores = machine.cores()
    return f"{machine.processor()} ({cores} core{'s' if cores != 1 else ''})"


@contextlib.contextmanager
def in_full():  # type: ignore[no-untyped-def]
    """All 32 bits in convolutions inside: NVIDIA's default, TF32, keeps 10 bits of a product."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextlib.contextmanager
def one_thread():  # type: ignore[no-untyped-def]
    """One torch thread inside: points run in parallel processes, and sums keep their order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
