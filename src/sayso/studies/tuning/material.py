"""What the streams of one part are made of, and the streams, one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.data.corpus import Corpus, Rows
from sayso.data.made_streams import GAP_SECONDS, MadeStream, Piece, Spoken, make_stream
from sayso.errors import Fault
from sayso.studies.tuning.rooms import in_rooms

__all__ = ["Background", "Material", "Recording", "Replayed", "check_hours", "draw_groups", "replays"]

PIECE_SECONDS = 15.0
"""Longer recordings are cut into pieces of no more than this; over each, and before each, stands a word."""
STREAM_SECONDS = 600.0
_LONGEST_HOURS = 1_000.0


def check_hours(hours: float) -> Iterator[Fault]:
    """Yield a fault where nobody can listen to streams for so many hours."""
    if not 0 < hours <= _LONGEST_HOURS:
        yield Fault("--hours", f"is {hours:g}, must be above 0, such as 4, and at most {_LONGEST_HOURS:,.0f}")


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
    rooms: float = 0.0
    """Share of the words that are said in a simulated room."""

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
    in_room: tuple[bool, ...]
    """Of each word in the stream's truth whether it was said in a simulated room."""


def replays(
    material: Material, *, hours: float, rng: np.random.Generator, groups: Iterator[list[int]] | None = None
) -> Iterator[Replayed]:
    """Yield streams until they are so long together, one stream more or less of which is in memory.

    Every piece of background comes once before one comes again, in a new order, over other noise, with other words at
    other levels. So do the clips of words.

    Args:
        material: what they are made of.
        hours: length of all streams together, above 0.
        rng: draws everything.
        groups: of which pieces each stream is made, without end; None: as `draw_groups` draws them.
    """
    left = hours * 3600
    words = _endless(material.rows, rng)
    groups = groups or draw_groups(material, rng)
    while left > 0:
        pieces = next(groups)
        made = _make(material, pieces, [int(next(words)) for _ in range(2 * len(pieces))], rng)
        yield made
        left -= made.stream.seconds


def _make(material: Material, pieces: Sequence[int], rows: Sequence[int], rng: np.random.Generator) -> Replayed:
    corpus = material.corpus
    in_room = tuple((rng.random(len(rows)) < material.rooms).tolist() if material.rooms else [False] * len(rows))
    stream = make_stream(
        [Piece(material.pieces[place].name, to_float(material.pieces[place].samples)) for place in pieces],
        list(_said(material, rows, in_room, rng)),
        [to_float(noise) for noise in material.noise],
        rng,
        sample_rate=corpus.audio.sample_rate,
        gap_seconds=max(GAP_SECONDS, 2 * corpus.audio.clip_seconds),
    )
    return Replayed(stream, tuple(rows), tuple(pieces), in_room)


def _said(
    material: Material, rows: Sequence[int], in_room: Sequence[bool], rng: np.random.Generator
) -> Iterator[Spoken]:
    """Yield the words, some of them in rooms."""
    corpus = material.corpus
    clean = to_float(np.array(corpus.samples[list(rows)]))
    chosen = np.flatnonzero(in_room)
    echoing = in_rooms(clean[chosen], corpus.audio.sample_rate, rng) if len(chosen) else clean[chosen]
    roomy = dict(zip(chosen.tolist(), echoing, strict=True))
    for place, row in enumerate(rows):
        sound = roomy.get(place)
        label = corpus.clips[row].label
        yield Spoken(label, clean[place]) if sound is None else Spoken(label, sound, clean[place])


def draw_groups(material: Material, rng: np.random.Generator, *, share_of_stream: float = 1.0) -> Iterator[list[int]]:
    """Yield numbers of pieces without end, a stream's worth of them at a time; all come once before one comes again.

    Args:
        material: whose pieces they are.
        rng: draws their order.
        share_of_stream: of the usual length of a stream, above 0.
    """
    most = share_of_stream * STREAM_SECONDS * material.corpus.audio.sample_rate
    while True:
        group: list[int] = []
        samples = 0
        for place in rng.permutation(len(material.pieces)).tolist():
            group.append(place)
            samples += len(material.pieces[place].samples)
            if samples >= most:
                yield group
                group, samples = [], 0
        if group:
            yield group


def _endless(rows: Rows, rng: np.random.Generator) -> Iterator[np.int64]:
    while True:
        yield from rng.permutation(rows)
