"""Pairs of clips that are one recording: the same samples, or louder, shifted, resampled, coded or with some noise.

First a cheap index: around the loudest moments of each clip a patch of band energies, which moves with a shift and
scales with a gain; matrix products give the clips whose patches are alike. Then the proof for these few: the greatest
normalised cross-correlation of the two waveforms, which two takes of a word by one voice do not reach.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.data.corpus import Corpus, Rows, packed_folder
from sayso.data.near_copies.band import LONGEST_SHIFT_SECONDS, Band
from sayso.data.near_copies.candidates import find_candidates, index_clips
from sayso.data.near_copies.correlation import LEAST_LIKENESS, prove
from sayso.errors import OutputError
from sayso.system.files import digest, read_json, write_json
from sayso.system.progress import Progress

__all__ = [
    "LEAST_LIKENESS",
    "LONGEST_SHIFT_SECONDS",
    "NearCopy",
    "find_copies_across",
    "find_near_copies",
    "look_up_copies_across",
    "look_up_near_copies",
]

# Any change to what is found makes a new one, so that no answer of the old way is taken from the cache.
_VERSION = 2
# Of two sets, the clips of this many pairs are held in memory at a time: 64 MB for clips of a second at 16 kHz.
_BLOCK_PAIRS = 1 << 10


@dataclass(frozen=True, slots=True)
class NearCopy:
    """Two clips that are one recording."""

    first: int
    """Row of the one that comes first."""
    second: int
    shift_seconds: float
    """How much later the sound begins in the second clip."""
    likeness: float
    """Cosine of the two waveforms where they overlap, 0 to 1; 1 only when the samples are the same."""


def find_near_copies(
    samples: NDArray[np.int16], *, sample_rate: int, progress: Progress | None = None
) -> list[NearCopy]:
    """Find the clips that are one recording.

    Several equal clips give one pair each, with the first of them. Digital silence is a copy of nothing; a clip that is
    almost silent is one only of the same samples.

    Args:
        samples: (clips, samples a clip), int16.
        sample_rate: in hertz.
        progress: where to report.

    Returns:
        The pairs, by row; likeness from `LEAST_LIKENESS` to 1, shifts up to `LONGEST_SHIFT_SECONDS`.
    """
    kept, same = _split_off_same_samples(samples)
    band = Band.of(samples.shape[1], sample_rate)
    with (progress or Progress()).task("looking for near copies", total=2 * len(samples), unit="clips") as task:
        task.advance(len(samples) - len(kept))
        rows, patches = index_clips(samples, kept, band, task)
        likely = find_candidates(patches, task)
        found = [NearCopy(*pair) for pair in prove(samples, rows[likely], band)]
        task.advance(len(samples) - len(rows))
    return sorted([*same, *found], key=lambda pair: (pair.first, pair.second))


def find_copies_across(
    samples: NDArray[np.int16], others: NDArray[np.int16], *, sample_rate: int, progress: Progress | None = None
) -> list[NearCopy]:
    """Find clips of one set that are one recording with a clip of another, as `find_near_copies` does within one.

    Args:
        samples: (clips, samples a clip), int16.
        others: the same of the other set, of the same length; better the smaller one.
        sample_rate: in hertz.
        progress: where to report.

    Returns:
        The pairs, by row: `first` of `samples`, `second` of `others`.
    """
    marks = [{row: _digest(clip) for row, clip in enumerate(each) if _has_sound(clip)} for each in (samples, others)]
    rows_of: dict[bytes, list[int]] = {}
    for row, mark in marks[0].items():
        rows_of.setdefault(mark, []).append(row)
    same = [NearCopy(row, other, 0.0, 1.0) for other, mark in marks[1].items() for row in rows_of.get(mark, ())]
    known = {(pair.first, pair.second) for pair in same}
    band = Band.of(samples.shape[1], sample_rate)
    total = len(marks[0]) + 2 * len(marks[1])
    with (progress or Progress()).task("looking for copies of other words", total=total, unit="clips") as task:
        there, among = index_clips(samples, np.array(list(marks[0]), dtype=np.int64), band, task)
        here, patches = index_clips(others, np.array(list(marks[1]), dtype=np.int64), band, task)
        pairs = find_candidates(patches, task, among=among) if len(here) and len(there) else np.zeros((0, 2), np.int64)
        likely = np.stack((there[pairs[:, 0]], here[pairs[:, 1]]), axis=1)
        found = [
            pair for pair in _prove_across(samples, others, likely, band) if (pair.first, pair.second) not in known
        ]
    return sorted([*same, *found], key=lambda pair: (pair.first, pair.second))


def _prove_across(samples: NDArray[np.int16], others: NDArray[np.int16], pairs: Rows, band: Band) -> Iterator[NearCopy]:
    for start in range(0, len(pairs), _BLOCK_PAIRS):
        block = pairs[start : start + _BLOCK_PAIRS]
        both = np.concatenate((samples[block[:, 0]], others[block[:, 1]]))
        places = np.arange(len(both)).reshape(2, -1).T
        for place, _, shift, likeness in prove(both, places, band):
            yield NearCopy(int(block[place, 0]), int(block[place, 1]), shift, likeness)


def look_up_near_copies(corpus: Corpus, *, progress: Progress | None = None) -> list[NearCopy]:
    """Give the near copies of a corpus, from the cache when they were found before.

    They lie beside the packed samples, under a hash of these. A cache that cannot be written is no fault here.
    """
    rate = corpus.audio.sample_rate
    return _look_up((corpus,), lambda: find_near_copies(corpus.samples, sample_rate=rate, progress=progress))


def look_up_copies_across(corpus: Corpus, other: Corpus, *, progress: Progress | None = None) -> list[NearCopy]:
    """Give the copies across two corpora of one audio format, from the cache when they were found before."""
    rate = corpus.audio.sample_rate
    return _look_up(
        (corpus, other), lambda: find_copies_across(corpus.samples, other.samples, sample_rate=rate, progress=progress)
    )


def _look_up(corpora: Sequence[Corpus], find: Callable[[], list[NearCopy]]) -> list[NearCopy]:
    audio = corpora[0].audio
    key = digest([_VERSION, audio.sample_rate, audio.clip_samples, *(corpus.fingerprints for corpus in corpora)])
    path = packed_folder() / f"near-copies-{key[:32]}.json"
    found = _read(path)
    if found is None:
        found = find()
        with suppress(OutputError):
            write_json(path, {"pairs": [astuple(pair) for pair in found]})
    return found


def _read(path: Path) -> list[NearCopy] | None:
    try:
        pairs = read_json(path)["pairs"]
        return [NearCopy(int(a), int(b), float(shift), float(likeness)) for a, b, shift, likeness in pairs]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _split_off_same_samples(samples: NDArray[np.int16]) -> tuple[Rows, list[NearCopy]]:
    """Give the rows without repeats and without digital silence, and the pairs of equal samples."""
    first_of: dict[bytes, int] = {}
    pairs: list[NearCopy] = []
    for row, clip in enumerate(samples):
        if not _has_sound(clip):
            continue
        first = first_of.setdefault(_digest(clip), row)
        if first != row:
            pairs.append(NearCopy(first, row, 0.0, 1.0))
    return np.array(list(first_of.values()), dtype=np.int64), pairs


def _has_sound(clip: NDArray[np.int16]) -> bool:
    """Say whether there is more in a clip than silence: zeros, or many of one value between zeros of padding."""
    filled = clip[clip != 0]
    return len(filled) == 1 or (len(filled) > 1 and bool(filled.min() != filled.max()))


def _digest(clip: NDArray[np.int16]) -> bytes:
    return hashlib.blake2b(clip.tobytes(), digest_size=16).digest()
