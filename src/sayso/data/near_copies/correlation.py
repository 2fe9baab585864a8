"""The proof: the waveforms of one recording correlate highly at some shift, and throughout."""

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray

from sayso.data.near_copies.band import Band, Floats, Rows, Spectra

__all__ = ["LEAST_LIKENESS", "proved"]

# Chosen on planted copies: two takes of a digit by one speaker of FSDD reach 0.96, but then not throughout.
LEAST_LIKENESS = 0.93
_LEAST_LIKENESS_THROUGHOUT = 0.85
_STRETCH_SECONDS, _LEAST_STRETCH_ENERGY = 0.05, 0.05
_LEAST_COARSE_LIKENESS, _LEAST_ENERGY_SHARE, _FINER_STEPS = 0.6, 0.25, 4
_BLOCK_SAMPLES = 1 << 20


def proved(samples: NDArray[np.int16], pairs: Rows, band: Band) -> Iterator[tuple[int, int, float, float]]:
    """The pairs whose waveforms are alike: first and second row, shift in seconds, likeness."""
    step = max(1, _BLOCK_SAMPLES // band.padded)
    for start in range(0, len(pairs), step):
        block = pairs[start : start + step]
        rows, places = np.unique(block, return_inverse=True)
        spectra = band.spectra(samples[rows])
        first, second = places.reshape(block.shape).T
        cross = np.conj(spectra[first]) * spectra[second]
        energies = _energies(band.waveforms(spectra))
        scale = _scale(energies[first], energies[second], band.longest_shift)
        likeness, shifts = _greatest(cross, scale, band, steps=1)
        likely = np.flatnonzero(likeness >= _LEAST_COARSE_LIKENESS)
        likeness, shifts = _greatest(cross[likely], scale[likely], band, steps=_FINER_STEPS)
        for at, value, shift in zip(likely, likeness, shifts, strict=True):
            if value >= LEAST_LIKENESS and _alike_throughout(spectra[first[at]], spectra[second[at]], shift, band):
                yield int(block[at, 0]), int(block[at, 1]), float(shift), min(0.9999, float(value))


def _alike_throughout(first: Spectra, second: Spectra, shift_seconds: float, band: Band) -> bool:
    """Whether every stretch of the sound is alike, and not only one loud vowel."""
    turns = np.exp(2j * np.pi * np.arange(len(second)) * (band.rate / band.padded * shift_seconds))
    both = band.waveforms(np.stack((first, second * turns)).astype(np.complex64))
    gone = ceil(abs(shift_seconds) * band.rate)
    both = both[:, : band.samples - gone] if shift_seconds > 0 else both[:, gone:]
    length = max(1, round(_STRETCH_SECONDS * band.rate))
    count = both.shape[1] // length
    here, there = both[:, : count * length].reshape(2, count, length)
    energy, other_energy = np.square(here).sum(axis=1), np.square(there).sum(axis=1)
    heard = energy > _LEAST_STRETCH_ENERGY * energy.max(initial=0)
    likeness = np.abs((here * there).sum(axis=1)) / np.sqrt(energy * other_energy + 1e-9)
    return bool(np.all(likeness[heard] >= _LEAST_LIKENESS_THROUGHOUT))


def _energies(waveforms: Floats) -> NDArray[np.float64]:
    """Energy of the first n samples for every n, (clips, samples + 1)."""
    return np.pad(np.cumsum(np.square(waveforms, dtype=np.float64), axis=1), ((0, 0), (1, 0)))


def _scale(first: NDArray[np.float64], second: NDArray[np.float64], longest: int) -> Floats:
    """What the correlation at every shift is multiplied by, (pairs, 2 longest + 1); 0 where too little overlaps."""
    later, earlier = np.arange(longest + 1), np.arange(longest, 0, -1)
    end = first.shape[1] - 1

    def overlapping(leading: NDArray[np.float64], trailing: NDArray[np.float64], shift: Rows) -> NDArray[np.float64]:
        begins, ends = leading[:, end - shift], trailing[:, -1:] - trailing[:, shift]
        enough = (begins >= _LEAST_ENERGY_SHARE * leading[:, -1:]) & (ends >= _LEAST_ENERGY_SHARE * trailing[:, -1:])
        return np.where(enough, 1 / np.sqrt(np.maximum(begins * ends, 1e-12)), 0)

    both = (overlapping(second, first, earlier), overlapping(first, second, later))
    return np.concatenate(both, axis=1).astype(np.float32)


def _greatest(cross: Spectra, scale: Floats, band: Band, *, steps: int) -> tuple[Floats, NDArray[np.float64]]:
    """The greatest likeness over all shifts and the shift in seconds, both (pairs,); `steps` shifts a sample."""
    longest = band.longest_shift * steps
    wave = np.fft.irfft(cross, n=band.padded * steps, axis=1) * steps
    around = np.concatenate((wave[:, wave.shape[1] - longest :], wave[:, : longest + 1]), axis=1)
    # A sound upside down is the same recording.
    likeness = np.abs(around) * scale[:, np.rint(np.arange(2 * longest + 1) / steps).astype(np.int64)]
    best = likeness.argmax(axis=1)
    value = np.take_along_axis(likeness, best[:, None], axis=1)[:, 0]
    return value.astype(np.float32), (best - longest) / (band.rate * steps)
