"""A depthwise convolution over bins, its batch norm in bands, what is added to every row, and ReLU.

Mean and variance follow from the moments of what comes in, so that nothing between is ever written to memory.
"""

import ctypes
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sayso.dsp.normalised.compiled import TAPS, Running, call, is_compiled, running_of
from sayso.dsp.normalised.dense_map import band_of_taps, normalised_relu, scale_and_shift
from sayso.dsp.normalised.over_time import OverTime

__all__ = ["Stencil", "stencil_relu"]

_MOST_BINS, _MOST_CHANNELS, _MOST_FRAMES = 256, 256, 1 << 16
"""Blocks of so many bins lie on a thread's stack, and matrices of channels, and a clip's frames."""

_LEARNED = 3
"""Tensors that a stencil learns."""


@dataclass(frozen=True, kw_only=True)
class Stencil:
    """A depthwise convolution of three bins, zeros around it, and its norm.

    Attributes:
        weight: (channels, 3) in any shape, of the convolution.
        norm: batch norm of channels times bands: each band of the rows that come out counts for itself.
        stride: over bins.
        skip: x is added to what comes out; at a stride of 1 only.
    """

    weight: Tensor
    norm: nn.BatchNorm2d
    stride: int = 1
    skip: bool = False

    @property
    def learned(self) -> tuple[Tensor, Tensor, Tensor]:
        """What it learns."""
        return self.weight, self.norm.weight, self.norm.bias

    def rows_and_bands(self, x: Tensor) -> tuple[int, int]:
        """How many rows come out of x, and how many bands these are."""
        return (x.shape[1] - 1) // self.stride + 1, self.norm.num_features // len(x)


def stencil_relu(
    x: Float[Tensor, "channels bins columns"], stencil: Stencil, over_time: OverTime
) -> Float[Tensor, "channels rows columns"]:
    """Convolve and normalise, add to each row what is made over time of the mean of all rows, ReLU.

    Args:
        x: columns are clips and frames.
        stencil: what it is convolved with; its norm remembers mean and variance.
        over_time: takes that mean.

    Raises:
        ValueError: rows do not divide into the norm's bands, columns not into clips, or channels are not as many.
    """
    rows, bands = stencil.rows_and_bands(x)
    if not bands or rows % bands or stencil.norm.num_features % len(x):
        raise ValueError(
            f"{rows} rows do not divide into bands of {stencil.norm.num_features} norms of {len(x)} channels"
        )
    if stencil.skip and stencil.stride != 1:
        raise ValueError(f"what came in is added at a stride of 1 only, here it is {stencil.stride}")
    channels, clips = over_time.kept.shape
    if channels != len(x) or over_time.norm.num_features != channels or x.shape[2] % clips:
        raise ValueError(f"layers over time of {channels} channels, {clips} clips do not fit {tuple(x.shape)}")
    weights = stencil.weight.numel(), over_time.weight.numel(), over_time.mixing.numel()
    if weights != (channels * TAPS, channels * len(over_time.taps), channels**2):
        raise ValueError(f"{weights} weights do not fit {channels} channels")
    learned, norms = (*stencil.learned, *over_time.learned), (stencil.norm, over_time.norm)
    frames = x.shape[2] // clips + max(map(abs, over_time.taps))
    fits = x.shape[1] <= _MOST_BINS and channels <= _MOST_CHANNELS and frames <= _MOST_FRAMES
    fits = fits and len(over_time.taps) == TAPS
    if fits and is_compiled(x, *learned, over_time.kept, norms=norms):
        return _StencilRelu.apply(x.contiguous(), stencil, over_time, *learned)
    return _by_products(x, stencil, over_time)


def _by_products(x: Tensor, stencil: Stencil, over_time: OverTime) -> Tensor:
    channels, bins, columns = x.shape
    band = band_of_taps(bins, TAPS, stride=stencil.stride, padding=1, like=x).double()  # (3, rows, bins)
    rows, bands = stencil.rows_and_bands(x)

    def of_moments(mean: Tensor, products: Tensor) -> tuple[Tensor, Tensor]:
        matrix = torch.einsum("ck,krb->crb", stencil.weight.reshape(channels, -1).double(), band)
        covariance = products - mean[:, :, None] * mean[:, None]
        means = (matrix @ mean[..., None]).view(channels * bands, -1)
        variances = ((matrix @ covariance) * matrix).sum(-1).view(channels * bands, -1)
        of_band = means.mean(1)
        variance = variances.mean(1) + (means - of_band[:, None]).square().mean(1)
        of_bands = scale_and_shift(stencil.norm, of_band, variance, count=rows // bands * columns)
        scale, shift = [each[:, None].expand(-1, rows // bands).reshape(channels, rows, 1) for each in of_bands]
        return scale * matrix, shift

    learned = *stencil.learned, *over_time.learned
    return normalised_relu(x, of_moments, learned, over_columns=over_time.by_products, skip=stencil.skip)


class _Shape(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_long) for name in ("channels", "bins", "rows", "stride", "bands", "columns", "skip")),
        ("threads", ctypes.c_long),
        ("epsilon", ctypes.c_double),
        ("running", Running),
    )


class _StencilRelu(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, stencil: Stencil, over_time: OverTime, *given: Tensor
    ) -> Tensor:
        shape = _shape_of(x, stencil)
        learned = [each.contiguous() for each in given]
        own, of_rows = learned[:_LEARNED], learned[_LEARNED:]
        kept = x.new_empty((shape.channels, 4 * shape.bins + 2 * shape.bands), dtype=torch.float64)
        average = x.new_empty((shape.channels, shape.columns))
        call("average_rows", shape, x, *own, kept, average)
        added, beat, saved = over_time.compiled(average, of_rows)
        y = x.new_empty((shape.channels, shape.rows, shape.columns))
        made = x, *own, kept, added
        call("write_outputs", shape, *made, y)
        ctx.save_for_backward(*made, *saved)
        ctx.shape, ctx.beat, ctx.made = shape, beat, len(made)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        tensors: tuple[Tensor, ...] = ctx.saved_tensors
        made, shape = tensors[: ctx.made], ctx.shape
        of_added = torch.empty_like(made[-1])
        sums = gradient.new_empty((shape.channels, shape.rows, 1 + TAPS), dtype=torch.float64)
        gradient = gradient.contiguous()
        call("sum_gradients", shape, gradient, *made, of_added, sums)
        of_average, *of_rows = OverTime.derived(of_added, ctx.beat, tensors[ctx.made :])
        of_x, *of_learned = [torch.empty_like(each) for each in made[: 1 + _LEARNED]]
        call("write_gradients", shape, gradient, *made, sums, of_average, of_x, *of_learned)
        return of_x, None, None, *of_learned, *of_rows


def _shape_of(x: Tensor, stencil: Stencil) -> _Shape:
    channels, bins, columns = x.shape
    rows, bands = stencil.rows_and_bands(x)
    sizes = channels, bins, rows, stencil.stride, bands, columns, int(stencil.skip), torch.get_num_threads()
    return _Shape(*sizes, float(stencil.norm.eps), running_of(stencil.norm))
