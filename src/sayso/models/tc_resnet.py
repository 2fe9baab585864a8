"""Temporal convolution residual network: bins become channels, and all work is dense convolution over time.

Source: Choi et al. (2019), "Temporal Convolution for Real-time Keyword Spotting on Mobile Devices". Dense 1-D
convolutions keep a CPU's matrix units busy where depthwise 2-D ones leave them idle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import Positive, PositiveInt, Range
from sayso.dsp.carried import Carried, CarriedChain, CarriedConvolution, CarriedSum
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig, TimeNetwork

__all__ = ["TCResNet", "TCResNetConfig"]

_FIRST_KERNEL = 3


@MODELS.register("tc_resnet")
@dataclass(frozen=True, kw_only=True)
class TCResNetConfig(NetworkConfig):
    """Residual network of dense temporal convolutions, fast on CPUs."""

    width: Positive = 2.0
    """Multiplies every number of channels; 1 gives 65 thousand parameters on 40 bands, 2 gives 254 thousand."""
    channels: tuple[PositiveInt, ...] = (16, 24, 32, 48)
    """Channels of the first convolution and of each residual block, before `width`."""
    kernel: PositiveInt = 9
    """Frames under one kernel of a block; odd."""
    padding: Literal["same", "none"] = "same"
    """same: zeros stand before and behind the clip; none: every convolution lies within the clip, so that a stream
    computes each of its frames once. That takes a shorter kernel: of three blocks 87 frames for 5, 171 for 9."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.3
    """Share of the pooled channels dropped before the last layer while training."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the kernel is even, or there is no block."""
        if self.kernel % 2 == 0:
            yield Fault("kernel", f"is {self.kernel}, must be odd")
        if len(self.channels) < 2:
            yield Fault("channels", "needs at least two numbers, for the first convolution and one block")

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the features have too few frames to be halved in each block, or for its convolutions."""
        blocks = len(self.channels) - 1
        if self.padding == "none" and (least := _frames_heard(self.kernel, blocks)) > shape[2]:
            fits = [kernel for kernel in range(1, self.kernel, 2) if _frames_heard(kernel, blocks) <= shape[2]]
            mend = f"; a kernel of {fits[-1]} fits" if fits else ""
            yield Fault("padding", f"is none: kernels of {self.kernel} hear {least} frames{mend}")
        elif shape[2] < (least := 2**blocks):
            yield Fault("kind", f"tc_resnet needs at least {least} frames")

    def build(self, shape: tuple[int, int, int], classes: int) -> "TCResNet":
        """Make the network."""
        channels = [max(1, round(count * self.width)) for count in self.channels]
        padded = self.padding == "same"
        return TCResNet(shape[0] * shape[1], channels, classes, kernel=self.kernel, dropout=self.dropout, padded=padded)


def _frames_heard(kernel: int, blocks: int) -> int:
    """Frames that one output of convolutions without padding hears."""
    span = 1
    for _ in range(blocks):
        span = 2 * (span + kernel - 2) + kernel
    return span + _FIRST_KERNEL - 1


class TCResNet(TimeNetwork):
    """A 3-frame convolution, residual blocks that each halve time, the mean over time, one linear layer.

    Args:
        bins: channels times bins of the features.
        channels: of the first convolution and each block.
        classes: number of words.
        kernel: frames under a block's kernel, odd.
        dropout: before the last layer.
        padded: whether zeros stand around the clip.
    """

    def __init__(
        self, bins: int, channels: list[int], classes: int, *, kernel: int, dropout: float, padded: bool = True
    ) -> None:
        super().__init__()
        self.padded, self.width = padded, channels[-1]
        around = _FIRST_KERNEL // 2 if padded else 0
        self.first = nn.Conv1d(bins, channels[0], kernel_size=_FIRST_KERNEL, padding=around, bias=False)
        pairs = pairwise(channels)
        self.blocks = nn.Sequential(*[_Block(before, after, kernel, padded=padded) for before, after in pairs])
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(channels[-1], classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = features.flatten(1, 2)  # (batch, channels * bins, frames)
        return self.head(self.blocks(self.first(x)))

    def carried(self) -> Carried | None:
        """Make the form of first convolution and blocks for a stream; None where they are padded."""
        if self.padded:
            return None
        blocks = [block.carried() for block in self.blocks if isinstance(block, _Block)]
        return CarriedChain(
            [CarriedConvolution(self.first), *(each for block in blocks for each in (block, nn.ReLU()))]
        )

    def head(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word, from what the blocks give: (batch, last channels, frames / 2 ** blocks or fewer)."""
        return self.last(self.dropout(x.mean(dim=-1)))


class _Block(nn.Module):
    def __init__(self, before: int, after: int, kernel: int, *, padded: bool) -> None:
        super().__init__()
        around = kernel // 2 if padded else 0
        self.body = nn.Sequential(
            nn.Conv1d(before, after, kernel, stride=2, padding=around, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Conv1d(after, after, kernel, padding=around, bias=False),
            nn.BatchNorm1d(after),
        )
        self.skip = nn.Sequential(nn.Conv1d(before, after, 1, stride=2, bias=False), nn.BatchNorm1d(after))
        # The frame in the middle of those that an output of the body hears.
        self.middle = 0 if padded else 3 * (kernel // 2)

    def forward(self, x: Float[Tensor, "batch before frames"]) -> Float[Tensor, "batch after half"]:
        made = self.body(x)
        return torch.relu(made + self.skip(x[..., self.middle :])[..., : made.shape[-1]])

    def carried(self) -> CarriedSum:
        """The form for a stream of what stands under the ReLU."""
        body = [CarriedConvolution(layer) if isinstance(layer, nn.Conv1d) else layer for layer in self.body]
        first = self.body[0]
        assert isinstance(first, nn.Conv1d)
        return CarriedSum(CarriedChain(body), self.skip, channels=first.in_channels, middle=self.middle)
