"""Sounds that are none of the words: clips of other data sets, stretches of background noise, noise that is made."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat, quantise
from sayso.data.clips import Listing
from sayso.data.corpus import Corpus, Rows, pack
from sayso.data.datasets import DatasetConfig
from sayso.data.leakage.names import list_names
from sayso.errors import DataError
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["Negatives", "gather_negatives"]

_MADE = 100
_MOST_STRETCHES = 300
_LOUDEST_DB, _SOFTEST_DB = -10.0, -80.0
_STEEPEST_DB_PER_OCTAVE = 6.0


@dataclass(frozen=True, eq=False)
class Negatives:
    """Sounds that are none of the words."""

    samples: NDArray[np.int16]
    """(clips, samples), in the format of the corpus whose words they are none of."""
    note: str
    """What they are."""
    fingerprints: frozenset[str]
    """Of the clips of data sets among them, as a corpus has them."""

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the samples."""
        return hashlib.sha256(self.samples.data).hexdigest()

    def check_apart(self, scored: Corpus, what: str) -> None:
        """Check that no clip to be scored was trained on as a negative.

        Args:
            scored: the clips, in the same format.
            what: what each of them is, such as `clip to score`, with `clip` in it.

        Raises:
            DataError: some have the very samples of negatives.
        """
        if shared := _find_shared(scored, self.fingerprints):
            clips = counted(len(shared), f"{what} was", f"{what.replace('clip', 'clips')} were")
            raise DataError(
                f"{clips} trained on as none of the words ({list_names(scored, shared)}), so a score on them says "
                "nothing; leave them out there (rejection.negatives), or here"
            )


def gather_negatives(datasets: Sequence[DatasetConfig], corpus: Corpus, *, progress: Progress) -> Negatives:
    """Bring together everything that is none of the words, in the format of a corpus.

    Args:
        datasets: whose clips are all negative; those of a word that the corpus has are left out and counted.
        corpus: the clips of the words, whose background recordings are cut into stretches.
        progress: where to report.

    Raises:
        DataError: a data set has no usable clips, or a clip of it is one of the words' own.
    """
    packed = [_clips(dataset, corpus, progress) for dataset in datasets]
    parts = [_without_words(part, corpus.labels) for part in packed]
    noise = np.array(list(_stretches(corpus)), np.int16).reshape(-1, corpus.audio.clip_samples)
    made = _made(corpus.audio)
    spoken = sum(len(part) for part in parts)
    heard = f", {counted(len(noise), 'stretch', 'stretches')} of background noise" if len(noise) else ""
    note = f"{counted(spoken, 'clip')} of other words{heard} and {len(made)} of made noise train as none of the words"
    if left_out := sum(map(len, packed)) - spoken:
        note += f" ({counted(left_out, 'clip')} of the words themselves left out)"
    marks = frozenset(packed[place].fingerprints[row] for place, part in enumerate(parts) for row in part)
    samples = [every.samples[part] for every, part in zip(packed, parts, strict=True)]
    return Negatives(np.concatenate((*samples, noise, made)), note, marks)


def _clips(dataset: DatasetConfig, corpus: Corpus, progress: Progress) -> Corpus:
    listing = dataset.kept_listing(progress)
    negatives = pack(Listing(listing.clips), corpus.audio, progress=progress, max_bad_share=dataset.max_bad_share)
    if shared := _find_shared(negatives, set(corpus.fingerprints)):
        raise DataError(
            f"rejection.negatives ({dataset.kind}) holds {counted(len(shared), 'clip')} of the wanted words themselves "
            f"({list_names(negatives, shared)}); leave these words out there"
        )
    return negatives


def _without_words(negatives: Corpus, words: Collection[str]) -> Rows:
    """Rows that say none of these words, as far as their labels tell."""
    known = {word.casefold() for word in words}
    own = [row for row, clip in enumerate(negatives.clips) if clip.label.casefold() not in known]
    return np.array(own, dtype=np.int64)


def _find_shared(corpus: Corpus, marks: Collection[str]) -> list[int]:
    """Rows whose samples are among those with these fingerprints; silence is nobody's."""
    same = [row for row, mark in enumerate(corpus.fingerprints) if mark in marks]
    return [row for row in same if np.any(corpus.samples[row])]


def _stretches(corpus: Corpus) -> Iterator[NDArray[np.int16]]:
    """Yield stretches of the background recordings, evenly over all of them, at most `_MOST_STRETCHES`."""
    length = corpus.audio.clip_samples
    starts = [
        (recording, start)
        for recording in corpus.noise
        for start in range(0, len(recording) - length + 1, max(1, length // 2))
    ]
    for place in range(0, len(starts), max(1, -(-len(starts) // _MOST_STRETCHES))):
        recording, start = starts[place]
        yield recording[start : start + length]


def _made(audio: AudioFormat) -> NDArray[np.int16]:
    """Make noise of many colours, from loud to hardly anything, and a clip of silence; (clips, samples)."""
    rng = np.random.default_rng(0)
    white = np.fft.rfft(rng.standard_normal((_MADE, audio.clip_samples)))
    octaves = np.log2(np.maximum(np.arange(white.shape[1]), 1))
    slopes = rng.uniform(0, _STEEPEST_DB_PER_OCTAVE, (_MADE, 1))
    noise = np.fft.irfft(white * 10 ** (-slopes * octaves / 20), n=audio.clip_samples)
    noise /= np.sqrt(np.square(noise).mean(axis=1, keepdims=True))
    levels_db = rng.uniform(_SOFTEST_DB, _LOUDEST_DB, (_MADE, 1))
    levels_db[0] = -np.inf
    return quantise((noise * 10 ** (levels_db / 20)).astype(np.float32))
