"""Convolution network of the torch-and-luz tutorials: five stages that see the spectrogram as an image.

Source: Keydana (2023), "Deep Learning and Scientific Computing with R torch", chapter 22. Layers, sizes, padding (none)
and what is computed are the source's. Two steps come earlier than there, with the same values and gradients, because
ReLU keeps the order of numbers and lets factors of at least 0 through:

- the largest of four values is taken before ReLU, which then has a quarter of the numbers to work on;
- whole channels are dropped (multiplied by 0, or by 1 / (1 - dropout)) before ReLU, so that both can work in place:
  neither needs to remember what it was given, and what ReLU gave stays as it is for the way back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig

__all__ = ["LuzConvnet", "LuzConvnetConfig"]


@MODELS.register("luz_convnet")
@dataclass(frozen=True, kw_only=True)
class LuzConvnetConfig(NetworkConfig):
    """Five 3x3 convolution stages and two linear layers; 1.8 million parameters for 30 words."""

    channels: tuple[PositiveInt, ...] = (32, 64, 128, 256, 512)
    """Channels of each stage. All but the last halve bins and frames; fewer stages take smaller features."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.2
    """Share of the channels dropped after each stage while training."""
    head_dropout: Annotated[float, Range(least=0, below=1)] = 0.5
    """Share of the numbers dropped before the last layer while training."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where there is no stage."""
        if not self.channels:
            yield Fault("channels", "is empty, must have a number for each stage")

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the features have too few bins or frames for the convolutions and poolings."""
        least = 3
        for _ in self.channels[1:]:
            least = 2 * least + 2
        if min(shape[1:]) < least:
            stages = f"{len(self.channels)} stages" if len(self.channels) > 1 else "1 stage"
            yield Fault("kind", f"luz_convnet of {stages} needs at least {least} bins and {least} frames")

    def build(self, shape: tuple[int, int, int], classes: int) -> "LuzConvnet":
        """Make the network."""
        channels = [shape[0], *self.channels]
        return LuzConvnet(channels, classes, dropout=self.dropout, head_dropout=self.head_dropout)


class LuzConvnet(nn.Module):
    """Stages of convolution, batch norm, pooling, dropout and ReLU; the mean over the image; two linear layers.

    Args:
        channels: of the features and of each stage.
        classes: number of words.
        dropout: of whole channels, after each stage.
        head_dropout: before the last layer.
    """

    def __init__(self, channels: list[int], classes: int, *, dropout: float, head_dropout: float) -> None:
        super().__init__()
        *halving, last = pairwise(channels)
        self.stages = nn.Sequential(*[_HalvingStage(before, after, dropout) for before, after in halving])
        self.last_stage = nn.Sequential(nn.Conv2d(*last, kernel_size=3), nn.BatchNorm2d(last[1]), nn.ReLU(inplace=True))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(
            nn.Linear(last[1], last[1]),
            nn.BatchNorm1d(last[1]),
            nn.ReLU(inplace=True),
            nn.Dropout(head_dropout),
            nn.Linear(last[1], classes),
        )

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = self.stages(features)  # (batch, channels, bins / 2 ** stages, frames / 2 ** stages), less the borders
        x = self.last_stage(x).mean(dim=(2, 3))  # (batch, last channels)
        return self.head(self.dropout(x))


class _HalvingStage(nn.Module):
    def __init__(self, before: int, after: int, dropout: float) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, kernel_size=3)
        self.norm = nn.BatchNorm2d(after)
        self.dropout = nn.Dropout2d(dropout, inplace=True)

    def forward(
        self, x: Float[Tensor, "batch before bins frames"]
    ) -> Float[Tensor, "batch after fewer_bins fewer_frames"]:
        x = self.norm(self.convolution(x))
        return torch.relu_(self.dropout(nn.functional.max_pool2d(x, 2)))
