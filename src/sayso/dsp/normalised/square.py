"""Kernels over bins and frames at once: a depthwise convolution, and all that a kernel hears laid out in rows."""

import ctypes
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sayso.dsp.normalised.compiled import call, is_compiled

__all__ = ["depthwise", "unfolded"]

_SIDE = 5
"""Bins and frames of a kernel that is compiled."""
_MOST_BINS, _MOST_FRAMES = 64, 1 << 12
"""So many lie on a thread's stack."""


def depthwise(
    x: Float[Tensor, "channels bins columns"],
    weight: Float[Tensor, "channels 1 height width"],
    *,
    clips: int,
    lag: int,
) -> Float[Tensor, "channels rows columns"]:
    """Convolve each channel; a row comes out wherever all bins of a kernel are.

    Args:
        x: columns are clips and frames.
        weight: of each channel, over bins and frames.
        clips: how many there are.
        lag: how many frames of the kernel lie before the one that comes out; the rest lies after it.

    Raises:
        ValueError: columns do not divide into clips, or the lag is not one of the kernel's frames.
    """
    channels, bins, columns = x.shape
    frames, (height, width) = columns // clips, weight.shape[2:]
    if columns % clips or not 0 <= lag < width or len(weight) != channels:
        raise ValueError(
            f"a kernel of {width} frames, {lag} of them before, does not fit {clips} clips in {tuple(x.shape)}"
        )
    fits = height == width == _SIDE <= bins <= _MOST_BINS and frames <= _MOST_FRAMES
    if fits and is_compiled(x, weight):
        shape = _Kernel(channels, bins, clips, frames, lag, torch.get_num_threads())
        return _Depthwise.apply(x.contiguous(), shape, weight)
    around = nn.functional.pad(x.view(channels, bins, clips, frames).permute(2, 0, 1, 3), (lag, width - 1 - lag))
    return nn.functional.conv2d(around, weight, groups=channels).permute(1, 2, 0, 3).flatten(2)


def unfolded(
    x: Float[Tensor, "clips inputs bins frames"], kernel: int, *, stride: int, lag: int
) -> Float[Tensor, "rows heard columns"]:
    """Lay out what a kernel, as wide as high, hears at each row that comes out; x is nothing that was learned.

    Args:
        x: zeros lie around it, over bins as many on either side.
        kernel: bins and frames of it.
        stride: over bins.
        lag: how many frames of the kernel lie before the one that comes out; the rest lies after it.

    Raises:
        ValueError: the kernel has no middle.
    """
    if not kernel % 2:
        raise ValueError(f"the kernel has {kernel} bins, it must be an odd number")
    clips, inputs, bins, frames = x.shape
    around, columns = kernel // 2, clips * frames
    rows = (bins + 2 * around - kernel) // stride + 1
    if is_compiled(x):
        made = x.new_empty((bins + kernel - 1, inputs, kernel, columns))
        shape = _Unfolding(clips, inputs, bins, frames, kernel, around, lag, torch.get_num_threads())
        call("unfold", shape, x.contiguous(), made)
    else:
        padded = nn.functional.pad(x, (lag, kernel - 1 - lag, around, kernel - 1 - around)).permute(2, 1, 0, 3)
        made = torch.stack([padded[..., shift : shift + frames] for shift in range(kernel)], dim=2).flatten(3)
    # The rows of one bin are those of the next but the stride.
    under = inputs * kernel
    return made.as_strided((rows, kernel * under, columns), (stride * under * columns, columns, 1))


class _Kernel(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_long) for name in ("channels", "bins", "clips", "frames", "lag", "threads"))


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: _Kernel, given: Tensor) -> Tensor:  # type: ignore[override]
        weight = given.contiguous()
        y = x.new_empty((shape.channels, shape.bins - _SIDE + 1, x.shape[2]))
        call("convolve_bins", shape, x, weight, y)
        ctx.save_for_backward(x, weight)
        ctx.shape = shape
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        saved: tuple[Tensor, ...] = ctx.saved_tensors
        of_x, of_weight = [torch.empty_like(each) for each in saved]
        call("derive_bins_convolved", ctx.shape, gradient.contiguous(), *saved, of_x, of_weight)
        return of_x, None, of_weight


class _Unfolding(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_long) for name in ("clips", "inputs", "bins", "frames", "kernel", "above", "lag", "threads")
    )
