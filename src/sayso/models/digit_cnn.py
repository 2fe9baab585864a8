"""Convolution network for small spectrogram pictures, as the DeepLightning digits example describes it.

Source: the "Audio Classification" example of DeepLightning (pme0 on GitHub). On a 64x64 picture and ten words it has
84,682 parameters. The largest of four values is taken before ReLU instead of after it: equal, since ReLU keeps their
order, and a quarter of the work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import Range
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig

__all__ = ["DigitCnn", "DigitCnnConfig"]

_CHANNELS = (16, 32, 64, 64)
_KERNELS = (5, 5, 3, 3)
_PADDING = 2
_LEAST = 4


@MODELS.register("digit_cnn")
@dataclass(frozen=True, kw_only=True)
class DigitCnnConfig(NetworkConfig):
    """Four convolution layers and one linear layer, made for pictures of 64x64; 85 thousand parameters there."""

    dropout: Annotated[float, Range(least=0, below=1)] = 0.0
    """Share of the numbers dropped before the last layer while training; 0: none, as in the source's first model. How
    much its second one drops, and where, it does not say."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the features have too few bins or frames for the poolings."""
        if min(shape[1:]) < _LEAST:
            yield Fault("kind", f"digit_cnn needs at least {_LEAST} bins and {_LEAST} frames")

    def build(self, shape: tuple[int, int, int], classes: int) -> "DigitCnn":
        """Make the network."""
        return DigitCnn(shape, classes, dropout=self.dropout)


class DigitCnn(nn.Module):
    """Four times convolution, pooling and ReLU, then one linear layer.

    Args:
        shape: (channels, bins, frames) of the features.
        classes: number of words.
        dropout: before the last layer.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, *, dropout: float) -> None:
        super().__init__()
        inputs = (shape[0], *_CHANNELS)
        layers = zip(inputs, _CHANNELS, _KERNELS, strict=False)
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(before, after, kernel, padding=_PADDING) for before, after, kernel in layers]
        )
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(_CHANNELS[-1] * _halved(shape[1]) * _halved(shape[2]), classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = features
        for convolution in self.convolutions:
            x = torch.relu_(nn.functional.max_pool2d(convolution(x), 2))  # half the bins, half the frames
        return self.last(self.dropout(x.flatten(1)))


def _halved(size: int) -> int:
    """Bins or frames left after all layers."""
    for kernel in _KERNELS:
        size = (size + 2 * _PADDING - kernel + 1) // 2
    return size
