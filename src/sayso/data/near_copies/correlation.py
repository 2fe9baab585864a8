"""The proof: the waveforms of one recording correlate highly at some shift, and throughout."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Rows
from sayso.data.near_copies.band import Band, Floats, Spectra
from sayso.data.near_copies.grouping import group_pairs
from sayso.data.packing import count_workers

__all__ = ["LEAST_LIKENESS", "prove"]

LEAST_LIKENESS = 0.93
"""Cosine of two waveforms from which on they are one recording. Among the 3,000 digits of FSDD, where two takes by one
speaker may reach 0.96, 0.88 names 3 pairs wrongly and 0.80 names 14; of 700 planted copies neither finds one more
(`python -m benchmarks.near_copy_numbers`)."""
# A likeness of 1 is kept for clips of the very same samples.
_MOST_OF_UNEQUAL = 0.9999

# The same for each stretch of the two clips. Without it two pairs of takes by one speaker of FSDD pass as
# copies, at 0.7 one pair does, and at 0.93 some 6 of 700 planted copies are missed.
_LEAST_LIKENESS_THROUGHOUT = 0.85
# About one sound of speech. Stretches of 0.025 s lie in noise more often, and 4 copies of 700 are missed; of 0.1 s the
# same pairs are named.
_STRETCH_SECONDS = 0.05
# Of the energy of the loudest stretch. Fainter ones differ by the noise that was added: at 0.005 6 copies are missed;
# at 0.2 two pairs of takes pass as copies.
_LEAST_STRETCH_ENERGY_SHARE = 0.05
# Of the energy of each clip that must lie in what overlaps, or a faint end alone would be called alike.
_LEAST_OVERLAP_ENERGY_SHARE = 0.25

# First whole samples are tried. Speech lies low in the band, so a copy keeps more than this half a sample beside its
# true shift: at 0.3 no more copies are found, at 0.8 one of 700 is missed.
_LEAST_COARSE_LIKENESS = 0.6
# What reaches that is tried in finer steps. Without them 3 % of the planted copies are missed; 8 find no more.
_FINER_STEPS_A_SAMPLE = 4
# Samples of the clips that are worked on at a time, so that their arrays stay in tens of megabytes.
_BLOCK_SAMPLES = 1 << 20
# Samples of the clips whose transforms are kept for their pairs: 256 clips of a second.
_GROUP_SAMPLES = 3 << 20
# Far below the energy of anything heard; silence is divided by them, and not by zero.
_NO_ZERO = 1e-9
_LEAST_PRODUCT_OF_ENERGIES = 1e-12


def prove(samples: NDArray[np.int16], pairs: Rows, band: Band) -> Iterator[tuple[int, int, float, float]]:
    """Yield the pairs whose waveforms are alike, in any order: first and second row, shift in seconds, likeness."""

    def work(group: Rows) -> list[tuple[int, int, float, float]]:
        return list(_prove_group(samples, group, band))

    with ThreadPoolExecutor(count_workers()) as pool:
        for proved in pool.map(work, group_pairs(pairs, max(2, _GROUP_SAMPLES // band.padded))):
            yield from proved


def _prove_group(samples: NDArray[np.int16], group: Rows, band: Band) -> Iterator[tuple[int, int, float, float]]:
    rows, places = np.unique(group, return_inverse=True)
    spectra, waveforms = band.take(samples[rows])
    energies = _add_up_energy(waveforms)
    ends = places.reshape(group.shape)
    step = max(1, _BLOCK_SAMPLES // band.padded)
    for start in range(0, len(ends), step):
        first, second = ends[start : start + step].T
        cross = np.conj(spectra[first]) * spectra[second]
        scale = _weigh_shifts(energies[first], energies[second], band.longest_shift)
        likeness, shifts = _find_greatest(cross, scale, band, steps=1)
        likely = np.flatnonzero(likeness >= _LEAST_COARSE_LIKENESS)
        likeness, shifts = _find_greatest(cross[likely], scale[likely], band, steps=_FINER_STEPS_A_SAMPLE)
        for at, value, shift in zip(likely, likeness, shifts, strict=True):
            both = spectra[first[at]], spectra[second[at]]
            if value >= LEAST_LIKENESS and _are_alike_throughout(*both, shift, band):
                row, other = group[start + at]
                yield int(row), int(other), float(shift), min(_MOST_OF_UNEQUAL, float(value))


def _are_alike_throughout(first: Spectra, second: Spectra, shift_seconds: float, band: Band) -> bool:
    """Tell whether every stretch of the sound is alike, and not only one loud vowel."""
    turns = np.exp(2j * np.pi * np.arange(len(second)) * (band.rate / band.padded * shift_seconds))
    both = band.to_waveforms(np.stack((first, second * turns)).astype(np.complex64))
    gone = ceil(abs(shift_seconds) * band.rate)
    both = both[:, : band.samples - gone] if shift_seconds > 0 else both[:, gone:]
    length = max(1, round(_STRETCH_SECONDS * band.rate))
    count = both.shape[1] // length
    here, there = both[:, : count * length].reshape(2, count, length)
    energy, other_energy = np.square(here).sum(axis=1), np.square(there).sum(axis=1)
    heard = energy > _LEAST_STRETCH_ENERGY_SHARE * energy.max(initial=0)
    likeness = np.abs((here * there).sum(axis=1)) / np.sqrt(energy * other_energy + _NO_ZERO)
    return bool(np.all(likeness[heard] >= _LEAST_LIKENESS_THROUGHOUT))


def _add_up_energy(waveforms: Floats) -> NDArray[np.float64]:
    """Add up the energy of the first n samples, for every n, (clips, samples + 1)."""
    return np.pad(np.cumsum(np.square(waveforms, dtype=np.float64), axis=1), ((0, 0), (1, 0)))


def _weigh_shifts(first: NDArray[np.float64], second: NDArray[np.float64], longest: int) -> Floats:
    """Give the factor of the correlation at every shift, (pairs, 2 longest + 1); 0 where too little overlaps."""
    end = first.shape[1] - 1

    def weigh(leading: NDArray[np.float64], trailing: NDArray[np.float64], nearest: int) -> Floats:
        """By how much one clip begins before the other ends, from `nearest` to `longest` samples earlier."""
        begins = leading[:, end - longest : end + 1 - nearest][:, ::-1].astype(np.float32)
        ends = (trailing[:, -1:] - trailing[:, nearest : longest + 1]).astype(np.float32)
        least, other = (_LEAST_OVERLAP_ENERGY_SHARE * each[:, -1:].astype(np.float32) for each in (leading, trailing))
        enough = (begins >= least) & (ends >= other)
        factor = np.float32(1) / np.sqrt(np.maximum(begins * ends, np.float32(_LEAST_PRODUCT_OF_ENERGIES)))
        return np.where(enough, factor, np.float32(0))

    return np.concatenate((weigh(second, first, 1)[:, ::-1], weigh(first, second, 0)), axis=1)


def _find_greatest(cross: Spectra, scale: Floats, band: Band, *, steps: int) -> tuple[Floats, NDArray[np.float64]]:
    """Find the greatest likeness over all shifts, and that shift in seconds, both (pairs,); `steps` shifts a sample."""
    longest = band.longest_shift * steps
    wave = np.fft.irfft(cross, n=band.padded * steps, axis=1) * steps
    around = np.concatenate((wave[:, wave.shape[1] - longest :], wave[:, : longest + 1]), axis=1)
    # A sound upside down is the same recording.
    likeness = np.abs(around) * scale[:, np.rint(np.arange(2 * longest + 1) / steps).astype(np.int64)]
    best = likeness.argmax(axis=1)
    value = np.take_along_axis(likeness, best[:, None], axis=1)[:, 0]
    return value.astype(np.float32), (best - longest) / (band.rate * steps)
