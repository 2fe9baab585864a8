"""Pooled network: mean and maximum over time, one hidden layer. Small, for representations that know speech already.

Pools forget in which order a word's parts came. A convolution over a few frames before them tells words from others
that are made of the same parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig

__all__ = ["PooledMlp", "PooledMlpConfig"]


@MODELS.register("pooled_mlp")
@dataclass(frozen=True, kw_only=True)
class PooledMlpConfig(NetworkConfig):
    """Mean and maximum over time, one hidden layer; for `speech_embedding`."""

    channels: Annotated[int, Range(least=0)] = 0
    """Channels of a convolution over time, pooled beside the features; 0: none."""
    kernel: PositiveInt = 2
    """Frames under the convolution's kernel; it is not padded."""
    hidden: PositiveInt = 128
    """Units of the hidden layer."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.3
    """Share of the numbers dropped before and after the hidden layer while training."""
    input_dropout: Annotated[float, Range(least=0, below=1)] = 0.2
    """Share of the features dropped before the convolution while training."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where features have a single bin, of which mean and maximum would be all that is left."""
        if shape[1] < 2:
            yield Fault("kind", "pooled_mlp needs at least 2 bins")
        if self.channels and shape[2] < self.kernel:
            yield Fault("kernel", f"is {self.kernel}, of clips of {shape[2]} frames")

    def build(self, shape: tuple[int, int, int], classes: int) -> "PooledMlp":
        """Make the network."""
        return PooledMlp(self, shape[0] * shape[1], classes)


class PooledMlp(nn.Module):
    """Mean and maximum over time, two linear layers.

    Args:
        config: its settings.
        numbers: of one frame, over all channels.
        classes: number of words.
    """

    def __init__(self, config: PooledMlpConfig, numbers: int, classes: int) -> None:
        super().__init__()
        self.convolution = (
            nn.Sequential(
                nn.Dropout(config.input_dropout), nn.Conv1d(numbers, config.channels, config.kernel), nn.ReLU()
            )
            if config.channels
            else None
        )
        self.layers = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(2 * (numbers + config.channels), config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, classes),
        )

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        frames = features.flatten(1, 2)  # (batch, channels * bins, frames)
        pictures = (frames,) if self.convolution is None else (frames, self.convolution(frames))
        pooled = [pool for each in pictures for pool in (each.mean(dim=2), each.amax(dim=2))]
        return self.layers(torch.cat(pooled, dim=1))
