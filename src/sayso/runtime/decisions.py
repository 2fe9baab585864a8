"""From the answers of each hop to detections: numpy alone, one decision layer for every way of listening."""

from collections import deque
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from sayso.errors import Fault, SettingsError
from sayso.runtime.stream_settings import StreamSettings

__all__ = ["Decider", "Fired"]


@dataclass(frozen=True)
class Fired:
    """A word that was detected."""

    place: int
    """Among the words."""
    score: float
    """In [0, 1]."""
    hop: int
    """The hop at which it was decided, from 0."""


class Decider:
    """Smooths probabilities and tells when a word is detected.

    Args:
        words: the words of the model.
        settings: what is asked of a word.
        sample_rate: of the model, in hertz.

    Raises:
        SettingsError: a threshold is of a word that the model does not know.
    """

    def __init__(self, words: tuple[str, ...], settings: StreamSettings, sample_rate: int) -> None:
        unknown = [each.word for each in settings.thresholds if each.word not in words]
        if unknown:
            known = ", ".join(words)
            raise SettingsError(
                [Fault("stream.thresholds", f"'{word}' is no word of this model; it has {known}") for word in unknown]
            )
        self._settings = settings
        self._thresholds = np.array([settings.threshold_of(word) for word in words])
        self._least_hops = 1 + settings.count_hops(settings.least_seconds, sample_rate)
        self._refractory_hops = settings.count_hops(settings.refractory_seconds, sample_rate)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=self._settings.smoothing)
        self._held = np.zeros(len(self._thresholds), np.int64)
        self._is_armed = np.ones(len(self._thresholds), np.bool_)
        self._last_fired = -self._refractory_hops - 1
        self._last_hop = -1

    def decide(self, probabilities: NDArray[np.float64], hop: int) -> tuple[NDArray[np.float64], Fired | None]:
        """Take the answer of one hop.

        Args:
            probabilities: of the words, (words,).
            hop: its number; hops that are left out, as in silence, count as answers of nothing at all.

        Returns:
            The scores, (words,), and the word that is detected, if any.
        """
        if hop != self._last_hop + 1:
            self._recent.clear()
            self._held[:] = 0
            self._is_armed[:] = True
        self._last_hop = hop
        self._recent.append(probabilities)
        scores = reduce(np.add, self._recent) / self._settings.smoothing
        best = int(scores.argmax())
        is_high = scores >= self._thresholds
        self._held = np.where(is_high, self._held + 1, 0)
        self._is_armed |= ~is_high
        fires = (
            self._held[best] >= self._least_hops
            and self._is_armed[best]
            and hop - self._last_fired > self._refractory_hops
            and scores[best] - _runner_up(scores) >= self._settings.margin
        )
        if not fires:
            return scores, None
        self._is_armed[best] = False
        self._last_fired = hop
        return scores, Fired(best, float(scores[best]), hop)


def _runner_up(scores: NDArray[np.float64]) -> float:
    return float(np.partition(scores, -2)[-2]) if len(scores) > 1 else 0.0
