"""Feed-forward network of several hidden layers, such as for the Fourier transform of a whole clip.

Keydana (2023), "Deep Learning and Scientific Computing with R torch", chapter 22, weighs it for features that have no
order in time. Its layers are those of that chapter's head: linear, batch norm, ReLU, dropout.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.models import MODELS, NetworkConfig

__all__ = ["FeedForward", "FeedForwardConfig"]


@MODELS.register("feed_forward")
@dataclass(frozen=True, kw_only=True)
class FeedForwardConfig(NetworkConfig):
    """Several hidden layers on all numbers of any features."""

    hidden: tuple[PositiveInt, ...] = (256, 128)
    """Width of each hidden layer, the first one next to the features."""
    batch_norm: bool = True
    """Normalise each layer over the batch, before ReLU."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.3
    """Share of each hidden layer's numbers dropped while training."""

    def build(self, shape: tuple[int, int, int], classes: int) -> "FeedForward":
        """Make the network."""
        sizes = [math.prod(shape), *self.hidden]
        return FeedForward(sizes, classes, batch_norm=self.batch_norm, dropout=self.dropout)


class FeedForward(nn.Module):
    """Hidden layers one after the other, then a linear one.

    Args:
        sizes: numbers of a clip's features, then the width of each hidden layer.
        classes: number of words.
        batch_norm: whether hidden layers are normalised.
        dropout: after each hidden layer.
    """

    def __init__(self, sizes: list[int], classes: int, *, batch_norm: bool, dropout: float) -> None:
        super().__init__()
        layers = [layer for pair in pairwise(sizes) for layer in _hidden_layer(*pair, batch_norm, dropout)]
        self.hidden = nn.Sequential(*layers)
        self.last = nn.Linear(sizes[-1], classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        return self.last(self.hidden(features.flatten(1)))


def _hidden_layer(before: int, after: int, batch_norm: bool, dropout: float) -> Iterator[nn.Module]:
    # Batch norm takes away any bias before it.
    yield nn.Linear(before, after, bias=not batch_norm)
    if batch_norm:
        yield nn.BatchNorm1d(after)
    yield nn.ReLU()
    yield nn.Dropout(dropout)
