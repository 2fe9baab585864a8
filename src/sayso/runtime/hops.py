"""Answers on a stream, one each hop: by a form that carries its state, or by whole windows, with the same numbers.

Both take a stream in chunks of one hop. Zeros are put before the first sample, so many that the last chunk a hop needs
ends where its window ends or earlier; `first` chunks later comes the answer of the first whole window.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.audio import FULL_SCALE, to_float
from sayso.metrics.probabilities import softmax
from sayso.runtime.recognizer import Recognizer
from sayso.runtime.stream_file import StreamFile

__all__ = ["Answers", "Hops", "Stateful", "Windows", "score_stream"]

Past = Sequence[NDArray[np.int16]]
"""Chunks that came before, each (hop,)."""

_BATCH = 64


class Scorer:
    """Base of what gives the logits of each chunk's hop."""

    hop: int
    """Samples of a chunk."""
    lead: int
    """Zeros before the first sample."""
    first: int
    """Chunks before the one that ends the first window."""
    looks_back: bool
    """Whether it asks for the chunks before each time, not only where what it scored before does not end there."""

    def score(self, chunks: NDArray[np.int16], *, history: Past, fresh: bool) -> NDArray[np.float32]:
        """Score chunks that follow one another.

        Args:
            chunks: (chunks, hop).
            history: the `first` chunks before them, each (hop,).
            fresh: whether what was scored before does not end just there.

        Returns:
            (chunks, classes): of each chunk, the logits of the window that ends with it.
        """
        raise NotImplementedError


def score_stream(scorer: Scorer, samples: NDArray[np.int16], *, singly: int = 0) -> NDArray[np.float32]:
    """Score every whole window of a stream that is all there, (samples,); gives logits (hops, classes).

    The last ones are scored one at a time, so many of them, as those of a stream that is listened to are.
    """
    heard = np.concatenate((np.zeros(scorer.lead, np.int16), samples))
    chunks = heard[: len(heard) // scorer.hop * scorer.hop].reshape(-1, scorer.hop)
    past = [*np.zeros((scorer.first, scorer.hop), np.int16), *chunks]
    together = len(chunks) - singly
    found = [scorer.score(chunks[:together], history=past[: scorer.first], fresh=True)]
    for place in range(together, len(chunks)):
        history = past[place : place + scorer.first]
        found.append(scorer.score(chunks[place : place + 1], history=history, fresh=False))
    return np.concatenate(found)[scorer.first :]


@dataclass(frozen=True, eq=False)
class Answers:
    """What the model says at some hops."""

    hops: NDArray[np.int64]
    """Their numbers, (hops,), rising; hop k hears the window from sample k * hop on."""
    probabilities: NDArray[np.float64]
    """(hops, words); what a row lacks to 1 is that of "none of these"."""


class Windows(Scorer):
    """The whole-clip model on each window.

    Args:
        recognizer: the model.
        hop: samples from window to window.
    """

    looks_back = True

    def __init__(self, recognizer: Recognizer, hop: int) -> None:
        self._recognizer, self.hop = recognizer, hop
        self.length = recognizer.audio.clip_samples
        self.lead = -self.length % hop
        self.first = (self.length + self.lead) // hop - 1

    def score(self, chunks: NDArray[np.int16], *, history: Past, fresh: bool) -> NDArray[np.float32]:
        """Score chunks; as `Scorer`."""
        del fresh
        heard = np.concatenate((*history, chunks.ravel()))[self.lead :]
        windows = np.lib.stride_tricks.sliding_window_view(heard, self.length)[:: self.hop]
        return self._recognizer.logits(to_float(windows))


class Stateful(Scorer):
    """The streaming form of a model, whose state goes in and comes out; the state is this one's, the file is shared.

    Args:
        file: `stream.onnx`.
    """

    looks_back = False

    def __init__(self, file: StreamFile) -> None:
        self._file = file
        self.hop, self.lead, self.first = file.hop, file.lead, file.first
        self._state = file.empty

    def score(self, chunks: NDArray[np.int16], *, history: Past, fresh: bool) -> NDArray[np.float32]:
        """Score chunks; as `Scorer`."""
        if fresh:
            self._state = self._file.empty
            if len(history):
                self._step(np.stack(history))
        return self._step(chunks)

    def _step(self, chunks: NDArray[np.int16]) -> NDArray[np.float32]:
        logits, self._state = self._file.step(chunks, self._state)
        return logits


class Hops:
    """Cuts a stream into chunks and answers at each hop; its memory does not grow with time.

    Args:
        scorer: the model.
        words: how many words it knows.
        gate_db: chunks of less power are not listened to, in dB below full scale; None: all are.
    """

    def __init__(self, scorer: Scorer, words: int, *, gate_db: float | None) -> None:
        self.scorer, self._words = scorer, words
        self._least_power = 0.0 if gate_db is None else 10 ** (gate_db / 10) * FULL_SCALE**2
        # Where all is listened to in turn, only what stood before the very first chunk is asked for.
        self._remembers = scorer.looks_back or gate_db is not None
        self.reset()

    def reset(self) -> None:
        """Begin a new stream."""
        scorer = self.scorer
        self._rest = np.zeros(scorer.lead, np.int16)
        self._history = deque([np.zeros(scorer.hop, np.int16)] * scorer.first, maxlen=scorer.first)
        self._chunks = 0
        self._is_fresh = True
        self._loud_until = -1

    def feed(self, samples: NDArray[np.int16]) -> Answers:
        """Take the next samples, (samples,), at the model's rate; gives the hops that they complete."""
        heard = np.concatenate((self._rest, samples)) if len(self._rest) else samples
        whole = len(heard) // self.scorer.hop
        self._rest = heard[whole * self.scorer.hop :].copy()
        chunks = heard[: whole * self.scorer.hop].reshape(whole, self.scorer.hop)
        parts = [self._answer(part) for part in self._wanted(chunks)]
        if len(parts) == 1:
            return parts[0]
        return Answers(
            np.concatenate([np.zeros(0, np.int64), *(part.hops for part in parts)]),
            np.concatenate([np.zeros((0, self._words)), *(part.probabilities for part in parts)]),
        )

    def _wanted(self, chunks: NDArray[np.int16]) -> Iterator[NDArray[np.int16]]:
        """Yield runs of chunks to answer on, a few at a time; the others pass into history."""
        start = 0
        while start < len(chunks):
            end = start + 1
            wanted = self._is_wanted(chunks[start], self._chunks)
            while end < len(chunks) and end - start < _BATCH:
                if self._is_wanted(chunks[end], self._chunks + end - start) != wanted:
                    break
                end += 1
            run = chunks[start:end]
            if wanted:
                yield run
            else:
                self._is_fresh = True
                self._pass(run)
            start = end

    def _is_wanted(self, chunk: NDArray[np.int16], place: int) -> bool:
        """Whether anything in the window that ends with this chunk is loud enough."""
        if self._least_power and _power_of(chunk) < self._least_power:
            return place <= self._loud_until
        self._loud_until = place + self.scorer.first
        return True

    def _answer(self, chunks: NDArray[np.int16]) -> Answers:
        logits = self.scorer.score(chunks, history=self._history, fresh=self._is_fresh)
        self._is_fresh = False
        first = self._chunks - self.scorer.first
        self._pass(chunks)
        known = max(0, -first)
        hops = np.arange(first, first + len(chunks))[known:]
        return Answers(hops, softmax(logits[known:])[:, : self._words])

    def _pass(self, chunks: NDArray[np.int16]) -> None:
        self._chunks += len(chunks)
        if not self._remembers:
            return
        newest = chunks[max(0, len(chunks) - self.scorer.first) :]
        self._history.extend(row.copy() for row in newest)  # whoever fed them may write over them


def _power_of(chunk: NDArray[np.int16]) -> float:
    """The variance: of whole numbers its sums are exact."""
    samples = chunk.astype(np.float64)
    return float(samples @ samples) / len(samples) - (float(samples.sum()) / len(samples)) ** 2
