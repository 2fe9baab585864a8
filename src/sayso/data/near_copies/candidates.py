"""The cheap index: which clips sound alike around their loudest moments, and so may be one recording.

The numbers below were chosen on planted copies, and none of them is critical. `python -m benchmarks.near_copy_numbers`
plants 700 copies among 1,500 digits and 1,500 words: 98 % are found, and 96 to 98 % with any one of these numbers
halved or doubled. They rather decide how many pairs are left to prove, and so how long the search takes.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Rows
from sayso.data.near_copies.band import HIGHEST_HZ, LOWEST_HZ, Band, Floats, to_spectra
from sayso.data.near_copies.neighbours import Vectors
from sayso.data.packing import count_workers
from sayso.system.progress import Task

__all__ = ["find_candidates", "index_clips"]

# Samples of the clips that are worked on at a time, so that their arrays stay in tens of megabytes.
_BLOCK_SAMPLES = 1 << 22
# Clips that are looked for at a time: a set of one voice and one word has thousands of likenesses for each.
_BLOCK_CLIPS = 1 << 12

# Of int16, root mean square. Random last bits come to 0.2 to 0.7 within the band, the quietest digit of FSDD to 4.8.
_QUIETEST_RMS = 1.0

# A moment is a peak of the smoothed energy; its place is told to one hop.
_HOP_SECONDS = 0.004
# 68 ms: some periods of a low voice, so that a syllable gives one peak; of 20 ms 14 copies of 700 more are missed.
_SMOOTHING_HOPS = 17
# 48 ms: a moment is louder than all that is nearer than this.
_APART_HOPS = 12
# Of the energy of the loudest moment: 20 dB below it noise begins to have peaks of its own.
_LEAST_PEAK_SHARE = 0.01
# A shift may have cut off the loudest moment, so some are kept of each clip; 2 or 8 would find as many copies ...
_MOMENTS = 4
# ... and the loudest of them are looked for among those of every other; with one alone 5 copies of 700 more are missed.
_MOMENTS_SOUGHT = 2

# A patch is about a syllable.
_PATCH_SECONDS = 0.2
_PATCH_FRAMES = 8
# Two periods of a low voice, so that little hangs on where in a period a frame begins.
_FRAME_SECONDS = 0.032
# At rates at which nobody records words a frame still has a spectrum.
_LEAST_FRAME_SAMPLES = 8
# About three an octave. With 6 there are twice as many pairs to prove, and hardly more copies are found.
_BANDS = 12
# Of the loudest band of the patch: what lies 20 dB below it may be noise that was added.
_PATCH_FLOOR_SHARE = 0.01
# Far below the energy of a last bit; silence has a logarithm with it.
_LEAST_ENERGY = 1e-3
# Added to a length before dividing by it.
_NO_ZERO = 1e-9

# Cosine of two patches. At 0.85 there are nearly three times as many pairs to prove, for 4 copies of 700 more.
_LEAST_PATCH_LIKENESS = 0.92
# Takes of a word by one voice have like patches too; a bound on them keeps the search from growing with the square.
# Among 3,000 clips 2 would do.
_MOST_NEIGHBOURS = 8


def index_clips(samples: NDArray[np.int16], kept: Rows, band: Band, task: Task) -> tuple[Rows, Floats]:
    """Cut patches out of the clips that are loud enough.

    Args:
        samples: (clips, samples a clip).
        kept: rows of the clips to look at.
        band: as `Band.of` gives it for these clips.
        task: moves on by every clip that was looked at.

    Returns:
        The rows of those that are loud enough, and their patches, (rows, moments, values), each of length 1 or all
        zero.
    """
    rows: list[Rows] = []
    patches: list[Floats] = []
    step = max(1, _BLOCK_SAMPLES // band.source_padded)
    blocks = [kept[start : start + step] for start in range(0, len(kept), step)]

    def work(block: Rows) -> tuple[Rows, Floats | None]:
        _, waveforms = band.take(samples[block])
        loud = np.sqrt(np.mean(waveforms**2, axis=1)) > _QUIETEST_RMS
        return block[loud], _cut_patches(waveforms[loud], band.rate) if loud.any() else None

    with ThreadPoolExecutor(count_workers()) as pool:
        for block, (loud, cut) in zip(blocks, pool.map(work, blocks), strict=True):
            if cut is not None:
                rows.append(loud)
                patches.append(cut)
            task.advance(len(block))
    if not rows:
        return kept[:0], np.zeros((0, _MOMENTS, 1), np.float32)
    return np.concatenate(rows), np.concatenate(patches)


def _cut_patches(waveforms: Floats, rate: int) -> Floats:
    """Compute the log band energies around each clip's loudest moments, loudest first: (clips, moments, values)."""
    centres, loudness = _find_loudest_moments(waveforms, rate)
    frame, reach = max(_LEAST_FRAME_SAMPLES, round(_FRAME_SECONDS * rate)), round(_PATCH_SECONDS * rate / 2)
    margin = reach + frame
    padded = np.pad(waveforms, ((0, 0), (margin, margin)))
    offsets = np.rint(np.linspace(-reach, reach, _PATCH_FRAMES)).astype(np.int64) - frame // 2 + margin
    places = (centres[:, :, None] + offsets)[..., None] + np.arange(frame)
    window = np.hanning(frame + 1)[:-1].astype(np.float32)
    frames = padded[np.arange(len(waveforms))[:, None, None, None], places] * window
    power = np.square(np.abs(to_spectra(frames, frame)))
    highest = min(HIGHEST_HZ, rate / 2)
    edges = np.unique(np.rint(np.geomspace(min(LOWEST_HZ, highest / 2), highest, _BANDS + 1) * frame / rate))
    edges = edges.astype(np.int64)
    energies = np.add.reduceat(power[..., : edges[-1]], edges[:-1], axis=-1)
    floor = _PATCH_FLOOR_SHARE * energies.max(axis=(2, 3), keepdims=True) + _LEAST_ENERGY
    values = np.log(energies + floor).reshape(*centres.shape, -1)
    values -= values.mean(axis=-1, keepdims=True)
    values /= np.linalg.norm(values, axis=-1, keepdims=True) + _NO_ZERO
    values[loudness <= 0] = 0
    return values.astype(np.float32)


def _find_loudest_moments(waveforms: Floats, rate: int) -> tuple[NDArray[np.int64], Floats]:
    """Find peaks of the smoothed energy: their samples and their energy (0: no such peak), both (clips, moments)."""
    hop = max(1, round(_HOP_SECONDS * rate))
    short = -waveforms.shape[1] % hop + hop * max(0, _MOMENTS - waveforms.shape[1] // hop)
    energy = np.square(np.pad(waveforms, ((0, 0), (0, short)))).reshape(len(waveforms), -1, hop).sum(axis=2)
    weights = np.hanning(_SMOOTHING_HOPS + 2)[1:-1].astype(np.float32)
    smooth = _gather_neighbours(energy, _SMOOTHING_HOPS // 2) @ weights
    peak = smooth >= _gather_neighbours(smooth, _APART_HOPS).max(axis=2)
    heights = np.where(peak & (smooth > _LEAST_PEAK_SHARE * smooth.max(axis=1, keepdims=True)), smooth, 0)
    order = np.argsort(-heights, axis=1, kind="stable")[:, :_MOMENTS]
    return order * hop + hop // 2, np.take_along_axis(heights, order, axis=1)


def _gather_neighbours(values: Floats, reach: int) -> Floats:
    """Gather every value with those up to `reach` before and after it, (..., 2 reach + 1)."""
    padded = np.pad(values, ((0, 0), (reach, reach)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)


def find_candidates(patches: Floats, task: Task, *, among: Floats | None = None) -> Rows:
    """Find pairs of clips in which the loudest moments of one are like loud moments of the other.

    Args:
        patches: of the clips, as `index_clips` gives them.
        task: moves on by every clip.
        among: patches of another set, to look for the clips in; None: look for them among one another.

    Returns:
        (pairs, 2): places in `patches`, the smaller one first; or a place in `among` and one in `patches`.
    """
    moments = patches.shape[1]
    others = patches if among is None else among
    keys, clip_of_key = _without_silence(others, others.shape[1])
    if not len(keys):
        task.advance(len(patches))
        return np.zeros((0, 2), np.int64)
    vectors = Vectors.of(keys)
    pairs: list[Rows] = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(patches), _BLOCK_CLIPS):
        block = patches[start : start + _BLOCK_CLIPS]
        sought, clip = _without_silence(block, min(moments, _MOMENTS_SOUGHT))
        place, key, scores = vectors.find_near(sought, _LEAST_PATCH_LIKENESS)
        here, there = clip[place] + start, clip_of_key[key]
        other = np.full(len(here), True) if among is not None else there != here
        pairs.append(_keep_nearest(here[other], there[other], scores[other]))
        task.advance(len(block))
    found = np.concatenate(pairs)
    return np.unique(np.sort(found, axis=1) if among is None else found[:, ::-1], axis=0)


def _without_silence(patches: Floats, moments: int) -> tuple[Floats, Rows]:
    """Give the first moments' patches that are not zero, (found, values), and the clip of each, (found,)."""
    first = patches[:, :moments]
    clip, moment = np.nonzero(first.any(axis=2))
    return first[clip, moment], clip


def _keep_nearest(here: Rows, there: Rows, scores: Floats) -> Rows:
    """Pair each of `here` with the most alike of `there`, at most `_MOST_NEIGHBOURS` of them: (pairs, 2)."""
    order = np.lexsort((-scores, here))
    here, there = here[order], there[order]
    rank = np.arange(len(here)) - np.searchsorted(here, here)
    return np.stack((here, there), axis=1)[rank < _MOST_NEIGHBOURS]
