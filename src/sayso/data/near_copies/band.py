"""The part of the spectrum that is compared, at a rate low enough to be fast."""

from dataclasses import dataclass
from math import ceil, floor, gcd

import numpy as np
from numpy.typing import NDArray

from sayso.audio import without_clicks, without_offset

__all__ = ["HIGHEST_HZ", "LONGEST_SHIFT_SECONDS", "LOWEST_HZ", "Band", "Floats", "Spectra", "to_spectra"]

LONGEST_SHIFT_SECONDS = 0.5
"""Half of a clip of one second: of what is shifted further too little is left to tell by."""
LOWEST_HZ = 200.0
"""Hum of the mains and its first harmonics lie below."""
HIGHEST_HZ = 3_400.0
"""Above it little is left of what came over a telephone or through a codec."""
WORKING_RATE_HZ = 8_000
"""The lowest of the usual rates that holds the band; a Fourier transform of longer clips would only cost more."""
_FADE_SECONDS = 0.02
"""Without a fade hum, which every clip of one microphone shares, would end in the same click; of 0.05 s 5 of 700
planted copies are missed."""

Floats = NDArray[np.float32]
"""Waveforms, and what is computed of them; each function tells the shape."""
Spectra = NDArray[np.complex64]
"""(clips, padded // 2 + 1), or one of them."""


@dataclass(frozen=True)
class Band:
    """The part of the spectrum that is compared, at a rate low enough to be fast."""

    rate: int
    """In hertz."""
    samples: int
    """Length of a clip at that rate."""
    padded: int
    """The same with room for the longest shift, so that nothing wraps around."""
    source_padded: int
    """`padded` at the clips' own rate."""

    @classmethod
    def of(cls, clip_samples: int, sample_rate: int) -> "Band":
        """Give the band of clips of this length, in samples, and of this rate, in hertz."""
        rate = min(WORKING_RATE_HZ, sample_rate)
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

    def take(self, samples: NDArray[np.int16]) -> tuple[Spectra, Floats]:
        """Keep what lies within the band, without offsets and clicks: every clip of one recorder may share them.

        Returns:
            The spectra of the clips, padded, (clips, padded // 2 + 1); and their waveforms, as `to_waveforms` gives
            them.
        """
        source_rate = self.rate * self.source_padded / self.padded
        faded = without_offset(samples) * _make_fade(samples.shape[1], round(_FADE_SECONDS * source_rate))
        whole = to_spectra(faded, self.source_padded)
        spectra = np.zeros((len(whole), self.padded // 2 + 1), np.complex64)
        step_hz = self.rate / self.padded
        inside = slice(ceil(LOWEST_HZ / step_hz), min(spectra.shape[1], floor(HIGHEST_HZ / step_hz) + 1))
        np.multiply(whole[:, inside], np.float32(self.padded / self.source_padded), out=spectra[:, inside])
        waveforms = self.to_waveforms(spectra)
        unclicked = without_clicks(waveforms, self.rate)
        if unclicked is not waveforms:
            clicked = np.flatnonzero((unclicked != waveforms).any(axis=1))
            spectra[clicked] = to_spectra(unclicked[clicked], self.padded)
        return spectra, unclicked

    def to_waveforms(self, spectra: Spectra) -> Floats:
        """Give the waveforms of what lies in the band, (clips, samples) at `rate`, on the scale of int16."""
        return np.fft.irfft(spectra, n=self.padded, axis=1)[:, : self.samples].astype(np.float32)


def to_spectra(values: Floats, length: int) -> Spectra:
    """Transform along the last axis, filled up with zeros to `length`; (..., length // 2 + 1)."""
    # Imported here: SciPy is part of training, where copies are looked for. NumPy's takes three times as long.
    from scipy.fft import rfft

    return np.asarray(rfft(values, n=length, axis=-1), dtype=np.complex64)


def _make_fade(samples: int, length: int) -> Floats:
    """Make a window of ones that rises from 0 and falls to 0 within `length` samples at its ends, (samples,)."""
    places = np.arange(samples)
    share = np.minimum(1, np.minimum(places + 1, samples - places) / (length + 1))
    return (0.5 - 0.5 * np.cos(np.pi * share)).astype(np.float32)
