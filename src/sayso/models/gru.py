"""Recurrent network: gated recurrent units that read a clip frame by frame, both ways or forwards.

Source of the unit: Cho et al. (2014), "Learning Phrase Representations using RNN Encoder-Decoder". The tutorials that
Sayso goes back to announce such a network, on spectrograms and on the raw wave, and do not build it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import PositiveInt, Range
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig

__all__ = ["Gru", "GruConfig"]


@MODELS.register("gru")
@dataclass(frozen=True, kw_only=True)
class GruConfig(NetworkConfig):
    """Gated recurrent units over time."""

    hidden: PositiveInt = 128
    """Units of each layer, each way."""
    layers: PositiveInt = 2
    """Layers, each reading what the one before it says."""
    bidirectional: bool = True
    """Read both ways, from the beginning and from the end."""
    pooling: Literal["mean", "last"] = "mean"
    """What is scored: the mean over time, or the last state of each way."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.2
    """Share of the numbers dropped between layers and before the last one while training."""
    frame_samples: PositiveInt = 160
    """Features of a single bin, such as the raw wave, are cut into frames of so many values, filled up with zeros."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the features give fewer than two steps of time to read."""
        if self.framed(shape)[2] < 2:
            least = self.frame_samples + 1 if shape[1] == 1 else 2
            yield Fault("kind", f"gru needs at least {least} frames" + " of a single bin" * (shape[1] == 1))

    def framed(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Shape of the features once a single bin is cut into frames."""
        channels, bins, frames = shape
        return shape if bins > 1 else (channels, self.frame_samples, -(-frames // self.frame_samples))

    def build(self, shape: tuple[int, int, int], classes: int) -> "Gru":
        """Make the network."""
        return Gru(self, shape, classes)


class Gru(nn.Module):
    """Recurrent layers, the mean over time or the last states, one linear layer.

    Args:
        config: its settings.
        shape: (channels, bins, frames) of the features.
        classes: number of words.
    """

    def __init__(self, config: GruConfig, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        self.pooling = config.pooling
        channels, self.bins, self.frames = config.framed(shape)
        self.cuts_frames = shape[1] == 1
        self.surplus = self.bins * self.frames - shape[2] if self.cuts_frames else 0
        self.recurrent = nn.GRU(
            channels * self.bins,
            config.hidden,
            config.layers,
            batch_first=True,
            bidirectional=config.bidirectional,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.last = nn.Linear((1 + config.bidirectional) * config.hidden, classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        said = self._read(self._in_time(features))  # (batch, frames, ways * hidden)
        return self.last(self.dropout(said.mean(dim=1) if self.pooling == "mean" else self._last_states(said)))

    def _last_states(self, said: Float[Tensor, "batch time numbers"]) -> Float[Tensor, "batch numbers"]:
        """What each way says when it is through: at the end forwards, at the beginning backwards."""
        if not self.recurrent.bidirectional:
            return said[:, -1]
        hidden = self.recurrent.hidden_size
        return torch.cat((said[:, -1, :hidden], said[:, 0, hidden:]), dim=1)

    def _read(self, x: Float[Tensor, "batch time numbers"]) -> Float[Tensor, "batch time said"]:
        if not torch.compiler.is_exporting():
            return self.recurrent(x)[0]
        # The exporter follows nn.GRU through every frame, for a minute; ONNX has a layer of it as one operator.
        for layer in range(self.recurrent.num_layers):
            x = self._onnx_layer(x, layer)
        return x

    def _onnx_layer(self, x: Float[Tensor, "batch time numbers"], layer: int) -> Float[Tensor, "batch time said"]:
        recurrent, hidden = self.recurrent, self.recurrent.hidden_size
        ways = [f"l{layer}", f"l{layer}_reverse"][: 1 + recurrent.bidirectional]

        def gates(name: str, way: str) -> Tensor:
            reset, update, new = getattr(recurrent, f"{name}_{way}").unflatten(0, (3, hidden))
            return torch.cat((update, reset, new))  # in the order of ONNX

        inputs = torch.stack([gates("weight_ih", way) for way in ways])
        states = torch.stack([gates("weight_hh", way) for way in ways])
        biases = torch.stack([torch.cat((gates("bias_ih", way), gates("bias_hh", way))) for way in ways])
        direction = "bidirectional" if recurrent.bidirectional else "forward"
        said = torch.onnx.ops.symbolic(
            "GRU",
            (x.transpose(0, 1), inputs, states, biases),
            attrs={"hidden_size": hidden, "direction": direction, "linear_before_reset": 1},
            dtype=x.dtype,
            shape=(x.shape[1], len(ways), x.shape[0], hidden),
        )
        return said.permute(2, 0, 1, 3).flatten(2)

    def _in_time(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch time numbers"]:
        if not self.cuts_frames:
            return features.flatten(1, 2).transpose(1, 2)
        padded = nn.functional.pad(features, (0, self.surplus))
        frames = padded.unflatten(3, (self.frames, self.bins))  # (batch, channels, 1, frames, bins)
        return frames.squeeze(2).transpose(1, 2).flatten(2)
