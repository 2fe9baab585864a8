"""A depthwise convolution over bins, its batch norm in bands, what is added to every row, and ReLU.

Mean and variance follow from the moments of what comes in, so that nothing between is ever written to memory.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sayso.dsp.normalised.compiled import TAPS, call, is_compiled
from sayso.dsp.normalised.dense_map import band_of_taps, derived, normalised_relu, remember, scale_and_shift

__all__ = ["Stencil", "stencil_relu"]

_MOST_BINS = 256
"""Blocks of so many lie on a thread's stack."""

OverColumns = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Stencil:
    """A depthwise convolution of three bins, zeros around it, and its norm.

    Attributes:
        weight: (channels, 3), of the convolution.
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
    x: Float[Tensor, "channels bins columns"],
    stencil: Stencil,
    over_columns: OverColumns,
    parameters: Sequence[Tensor],
) -> Float[Tensor, "channels rows columns"]:
    """Convolve, normalise, add, ReLU.

    Args:
        x: columns are clips and frames.
        stencil: what it is convolved with; its norm remembers mean and variance.
        over_columns: takes the mean over rows of what was normalised, (channels, columns); gives what is added to
            each row.
        parameters: all that `over_columns` learns.

    Raises:
        ValueError: rows do not divide into the norm's bands.
    """
    rows, bands = stencil.rows_and_bands(x)
    if rows % bands or bands * len(x) != stencil.norm.num_features:
        raise ValueError(
            f"{rows} rows do not divide into bands of {stencil.norm.num_features} norms of {len(x)} channels"
        )
    if x.shape[1] <= _MOST_BINS and is_compiled(x, *stencil.learned):
        step = _Step(stencil, over_columns, tuple(parameters))
        return _StencilRelu.apply(x.contiguous(), step, *stencil.learned, *parameters)
    return _by_products(x, stencil, over_columns, parameters)


def _by_products(x: Tensor, stencil: Stencil, over_columns: OverColumns, parameters: Sequence[Tensor]) -> Tensor:
    channels, bins, columns = x.shape
    band = band_of_taps(bins, TAPS, stride=stencil.stride, padding=1, like=x).double()  # (3, rows, bins)
    rows, bands = stencil.rows_and_bands(x)

    def of_moments(mean: Tensor, products: Tensor) -> tuple[Tensor, Tensor]:
        matrix = torch.einsum("ck,krb->crb", stencil.weight.double(), band)
        covariance = products - mean[:, :, None] * mean[:, None]
        means = (matrix @ mean[..., None]).view(channels * bands, -1)
        variances = ((matrix @ covariance) * matrix).sum(-1).view(channels * bands, -1)
        of_band = means.mean(1)
        variance = variances.mean(1) + (means - of_band[:, None]).square().mean(1)
        of_bands = scale_and_shift(stencil.norm, of_band, variance, count=rows // bands * columns)
        scale, shift = [each[:, None].expand(-1, rows // bands).reshape(channels, rows, 1) for each in of_bands]
        return scale * matrix, shift

    learned = [*stencil.learned, *parameters]
    return normalised_relu(x, of_moments, learned, over_columns=over_columns, skip=stencil.skip)


@dataclass(frozen=True)
class _Step:
    stencil: Stencil
    over_columns: OverColumns
    parameters: tuple[Tensor, ...]


class _Shape(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_long) for name in ("channels", "bins", "rows", "stride", "bands", "columns", "skip")),
        ("threads", ctypes.c_long),
        ("epsilon", ctypes.c_double),
    )


class _StencilRelu(torch.autograd.Function):
    """What is on single rows is derived by autograd, the rest by the compiled half."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: _Step, *given: Tensor) -> Tensor:  # type: ignore[override]
        shape = _shape_of(x, step.stencil)
        learned = [each.detach().contiguous() for each in given[: len(step.stencil.learned)]]
        kept = x.new_empty((shape.channels, 4 * shape.bins + 2 * shape.bands), dtype=torch.float64)
        average = x.new_empty((shape.channels, shape.columns))
        call("average_rows", shape, x, *learned, kept, average)
        mean, variance = kept[:, 4 * shape.bins :].reshape(shape.channels, 2, -1).unbind(1)
        count = shape.rows // shape.bands * shape.columns
        remember(step.stencil.norm, mean.flatten(), variance.flatten(), count=count)
        with torch.enable_grad():
            added = step.over_columns(average.requires_grad_())
        y = x.new_empty((shape.channels, shape.rows, shape.columns))
        made = x, *learned, kept, added.detach().contiguous()
        call("write_outputs", shape, *made, y)
        ctx.save_for_backward(*made)
        ctx.step, ctx.shape, ctx.rows = step, shape, (average, added)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        made: tuple[Tensor, ...] = ctx.saved_tensors
        shape, (average, added) = ctx.shape, ctx.rows
        of_added = torch.empty_like(average)
        sums = average.new_empty((shape.channels, shape.rows, 1 + TAPS), dtype=torch.float64)
        gradient = gradient.contiguous()
        call("sum_gradients", shape, gradient, *made, of_added, sums)
        of_average, *of_parameters = derived(added, [average, *ctx.step.parameters], of_added)
        of_x, *of_learned = [torch.empty_like(each) for each in made[:4]]
        call("write_gradients", shape, gradient, *made, sums, of_average.contiguous(), of_x, *of_learned)
        return of_x, None, *of_learned, *of_parameters


def _shape_of(x: Tensor, stencil: Stencil) -> _Shape:
    channels, bins, columns = x.shape
    rows, bands = stencil.rows_and_bands(x)
    threads, epsilon = torch.get_num_threads(), float(stencil.norm.eps)
    return _Shape(channels, bins, rows, stencil.stride, bands, columns, int(stencil.skip), threads, epsilon)
