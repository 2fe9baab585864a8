"""A depthwise convolution over the frames of each clip and its batch norm."""

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sayso.dsp.normalised.compiled import TAPS, call, is_compiled
from sayso.dsp.normalised.dense_map import depthwise_over_time, remember

__all__ = ["normalised_over_time"]


def normalised_over_time(
    x: Float[Tensor, "channels batch frames"],
    weight: Float[Tensor, "channels taps"],
    norm: nn.BatchNorm2d,
    taps: Sequence[int],
) -> Float[Tensor, "channels batch frames"]:
    """Convolve each channel of each clip with a weight for each of three taps, zeros around it, and normalise.

    Args:
        x: the channels.
        weight: of each.
        norm: remembers mean and variance.
        taps: how many frames after the one that comes out each weight hears; below 0: before. One of them is 0.
    """
    if len(taps) == TAPS and is_compiled(x.dtype):
        return _NormalisedOverTime.apply(x.contiguous(), norm, tuple(taps), weight, norm.weight, norm.bias)
    y = depthwise_over_time(x, weight, taps)
    return norm(y.view(1, len(y), 1, -1)).view(y.shape)


class _Beat(ctypes.Structure):
    _fields_ = (
        ("channels", ctypes.c_long),
        ("clips", ctypes.c_long),
        ("frames", ctypes.c_long),
        ("taps", ctypes.c_long * TAPS),
        ("threads", ctypes.c_long),
        ("epsilon", ctypes.c_double),
    )


class _NormalisedOverTime(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, norm: nn.BatchNorm2d, taps: tuple[int, int, int], *given: Tensor
    ) -> Tensor:
        weight, gain, offset = [each.detach().contiguous() for each in given]
        shape = _Beat(*x.shape, (ctypes.c_long * TAPS)(*taps), torch.get_num_threads(), float(norm.eps))
        mean, variance = [x.new_empty(len(x), dtype=torch.float64) for _ in range(2)]
        y = torch.empty_like(x)
        call("normalise_over_time", shape, x, weight, gain, offset, mean, variance, y)
        remember(norm, mean, variance, count=x[0].numel())
        ctx.save_for_backward(x, weight, gain, mean, variance)
        ctx.shape = shape
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight, gain, mean, variance = ctx.saved_tensors
        room, of_x, of_weight, of_gain, of_offset = [torch.empty_like(each) for each in (x, x, weight, gain, gain)]
        call(
            *("derive_over_time", ctx.shape, gradient.contiguous(), x, weight, gain, mean, variance, room),
            *(of_x, of_weight, of_gain, of_offset),
        )
        return of_x, None, None, of_weight, of_gain, of_offset
