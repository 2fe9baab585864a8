"""Pairs of clips that are one recording: the same samples, or louder, shifted, resampled, coded or with some noise.

First a cheap index: around the loudest moments of each clip a patch of band energies, which moves with a shift and
scales with a gain; matrix products give the clips whose patches are alike. Then the proof for these few: the greatest
normalised cross-correlation of the two waveforms, which two takes of a word by one voice do not reach.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.corpus import Corpus, packed_folder
from sayso.errors import OutputError
from sayso.files import digest, write_json
from sayso.near_copies.band import LONGEST_SHIFT_SECONDS, Band, Rows
from sayso.near_copies.index import candidates, index
from sayso.near_copies.proof import LEAST_LIKENESS, proved
from sayso.progress import Progress

__all__ = ["LEAST_LIKENESS", "LONGEST_SHIFT_SECONDS", "NearCopy", "kept_near_copies", "near_copies"]

# Any change to what is found makes a new one, so that no answer of the old way is taken from the cache.
_VERSION = 1


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


def near_copies(samples: NDArray[np.int16], *, sample_rate: int, progress: Progress | None = None) -> list[NearCopy]:
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
    kept, same = _same_samples(samples)
    band = Band.of(samples.shape[1], sample_rate)
    with (progress or Progress()).task("looking for near copies", total=2 * len(samples), unit="clips") as task:
        task.advance(len(samples) - len(kept))
        rows, patches = index(samples, kept, band, task)
        likely = candidates(patches, task)
        found = [NearCopy(*pair) for pair in proved(samples, rows[likely], band)]
        task.advance(len(samples) - len(rows))
    return sorted([*same, *found], key=lambda pair: (pair.first, pair.second))


def kept_near_copies(corpus: Corpus, *, progress: Progress | None = None) -> list[NearCopy]:
    """The near copies of a corpus, from the cache when they were found before.

    They lie beside the packed samples, under a hash of these. A cache that cannot be written is no fault here.
    """
    rate = corpus.audio.sample_rate
    key = digest([_VERSION, rate, corpus.audio.clip_samples, corpus.fingerprints])
    path = packed_folder() / f"near-copies-{key[:32]}.json"
    found = _read(path)
    if found is None:
        found = near_copies(corpus.samples, sample_rate=rate, progress=progress)
        with suppress(OutputError):
            write_json(path, {"pairs": [astuple(pair) for pair in found]})
    return found


def _read(path: Path) -> list[NearCopy] | None:
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))["pairs"]
        return [NearCopy(int(a), int(b), float(shift), float(likeness)) for a, b, shift, likeness in pairs]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _same_samples(samples: NDArray[np.int16]) -> tuple[Rows, list[NearCopy]]:
    """Rows without repeats and without digital silence, and the pairs of equal samples."""
    first_of: dict[bytes, int] = {}
    pairs: list[NearCopy] = []
    for row, clip in enumerate(samples):
        if not np.any(clip):
            continue
        first = first_of.setdefault(hashlib.blake2b(clip.tobytes(), digest_size=16).digest(), row)
        if first != row:
            pairs.append(NearCopy(first, row, 0.0, 1.0))
    return np.array(list(first_of.values()), dtype=np.int64), pairs
