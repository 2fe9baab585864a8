"""Temporal network: convolutions over time, one hidden layer that knows when. For windows of a stream.

Where pooling forgets the order of frames, here each place in time has weights of its own: a word that ends where the
window ends is told from its first half, and from one that began before the window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.dsp.carried import Carried, CarriedChain, CarriedConvolution
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig, TimeNetwork

__all__ = ["TemporalMlp", "TemporalMlpConfig"]


@MODELS.register("temporal_mlp")
@dataclass(frozen=True, kw_only=True)
class TemporalMlpConfig(NetworkConfig):
    """Convolutions over time and one hidden layer over all places; for `speech_embedding` on streams."""

    channels: PositiveInt = 128
    """Channels of each convolution; the last one may have its own."""
    last_channels: Annotated[int, Range(least=0)] = 0
    """Channels of the last one, which the hidden layer reads at every place; 0: as many as of the others."""
    convolutions: PositiveInt = 2
    """How many there are."""
    kernel: PositiveInt = 3
    """Frames under the kernel of each; they are not padded."""
    hidden: PositiveInt = 256
    """Units of the hidden layer."""
    input_dropout: Annotated[float, Range(least=0, below=1)] = 0.2
    """Share of the features dropped while training."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.5
    """Share of the numbers dropped before and after the hidden layer while training."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the convolutions leave none of the features' frames."""
        least = 1 + self.convolutions * (self.kernel - 1)
        if shape[2] < least:
            yield Fault("kind", f"temporal_mlp needs at least {least} frames")

    def build(self, shape: tuple[int, int, int], classes: int) -> "TemporalMlp":
        """Make the network."""
        return TemporalMlp(self, shape[0] * shape[1], shape[2], classes)


class TemporalMlp(TimeNetwork):
    """Convolutions over time, two linear layers.

    Args:
        config: its settings.
        numbers: of one frame, over all channels.
        frames: of a clip.
        classes: number of words.
    """

    def __init__(self, config: TemporalMlpConfig, numbers: int, frames: int, classes: int) -> None:
        super().__init__()
        self.width = config.last_channels or config.channels
        widths = [numbers, *[config.channels] * (config.convolutions - 1), self.width]
        self.drop = nn.Dropout(config.input_dropout)
        self.convolutions = nn.ModuleList([nn.Conv1d(*pair, config.kernel) for pair in pairwise(widths)])
        left = frames - config.convolutions * (config.kernel - 1)
        self.layers = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(self.width * left, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, classes),
        )

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = self.drop(features.flatten(1, 2))  # (batch, channels * bins, frames)
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))  # (batch, own channels, frames left)
        return self.head(x)

    def carried(self) -> Carried:
        """Make the form of the convolutions for a stream."""
        convolutions = [layer for layer in self.convolutions if isinstance(layer, nn.Conv1d)]
        return CarriedChain([each for layer in convolutions for each in (CarriedConvolution(layer), nn.ReLU())])

    def head(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word, from what the convolutions give."""
        return self.layers(x.flatten(1))
