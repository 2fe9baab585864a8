"""A depthwise convolution over the frames of each clip, its batch norm, SiLU, and a map across channels."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.dsp.normalised.compiled import TAPS, Running, call, running_of
from sayso.dsp.normalised.dense_map import depthwise_over_time

__all__ = ["OverTime"]


@dataclass(frozen=True, kw_only=True)
class OverTime:
    """Convolve each channel of each clip with a weight for each of three taps, normalise, activate, mix channels.

    Attributes:
        weight: (channels, 3) in any shape, of the convolution; zeros lie around a clip's frames.
        norm: remembers mean and variance.
        mixing: (channels, channels) in any shape, makes channels of channels.
        taps: how many frames after the one that comes out each weight hears; below 0: before. One of them is 0.
        kept: (channels, clips), what a channel of a clip is multiplied by in the end, as dropout says.
    """

    weight: Tensor
    norm: nn.BatchNorm2d
    mixing: Tensor
    taps: Sequence[int]
    kept: Tensor

    @property
    def learned(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What it learns."""
        return self.weight, self.norm.weight, self.norm.bias, self.mixing

    def by_products(self, x: Float[Tensor, "channels columns"]) -> Float[Tensor, "channels columns"]:
        """Compute it by torch; columns are clips and frames."""
        y = depthwise_over_time(x.view(*self.kept.shape, -1), self.weight.reshape(len(x), -1), self.taps)
        y = nn.functional.silu(self.norm(y.view(1, len(y), 1, -1))).view(len(y), -1)
        return ((self.mixing.reshape(len(x), -1) @ y).view(*self.kept.shape, -1) * self.kept[..., None]).flatten(1)

    def compiled(
        self, x: Float[Tensor, "channels columns"], learned: Sequence[Tensor]
    ) -> tuple[Float[Tensor, "channels columns"], ctypes.Structure, list[Tensor]]:
        """Compute it by the program in C; gives what `derived` needs as well.

        Args:
            x: columns are clips and frames.
            learned: the same as its own, as densely as C expects them.
        """
        (channels, clips), columns = self.kept.shape, x.shape[1]
        sizes = channels, clips, columns // clips, (ctypes.c_long * TAPS)(*self.taps), torch.get_num_threads()
        shape = _Beat(*sizes, float(self.norm.eps), running_of(self.norm))
        moments, kept = x.new_empty((2, channels), dtype=torch.float64), self.kept.contiguous()
        activated, y = torch.empty_like(x), torch.empty_like(x)
        call("mix_over_time", shape, x, *learned, kept, moments, activated, y)
        return y, shape, [x, *learned, kept, moments, activated]

    @staticmethod
    def derived(
        gradient: Float[Tensor, "channels columns"], shape: ctypes.Structure, saved: Sequence[Tensor]
    ) -> list[Tensor]:
        """Gradients of what was heard and of what is learned, from that of what came out of `compiled`.

        Args:
            gradient: of that.
            shape: as it was given, as are the saved ones.
            saved: tensors.
        """
        found = [torch.empty_like(each) for each in saved[:5]]
        call("derive_over_time", shape, gradient, *saved, gradient.new_empty((2, *gradient.shape)), *found)
        return found


class _Beat(ctypes.Structure):
    _fields_ = (
        ("channels", ctypes.c_long),
        ("clips", ctypes.c_long),
        ("frames", ctypes.c_long),
        ("taps", ctypes.c_long * TAPS),
        ("threads", ctypes.c_long),
        ("epsilon", ctypes.c_double),
        ("running", Running),
    )
