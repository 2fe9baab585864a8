"""Streams that are made: words placed in longer sound, with what was said where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.detection import Stretch

__all__ = ["MadeStream", "Piece", "Place", "Spoken", "find_active", "find_source", "make_stream"]

GAP_SECONDS = 2.5
"""Before each piece of background, where nobody speaks."""
LOWEST_SNR_DB, HIGHEST_SNR_DB = 5.0, 20.0
"""Power of a word over what else is heard while it is said, and of speech over the noise beneath it."""
# A word lies where its power, in steps of 10 ms and over three of them, is within 20 dB of its highest.
_STEP_SECONDS, _SPAN = 0.01, 10**-2.0
_LEAST_POWER = 1e-12


@dataclass(frozen=True, eq=False)
class Spoken:
    """One clip of a word."""

    label: str
    samples: NDArray[np.float32]
    """(samples,), in [-1, 1]."""
    clean: NDArray[np.float32] | None = None
    """The same before a room's echo, which tells where the word lies; None: it is clean as it is."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece of background."""

    name: str
    samples: NDArray[np.float32]
    """(samples,), in [-1, 1]."""


@dataclass(frozen=True)
class Place:
    """Where a piece of background stands in a stream."""

    name: str
    start: float
    """In seconds; the gap before it belongs to it."""
    end: float


@dataclass(frozen=True, eq=False)
class MadeStream:
    """A stream, and what is known of it."""

    samples: NDArray[np.float32]
    """(samples,), in [-1, 1]."""
    truth: tuple[Stretch, ...]
    """The words that were placed, each from where it becomes loud until it ends."""
    clips: tuple[tuple[float, float], ...]
    """Where their whole clips lie, softer beginning and end included: from and to, in seconds."""
    snr_db: tuple[float, ...]
    """Of each of them over what else is heard."""
    placed: tuple[int, ...]
    """Which of the words that were given each of them is."""
    places: tuple[Place, ...]
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.sample_rate

    def source_at(self, seconds: float) -> str:
        """Name the piece of background that stands there."""
        return find_source(self.places, seconds)


def find_source(places: Sequence[Place], seconds: float) -> str:
    """Name the piece of background, of those that follow one another, that stands at a time."""
    return next((place.name for place in places if seconds < place.end), places[-1].name)


def make_stream(
    pieces: Sequence[Piece],
    words: Sequence[Spoken],
    noise: Sequence[NDArray[np.float32]],
    rng: np.random.Generator,
    *,
    sample_rate: int,
    gap_seconds: float = GAP_SECONDS,
) -> MadeStream:
    """Lay pieces of background one after the other in a drawn order, noise beneath them, and words on top.

    Words stand over a piece and in the gap before one by turns, one in each at most, at a level drawn evenly in dB over
    what else is heard there. Words that find no place, more than two a piece, are left out.

    Args:
        pieces: of the background, at least one.
        words: the clips to place, in this order.
        noise: recordings of which one lies beneath; none: white noise.
        rng: draws order, places and levels.
        sample_rate: of all of them, in hertz.
        gap_seconds: before each piece, where a word may stand alone in the noise; more where words need it that none
            is said over another.
    """
    longest = max((len(word.samples) for word in words), default=0)
    # So far a word over the shortest piece goes on in the gap behind that.
    over = max(0, longest - min(len(piece.samples) for piece in pieces))
    gap = np.zeros(max(round(gap_seconds * sample_rate), over + longest), np.float32)
    order = [pieces[place] for place in rng.permutation(len(pieces))]
    lengths = [len(piece.samples) for piece in order]
    ends = np.cumsum([len(gap) + length for length in lengths])
    rest = np.zeros(over, np.float32)
    sound = np.concatenate([*(part for piece in order for part in (gap, piece.samples)), rest])
    level = _level(np.concatenate([piece.samples for piece in order]))
    sound += _bed(noise, len(sound), rng) * np.float32(level * _ratio(rng))
    gaps = [(int(end) - length - len(gap) + over, len(gap) - over) for end, length in zip(ends, lengths, strict=True)]
    spoken = [(int(end) - length, length) for end, length in zip(ends, lengths, strict=True)]
    slots = {0: [gaps[at] for at in rng.permutation(len(gaps))], 1: [spoken[at] for at in rng.permutation(len(spoken))]}
    made = sound.astype(np.float32)
    truth: list[Stretch] = []
    clips: list[tuple[float, float]] = []
    ratios: list[float] = []
    placed: list[int] = []
    for turn, word in enumerate(words):
        if not slots[turn % 2]:
            continue
        begin, length = slots[turn % 2].pop()
        at = begin + int(rng.integers(0, max(1, length - len(word.samples) + 1)))
        first, end = find_active(word.samples if word.clean is None else word.clean, sample_rate)
        snr_db = float(rng.uniform(LOWEST_SNR_DB, HIGHEST_SNR_DB))
        louder = _level(sound[at + first : at + end]) * 10 ** (snr_db / 20) / _level(word.samples[first:end])
        heard = word.samples[: len(made) - at]
        made[at : at + len(heard)] += heard * np.float32(louder)
        truth.append(Stretch(word.label, (at + first) / sample_rate, (at + end) / sample_rate))
        clips.append((at / sample_rate, (at + len(heard)) / sample_rate))
        ratios.append(snr_db)
        placed.append(turn)
    peak = float(np.abs(made).max())
    starts = [0, *ends[:-1].tolist()]
    places = [
        Place(piece.name, start / sample_rate, end / sample_rate)
        for piece, start, end in zip(order, starts, ends.tolist(), strict=True)
    ]
    made /= np.float32(max(1.0, peak))
    return MadeStream(made, tuple(truth), tuple(clips), tuple(ratios), tuple(placed), tuple(places), sample_rate)


def find_active(samples: NDArray[np.float32], sample_rate: int) -> tuple[int, int]:
    """Where a clean word becomes loud and where it ends, in samples: within 20 dB of its peak power."""
    step = max(1, round(_STEP_SECONDS * sample_rate))
    steps = max(1, len(samples) // step)
    power = np.square(samples[: steps * step], dtype=np.float64).reshape(steps, -1).mean(axis=1)
    power = np.convolve(power, np.ones(3) / 3, mode="same")
    loud = np.flatnonzero(power >= _SPAN * power.max())
    return int(loud[0]) * step, int(loud[-1] + 1) * step


def _bed(noise: Sequence[NDArray[np.float32]], length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of a power of 1, as long as is asked, a recording again and again where it is shorter."""
    if not len(noise):
        return rng.standard_normal(length, np.float32)
    recording = noise[int(rng.integers(len(noise)))]
    return np.resize(recording, length) / np.float32(_level(recording))


def _ratio(rng: np.random.Generator) -> float:
    return 10 ** (-float(rng.uniform(LOWEST_SNR_DB, HIGHEST_SNR_DB)) / 20)


def _level(samples: NDArray[np.floating[Any]]) -> float:
    """Root of the mean power; never 0."""
    return float(np.sqrt(max(_LEAST_POWER, np.square(samples, dtype=np.float64).mean() if len(samples) else 0.0)))
