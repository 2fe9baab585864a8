"""The programs in C that lie in this folder, compiled for this machine."""

import ctypes
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from sayso.system.compiled import compiled

__all__ = ["TAPS", "call", "is_compiled"]

TAPS = 3
"""What a kernel has."""


def is_compiled(*tensors: Tensor) -> bool:
    """Say whether they can be compiled here, which takes a second or two, once, and compute with these tensors.

    Args:
        tensors: float32 or float64, all alike; without any float32 is meant.
    """
    kinds = {each.dtype for each in tensors} or {torch.float32}
    return len(kinds) == 1 and _library(*kinds) is not None


def call(name: str, shape: ctypes.Structure, x: Tensor, *others: Tensor | None) -> None:
    """Call a function by its name: it takes a shape and the arrays of tensors, all as densely as it expects them."""
    library = _library(x.dtype)
    assert library is not None
    pointers = [ctypes.c_void_p(None if each is None else each.data_ptr()) for each in (x, *others)]
    getattr(library, name)(ctypes.byref(shape), *pointers)


@cache
def _library(dtype: torch.dtype) -> ctypes.CDLL | None:
    if dtype not in (torch.float32, torch.float64):
        return None
    return compiled(Path(__file__).parent, *(["IN_DOUBLE"] if dtype == torch.float64 else []))
