"""Broadcasted residual network: what two dimensions tell is averaged over bins, read over time, and given back to all.

Source: Kim et al. (2021), "Broadcasted Residual Learning for Efficient Keyword Spotting" (BC-ResNet-`scale`, 9,232
parameters on 40 mel bins and twelve classes for a scale of 1). Every two-dimensional convolution of a block is
depthwise over bins alone; its batch norm counts each of five bands of bins for itself (sub-spectral normalisation,
Chang et al. 2021).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import Positive, PositiveInt, Range
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig

__all__ = ["BCResNet", "BCResNetConfig"]

_FIRST, _LAST = 16, 32  # channels at a scale of 1
_STAGES = ((8, 2, 1), (12, 2, 2), (16, 4, 2), (20, 4, 1))
"""Of each stage: channels at a scale of 1, blocks, and the stride over bins at its entry."""
_KERNEL = 5
"""Bins and frames under the first and the last kernel."""


@MODELS.register("bc_resnet")
@dataclass(frozen=True, kw_only=True)
class BCResNetConfig(NetworkConfig):
    """Broadcasted residual network: small and accurate, 9 thousand parameters at a scale of 1."""

    scale: Positive = 1.0
    """Multiplies every number of channels; the source has 1, 1.5, 2, 3, 6 and 8."""
    bands: PositiveInt = 5
    """Bands of bins that are normalised each for itself; each eighth of the bins must divide into them."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.1
    """Share of the channels over time dropped in each block while training."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where the bins do not divide into bands at each stage, or are too few for the last kernel."""
        rows = _rows(shape[1])
        if rows[-1] < _KERNEL or any(count % self.bands for count in rows):
            step = 8 * self.bands
            least = step * -(-_KERNEL // self.bands)
            yield Fault("kind", f"bc_resnet of {self.bands} bands needs {least} bins, or {step} more, and so on")

    def build(self, shape: tuple[int, int, int], classes: int) -> "BCResNet":
        """Make the network."""
        return BCResNet(self, shape[0], classes)


def _rows(bins: int) -> list[int]:
    """How many bins each stage gives."""
    rows = [-(-bins // 2)]
    for _, _, stride in _STAGES:
        rows.append(-(-rows[-1] // stride))
    return rows[1:]


class BCResNet(nn.Module):
    """A convolution, four stages of broadcasted residual blocks, a depthwise convolution over all bins, a classifier.

    Args:
        config: its settings.
        inputs: channels of the features.
        classes: number of words.
    """

    def __init__(self, config: BCResNetConfig, inputs: int, classes: int) -> None:
        super().__init__()
        first, *widths, last = [
            max(1, int(count * config.scale)) for count in (_FIRST, *(stage[0] for stage in _STAGES), _LAST)
        ]
        around = _KERNEL // 2
        self.first = nn.Conv2d(inputs, first, _KERNEL, stride=(2, 1), padding=around, bias=False)
        self.first_norm = nn.BatchNorm2d(first)
        blocks: list[_Block] = []
        before = first
        for index, ((_, count, stride), after) in enumerate(zip(_STAGES, widths, strict=True)):
            blocks.append(_Transition(before, after, config, stride=stride, dilation=2**index))
            blocks += [_Block(after, config, dilation=2**index) for _ in range(count - 1)]
            before = after
        self.blocks = nn.Sequential(*blocks)
        self.depthwise = nn.Conv2d(before, before, _KERNEL, padding=(0, around), groups=before, bias=False)
        self.pointwise = nn.Conv2d(before, last, 1, bias=False)
        self.last_norm = nn.BatchNorm2d(last)
        self.last = nn.Linear(last, classes)

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        x = torch.relu(self.first_norm(self.first(features)))  # (batch, channels, bins / 2, frames)
        x = self.pointwise(self.depthwise(self.blocks(x)))  # (batch, channels, bins / 8 - 4, frames)
        return self.last(torch.relu(self.last_norm(x)).mean(dim=(2, 3)))


class SubSpectralNorm(nn.Module):
    """Batch norm of each channel's bands of bins, each for itself.

    Args:
        channels: of the features.
        bands: into which their bins are cut, all of one height.
    """

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.norm = nn.BatchNorm2d(channels * bands)

    def forward(self, x: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch channels bins frames"]:
        """Normalise a batch."""
        cut = x.unflatten(2, (self.bands, -1)).flatten(1, 2)  # (batch, channels * bands, bins / bands, frames)
        return self.norm(cut).unflatten(1, (-1, self.bands)).flatten(2, 3)


class _Block(nn.Module):
    """Depthwise over bins; their mean, depthwise over time and across channels, is given back to every bin."""

    def __init__(self, channels: int, config: BCResNetConfig, *, dilation: int, stride: int = 1) -> None:
        super().__init__()
        self.over_bins = nn.Conv2d(
            channels, channels, (3, 1), stride=(stride, 1), padding=(1, 0), groups=channels, bias=False
        )
        self.bands_norm = SubSpectralNorm(channels, config.bands)
        self.over_time = nn.Conv2d(
            channels, channels, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=channels, bias=False
        )
        self.time_norm = nn.BatchNorm2d(channels)
        self.across = nn.Conv2d(channels, channels, 1, bias=False)
        self.dropout = nn.Dropout2d(config.dropout)

    def forward(self, x: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch channels bins frames"]:
        return torch.relu(x + self.broadcasted(x))

    def broadcasted(self, x: Tensor) -> Tensor:
        made = self.bands_norm(self.over_bins(x))  # (batch, channels, bins / stride, frames)
        of_time = self.time_norm(self.over_time(made.mean(dim=2, keepdim=True)))  # (batch, channels, 1, frames)
        return made + self.dropout(self.across(nn.functional.silu(of_time)))


class _Transition(_Block):
    """A block that changes the number of channels first, and so has nothing to add its result to."""

    def __init__(self, before: int, after: int, config: BCResNetConfig, *, stride: int, dilation: int) -> None:
        super().__init__(after, config, dilation=dilation, stride=stride)
        self.change = nn.Conv2d(before, after, 1, bias=False)
        self.change_norm = nn.BatchNorm2d(after)

    def forward(self, x: Float[Tensor, "batch before bins frames"]) -> Float[Tensor, "batch after rows frames"]:
        return torch.relu(self.broadcasted(torch.relu(self.change_norm(self.change(x)))))
