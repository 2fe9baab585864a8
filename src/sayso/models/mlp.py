"""Multilayer perceptron with one hidden layer, as the Keras digits tutorial puts on the raw wave.

On 30,000 samples and ten words it has 3,841,418 parameters. Weights start as Keras starts them.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt
from sayso.models import MODELS, NetworkConfig, glorot

__all__ = ["Mlp", "MlpConfig"]


@MODELS.register("mlp")
@dataclass(frozen=True, kw_only=True)
class MlpConfig(NetworkConfig):
    """One hidden layer on all numbers of any features."""

    hidden: PositiveInt = 128
    """Width of the hidden layer."""

    def build(self, shape: tuple[int, int, int], classes: int) -> "Mlp":
        """Make the network."""
        return Mlp(math.prod(shape), self.hidden, classes)


class Mlp(nn.Module):
    """A linear layer, ReLU, a linear layer.

    Args:
        numbers: how many a clip's features have.
        hidden: width of the hidden layer.
        classes: number of words.
    """

    def __init__(self, numbers: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(numbers, hidden)
        self.last = nn.Linear(hidden, classes)
        glorot(self)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        return self.last(torch.relu(self.hidden(features.flatten(1))))
