"""A depthwise convolution over the frames of each clip, its batch norm, SiLU, and a map across channels."""

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sayso.dsp.normalised.compiled import TAPS, call, is_compiled
from sayso.dsp.normalised.dense_map import depthwise_over_time, remember

__all__ = ["mixed_over_time"]


def mixed_over_time(
    x: Float[Tensor, "channels batch frames"],
    weight: Float[Tensor, "channels taps"],
    norm: nn.BatchNorm2d,
    mixing: Float[Tensor, "channels channels"],
    *,
    taps: Sequence[int],
    kept: Float[Tensor, "channels batch"],
) -> Float[Tensor, "channels batch frames"]:
    """Convolve each channel of each clip with a weight for each of three taps, normalise, activate, mix channels.

    Args:
        x: the channels; zeros lie around their frames.
        weight: of each.
        norm: remembers mean and variance.
        mixing: makes channels of channels.
        taps: how many frames after the one that comes out each weight hears; below 0: before. One of them is 0.
        kept: what a channel of a clip is multiplied by in the end, as dropout says.
    """
    if len(taps) == TAPS and is_compiled(x, weight, norm.weight, norm.bias, mixing, kept):
        step = norm, tuple(taps), kept.contiguous()
        return _MixedOverTime.apply(x.contiguous(), step, weight, norm.weight, norm.bias, mixing)
    y = depthwise_over_time(x, weight, taps)
    y = nn.functional.silu(norm(y.view(1, len(y), 1, -1))).view(len(y), -1)
    return (mixing @ y).view(x.shape) * kept[..., None]


class _Beat(ctypes.Structure):
    _fields_ = (
        ("channels", ctypes.c_long),
        ("clips", ctypes.c_long),
        ("frames", ctypes.c_long),
        ("taps", ctypes.c_long * TAPS),
        ("threads", ctypes.c_long),
        ("epsilon", ctypes.c_double),
    )


class _MixedOverTime(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, step: tuple[nn.BatchNorm2d, tuple[int, ...], Tensor], *given: Tensor
    ) -> Tensor:
        norm, taps, kept = step
        weight, gain, offset, mixing = [each.detach().contiguous() for each in given]
        shape = _Beat(*x.shape, (ctypes.c_long * TAPS)(*taps), torch.get_num_threads(), float(norm.eps))
        mean, variance = x.new_empty((2, len(x)), dtype=torch.float64)
        activated, y = torch.empty_like(x), torch.empty_like(x)
        call("activate_over_time", shape, x, weight, gain, offset, mean, variance, activated)
        remember(norm, mean, variance, count=x[0].numel())
        call("mix", shape, activated, mixing, kept, y)
        ctx.save_for_backward(x, weight, gain, offset, mixing, kept, mean, variance, activated)
        ctx.shape = shape
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        saved: tuple[Tensor, ...] = ctx.saved_tensors
        x, weight, gain, offset, mixing, *_ = saved
        of_x, *of_learned = [torch.empty_like(each) for each in (x, weight, gain, offset, mixing)]
        call(
            *("derive_over_time", ctx.shape, gradient.contiguous(), *saved, x.new_empty((2, *x.shape))),
            *(of_x, *of_learned),
        )
        *of_others, of_mixing = of_learned
        return of_x, None, *of_others, of_mixing.T
