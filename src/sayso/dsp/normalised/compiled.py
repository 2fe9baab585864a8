"""The programs in C that lie in this folder, compiled for this machine."""

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from sayso.system.compiled import compiled

__all__ = ["TAPS", "Running", "call", "is_compiled", "running_of"]

TAPS = 3
"""What a kernel has."""


def is_compiled(*tensors: Tensor, norms: Sequence[nn.BatchNorm2d] = ()) -> bool:
    """Say whether they can be compiled here, which takes a second or two, once, and compute with these tensors.

    Args:
        tensors: float32 or float64, all alike, on the processor; without any float32 is meant.
        norms: what these remember has to be alike too, and lie in a row.
    """
    running = [(each, norm) for norm in norms for each in (norm.running_mean, norm.running_var) if each is not None]
    in_rows = all(each.is_contiguous() and each.numel() == norm.num_features for each, norm in running)
    given = {(each.dtype, each.device.type) for each in (*tensors, *(each for each, _ in running))}
    kinds = given or {(torch.float32, "cpu")}
    return in_rows and len(kinds) == 1 and all(place == "cpu" and _library(kind) is not None for kind, place in kinds)


def call(name: str, shape: ctypes.Structure, x: Tensor, *others: Tensor | None) -> None:
    """Call a function by its name: it takes a shape and the arrays of tensors, all as densely as it expects them."""
    library = _library(x.dtype)
    assert library is not None
    pointers = [ctypes.c_void_p(None if each is None else each.data_ptr()) for each in (x, *others)]
    getattr(library, name)(ctypes.byref(shape), *pointers)


class Running(ctypes.Structure):
    """What a norm remembers, as C takes it."""

    _fields_ = (("mean", ctypes.c_void_p), ("variance", ctypes.c_void_p), ("share", ctypes.c_double))


def running_of(norm: nn.BatchNorm2d) -> Running:
    """Tell a norm that there is one batch more, and C where to remember its mean and variance."""
    mean, variance, batches = norm.running_mean, norm.running_var, norm.num_batches_tracked
    if mean is None or variance is None or batches is None:
        return Running(None, None, 0)
    batches += 1
    share = 1 / float(batches) if norm.momentum is None else norm.momentum
    return Running(mean.data_ptr(), variance.data_ptr(), share)


@cache
def _library(dtype: torch.dtype) -> ctypes.CDLL | None:
    if dtype not in (torch.float32, torch.float64):
        return None
    return compiled(Path(__file__).parent, *(["IN_DOUBLE"] if dtype == torch.float64 else []))
