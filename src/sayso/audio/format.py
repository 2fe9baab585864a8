"""What a clip is: its rate, its length, and what samples are."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from sayso.config.schema import Positive, Range, Settings

__all__ = ["FULL_SCALE", "HIGHEST_RATE", "LOWEST_RATE", "RESAMPLER", "AudioFormat", "Fit", "Samples"]

Fit = Literal["centre", "start", "end", "loudest"]
FULL_SCALE = 32768.0
RESAMPLER = "soxr HQ"
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
Samples = NDArray[np.float32] | NDArray[np.int16]
"""Sound as float32 in [-1, 1], or as int16 at full scale."""


@dataclass(frozen=True, kw_only=True)
class AudioFormat(Settings):
    """How clips reach the model: their sample rate, their length, and which part is taken when they are longer."""

    sample_rate: Annotated[int, Range(least=LOWEST_RATE, most=192_000)] = 16_000
    """Samples a second; every file is resampled to it."""
    clip_seconds: Annotated[Positive, Range(most=60)] = 1.0
    """Length of a clip in seconds; shorter files are padded with silence, longer ones cut."""
    fit: Fit = "centre"
    """Which part of a longer file is taken, and where a shorter one is placed: centre, start, end, or loudest part."""

    @property
    def clip_samples(self) -> int:
        """Length of a clip in samples."""
        return max(1, round(self.clip_seconds * self.sample_rate))
