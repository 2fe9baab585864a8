"""MatchboxNet: residual blocks of one-dimensional convolutions, each channel's over time, then one across channels.

Source: Majumdar & Ginsburg (2020), "MatchboxNet: 1D Time-Channel Separable Convolutional Neural Network Architecture
for Speech Commands Recognition", and its settings in NeMo: BxRxC are `blocks`, `repeats` and `channels`; on 64 MFCC and
30 words 3x1x64 has 77 thousand parameters, 3x2x64 93 thousand.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.models import MODELS, NetworkConfig

__all__ = ["MatchboxNet", "MatchboxNetConfig"]

_FIRST_KERNEL, _LAST_KERNEL, _LAST_DILATION = 11, 29, 2


@MODELS.register("matchbox_net")
@dataclass(frozen=True, kw_only=True)
class MatchboxNetConfig(NetworkConfig):
    """Residual blocks of time-channel separable convolutions; 70 to 90 thousand parameters."""

    blocks: PositiveInt = 3
    """Residual blocks; the kernel of the first has 13 frames, that of each next one two more."""
    repeats: PositiveInt = 1
    """Separable convolutions of one block."""
    channels: PositiveInt = 64
    """Channels of the blocks."""
    outer_channels: PositiveInt = 128
    """Channels of the layers before and behind the blocks."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.0
    """Share of the values dropped behind each convolution while training."""

    def build(self, shape: tuple[int, int, int], classes: int) -> "MatchboxNet":
        """Make the network."""
        return MatchboxNet(self, shape[0] * shape[1], classes)


class MatchboxNet(nn.Module):
    """A separable convolution, residual blocks, a wide and a plain convolution, the mean over time, one linear layer.

    Args:
        config: its settings.
        bins: channels times bins of the features.
        classes: number of words.
    """

    def __init__(self, config: MatchboxNetConfig, bins: int, classes: int) -> None:
        super().__init__()
        inner, outer, dropout = config.channels, config.outer_channels, config.dropout
        self.first = _activated(_separable(bins, outer, _FIRST_KERNEL), dropout)
        inputs = [outer] + [inner] * (config.blocks - 1)
        blocks = [_Block(before, inner, 13 + 2 * index, config) for index, before in enumerate(inputs)]
        self.blocks = nn.Sequential(*blocks)
        self.wide = _activated(_separable(inner, outer, _LAST_KERNEL, dilation=_LAST_DILATION), dropout)
        self.across = _activated(_across(outer, outer), dropout)
        self.last = nn.Linear(outer, classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = self.blocks(self.first(features.flatten(1, 2)))  # (batch, channels, frames)
        return self.last(self.across(self.wide(x)).mean(dim=-1))


class _Block(nn.Module):
    def __init__(self, before: int, after: int, kernel: int, config: MatchboxNetConfig) -> None:
        super().__init__()
        inputs = [before] + [after] * (config.repeats - 1)
        *firsts, last = [_separable(channels, after, kernel) for channels in inputs]
        self.body = nn.Sequential(*[_activated(layers, config.dropout) for layers in firsts], last)
        self.skip = _across(before, after)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "batch before frames"]) -> Float[Tensor, "batch after frames"]:
        return self.dropout(torch.relu(self.body(x) + self.skip(x)))


def _separable(before: int, after: int, kernel: int, *, dilation: int = 1) -> nn.Sequential:
    around = dilation * (kernel // 2)
    over_time = nn.Conv1d(before, before, kernel, padding=around, dilation=dilation, groups=before, bias=False)
    return nn.Sequential(over_time, *_across(before, after))


def _across(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(before, after, 1, bias=False), nn.BatchNorm1d(after))


def _activated(layers: nn.Sequential, dropout: float) -> nn.Sequential:
    return nn.Sequential(*layers, nn.ReLU(), nn.Dropout(dropout))
