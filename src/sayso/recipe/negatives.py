"""Sounds that are none of the words: clips of other data sets, stretches of background noise, noise that is made."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat, clip_from_samples, find_sound, quantise
from sayso.data.clips import Listing
from sayso.data.corpus import Corpus, Rows, pack
from sayso.data.datasets import DatasetConfig
from sayso.data.datasets.folder.found import NONE_FOLDER
from sayso.data.leakage.names import list_names
from sayso.data.long_recordings import LongRecordings
from sayso.data.losses import gather_reasons
from sayso.data.packing import fingerprint
from sayso.errors import DataError
from sayso.recipe.recipe import Rejection
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["Negatives", "check_recordings", "cut_words", "gather_negatives"]

_MADE = 100
_MOST_STRETCHES = 300
_LOUDEST_DB, _SOFTEST_DB = -10.0, -80.0
_STEEPEST_DB_PER_OCTAVE = 6.0
# Of a word that is cut so much is heard; more would be the word, less hardly anything.
_HEARD_SHARES = (0.3, 0.6)
_FADE_SECONDS, _LEAST_HOPS = 0.01, 10
# What is longer is no clip of a word, whatever was cut from it.
_LONGEST_CLIP_SECONDS = 60
_SHOWN_NAMES = 3


@dataclass(frozen=True, eq=False)
class Negatives:
    """Sounds that are none of the words."""

    samples: NDArray[np.int16]
    """(clips, samples), in the format of the corpus whose words they are none of."""
    note: str
    """What they are."""
    fingerprints: frozenset[str]
    """Of the clips of data sets among them, as a corpus has them."""
    windows: Rows = field(default_factory=lambda: np.zeros(0, np.int64))
    """Rows of windows of longer sound, in which nothing is moved: speech may go on where they end."""
    spoken: int = 0
    """The first so many are clips of other words."""
    speakers: tuple[str | None, ...] = ()
    """Who says each of those, where that is known."""

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the samples."""
        return hashlib.sha256(self.samples.data).hexdigest()

    def with_more(self, samples: NDArray[np.int16], what: str, *, are_windows: bool = False) -> "Negatives":
        """Add clips, (clips, samples), and what they are to the note."""
        if not len(samples):
            return self
        added = np.arange(len(self), len(self) + len(samples) * are_windows)
        windows = np.concatenate((self.windows, added))
        together = np.concatenate((self.samples, samples))
        return replace(self, samples=together, note=f"{self.note}; {what}", windows=windows)

    def said_by(self, names: Collection[str]) -> Rows:
        """Rows of clips that one of these people says."""
        return np.array([row for row, name in enumerate(self.speakers) if name in names], dtype=np.int64)

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


def gather_negatives(
    rejection: Rejection, corpus: Corpus, recordings: LongRecordings | None, *, progress: Progress
) -> Negatives:
    """Bring together everything that is none of the words, in the format of a corpus.

    Args:
        rejection: which data sets are all negative (clips of a word that the corpus has are left out and counted), and
            how many windows of the recordings.
        corpus: the clips of the words, whose background recordings are cut into stretches.
        recordings: its long recordings, if any.
        progress: where to report.

    Raises:
        DataError: a data set has no usable clips, or a clip of it is one of the words' own.
    """
    packed = [_clips(dataset, corpus, progress) for dataset in rejection.negatives]
    parts = [_without_words(part, corpus.labels) for part in packed]
    noise = np.array(list(_stretches(corpus)), np.int16).reshape(-1, corpus.audio.clip_samples)
    made = _made(corpus.audio)
    spoken = sum(len(part) for part in parts)
    heard = f", {counted(len(noise), 'stretch', 'stretches')} of background noise" if len(noise) else ""
    drawn = _windows(recordings, corpus.audio, rejection.windows)
    heard += f", {counted(len(drawn), 'window')} of other recordings" if len(drawn) else ""
    given = sum(
        every.clips[row].label == NONE_FOLDER for every, part in zip(packed, parts, strict=True) for row in part
    )
    own = f" ({given:,} of them in {NONE_FOLDER})" if given else ""
    note = (
        f"{counted(spoken, 'clip')} of other words{own}{heard} and {len(made)} of made noise train as none of the words"
    )
    if left_out := sum(map(len, packed)) - spoken:
        note += f" ({counted(left_out, 'clip')} of the words themselves left out)"
    if unread := [why for each in packed for why in each.skipped]:
        files = f"{counted(len(unread), 'file')} of them could not be read"
        note += f"; {files}: {listed(gather_reasons(unread), 1, between='; ', count_rest=True)}"
    marks = frozenset(packed[place].fingerprints[row] for place, part in enumerate(parts) for row in part)
    samples = [every.samples[part] for every, part in zip(packed, parts, strict=True)]
    everything = np.concatenate((*samples, noise, made, drawn))
    windows = np.arange(len(everything) - len(drawn), len(everything))
    speakers = tuple(every.clips[row].speaker for every, part in zip(packed, parts, strict=True) for row in part)
    return Negatives(everything, note, marks, windows, spoken, speakers)


def check_recordings(recordings: LongRecordings, corpus: Corpus, *, given: str) -> None:
    """Check that no long recording is one of the words' own clips, tested ones among them.

    Args:
        recordings: in which none of the words is to be said.
        corpus: the clips of the words.
        given: where a person named them, for the message.

    Raises:
        DataError: some become clips with the very samples of clips of the corpus.
    """
    marks = set(corpus.fingerprints)
    longest = _LONGEST_CLIP_SECONDS * recordings.sample_rate
    same = [
        name
        for name, sound in zip(recordings.names, recordings.sounds, strict=True)
        if len(sound) <= longest and np.any(sound) and _mark(sound, recordings.sample_rate, corpus.audio) in marks
    ]
    if same:
        raise DataError(
            f"{given} holds {counted(len(same), 'clip')} of the wanted words themselves "
            f"({listed(same, _SHOWN_NAMES)}); leave them out there"
        )


def _mark(sound: NDArray[np.int16], rate: int, audio: AudioFormat) -> str:
    return fingerprint(clip_from_samples(sound, rate, audio))


def _clips(dataset: DatasetConfig, corpus: Corpus, progress: Progress) -> Corpus:
    # What a source keeps for the test, or for validation, teaches nothing here either.
    own = tuple(clip for clip in dataset.kept_listing(progress).clips if clip.part in (None, "train"))
    negatives = pack(Listing(own), corpus.audio, progress=progress, max_bad_share=dataset.max_bad_share)
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


def _windows(recordings: LongRecordings | None, audio: AudioFormat, most: int) -> NDArray[np.int16]:
    """Windows of long recordings, a quarter of a window apart or more, evenly over them; (windows, samples)."""
    if recordings is None:
        return np.zeros((0, audio.clip_samples), np.int16)
    places = list(recordings.windows(audio.clip_samples, max(1, audio.clip_samples // 4)))
    chosen = np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(int)
    return recordings.take([places[place] for place in chosen], audio.clip_samples)


def cut_words(corpus: Corpus, rows: Rows, count: int) -> NDArray[np.int16]:
    """Make clips in which a word only begins, or only ends; (clips, samples).

    Args:
        corpus: the clips of the words.
        rows: those of it that train.
        count: how many; words in turn, evenly over the rows.
    """
    rng = np.random.default_rng(0)
    rate = corpus.audio.sample_rate
    fade = np.linspace(0, 1, max(2, round(_FADE_SECONDS * rate)))
    made: list[NDArray[np.int16]] = []
    for place in np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int):
        samples = corpus.samples[rows[place]].astype(np.float64)
        sounding, hop = find_sound(corpus.samples[rows[place]], rate)
        loud = np.flatnonzero(sounding)
        if not len(loud) or loud[-1] - loud[0] < _LEAST_HOPS:
            continue
        share = rng.uniform(*_HEARD_SHARES)
        if len(made) % 2 == 0:
            cut = round((loud[0] + share * (loud[-1] + 1 - loud[0])) * hop)
            samples[cut:] = 0
            samples[max(0, cut - len(fade)) : cut] *= fade[::-1][-cut:]
        else:
            cut = round((loud[-1] + 1 - share * (loud[-1] + 1 - loud[0])) * hop)
            samples[:cut] = 0
            samples[cut : cut + len(fade)] *= fade[: len(samples) - cut]
        made.append(np.rint(samples).astype(np.int16))
    return np.stack(made) if made else np.zeros((0, corpus.audio.clip_samples), np.int16)


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
