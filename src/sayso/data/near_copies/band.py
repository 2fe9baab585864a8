"""The part of the spectrum that is compared, at a rate low enough to be fast."""

from dataclasses import dataclass
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONGEST_SHIFT_SECONDS", "Band", "Floats", "Rows", "Spectra"]

LONGEST_SHIFT_SECONDS = 0.5
# Hum lies below this band, and above it little is left of what came over a telephone or through a codec.
LOWEST_HZ, HIGHEST_HZ = 200.0, 3_400.0
WORKING_RATE = 8_000
# Without it hum and an offset, which every clip of one microphone shares, would end in the same click.
_FADE_SECONDS = 0.02

Floats = NDArray[np.float32]
Spectra = NDArray[np.complex64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Band:
    """The part of the spectrum that is compared, at a rate low enough to be fast."""

    rate: int
    samples: int
    """Length of a clip at that rate."""
    padded: int
    """The same with room for the longest shift, so that nothing wraps around."""
    source_padded: int
    """`padded` at the clips' own rate."""

    @classmethod
    def of(cls, clip_samples: int, sample_rate: int) -> "Band":
        """The band of clips of this length and rate."""
        rate = min(WORKING_RATE, sample_rate)
        common = gcd(rate, sample_rate)
        # Both lengths must be whole at both rates, and the lower one even.
        periods = ceil((clip_samples / sample_rate + LONGEST_SHIFT_SECONDS) * common)
        periods += periods % 2
        return cls(
            rate=rate,
            samples=ceil(clip_samples * rate / sample_rate),
            padded=periods * rate // common,
            source_padded=periods * sample_rate // common,
        )

    @property
    def longest_shift(self) -> int:
        """In samples at `rate`."""
        return min(self.samples - 1, round(LONGEST_SHIFT_SECONDS * self.rate))

    def spectra(self, samples: NDArray[np.int16]) -> Spectra:
        """Spectra of padded clips within the band, (clips, padded // 2 + 1)."""
        source_rate = self.rate * self.source_padded / self.padded
        faded = samples * _fade(samples.shape[1], round(_FADE_SECONDS * source_rate))
        whole = np.fft.rfft(faded, n=self.source_padded, axis=1)
        frequencies = np.arange(whole.shape[1]) * (self.rate / self.padded)
        whole[:, (frequencies < LOWEST_HZ) | (frequencies > HIGHEST_HZ)] = 0
        return (whole[:, : self.padded // 2 + 1] * (self.padded / self.source_padded)).astype(np.complex64)

    def waveforms(self, spectra: Spectra) -> Floats:
        """What lies in the band, (clips, samples) at `rate`, as large as int16."""
        return np.fft.irfft(spectra, n=self.padded, axis=1)[:, : self.samples].astype(np.float32)


def _fade(samples: int, length: int) -> Floats:
    """Ones that rise from 0 and fall to 0 within `length` samples at either end, (samples,)."""
    places = np.arange(samples)
    share = np.minimum(1, np.minimum(places + 1, samples - places) / (length + 1))
    return (0.5 - 0.5 * np.cos(np.pi * share)).astype(np.float32)
