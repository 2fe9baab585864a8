"""Logistic regression: one linear layer on all numbers of any features."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from sayso.models import MODELS, NetworkConfig

__all__ = ["Logistic", "LogisticConfig"]


@MODELS.register("logistic")
@dataclass(frozen=True, kw_only=True)
class LogisticConfig(NetworkConfig):
    """Logistic regression on all numbers of any features."""

    def build(self, shape: tuple[int, int, int], classes: int) -> "Logistic":
        """Make the network."""
        return Logistic(math.prod(shape), classes)


class Logistic(nn.Module):
    """One linear layer; softmax is the loss's.

    Args:
        numbers: how many a clip's features have.
        classes: number of words.
    """

    def __init__(self, numbers: int, classes: int) -> None:
        super().__init__()
        self.last = nn.Linear(numbers, classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        return self.last(features.flatten(1))
