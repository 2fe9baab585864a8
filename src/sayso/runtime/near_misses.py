"""What nearly fired: stretches of a stream in which a word's score came near its threshold, and no detection of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.runtime.stream import Judgement
from sayso.runtime.stream_settings import StreamSettings

__all__ = ["NEAR_SHARE", "Moment", "NearMisses"]

NEAR_SHARE = 0.7
"""A word has nearly fired where its score reached this share of its threshold, or more, without a detection of it."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A moment of a stream that was judged for a word, such as the best of a stretch in which it nearly fired."""

    word: str
    score: float
    start: float
    """Where the sound begins that was judged, in seconds from the stream's beginning."""
    end: float
    """Where it ends."""
    samples: NDArray[np.int16]
    """That sound, (samples,)."""


class NearMisses:
    """Watches the scores of a stream for words that nearly fire; keeps one clip a word at most.

    Args:
        words: of the model.
        settings: what is asked of a word.
    """

    def __init__(self, words: tuple[str, ...], settings: StreamSettings) -> None:
        self._words = words
        self._near = NEAR_SHARE * np.array([settings.threshold_of(word) for word in words])
        self._best: dict[int, Moment] = {}
        self._fired: set[int] = set()
        self._last_hop = -1

    def watch(self, judgement: Judgement, cut: Callable[[float, float], NDArray[np.int16]]) -> Iterator[Moment]:
        """Take what was decided at the next hop; yields the near misses that end here.

        Args:
            judgement: what was decided.
            cut: gives the sound from one second of the stream to another, where that is not long ago.
        """
        if judgement.hop != self._last_hop + 1:
            yield from self.finish()
        self._last_hop = judgement.hop
        if judgement.detection:
            self._fired.add(self._words.index(judgement.detection.word))
        is_near = judgement.scores >= self._near
        for place in [place for place in {*self._best, *self._fired} if not is_near[place]]:
            yield from self._end(place)
        for place in np.flatnonzero(is_near).tolist():
            score = float(judgement.scores[place])
            best = self._best.get(place)
            if place not in self._fired and (best is None or score > best.score):
                samples = cut(judgement.start, judgement.end)
                self._best[place] = Moment(self._words[place], score, judgement.start, judgement.end, samples)

    def finish(self) -> Iterator[Moment]:
        """Yield what nearly fired until now, where the stream ends, or is broken off by silence."""
        for place in sorted({*self._best, *self._fired}):
            yield from self._end(place)

    def _end(self, place: int) -> Iterator[Moment]:
        best = self._best.pop(place, None)
        if best and place not in self._fired:
            yield best
        self._fired.discard(place)
