"""Pooled network: mean and maximum over time, one hidden layer. Small, for representations that know speech already."""

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

    hidden: PositiveInt = 128
    """Units of the hidden layer."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.3
    """Share of the numbers dropped before and after the hidden layer while training."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where features have a single bin, of which mean and maximum would be all that is left."""
        if shape[1] < 2:
            yield Fault("kind", "pooled_mlp needs at least 2 bins")

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
        self.layers = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(2 * numbers, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, classes),
        )

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        pooled = torch.cat((features.mean(dim=3), features.amax(dim=3)), dim=1)  # (batch, 2 channels, bins)
        return self.layers(pooled.flatten(1))
