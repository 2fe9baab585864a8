"""Clips played faster or slower around their middle: sinc interpolation at a fixed ratio, as one convolution."""

import math
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.dsp.fourier import ExactConstants

__all__ = ["SPEED_STEP", "SpeedChange", "has_step", "play_at"]

SPEED_STEP = 0.05
"""Speeds are multiples of it, so that few places between two samples are ever asked for."""
# Zero crossings of the sinc on either side, under a Kaiser window; what is above the band is 60 dB down.
_CROSSINGS, _KAISER = 12, 6.0
# Of half the rate that is left; the window's slope lies above it.
_BAND = 0.92


def has_step(speed: float) -> bool:
    """Whether a speed is a multiple of the step.

    >>> has_step(0.85), has_step(0.86)
    (True, False)
    """
    return math.isclose(speed / SPEED_STEP, round(speed / SPEED_STEP), abs_tol=1e-6)


def play_at(samples: int, speed: float) -> nn.Module:
    """Make what plays clips of so many samples at a speed, as `SpeedChange`; at 1 they stay as they are."""
    return SpeedChange(samples, speed) if speed != 1 else nn.Identity()


class SpeedChange(ExactConstants):
    """Play clips at another speed, with the pitch that comes of it; silence fills what is missing at both ends.

    A speed of p / q gives q samples for each p, at q places between two samples; a convolution with q kernels and a
    stride of p gives all of them. The middle of a clip stays where it is. Beside what is cut of the highest band,
    it is exact but for 60 dB.

    Args:
        samples: length of a clip.
        speed: above 0, a multiple of `SPEED_STEP`; above 1 clips are shorter and higher.
    """

    def __init__(self, samples: int, speed: float) -> None:
        super().__init__()
        ratio = Fraction(round(speed / SPEED_STEP), round(1 / SPEED_STEP))
        self.samples, self.stride, places = samples, ratio.numerator, ratio.denominator
        band = _BAND * min(1.0, 1 / float(ratio))
        reach = math.ceil(_CROSSINGS / band)
        # Where the first sample of what is given lies in the clip.
        start = (samples - 1) / 2 * (1 - float(ratio))
        first = math.floor(start) - reach
        offsets = start - first + float(ratio) * np.arange(places)
        length = math.ceil(offsets[-1]) + reach + 1
        self.constant("kernels", _sinc(offsets[:, None] - np.arange(length), band, reach)[:, None])
        self.kernels: Tensor
        blocks = -(-samples // places)
        last = first + (blocks - 1) * self.stride + length
        self.around = (-first, last - samples)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch samples"]:
        """Play a batch of clips, float32."""
        before, after = self.around  # what is negative is cut
        kept = samples[:, max(0, -before) : self.samples + min(0, after)]
        padded = torch.nn.functional.pad(kept, (max(0, before), max(0, after)))[:, None]
        blocks = torch.nn.functional.conv1d(padded, self.kernels, stride=self.stride)  # (batch, places, blocks)
        return blocks.transpose(1, 2).flatten(1)[:, : self.samples]


def _sinc(apart: NDArray[np.float64], band: float, reach: int) -> NDArray[np.float64]:
    """What a sample so many samples away gives to one at 0."""
    window = np.i0(_KAISER * np.sqrt(np.clip(1 - (apart / reach) ** 2, 0, 1))) / np.i0(_KAISER)
    return np.where(np.abs(apart) < reach, band * np.sinc(band * apart) * window, 0.0)
