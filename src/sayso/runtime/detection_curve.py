"""Misses against false alarms an hour: what each threshold of a word costs, over streams that were answered on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.detection import WITHIN_SECONDS, match
from sayso.runtime.replay import Replay, Track

__all__ = ["MOST_THRESHOLDS", "Point", "miss_against_alarms"]

MOST_THRESHOLDS = 200
"""Points of a curve."""
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Point:
    """What one threshold of one word costs."""

    threshold: float
    """In [0, 1]."""
    alarms: int
    """False alarms of this word."""
    alarms_per_hour: float
    misses: int
    words: int
    """How often the word was said."""

    @property
    def miss_share(self) -> float | None:
        """Share that is missed, in [0, 1]; None where the word was never said."""
        return self.misses / self.words if self.words else None


def miss_against_alarms(
    replay: Replay,
    tracks: Sequence[Track],
    word: str,
    *,
    thresholds: Sequence[float] | None = None,
    within_seconds: float = WITHIN_SECONDS,
) -> list[Point]:
    """Replay a word's decisions at many thresholds, as if no other word were ever detected.

    Fewer alarms at a higher threshold are the rule, not a law: a score that stays above a low threshold is one alarm,
    one that falls below a higher threshold now and then is several.

    Args:
        replay: how it is decided.
        tracks: of the streams, at least one.
        word: one of the model's.
        thresholds: in [0, 1]; None: up to 200 where something changes, closest together where alarms are few.
        within_seconds: how long after its end a word may be detected.

    Returns:
        A point for each threshold, rising.
    """
    asked = sorted(thresholds) if thresholds is not None else _choose(replay, tracks, word, within_seconds)
    hours = sum(track.seconds for track in tracks) / _SECONDS_AN_HOUR
    alarms, misses, words = [0] * len(asked), [0] * len(asked), 0
    for track in tracks:
        truth = [stretch for stretch in track.truth if stretch.label == word]
        words += len(truth)
        for place, firings in enumerate(replay.decide_alone(track, word, asked)):
            outcome = match(truth, firings, within_seconds=within_seconds)
            alarms[place] += len(outcome.alarms)
            misses[place] += len(outcome.misses)
    return [
        Point(threshold, alarms[place], alarms[place] / hours, misses[place], words)
        for place, threshold in enumerate(asked)
    ]


def _choose(replay: Replay, tracks: Sequence[Track], word: str, within_seconds: float) -> list[float]:
    """Choose thresholds that just keep out what would be an alarm, or just let in what would be a hit."""
    inside: list[float] = []
    outside: list[NDArray[np.float64]] = []
    for track in tracks:
        scores, times = replay.leading_scores(track, word), replay.times(track.hops)
        for stretch in track.truth:
            if stretch.label == word:
                first = np.searchsorted(times, stretch.start)
                end = np.searchsorted(times, stretch.end + within_seconds, side="right")
                inside.append(float(scores[first:end].max(initial=-1.0)))
                scores[first:end] = -1.0
        # The highest of each stretch in which there is one detection at most.
        parts = track.hops // (replay.refractory_hops + 1)
        peaks = np.full(int(parts[-1]) + 1 if len(parts) else 0, -1.0)
        np.maximum.at(peaks, parts, scores)
        outside.append(peaks)
    most = MOST_THRESHOLDS // 2
    alarms, hits = _reached(np.concatenate(outside))[::-1], _reached(np.array(inside))
    ranks = np.geomspace(1, max(1, len(alarms)), most).astype(np.int64) - 1
    even = np.linspace(0, max(0, len(hits) - 1), most).astype(np.int64)
    above = np.nextafter(alarms[ranks], 2.0) if len(alarms) else alarms
    chosen = np.unique(np.minimum(1.0, np.concatenate((above, hits[even] if len(hits) else hits))))
    return chosen.tolist() or [replay.settings.threshold_of(word)]


def _reached(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the different scores that were reached at all, rising."""
    return np.unique(scores[scores >= 0])
