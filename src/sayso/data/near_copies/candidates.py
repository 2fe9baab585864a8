"""The cheap index: which clips sound alike around their loudest moments, and so may be one recording."""

import numpy as np
from numpy.typing import NDArray

from sayso.data.near_copies.band import HIGHEST_HZ, LOWEST_HZ, Band, Floats, Rows
from sayso.system.progress import Task

__all__ = ["candidates", "index"]

_QUIETEST_RMS = 1.0
# What is worked on at a time: samples, and likenesses of patches.
_BLOCK_SAMPLES, _BLOCK_VALUES = 1 << 22, 1 << 24
_HOP_SECONDS, _SMOOTHING_HOPS, _APART_HOPS, _LEAST_PEAK = 0.004, 17, 12, 0.01
# Two of each clip's loudest moments are looked for among four of every other: a shift may have cut one off.
_MOMENTS, _MOMENTS_SOUGHT = 4, 2
_PATCH_SECONDS, _PATCH_FRAMES, _FRAME_SECONDS, _BANDS, _PATCH_FLOOR = 0.2, 8, 0.032, 12, 0.01
_LEAST_PATCH_LIKENESS, _MOST_NEIGHBOURS = 0.92, 8


def index(samples: NDArray[np.int16], kept: Rows, band: Band, task: Task) -> tuple[Rows, Floats]:
    """Rows that are loud enough, and their patches: (rows, moments, values), each of length 1 or all zero."""
    rows: list[Rows] = []
    patches: list[Floats] = []
    step = max(1, _BLOCK_SAMPLES // band.source_padded)
    for start in range(0, len(kept), step):
        block = kept[start : start + step]
        waveforms = band.waveforms(band.spectra(samples[block]))
        loud = np.sqrt(np.mean(waveforms**2, axis=1)) > _QUIETEST_RMS
        if loud.any():
            rows.append(block[loud])
            patches.append(_patches(waveforms[loud], band.rate))
        task.advance(len(block))
    if not rows:
        return kept[:0], np.zeros((0, _MOMENTS, 1), np.float32)
    return np.concatenate(rows), np.concatenate(patches)


def _patches(waveforms: Floats, rate: int) -> Floats:
    """Log band energies around each clip's loudest moments, loudest first: (clips, moments, values)."""
    centres, loudness = _loudest_moments(waveforms, rate)
    frame, reach = max(8, round(_FRAME_SECONDS * rate)), round(_PATCH_SECONDS * rate / 2)
    margin = reach + frame
    padded = np.pad(waveforms, ((0, 0), (margin, margin)))
    offsets = np.rint(np.linspace(-reach, reach, _PATCH_FRAMES)).astype(np.int64) - frame // 2 + margin
    places = (centres[:, :, None] + offsets)[..., None] + np.arange(frame)
    window = np.hanning(frame + 1)[:-1].astype(np.float32)
    frames = padded[np.arange(len(waveforms))[:, None, None, None], places] * window
    power = np.square(np.abs(np.fft.rfft(frames, axis=-1)))
    highest = min(HIGHEST_HZ, rate / 2)
    edges = np.unique(np.rint(np.geomspace(min(LOWEST_HZ, highest / 2), highest, _BANDS + 1) * frame / rate))
    edges = edges.astype(np.int64)
    energies = np.add.reduceat(power[..., : edges[-1]], edges[:-1], axis=-1)
    floor = _PATCH_FLOOR * energies.max(axis=(2, 3), keepdims=True) + 1e-3
    values = np.log(energies + floor).reshape(*centres.shape, -1)
    values -= values.mean(axis=-1, keepdims=True)
    values /= np.linalg.norm(values, axis=-1, keepdims=True) + 1e-9
    values[loudness <= 0] = 0
    return values.astype(np.float32)


def _loudest_moments(waveforms: Floats, rate: int) -> tuple[Rows, Floats]:
    """Peaks of the smoothed energy: their samples and their energy (0: no such peak), both (clips, moments)."""
    hop = max(1, round(_HOP_SECONDS * rate))
    short = -waveforms.shape[1] % hop + hop * max(0, _MOMENTS - waveforms.shape[1] // hop)
    energy = np.square(np.pad(waveforms, ((0, 0), (0, short)))).reshape(len(waveforms), -1, hop).sum(axis=2)
    weights = np.hanning(_SMOOTHING_HOPS + 2)[1:-1].astype(np.float32)
    smooth = _neighbours(energy, _SMOOTHING_HOPS // 2) @ weights
    peak = smooth >= _neighbours(smooth, _APART_HOPS).max(axis=2)
    heights = np.where(peak & (smooth > _LEAST_PEAK * smooth.max(axis=1, keepdims=True)), smooth, 0)
    order = np.argsort(-heights, axis=1, kind="stable")[:, :_MOMENTS]
    return order * hop + hop // 2, np.take_along_axis(heights, order, axis=1)


def _neighbours(values: Floats, reach: int) -> Floats:
    """Every value with those up to `reach` before and after it, (..., 2 reach + 1)."""
    padded = np.pad(values, ((0, 0), (reach, reach)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)


def candidates(patches: Floats, task: Task, *, among: Floats | None = None) -> Rows:
    """Pairs of which one's loudest moments are like loud moments of the other, (pairs, 2), the first being smaller.

    Clips are looked for among one another, or among those of another set: then a pair is a row there and one here.
    """
    count, moments, size = patches.shape
    others = patches if among is None else among
    keys = others.reshape(len(others) * moments, size)
    pairs: list[Rows] = [np.zeros((0, 2), np.int64)]
    step = max(1, _BLOCK_VALUES // max(1, len(keys) * _MOMENTS_SOUGHT))
    for start in range(0, count, step):
        sought = patches[start : start + step, :_MOMENTS_SOUGHT]
        alike = sought.reshape(-1, size) @ keys.T
        moment, key = np.nonzero(alike >= _LEAST_PATCH_LIKENESS)
        here, there, scores = moment // _MOMENTS_SOUGHT + start, key // moments, alike[moment, key]
        other = np.full(len(here), True) if among is not None else there != here
        pairs.append(_nearest(here[other], there[other], scores[other]))
        task.advance(len(sought))
    found = np.concatenate(pairs)
    return np.unique(np.sort(found, axis=1) if among is None else found[:, ::-1], axis=0)


def _nearest(here: Rows, there: Rows, scores: Floats) -> Rows:
    """The pairs with at most `_MOST_NEIGHBOURS` for each of `here`, the most alike."""
    order = np.lexsort((-scores, here))
    here, there = here[order], there[order]
    rank = np.arange(len(here)) - np.searchsorted(here, here)
    return np.stack((here, there), axis=1)[rank < _MOST_NEIGHBOURS]
