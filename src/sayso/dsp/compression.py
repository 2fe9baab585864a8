"""Dynamic range compression: energies to logarithms, decibels, any power of the magnitude, or PCEN."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.config.schema import Positive, Settings
from sayso.dsp.fourier import ExactConstants
from sayso.errors import Fault

__all__ = ["Compression", "LevelSettings", "Pcen", "Scale", "power_faults"]

Scale = Literal["log", "db", "linear"]
LOG_OFFSET = 1e-6
LOWEST_ENERGY = 1e-10
"""What decibels take for silence: -100 dB."""
# The slope of a root is infinite at 0; a floor far below one quantisation step keeps gradients finite.
_ROOT_FLOOR = 1e-24
_LARGEST_EXPONENT = 38
_BLOCK_FRAMES = 128


@dataclass(frozen=True, kw_only=True)
class LevelSettings(Settings):
    """How decibels are counted; mixed into the settings of representations that offer them."""

    top_db: Positive | None = None
    """For db: levels end so far below the clip's own highest; empty: nothing is cut off."""
    db_reference: Literal["one", "clip_maximum"] = "one"
    """For db: what 0 dB is, an energy of 1 or the clip's own highest."""

    def compression(self, scale: Scale, *, power: float = 2.0) -> "Compression":
        """Make the module."""
        relative = self.db_reference == "clip_maximum"
        return Compression(scale, power=power, top_db=self.top_db, relative=relative)


class Compression(nn.Module):
    """Energies to the scale a network hears them on, each clip by itself.

    `db` is 10 log10(max(energy, 1e-10)), as librosa.power_to_db, whatever the power: 20 log10 of the magnitude.

    Args:
        scale: `linear` the value, `log` the natural logarithm of the value + 1e-6, `db` decibels.
        power: the value is the magnitude to this power; 2 leaves the energy as it is.
        top_db: levels end so far below the clip's own highest; None: nothing is cut off.
        relative: count decibels from the clip's own highest instead of from 1.
    """

    def __init__(
        self, scale: Scale, *, power: float = 2.0, top_db: float | None = None, relative: bool = False
    ) -> None:
        super().__init__()
        self.scale, self.power, self.top_db, self.relative = scale, power, top_db, relative

    @property
    def is_local(self) -> bool:
        """Whether a frame's levels hang on that frame alone."""
        return self.scale != "db" or (self.top_db is None and not self.relative)

    def forward(self, energy: Float[Tensor, "batch frames bins"]) -> Float[Tensor, "batch frames bins"]:
        """Compress a batch of energies, at least 0."""
        if self.scale == "db":
            return self._decibels(energy)
        value = energy if self.power == 2 else torch.clamp(energy, min=_ROOT_FLOOR) ** (self.power / 2)
        return (value + LOG_OFFSET).log() if self.scale == "log" else value

    def _decibels(self, energy: Float[Tensor, "batch frames bins"]) -> Float[Tensor, "batch frames bins"]:
        level = 10 * torch.clamp(energy, min=LOWEST_ENERGY).log10()
        if self.top_db is None and not self.relative:
            return level
        highest = level.amax(dim=(1, 2), keepdim=True)
        if self.top_db is not None:
            level = torch.maximum(level, highest - self.top_db)
        return level - highest if self.relative else level


class Pcen(ExactConstants):
    """Per-channel energy normalisation: each band is divided by its own recent past, then compressed.

    (energy / (1e-6 + smooth) ** gain + bias) ** power - bias ** power, where smooth[t] = (1 - s) smooth[t-1] +
    s energy[t]. The recursion is done as products with triangular matrices: one for blocks of 128 frames, one that
    carries from block to block.

    Source: Wang et al. (2017), "Trainable Frontend for Robust and Far-Field Keyword Spotting"; s from the time constant
    as librosa.pcen does (Lostanlen et al. 2019).

    Args:
        frames: of a clip.
        time_constant_frames: of the smoother.
        gain: how much of a band's past level is divided out, 0 to 1.
        bias: added before the root; above 0.
        power: exponent of the root; above 0.
        start: the smoother's past before the clip: the clip's `first_frame` for ever, as in the paper, or energy
            `one`, as librosa does when it is given no other.
    """

    def __init__(
        self,
        frames: int,
        *,
        time_constant_frames: float,
        gain: float,
        bias: float,
        power: float,
        start: Literal["first_frame", "one"],
    ) -> None:
        super().__init__()
        self.gain, self.bias, self.power, self.start = gain, bias, power, start
        share = (math.sqrt(1 + 4 * time_constant_frames**2) - 1) / (2 * time_constant_frames**2)
        length = min(frames, _BLOCK_FRAMES)
        blocks = -(-frames // length)
        self.surplus = blocks * length - frames
        decay = np.power(1 - share, np.arange(1, length + 1), dtype=np.float64)
        self.constant("within", share * np.tril(_falling(1 - share, length)))  # (length, length)
        self.constant("decay", decay[:, None])  # (length, 1), of what was there before the block
        # What a block leaves is smoothed to its end; whole blocks between it and another let it decay. (blocks, blocks)
        self.constant("between", np.eye(blocks, k=-1) @ np.tril(_falling(float(decay[-1]), blocks)))
        self.constant("outlasting", decay[-1] ** np.arange(blocks)[:, None])  # (blocks, 1), of what was before the clip
        self.within: Tensor
        self.decay: Tensor
        self.between: Tensor
        self.outlasting: Tensor

    def forward(self, energy: Float[Tensor, "batch frames bins"]) -> Float[Tensor, "batch frames bins"]:
        """Normalise a batch of energies, at least 0."""
        gained = energy * (self.smooth(energy) + 1e-6) ** -self.gain
        return (gained + self.bias) ** self.power - self.bias**self.power

    def smooth(self, energy: Float[Tensor, "batch frames bins"]) -> Float[Tensor, "batch frames bins"]:
        """The recent past of each band: a first-order recursive mean over frames."""
        padded = nn.functional.pad(energy, (0, 0, 0, self.surplus))
        blocks = padded.unflatten(1, (len(self.between), len(self.within)))  # (batch, blocks, length, bins)
        alone = self.within @ blocks
        past = energy[:, :1] if self.start == "first_frame" else torch.ones_like(energy[:, :1])
        before = self.between @ alone[:, :, -1] + self.outlasting * past  # (batch, blocks, bins)
        return (alone + self.decay * before[:, :, None]).flatten(1, 2)[:, : energy.shape[1]]


def power_faults(power: float | None, peak: float) -> Iterator[Fault]:
    """Yield a fault where float32 cannot hold that power of a magnitude as large as `peak`."""
    most = _LARGEST_EXPONENT / max(math.log10(peak), 1.0)
    if power is not None and power > most:
        yield Fault("power", f"is {power:g}: a loud clip would be beyond float32, must be at most {most:.3g}")


def _falling(factor: float, length: int) -> NDArray[np.float64]:
    """Powers of `factor`, one more for each step below the diagonal, 0 above; (length, length)."""
    distance = np.subtract.outer(np.arange(length), np.arange(length))
    return np.where(distance >= 0, factor ** np.maximum(distance, 0), 0.0)
