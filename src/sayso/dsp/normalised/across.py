"""Rows mapped to others by the same weights everywhere, batch norm, ReLU: a convolution across all channels."""

import ctypes
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sayso.dsp.normalised.compiled import call, is_compiled
from sayso.dsp.normalised.dense_map import OfMoments, derived, normalised_relu, scale_and_shift

__all__ = ["mapped_relu"]

_MOST_INPUTS = 64
"""From so many on, products of matrices are faster."""
_CHUNK = 2048
"""Columns whose sums are taken by themselves first."""


def mapped_relu(
    x: Float[Tensor, "groups inputs columns"], weight: Float[Tensor, "outputs inputs"], norm: nn.BatchNorm2d
) -> Float[Tensor, "outputs groups columns"]:
    """Map each group of rows by the same weights, normalise each output over all groups and columns, ReLU.

    Args:
        x: in any layout.
        weight: of the map.
        norm: remembers mean and variance.
    """
    groups, inputs, columns = x.shape

    def of_moments(mean: Tensor, products: Tensor) -> tuple[Tensor, Tensor]:
        matrix = weight.double()
        variance = ((matrix @ (products - mean[:, None] * mean)) * matrix).sum(1)
        scale, shift = scale_and_shift(norm, matrix @ mean, variance, count=groups * columns)
        return scale[:, None] * matrix, shift

    learned = weight, norm.weight, norm.bias
    if inputs <= _MOST_INPUTS and is_compiled(x, *learned):
        return _MappedRelu.apply(x if x.stride(2) == 1 else x.contiguous(), of_moments, *learned)
    return _by_products(x, of_moments, list(learned))


def _by_products(x: Tensor, of_moments: OfMoments, learned: list[Tensor]) -> Tensor:
    outermost = x.transpose(0, 1)
    in_one = outermost.is_contiguous()
    groups = outermost.flatten(1)[None] if in_one else x

    def of_groups(mean: Tensor, products: Tensor) -> tuple[Tensor, Tensor]:
        matrix, shift = of_moments(mean.mean(0), products.mean(0))
        return matrix.expand(len(groups), -1, -1), shift[:, None].expand(len(groups), -1, -1)

    y = normalised_relu(groups, of_groups, learned)
    return y.squeeze(0).unflatten(1, outermost.shape[1:]) if in_one else y.transpose(0, 1).contiguous()


class _Map(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_long)
        for name in ("inputs", "outputs", "groups", "columns", "chunk", "input_stride", "group_stride", "threads")
    )


class _MappedRelu(torch.autograd.Function):
    """What follows from moments is derived by autograd, the rest by the compiled half."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, of_moments: OfMoments, *learned: Tensor) -> Tensor:  # type: ignore[override]
        (groups, inputs, columns), outputs = x.shape, len(learned[0])
        shape = _map_of(x, outputs)
        products, sums = _summed("sum_inputs", shape, inputs, x)
        with torch.enable_grad():
            moments = [(each / (groups * columns)).requires_grad_() for each in (sums, products)]
            made = of_moments(*moments)
        matrix, shift = [each.detach().to(x.dtype).contiguous() for each in made]
        y = x.new_empty((outputs, groups, columns))
        call("write_mapped", shape, x, matrix, shift, y)
        ctx.save_for_backward(x, y, matrix, *learned)
        ctx.made, ctx.moments, ctx.learned = made, moments, learned
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, y, matrix, *_ = ctx.saved_tensors
        gradient, count = gradient.contiguous(), x.shape[0] * x.shape[2]
        shape = _map_of(x, len(matrix))
        of_made = _summed("sum_mapped", shape, len(matrix), gradient, y, x)
        of_mean, of_products, *of_learned = derived(ctx.made, [*ctx.moments, *ctx.learned], of_made)
        if not ctx.needs_input_grad[0]:
            return None, None, *of_learned
        of_pairs = ((of_products + of_products.mT) / count).to(x.dtype).contiguous()
        of_x = x.new_empty((x.shape[1], x.shape[0], x.shape[2]))
        call("write_inputs", shape, gradient, y, x, matrix, of_pairs, (of_mean / count).to(x.dtype), of_x)
        return of_x.transpose(0, 1), None, *of_learned


def _map_of(x: Tensor, outputs: int) -> _Map:
    groups, inputs, columns = x.shape
    return _Map(inputs, outputs, groups, columns, _CHUNK, x.stride(1), x.stride(0), torch.get_num_threads())


def _summed(name: str, shape: _Map, rows: int, *tensors: Tensor) -> tuple[Tensor, Tensor]:
    """Products of rows with inputs, (rows, inputs), and sums of rows."""
    chunks, width = shape.groups * -(-shape.columns // shape.chunk), rows * (shape.inputs + 1)
    room = tensors[0].new_empty((chunks + 1, width), dtype=torch.float64)
    call(name, shape, *tensors, room, room[chunks])
    return room[chunks, : rows * shape.inputs].view(rows, -1), room[chunks, rows * shape.inputs :]
