"""Networks, one file each: (batch, channels, bins, frames) in, logits (batch, classes) out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.registry import Part, Registry
from sayso.dsp.carried import Carried
from sayso.errors import Fault

__all__ = ["MODELS", "NetworkConfig", "TimeNetwork", "glorot"]


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Part):
    """Base of the settings of every network."""

    registry: ClassVar["Registry[NetworkConfig]"]

    gains_by_bfloat16: ClassVar[bool] = True
    """Whether processors with matrix units for bfloat16 train it faster so."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the network cannot take features of shape (channels, bins, frames).

        It is asked before data is touched.

        A message says what the network needs. The recipe adds what the features give, and which others would fit.
        """
        del shape
        return iter(())

    def build(self, shape: tuple[int, int, int], classes: int) -> nn.Module:
        """Make the network for features of shape (channels, bins, frames)."""
        raise NotImplementedError

    def warm_up(self) -> None:
        """Do once what a process's first step on a processor would wait for, so that it tells the pace of all."""


class TimeNetwork(nn.Module):
    """Base of networks that begin with layers over time and end with a head on what these give of one window.

    Attributes:
        width: channels that the layers over time give.
    """

    width: int

    def carried(self) -> Carried | None:
        """Make the form of the layers over time for a stream; None where a window's ends are padded.

        It takes frames (1, channels * bins, frames).
        """
        raise NotImplementedError

    def head(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word, from what the layers over time give of whole windows."""
        raise NotImplementedError


MODELS: Registry[NetworkConfig] = Registry("sayso.models", noun="model")
NetworkConfig.registry = MODELS


def glorot(network: nn.Module) -> None:
    """Start linear and convolution layers as Keras does: even weights by Glorot & Bengio (2010), biases of zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
