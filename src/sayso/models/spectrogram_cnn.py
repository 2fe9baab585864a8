"""Convolution network of the Keras digits tutorial: one convolution over the spectrogram, and a hidden layer.

The source's code makes a first convolution that it then leaves out; what it trains, by its own summary, is this: a
4x4 convolution without padding, pooling by 4, dropout, a hidden layer of 32. On (1, 1025, 40) and ten words it has
4,701,610 parameters. Weights start as Keras starts them. The largest value is taken before ReLU instead of after it:
equal, since ReLU keeps their order, and a sixteenth of the work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig, glorot

__all__ = ["SpectrogramCnn", "SpectrogramCnnConfig"]


@MODELS.register("spectrogram_cnn")
@dataclass(frozen=True, kw_only=True)
class SpectrogramCnnConfig(NetworkConfig):
    """One convolution and one hidden layer; 4.7 million parameters on 1025 bins and 40 frames."""

    channels: PositiveInt = 64
    """Kernels of the convolution."""
    kernel: PositiveInt = 4
    """Bins and frames under one kernel."""
    pool: PositiveInt = 4
    """Of so many bins and frames only the largest value goes on."""
    hidden: PositiveInt = 32
    """Width of the hidden layer."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.2
    """Share of the pooled numbers dropped while training."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the features have too few bins or frames for the convolution and the pooling."""
        least = self.kernel + self.pool - 1
        if min(shape[1:]) < least:
            yield Fault("kind", f"spectrogram_cnn needs at least {least} bins and {least} frames")

    def build(self, shape: tuple[int, int, int], classes: int) -> "SpectrogramCnn":
        """Make the network."""
        return SpectrogramCnn(self, shape, classes)


class SpectrogramCnn(nn.Module):
    """Convolution, pooling, ReLU, dropout, and two linear layers.

    Args:
        config: its settings.
        shape: (channels, bins, frames) of the features.
        classes: number of words.
    """

    def __init__(self, config: SpectrogramCnnConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        self.pool = config.pool
        self.convolution = nn.Conv2d(shape[0], config.channels, config.kernel)
        self.dropout = nn.Dropout(config.dropout)
        bins, frames = [(size - config.kernel + 1) // config.pool for size in shape[1:]]
        self.hidden = nn.Linear(config.channels * bins * frames, config.hidden)
        self.last = nn.Linear(config.hidden, classes)
        glorot(self)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = torch.relu_(nn.functional.max_pool2d(self.convolution(features), self.pool))
        x = x.permute(0, 2, 3, 1).flatten(1)  # channels innermost, as in Keras: (batch, bins * frames * channels)
        return self.last(torch.relu(self.hidden(self.dropout(x))))
