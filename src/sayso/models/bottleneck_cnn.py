"""Bottleneck CNN: many numbers a frame are squeezed into few channels, then convolved over time. Few parameters.

For representations that know speech already and give hundreds of numbers a frame: a network that reads them all at
once has most of its weights in its first layer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.dsp.carried import Carried, CarriedChain, CarriedConvolution
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig, TimeNetwork
from sayso.system.wording import counted

__all__ = ["BottleneckCnn", "BottleneckCnnConfig"]


@MODELS.register("bottleneck_cnn")
@dataclass(frozen=True, kw_only=True)
class BottleneckCnnConfig(NetworkConfig):
    """A layer that squeezes each frame, one convolution over time, pools; for `speech_embedding` in small models."""

    bottleneck: PositiveInt = 24
    """Numbers that a frame is squeezed into."""
    channels: PositiveInt = 40
    """Channels of the convolution over time."""
    kernel: PositiveInt = 5
    """Frames under its kernel; it is not padded."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.1
    """Share of the pooled channels dropped before the last layer while training."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where there are fewer frames than the kernel spans."""
        if shape[2] < self.kernel:
            yield Fault("kind", f"bottleneck_cnn needs at least {counted(self.kernel, 'frame')}")

    def build(self, shape: tuple[int, int, int], classes: int) -> "BottleneckCnn":
        """Make the network."""
        return BottleneckCnn(self, shape[0] * shape[1], classes)


class BottleneckCnn(TimeNetwork):
    """Two convolutions over time, the first of a single frame; their mean and maximum over time, one linear layer.

    Args:
        config: its settings.
        numbers: of one frame, over all channels.
        classes: number of words.
    """

    def __init__(self, config: BottleneckCnnConfig, numbers: int, classes: int) -> None:
        super().__init__()
        self.width = config.channels
        self.squeeze = nn.Conv1d(numbers, config.bottleneck, 1, bias=False)
        self.squeeze_norm = nn.BatchNorm1d(config.bottleneck)
        self.convolution = nn.Conv1d(config.bottleneck, config.channels, config.kernel, bias=False)
        self.norm = nn.BatchNorm1d(config.channels)
        self.dropout = nn.Dropout(config.dropout)
        self.last = nn.Linear(2 * config.channels, classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = features.flatten(1, 2)  # (batch, channels * bins, frames)
        x = torch.relu(self.squeeze_norm(self.squeeze(x)))  # (batch, bottleneck, frames)
        return self.head(torch.relu(self.norm(self.convolution(x))))

    def carried(self) -> Carried:
        """Make the form of the convolutions for a stream."""
        squeeze, convolution = (CarriedConvolution(layer) for layer in (self.squeeze, self.convolution))
        return CarriedChain([squeeze, self.squeeze_norm, nn.ReLU(), convolution, self.norm, nn.ReLU()])

    def head(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word, from what the convolutions give."""
        return self.last(self.dropout(torch.cat((x.mean(dim=2), x.amax(dim=2)), dim=1)))
