"""Depthwise separable convolution network: each block convolves every channel alone, then mixes the channels.

Source: Zhang et al. (2017), "Hello Edge: Keyword Spotting on Microcontrollers"; its small form is the keyword network
of MLPerf Tiny (10 coefficients, 49 frames, twelve classes: 24,908 numbers). Biases before batch norm, which it takes
out again, and batch norm's running means are not among the 23,180 that are learned here. Its kernels lie over frames
and coefficients, these over bins and frames.
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.models import MODELS, NetworkConfig

__all__ = ["DsCnn", "DsCnnConfig"]


@MODELS.register("ds_cnn")
@dataclass(frozen=True, kw_only=True)
class DsCnnConfig(NetworkConfig):
    """Depthwise separable convolutions; 23 thousand parameters, the yardstick of small boards."""

    channels: PositiveInt = 64
    """Channels of every convolution; 64 in the small form, 172 in the medium one, 276 in the large one."""
    blocks: PositiveInt = 4
    """Depthwise separable blocks; 4 in the small form, 5 in the large one."""
    kernel_bins: PositiveInt = 4
    """Bins under the first kernel."""
    kernel_frames: PositiveInt = 10
    """Frames under the first kernel."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.2
    """Share of the pooled channels dropped before the last layer while training."""

    def build(self, shape: tuple[int, int, int], classes: int) -> "DsCnn":
        """Make the network."""
        return DsCnn(self, shape[0], classes)


class DsCnn(nn.Module):
    """A convolution that halves bins and frames, depthwise separable blocks, the mean, one linear layer.

    Args:
        config: its settings.
        inputs: channels of the features.
        classes: number of words.
    """

    def __init__(self, config: DsCnnConfig, inputs: int, classes: int) -> None:
        super().__init__()
        channels = config.channels
        kernel = (config.kernel_bins, config.kernel_frames)
        bins, frames = [size - 1 for size in kernel]
        # As TensorFlow pads: of an odd number of zeros, the one more stands behind.
        around = nn.ZeroPad2d((frames // 2, frames - frames // 2, bins // 2, bins - bins // 2))
        first = nn.Conv2d(inputs, channels, kernel, stride=2, bias=False)
        self.first = nn.Sequential(around, first, nn.BatchNorm2d(channels), nn.ReLU())
        self.blocks = nn.Sequential(*[_block(channels) for _ in range(config.blocks)])
        self.dropout = nn.Dropout(config.dropout)
        self.last = nn.Linear(channels, classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = self.blocks(self.first(features))  # (batch, channels, bins / 2, frames / 2)
        return self.last(self.dropout(torch.mean(x, dim=(2, 3))))


def _block(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )
