"""What the streams of one part are made of, and the streams, one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.data.corpus import Corpus, Rows
from sayso.data.made_streams import GAP_SECONDS, MadeStream, Piece, Spoken, make_stream

__all__ = ["Background", "Material", "Recording", "Replayed", "replays"]

PIECE_SECONDS = 15.0
"""Longer recordings are cut into pieces of no more than this; over each, and before each, stands a word."""
STREAM_SECONDS = 600.0


@dataclass(frozen=True, eq=False)
class Recording:
    """One source of background."""

    name: str
    samples: NDArray[np.int16]
    """(samples,), at the rate of the clips; may lie on the disk."""


@dataclass(frozen=True, eq=False)
class Background:
    """Sources of background of the two parts, none of which is in both."""

    validation: tuple[Recording, ...]
    test: tuple[Recording, ...]
    what: str
    """What it is."""
    notes: tuple[str, ...] = ()
    """What a person should know of it."""

    def joined(self, other: "Background | None") -> "Background":
        """Both together."""
        if other is None:
            return self
        return Background(
            (*self.validation, *other.validation),
            (*self.test, *other.test),
            f"{self.what}; {other.what}",
            (*self.notes, *other.notes),
        )


@dataclass(frozen=True, eq=False)
class Material:
    """What the streams of one part are made of."""

    corpus: Corpus
    rows: Rows
    """The clips of words that belong to the part, at least one."""
    recordings: tuple[Recording, ...]
    """Background, at least one."""
    noise: tuple[NDArray[np.int16], ...]
    """What lies beneath; none: white noise."""

    @property
    def hours(self) -> float:
        """Length of the background."""
        return sum(len(one.samples) for one in self.recordings) / self.corpus.audio.sample_rate / 3600

    @cached_property
    def pieces(self) -> tuple[Recording, ...]:
        """The recordings in pieces of even lengths, each under the name of its recording."""
        most = round(PIECE_SECONDS * self.corpus.audio.sample_rate)
        return tuple(
            Recording(one.name, part)
            for one in self.recordings
            for part in np.array_split(one.samples, max(1, -(-len(one.samples) // most)))
        )


@dataclass(frozen=True, eq=False)
class Replayed:
    """One stream, and what went into it."""

    stream: MadeStream
    rows: tuple[int, ...]
    """Of the corpus: the clip of each word in the stream's truth."""
    pieces: tuple[int, ...]
    """Numbers of the pieces in it."""


def replays(material: Material, *, hours: float, rng: np.random.Generator) -> Iterator[Replayed]:
    """Yield streams until they are so long together, one stream more or less of which is in memory.

    Every piece of background comes once before one comes again, in a new order, over other noise, with other words at
    other levels. So do the clips of words.

    Args:
        material: what they are made of.
        hours: length of all streams together, above 0.
        rng: draws everything.
    """
    left = hours * 3600
    words = _endless(material.rows, rng)
    while left > 0:
        for pieces in _groups(material, rng):
            made = _make(material, pieces, [int(next(words)) for _ in range(2 * len(pieces))], rng)
            yield made
            left -= made.stream.seconds
            if left <= 0:
                break


def _make(material: Material, pieces: Sequence[int], rows: Sequence[int], rng: np.random.Generator) -> Replayed:
    corpus = material.corpus
    stream = make_stream(
        [Piece(material.pieces[place].name, to_float(material.pieces[place].samples)) for place in pieces],
        [Spoken(corpus.clips[row].label, to_float(np.array(corpus.samples[row]))) for row in rows],
        [to_float(noise) for noise in material.noise],
        rng,
        sample_rate=corpus.audio.sample_rate,
        gap_seconds=max(GAP_SECONDS, 2 * corpus.audio.clip_seconds),
    )
    return Replayed(stream, tuple(rows), tuple(pieces))


def _groups(material: Material, rng: np.random.Generator) -> Iterator[list[int]]:
    """Yield all pieces in a drawn order, a stream's worth of them at a time."""
    group: list[int] = []
    samples = 0
    for place in rng.permutation(len(material.pieces)).tolist():
        group.append(place)
        samples += len(material.pieces[place].samples)
        if samples >= STREAM_SECONDS * material.corpus.audio.sample_rate:
            yield group
            group, samples = [], 0
    if group:
        yield group


def _endless(rows: Rows, rng: np.random.Generator) -> Iterator[np.int64]:
    while True:
        yield from rng.permutation(rows)
