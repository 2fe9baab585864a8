"""Temporal convolution residual network: bins become channels, and all work is dense convolution over time.

Source: Choi et al. (2019), "Temporal Convolution for Real-time Keyword Spotting on Mobile Devices". Dense 1-D
convolutions keep a CPU's matrix units busy where depthwise 2-D ones leave them idle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import Positive, PositiveInt, Range
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig

__all__ = ["TCResNet", "TCResNetConfig"]


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
    dropout: Annotated[float, Range(least=0, below=1)] = 0.3
    """Share of the pooled channels dropped before the last layer while training."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the kernel is even, or there is no block."""
        if self.kernel % 2 == 0:
            yield Fault("kernel", f"is {self.kernel}, must be odd")
        if len(self.channels) < 2:
            yield Fault("channels", "needs at least two numbers, for the first convolution and one block")

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the features have too few frames to be halved in each block."""
        least = 2 ** (len(self.channels) - 1)
        if shape[2] < least:
            yield Fault("kind", f"tc_resnet needs at least {least} frames")

    def build(self, shape: tuple[int, int, int], classes: int) -> "TCResNet":
        """Make the network."""
        channels = [max(1, round(count * self.width)) for count in self.channels]
        return TCResNet(shape[0] * shape[1], channels, classes, kernel=self.kernel, dropout=self.dropout)


class TCResNet(nn.Module):
    """A 3-frame convolution, residual blocks that each halve time, the mean over time, one linear layer.

    Args:
        bins: channels times bins of the features.
        channels: of the first convolution and each block.
        classes: number of words.
        kernel: frames under a block's kernel, odd.
        dropout: before the last layer.
    """

    def __init__(self, bins: int, channels: list[int], classes: int, *, kernel: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Conv1d(bins, channels[0], kernel_size=3, padding=1, bias=False)
        pairs = pairwise(channels)
        self.blocks = nn.Sequential(*[_Block(before, after, kernel) for before, after in pairs])
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(channels[-1], classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = features.flatten(1, 2)  # (batch, channels * bins, frames)
        x = self.blocks(self.first(x))  # (batch, last channels, frames / 2 ** blocks)
        return self.last(self.dropout(x.mean(dim=-1)))


class _Block(nn.Module):
    def __init__(self, before: int, after: int, kernel: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(before, after, kernel, stride=2, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Conv1d(after, after, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(after),
        )
        self.skip = nn.Sequential(nn.Conv1d(before, after, 1, stride=2, bias=False), nn.BatchNorm1d(after))

    def forward(self, x: Float[Tensor, "batch before frames"]) -> Float[Tensor, "batch after half"]:
        return torch.relu(self.body(x) + self.skip(x))
