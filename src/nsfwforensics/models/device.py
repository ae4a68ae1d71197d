"""Where models run, and how exactly: only ``auto`` falls back, a device asked for by name must exist."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nsfwforensics.errors import DeviceUnavailableError, UsageError

_NAMES = re.compile(r"auto|cpu|cuda(:\d+)?|mps")


def resolve_device(name: str) -> str:
    """Turns a device option into a device that exists.

    Args:
        name: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Returns:
        ``cpu``, ``cuda:N`` or ``mps``; for ``auto`` the first of CUDA, MPS and CPU that is there.

    Raises:
        UsageError: The name is none of these.
        DeviceUnavailableError: A device was named and is missing.
    """
    if not _NAMES.fullmatch(name):
        raise UsageError(f"no device {name!r}; choose auto, cpu, cuda, cuda:N or mps")
    if is_cpu(name):
        return "cpu"
    import torch

    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if name == "auto":
        return "cuda:0" if cuda else "mps" if mps else "cpu"
    if name == "mps":
        if not mps:
            raise DeviceUnavailableError("device mps was asked for, and this machine has none")
        return name
    index = int(name.partition(":")[2] or 0)
    if index >= cuda:
        raise DeviceUnavailableError(f"device {name} was asked for; CUDA devices here: {cuda}")
    return f"cuda:{index}"


def is_cpu(name: str) -> bool:
    """Whether a device option means the CPU, as far as can be told without torch, which takes seconds to load.

    Args:
        name: As for :func:`resolve_device`.
    """
    return name == "cpu" or (name == "auto" and not _may_be_there())


def _may_be_there() -> bool:
    """Whether the system has a node of any graphics card that torch knows."""
    if sys.platform != "linux":
        return True
    nodes = ("nvidia*", "kfd", "dxg", "nvhost*", "nvgpu", "nvmap")  # NVIDIA, AMD, Windows' subsystem, Tegra
    return any(True for name in nodes for _ in Path("/dev").glob(name))


@contextmanager
def exact() -> Iterator[None]:
    """Has every network inside run as it was measured: on a graphics card too in full float32, and the same each time.

    TF32, which torch allows in convolutions there, keeps ten bits of a number: it would cost the digits by which CPU
    and graphics card agree. What the program had set holds again afterwards.
    """
    import torch

    product = torch.backends.cuda.matmul
    switch, off = ("fp32_precision", "ieee") if hasattr(product, "fp32_precision") else ("allow_tf32", False)
    before = getattr(product, switch)
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        setattr(product, switch, off)
        try:
            yield
        finally:
            setattr(product, switch, before)


def available_devices() -> list[str]:
    """Every device that models could run on here, with the names of graphics cards, for people to read."""
    import torch

    names = ["cpu"]
    if torch.cuda.is_available():
        names += [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return names
