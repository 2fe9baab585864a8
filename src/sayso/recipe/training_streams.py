"""Streams to train on: every training clip of the words placed in longer sound, as often as the recipe asks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.audio import to_float
from sayso.data.corpus import Rows
from sayso.data.made_streams import MadeStream, Piece, Spoken, make_stream
from sayso.recipe.prepared import Prepared

__all__ = ["TrainingStream", "count_streams", "make_training_streams"]

_SEED = 2**33
# Pieces of a stream: some 30 minutes of it, so that few streams lie in memory at a time.
_PIECES, _PIECE_SECONDS = 200, 8.0
# Of noise, where there are no recordings: as many pieces, drawn anew for each stream.
_NOISE_SECONDS = 6.0
# A piece has two places: over it, and in the gap before it.
_PLACES = 2
# So much louder or softer than its recordings a whole stream may be.
_LEVEL_DB = 8.0

Augment = Callable[[NDArray[np.int16], int], NDArray[np.float32]]
"""Changes clips, (clips, samples), as the copy of that number; float32 in [-1, 1]."""


@dataclass(frozen=True, eq=False)
class TrainingStream:
    """One of them."""

    made: MadeStream
    rows: Rows
    """Of what is said, in the corpus: (words,); -1 for another word."""
    copies: Rows
    """The copy of that row, (words,)."""


@dataclass(frozen=True)
class _Word:
    """A clip to be placed: one of the corpus, or of other words where `row` is -1."""

    row: int
    copy: int
    other: int = -1


def count_streams(prepared: Prepared) -> int:
    """Count the streams that `make_training_streams` yields."""
    pieces, words = len(_pieces(prepared)) or _PIECES, len(_words(prepared))
    return max(1, -(-words // (_PLACES * min(pieces, _PIECES))), -(-pieces // _PIECES))


def make_training_streams(prepared: Prepared, augment: Augment) -> Iterator[TrainingStream]:
    """Make streams in which every training clip stands `training.copies` times, and other words once.

    Words stand in turn over a recording and in the noise before it; where the recipe names no recordings, in
    background noise alone. All recordings are heard at least once.

    Args:
        prepared: clips, negatives and recordings of a recipe.
        augment: changes the clips before they are placed.
    """
    corpus, rate = prepared.corpus, prepared.corpus.audio.sample_rate
    rng = np.random.default_rng((_SEED, prepared.recipe.training.seed))
    noise = [to_float(recording) for recording in corpus.noise]
    pieces, words = _pieces(prepared), _words(prepared)
    words = [words[place] for place in rng.permutation(len(words))]
    order = rng.permutation(len(pieces))
    streams = count_streams(prepared)
    own = min(len(pieces), _PIECES) or _PIECES
    for number, said in enumerate(np.array_split(np.arange(len(words)), streams)):
        if len(pieces):
            turns = (order[(number * own + place) % len(order)] for place in range(own))
            chosen = [Piece(name, to_float(part)) for name, part in (pieces[turn] for turn in turns)]
        else:
            chosen = [_drawn_noise(noise, rng, rate) for _ in range(own)]
        drawn = [words[place] for place in said]
        spoken = [Spoken("", sound) for sound in _sounds(prepared, drawn, augment)]
        made = make_stream(chosen, spoken, noise, rng, sample_rate=rate)
        loudness = np.float32(10 ** (rng.uniform(-_LEVEL_DB, _LEVEL_DB) / 20))
        np.clip(made.samples * loudness, -1, 1, out=made.samples)
        yield TrainingStream(
            made,
            np.array([drawn[place].row for place in made.placed], np.int64),
            np.array([drawn[place].copy for place in made.placed], np.int64),
        )


def _words(prepared: Prepared) -> list[_Word]:
    copies = prepared.recipe.training.copies or 1
    words = [_Word(int(row), copy) for row in prepared.split.train for copy in range(copies)]
    others = prepared.negatives.spoken if prepared.negatives else 0
    return words + [_Word(-1, 0, other) for other in range(others)]


def _pieces(prepared: Prepared) -> list[tuple[str, NDArray[np.int16]]]:
    """The recordings, cut where they are long, each with where it was read from."""
    if prepared.recordings is None:
        return []
    longest = round(_PIECE_SECONDS * prepared.recordings.sample_rate)
    return [
        (name, part)
        for name, sound in zip(prepared.recordings.names, prepared.recordings.sounds, strict=True)
        for part in np.array_split(sound, max(1, -(-len(sound) // longest)))
    ]


def _drawn_noise(noise: Sequence[NDArray[np.float32]], rng: np.random.Generator, rate: int) -> Piece:
    length = round(_NOISE_SECONDS * rate)
    if not noise:
        return Piece("noise", rng.standard_normal(length, np.float32) * np.float32(0.05))
    recording = noise[int(rng.integers(len(noise)))]
    start = int(rng.integers(max(1, len(recording) - length)))
    return Piece("noise", np.resize(recording[start : start + length], length))


def _sounds(prepared: Prepared, words: Sequence[_Word], augment: Augment) -> Iterator[NDArray[np.float32]]:
    """The clips of these words, each changed as its copy is."""
    negatives = prepared.negatives
    changed: dict[_Word, NDArray[np.float32]] = {}
    for copy in sorted({word.copy for word in words}):
        own = [word for word in words if word.copy == copy and word.row >= 0]
        if own:
            samples = augment(prepared.corpus.samples[[word.row for word in own]], copy)
            changed.update(zip(own, samples, strict=True))
    others = [word for word in words if word.row < 0]
    if others and negatives is not None:
        changed.update(zip(others, augment(negatives.samples[[word.other for word in others]], 0), strict=True))
    for word in words:
        yield changed[word]
