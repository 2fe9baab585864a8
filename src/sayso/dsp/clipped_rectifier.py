"""A leaky rectifier that goes no lower than some level, in the memory of what it is given."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["ClippedRectifier"]


class ClippedRectifier(nn.Module):
    """The largest of value, slope times value below 0, and the lowest level.

    Where no graph is made of it, it overwrites its input, which nobody else may need then. What comes out tells the
    slopes, so that training keeps nothing else: a step through many layers of it takes a quarter less.

    Args:
        slope: below 0, between 0 and 1.
        lowest: the level, below 0.

    >>> ClippedRectifier(slope=0.2, lowest=-0.5)(torch.tensor([2.0, -1.0, -9.0])).tolist()
    [2.0, -0.20000000298023224, -0.5]
    """

    def __init__(self, *, slope: float, lowest: float) -> None:
        super().__init__()
        self.slope, self.lowest = slope, lowest

    def forward(self, values: Tensor) -> Tensor:
        """Rectify values of any shape."""
        if torch.compiler.is_exporting():
            return torch.clamp(nn.functional.leaky_relu(values, self.slope), min=self.lowest)
        return _InPlace.apply(values, self.slope, self.lowest)


class _InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, slope: float, lowest: float) -> Tensor:  # type: ignore[override]
        made = nn.functional.leaky_relu_(values, slope).clamp_(min=lowest)
        ctx.mark_dirty(values)
        ctx.save_for_backward(made)
        ctx.slope, ctx.lowest = slope, lowest
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (made,) = ctx.saved_tensors
        above = torch.ops.aten.threshold_backward(gradient, made, ctx.lowest)
        return torch.ops.aten.leaky_relu_backward(above, made, ctx.slope, True), None, None
