"""A linear map, its batch norm and ReLU in one step, for training: the norm's numbers follow from the input's moments.

What a linear map gives is never written to memory before it is normalised: mean and variance of `A x` are `A m` and the
diagonal of `A C A'`, with m and C the mean and covariance of x over a batch. Moments, map and gradients are dense
matrix products of few rows and many columns; a depthwise convolution over bins is a band in such a matrix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = [
    "band_of_taps",
    "depthwise_over_time",
    "normalised_relu",
    "scale_and_shift",
]

OfMoments = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
OverColumns = Callable[[Tensor], Tensor]


def normalised_relu(
    x: Float[Tensor, "groups inputs columns"],
    of_moments: OfMoments,
    parameters: Sequence[Tensor],
    *,
    over_columns: OverColumns | None = None,
    skip: bool = False,
) -> Float[Tensor, "groups outputs columns"]:
    """Compute relu(A x + c), and what is added within it, with A and c made of the moments of x.

    Args:
        x: groups of rows, each with a map of its own.
        of_moments: takes the means of x (groups, inputs), and of the products of its rows (groups, inputs, inputs), in
            float64; gives A (groups, outputs, inputs) and c (groups, outputs, 1), in float64.
        parameters: all that `of_moments` and `over_columns` learn.
        over_columns: takes the mean of A x + c over outputs, (groups, columns); gives what is added to each output.
        skip: x is added as well; with `over_columns` only.
    """
    return _NormalisedRelu.apply(x, _Step(of_moments, over_columns, tuple(parameters), skip), *parameters)


@dataclass(frozen=True)
class _Step:
    of_moments: OfMoments
    over_columns: OverColumns | None
    parameters: tuple[Tensor, ...]
    skip: bool


class _NormalisedRelu(torch.autograd.Function):
    """Small parts, on moments and on single rows, are derived by autograd; the rest, which takes the time, by hand."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: _Step, *_: Tensor) -> Tensor:  # type: ignore[override]
        with torch.enable_grad():
            mean, products = x.mean(-1).double(), torch.bmm(x, x.mT).double() / x.shape[-1]
            moments = mean.requires_grad_(), products.requires_grad_()
            made = step.of_moments(*moments)
        matrix, shift = [each.detach().to(x.dtype) for each in made]
        y = torch.bmm(matrix + torch.eye(x.shape[1], dtype=x.dtype) if step.skip else matrix, x).add_(shift)
        ctx.rows = None
        if step.over_columns:
            row = torch.baddbmm(shift.mean(1, keepdim=True), matrix.mean(1, keepdim=True), x)[:, 0]
            with torch.enable_grad():
                added = step.over_columns(row.requires_grad_())
            y += added.detach()[:, None]
            ctx.rows = row, added
        y.relu_()
        ctx.save_for_backward(x, y, matrix)
        ctx.step, ctx.made, ctx.moments = step, made, moments
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, y, matrix = ctx.saved_tensors
        step: _Step = ctx.step
        of_sum = torch.ops.aten.threshold_backward(gradient, y, 0)
        of_map, by_rows = of_sum, (None,) * len(step.parameters)
        if ctx.rows:
            row, added = ctx.rows
            of_row, *by_rows = _derived(added, [row, *step.parameters], of_sum.sum(1))
            of_map = of_sum + (of_row / y.shape[1])[:, None]
        of_made = torch.bmm(of_map, x.mT).double(), of_map.sum(-1, keepdim=True).double()
        of_mean, of_products, *by_moments = _derived(ctx.made, [*ctx.moments, *step.parameters], of_made)
        of_parameters = [
            rows if moments is None else moments for rows, moments in zip(by_rows, by_moments, strict=True)
        ]
        if not ctx.needs_input_grad[0]:
            return None, None, *of_parameters
        of_x = of_sum.baddbmm_(matrix.mT, of_map) if step.skip else torch.bmm(matrix.mT, of_map)
        of_x += (of_mean / x.shape[-1])[..., None].to(x.dtype)
        of_x.baddbmm_(((of_products + of_products.mT) / x.shape[-1]).to(x.dtype), x)
        return of_x, None, *of_parameters


def _derived(
    made: Tensor | tuple[Tensor, ...], of: list[Tensor], gradients: Tensor | tuple[Tensor, ...]
) -> tuple[Any, ...]:
    """Derive a small part of a step by autograd; None for what it does not depend on.

    Its graph is kept, so that the whole may be derived a second time, and goes with the graph it is part of.

    Args:
        made: what the part gave.
        of: what it was made of.
        gradients: of what it gave.
    """
    learned = [each for each in of if each.requires_grad]
    found = iter(torch.autograd.grad(made, learned, gradients, retain_graph=True, allow_unused=True))
    return tuple(next(found) if each.requires_grad else None for each in of)


def scale_and_shift(
    norm: nn.BatchNorm2d, mean: Float[Tensor, "channels"], variance: Float[Tensor, "channels"], *, count: int
) -> tuple[Float[Tensor, "channels"], Float[Tensor, "channels"]]:
    """Give what batch norm multiplies by and then adds while training, and have it remember mean and variance.

    Args:
        norm: it keeps a running mean and variance.
        mean: of each channel over the batch.
        variance: of the same values, divided by their count.
        count: how many values these were, of one channel.
    """
    variance = variance.clamp_min(0)  # what follows from moments may lie below
    _remember(norm, mean, variance, count=count)
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale


def band_of_taps(
    bins: int, kernel: int, *, stride: int, padding: int, like: Tensor
) -> Float[Tensor, "kernel rows bins"]:
    """Make matrices that each take the bin under one place of a kernel, for each row that comes out."""
    rows = (bins + 2 * padding - kernel) // stride + 1
    under = stride * torch.arange(rows) - padding + torch.arange(kernel)[:, None]  # (kernel, rows)
    return (under[..., None] == torch.arange(bins)).to(like.dtype)


def _remember(
    norm: nn.BatchNorm2d, mean: Float[Tensor, "channels"], variance: Float[Tensor, "channels"], *, count: int
) -> None:
    """Have batch norm remember mean and variance of a batch, as it does of what it normalises itself.

    Args:
        norm: it keeps a running mean and variance, or none.
        mean: of each channel over the batch.
        variance: of the same values, divided by their count.
        count: how many values these were, of one channel.
    """
    if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
        norm.num_batches_tracked += 1
        share = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean.detach().to(norm.running_mean), share)
        norm.running_var.lerp_(variance.detach().to(norm.running_var) * (count / max(1, count - 1)), share)


def depthwise_over_time(
    x: Float[Tensor, "channels batch frames"], weight: Float[Tensor, "channels taps"], taps: Sequence[int]
) -> Float[Tensor, "channels batch frames"]:
    """Convolve each channel with a weight for each tap, zeros around it: shifted sums.

    Args:
        x: the channels.
        weight: of each.
        taps: how many frames after the one that comes out each weight hears; below 0: before. One of them is 0.
    """
    return _DepthwiseOverTime.apply(x, weight, tuple(taps))


class _DepthwiseOverTime(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, taps: tuple[int, ...]) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x, weight)
        ctx.taps = taps
        weights = weight.T[..., None, None]  # each (channels, 1, 1)
        y = x * weights[taps.index(0)]
        for each, tap in zip(weights, taps, strict=True):
            if tap:
                heard, made = _slices(tap)
                y[..., made].addcmul_(x[..., heard], each)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        weights = weight.T[..., None, None]
        of_x = gradient * weights[ctx.taps.index(0)]
        products = list[Tensor]()
        for each, tap in zip(weights, ctx.taps, strict=True):
            heard, made = _slices(tap)
            products.append(gradient[..., made] * x[..., heard])
            if tap:
                of_x[..., heard].addcmul_(gradient[..., made], each)
        return of_x, torch.stack([product.sum((1, 2)) for product in products], dim=1), None


def _slices(tap: int) -> tuple[slice, slice]:
    """Which frames are heard so far ahead, and by which."""
    ahead, behind = slice(abs(tap), None), slice(None, -abs(tap) or None)
    return (ahead, behind) if tap > 0 else (behind, ahead)
