"""Rows mapped to others by the same weights everywhere, batch norm, ReLU: a convolution across all channels."""

import ctypes
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sayso.dsp.normalised.compiled import Running, call, is_compiled, running_of
from sayso.dsp.normalised.dense_map import normalised_relu, scale_and_shift

__all__ = ["mapped_relu"]

_MOST_INPUTS, _MOST_OUTPUTS = 64, 256
"""Above so many, products of matrices are faster, or sums have no room on a thread's stack."""
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

    Raises:
        ValueError: weights or norm are not of as many rows as come in or come out.
    """
    if weight.shape[1] != x.shape[1] or norm.num_features != len(weight):
        given = f"{tuple(weight.shape)} and a norm of {norm.num_features} channels"
        raise ValueError(f"weights of {given} do not fit {x.shape[1]} rows")
    learned = weight, norm.weight, norm.bias
    fits = weight.shape[1] <= _MOST_INPUTS and len(weight) <= _MOST_OUTPUTS
    if fits and is_compiled(x, *learned, norms=[norm]):
        return _MappedRelu.apply(x if x.stride(2) == 1 else x.contiguous(), norm, *learned)
    return _by_products(x, weight, norm)


def _by_products(x: Tensor, weight: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    outermost = x.transpose(0, 1)
    in_one = outermost.is_contiguous()
    groups = outermost.flatten(1)[None] if in_one else x

    def of_moments(means: Tensor, all_products: Tensor) -> tuple[Tensor, Tensor]:
        mean, products, matrix = means.mean(0), all_products.mean(0), weight.double()
        variance = ((matrix @ (products - mean[:, None] * mean)) * matrix).sum(1)
        scale, shift = scale_and_shift(norm, matrix @ mean, variance, count=x.shape[0] * x.shape[2])
        matrix = scale[:, None] * matrix
        return matrix.expand(len(groups), -1, -1), shift[:, None].expand(len(groups), -1, -1)

    y = normalised_relu(groups, of_moments, (weight, norm.weight, norm.bias))
    return y.squeeze(0).unflatten(1, outermost.shape[1:]) if in_one else y.transpose(0, 1).contiguous()


class _Map(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_long) for name in ("inputs", "outputs", "groups", "columns", "chunk")),
        *((name, ctypes.c_long) for name in ("input_stride", "group_stride", "threads")),
        ("epsilon", ctypes.c_double),
        ("running", Running),
    )


class _MappedRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, norm: nn.BatchNorm2d, *given: Tensor) -> Tensor:  # type: ignore[override]
        (groups, inputs, columns), outputs = x.shape, len(given[0])
        learned = [each.contiguous() for each in given]
        sizes = inputs, outputs, groups, columns, _CHUNK, x.stride(1), x.stride(0), torch.get_num_threads()
        shape = _Map(*sizes, float(norm.eps), running_of(norm))
        kept = x.new_empty(inputs * (inputs + 1) + 2 * outputs, dtype=torch.float64)
        y = x.new_empty((outputs, groups, columns))
        call("write_mapped", shape, x, *learned, _room(x, inputs), kept, y)
        ctx.save_for_backward(x, y, *learned, kept)
        ctx.shape = shape
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, y, weight, gain, offset, kept = ctx.saved_tensors
        of_learned = [torch.empty_like(each) for each in (weight, gain, offset)]
        of_x = x.new_empty((x.shape[1], x.shape[0], x.shape[2])) if ctx.needs_input_grad[0] else None
        made = gradient.contiguous(), y, x, weight, gain, _room(x, len(weight)), kept
        call("derive_mapped", ctx.shape, *made, *of_learned, of_x)
        return None if of_x is None else of_x.transpose(0, 1), None, *of_learned


def _room(x: Tensor, rows: int) -> Tensor:
    """For the sums of chunks: of rows, and of their products with inputs."""
    groups, inputs, columns = x.shape
    return x.new_empty(groups * -(-columns // _CHUNK) * rows * (inputs + 1), dtype=torch.float64)
