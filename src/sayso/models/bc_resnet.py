"""Broadcasted residual network: what two dimensions tell is averaged over bins, read over time, and given back to all.

Source: Kim et al. (2021), "Broadcasted Residual Learning for Efficient Keyword Spotting" (BC-ResNet-`scale`, 9,232
parameters on 40 mel bins and twelve classes for a scale of 1). Every two-dimensional convolution of a block is
depthwise over bins alone; its batch norm counts each of five bands of bins for itself (sub-spectral normalisation,
Chang et al. 2021).

Processors are slow at depthwise convolutions and at batch norm. While it trains on one in float32, the network
computes the same by `sayso.dsp.normalised`: channels outermost, then bins, then clips and frames as columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.config.schema import Positive, PositiveInt, Range
from sayso.dsp.carried import Carried
from sayso.dsp.normalised import OverTime, Stencil, depthwise, mapped_relu, stencil_relu, unfolded
from sayso.dsp.normalised.compiled import is_compiled
from sayso.errors import Fault
from sayso.models import MODELS, NetworkConfig, TimeNetwork

__all__ = ["BCResNet", "BCResNetConfig"]

_FIRST, _LAST = 16, 32  # channels at a scale of 1
_STAGES = ((8, 2, 1), (12, 2, 2), (16, 4, 2), (20, 4, 1))
"""Of each stage: channels at a scale of 1, blocks, and the stride over bins at its entry."""
_KERNEL = 5
"""Bins and frames under the first and the last kernel."""
_LONGEST_DILATION = 2 ** (len(_STAGES) - 1)
_BEHIND = 2 * (_KERNEL - 1) + sum(2 * count * 2**stage for stage, (_, count, _) in enumerate(_STAGES))
"""Frames before the newest one that an output hears, where it hears none after it."""


@MODELS.register("bc_resnet")
@dataclass(frozen=True, kw_only=True)
class BCResNetConfig(NetworkConfig):
    """Broadcasted residual network: small and accurate, 9 thousand parameters at a scale of 1."""

    gains_by_bfloat16: ClassVar[bool] = False
    scale: Positive = 1.0
    """Multiplies every number of channels; the source has 1, 1.5, 2, 3, 6 and 8."""
    bands: PositiveInt = 5
    """Bands of bins that are normalised each for itself; each eighth of the bins must divide into them."""
    dropout: Annotated[float, Range(least=0, below=1)] = 0.1
    """Share of the channels over time dropped in each block while training."""
    causal: bool = False
    """Every frame hears those before it alone, 116 of them, and only frames that have all of these are averaged: so a
    stream computes each of its frames once."""

    def misfits(self, shape: tuple[int, int, int]) -> Iterator[Fault]:
        """Yield a fault where bins do not divide into bands at each stage, or bins or frames are too few."""
        rows = _rows(shape[1])
        if rows[-1] < _KERNEL or any(count % self.bands for count in rows):
            step = 8 * self.bands
            least = step * -(-_KERNEL // self.bands)
            yield Fault("kind", f"bc_resnet of {self.bands} bands needs {least} bins, or {step} more, and so on")
        if self.causal and shape[2] <= _BEHIND:
            yield Fault("causal", f"is true: it hears {_BEHIND + 1} frames, here are {shape[2]}; take longer clips")

    def build(self, shape: tuple[int, int, int], classes: int) -> "BCResNet":
        """Make the network."""
        return BCResNet(self, shape[:2], classes)

    def warm_up(self) -> None:
        """Compile what its layers are computed by."""
        is_compiled()


def _rows(bins: int) -> list[int]:
    """How many bins each stage gives."""
    rows = [-(-bins // 2)]
    for _, _, stride in _STAGES:
        rows.append(-(-rows[-1] // stride))
    return rows[1:]


class BCResNet(TimeNetwork):
    """A convolution, four stages of broadcasted residual blocks, a depthwise convolution over all bins, a classifier.

    Args:
        config: its settings.
        shape: channels and bins of the features.
        classes: number of words.
    """

    def __init__(self, config: BCResNetConfig, shape: tuple[int, int], classes: int) -> None:
        super().__init__()
        inputs, self.bins = shape
        first, *widths, last = [
            max(1, int(count * config.scale)) for count in (_FIRST, *(stage[0] for stage in _STAGES), _LAST)
        ]
        around = _KERNEL // 2
        self.width = last
        # Zeros before the frames that convolutions do not put around them themselves; frames that hear these.
        self.lag, self.behind = (_KERNEL - 1, _BEHIND) if config.causal else (0, 0)
        own = 0 if config.causal else around
        self.around = (self.lag + own, own)
        self.first = nn.Conv2d(inputs, first, _KERNEL, stride=(2, 1), padding=(around, own), bias=False)
        self.first_norm = nn.BatchNorm2d(first)
        blocks: list[_Block] = []
        before = first
        for index, ((_, count, stride), after) in enumerate(zip(_STAGES, widths, strict=True)):
            blocks.append(_Transition(before, after, config, stride=stride, dilation=2**index))
            blocks += [_Block(after, config, dilation=2**index) for _ in range(count - 1)]
            before = after
        self.blocks = nn.Sequential(*blocks)
        self.depthwise = nn.Conv2d(before, before, _KERNEL, padding=(0, own), groups=before, bias=False)
        self.pointwise = nn.Conv2d(before, last, 1, bias=False)
        self.last_norm = nn.BatchNorm2d(last)
        self.last = nn.Linear(last, classes)
        # Those that are kept as they are while others learn are no part of a step that measures them.
        self._norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]

    def forward(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word."""
        on_processor = features.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        learns = self.training and all(norm.training for norm in self._norms)
        if learns and on_processor and features.shape[3] > _LONGEST_DILATION:
            return self.in_one_step(features)
        return self.by_convolutions(features)

    def by_convolutions(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word as the source computes it."""
        x = self.begin(_lagged(features, self.lag))  # (batch, channels, bins / 2, frames)
        return self.head(self.end(_lagged(self.blocks(x), self.lag))[..., self.behind :])

    def in_one_step(self, features: Float[Tensor, "batch channels bins frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word by layers that normalise in the same step, the same up to rounding; while training."""
        batch, frames = features.shape[0], features.shape[3]
        x = self._first_in_one_step(features)  # (channels, bins / 2, batch * frames)
        for block in self.all_blocks:
            x = block.in_one_step(x, batch)
        x = depthwise(x, self.depthwise.weight, clips=batch, lag=self.around[0])
        x = mapped_relu(x.transpose(0, 1), self.pointwise.weight.flatten(1), self.last_norm)
        x = x.unflatten(2, (batch, frames))  # (channels, bins / 8 - 4, batch, frames)
        return self.last(x[..., self.behind :].mean(dim=(1, 3)).T)

    def carried(self) -> Carried | None:
        """Make the form of all before the mean over time for a stream; None where frames hear later ones."""
        return _CarriedBCResNet(self) if self.behind else None

    def head(self, x: Float[Tensor, "batch channels frames"]) -> Float[Tensor, "batch classes"]:
        """Score each word, from what the layers over time give."""
        return self.last(x.mean(dim=2))

    @property
    def all_blocks(self) -> "list[_Block]":
        """Its blocks, in their order."""
        return [block for block in self.blocks if isinstance(block, _Block)]

    def begin(self, features: Tensor) -> Tensor:
        """The first convolution, of features with the frames around them: (batch, channels, bins / 2, frames)."""
        return torch.relu(self.first_norm(self.first(features)))

    def end(self, x: Tensor) -> Float[Tensor, "batch channels frames"]:
        """The last layers over time, of what the blocks give with the frames around it."""
        x = self.pointwise(self.depthwise(x))  # (batch, channels, bins / 8 - 4, frames)
        return torch.relu(self.last_norm(x)).mean(dim=2)

    def _first_in_one_step(self, features: Tensor) -> Tensor:
        if features.requires_grad:
            return self.begin(_lagged(features, self.lag)).permute(1, 2, 0, 3).flatten(2)
        under = unfolded(features, _KERNEL, stride=self.first.stride[0], lag=self.around[0])
        weight = self.first.weight.transpose(1, 2).flatten(1)  # (channels, kernel * inputs * kernel)
        return mapped_relu(under, weight, self.first_norm)


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
        self.lag = 2 * dilation if config.causal else 0
        own = (0, 0 if config.causal else dilation)
        self.over_time = nn.Conv2d(
            channels, channels, (1, 3), padding=own, dilation=(1, dilation), groups=channels, bias=False
        )
        self.taps = (-2 * dilation, -dilation, 0) if config.causal else (-dilation, 0, dilation)
        self.time_norm = nn.BatchNorm2d(channels)
        self.across = nn.Conv2d(channels, channels, 1, bias=False)
        self.dropout = nn.Dropout2d(config.dropout)
        self.skips = True

    def forward(self, x: Float[Tensor, "batch before bins frames"]) -> Float[Tensor, "batch channels rows frames"]:
        x = self.changed(x)
        made, row = self.of_bins(x)
        return self.of_both(x, made, _lagged(row, self.lag))

    def changed(self, x: Tensor) -> Tensor:
        """What its layers hear."""
        return x

    def of_bins(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Each bin for itself, (batch, channels, rows, frames), and their mean, (batch, channels, 1, frames)."""
        made = self.bands_norm(self.over_bins(x))
        return made, made.mean(dim=2, keepdim=True)

    def of_both(self, x: Tensor, made: Tensor, row: Tensor) -> Tensor:
        """What comes out, where the row begins with as many frames before those of the bins as its kernel reaches."""
        made = made + self.dropout(self.across(nn.functional.silu(self.time_norm(self.over_time(row)))))
        return torch.relu(x + made if self.skips else made)

    def in_one_step(self, x: Float[Tensor, "channels bins columns"], batch: int) -> Tensor:
        over_time = OverTime(
            weight=self.over_time.weight,
            norm=self.time_norm,
            mixing=self.across.weight,
            taps=self.taps,
            kept=self.dropout(x.new_ones(batch, self.across.in_channels, 1, 1)).view(batch, -1).T,
        )
        stencil = Stencil(
            weight=self.over_bins.weight,
            norm=self.bands_norm.norm,
            stride=self.over_bins.stride[0],
            skip=self.skips,
        )
        return stencil_relu(x, stencil, over_time)


class _Transition(_Block):
    """A block that changes the number of channels first, and so has nothing to add its result to."""

    def __init__(self, before: int, after: int, config: BCResNetConfig, *, stride: int, dilation: int) -> None:
        super().__init__(after, config, dilation=dilation, stride=stride)
        self.change = nn.Conv2d(before, after, 1, bias=False)
        self.change_norm = nn.BatchNorm2d(after)
        self.skips = False

    def changed(self, x: Tensor) -> Tensor:
        """As the base."""
        return torch.relu(self.change_norm(self.change(x)))

    def in_one_step(self, x: Float[Tensor, "before bins columns"], batch: int) -> Tensor:
        x = mapped_relu(x.transpose(0, 1), self.change.weight.flatten(1), self.change_norm)
        return super().in_one_step(x, batch)


class _CarriedBCResNet(Carried):
    """All layers before the mean over time, on new frames; of what a block heard its row over time alone is carried.

    Args:
        network: whose layers serve.
    """

    def __init__(self, network: BCResNet) -> None:
        super().__init__()
        self.network = network
        self.stride, self.behind = 1, _BEHIND
        rows = _rows(network.bins)[-1]
        self.state = (
            (1, network.first.in_channels, network.bins, _KERNEL - 1),
            *((1, block.over_time.in_channels, 1, block.lag) for block in network.all_blocks),
            (1, network.depthwise.in_channels, rows, _KERNEL - 1),
        )

    def forward(self, frames: Float[Tensor, "1 numbers frames"], *state: Tensor) -> tuple[Tensor, ...]:
        """As `Carried`."""
        network = self.network
        x, *after = _joined(state[0], frames.unflatten(1, (-1, network.bins)))
        x = network.begin(x)
        for block, own in zip(network.all_blocks, state[1:-1], strict=True):
            x = block.changed(x)
            made, row = block.of_bins(x)
            row, left = _joined(own, row)
            x = block.of_both(x, made, row)
            after.append(left)
        x, left = _joined(state[-1], x)
        return network.end(x), *after, left


def _lagged(x: Tensor, frames: int) -> Tensor:
    """Put so many frames of zeros before the first."""
    return nn.functional.pad(x, (frames, 0)) if frames else x


def _joined(state: Tensor, new: Tensor) -> tuple[Tensor, Tensor]:
    """Put what was carried before new frames; gives both, and what is carried on."""
    heard = torch.cat((state, new), dim=3)
    return heard, heard[..., heard.shape[3] - state.shape[3] :]
