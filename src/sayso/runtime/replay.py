"""Streams that were answered on once, decided on again and again: as `Decider` would, at many thresholds in no time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.detection import WITHIN_SECONDS, Firing, Heard, Stretch
from sayso.runtime.decisions import Fired
from sayso.runtime.hops import Answers
from sayso.runtime.stream_settings import StreamSettings

__all__ = ["Replay", "Track"]


@dataclass(frozen=True, eq=False)
class Track:
    """What a model says over one stream, and what was said in it."""

    hops: NDArray[np.int64]
    """Numbers of the hops that were answered on, (hops,), rising."""
    scores: NDArray[np.float64]
    """Of each word at each of them, smoothed, (hops, words)."""
    seconds: float
    """Length of the stream, above 0."""
    truth: tuple[Stretch, ...] = ()


class Replay:
    """Decides over whole tracks.

    Args:
        words: those of the model.
        settings: what is asked of a word.
        sample_rate: of the model, in hertz.
        window_samples: length of what it judges at once.

    Attributes:
        thresholds: of each word, (words,), as the settings say.
        refractory_hops: after a detection, in which there is no other.
    """

    def __init__(
        self, words: Sequence[str], settings: StreamSettings, *, sample_rate: int, window_samples: int
    ) -> None:
        self.words = tuple(words)
        self.settings = settings
        self.thresholds: NDArray[np.float64] = np.array([settings.threshold_of(word) for word in words])
        self.refractory_hops = settings.count_hops(settings.refractory_seconds, sample_rate)
        self._least_hops = 1 + settings.count_hops(settings.least_seconds, sample_rate)
        self._rate, self._hop, self._window = sample_rate, settings.hop_samples(sample_rate), window_samples

    def track(self, answers: Answers, *, seconds: float, truth: Sequence[Stretch] = ()) -> Track:
        """Make a track of the answers on a whole stream, in their order."""
        return Track(answers.hops, self._smooth(answers), seconds, tuple(truth))

    def times(self, hops: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give where the windows of hops end, in seconds of the stream."""
        return (hops * self._hop + self._window) / self._rate

    def decide(self, track: Track, thresholds: NDArray[np.float64] | None = None) -> list[Fired]:
        """Tell the words that `Decider` detects.

        Args:
            track: of the stream.
            thresholds: of each word, (words,); None: as the settings say. One of infinity is never reached.
        """
        leads = self._leads(track)
        asked = (self.thresholds if thresholds is None else thresholds).tolist()
        each = [next(self._candidates(track, leads, place, [least])) for place, least in enumerate(asked)]
        order = np.argsort(np.concatenate([one.rows for one in each]), kind="stable")
        rows = np.concatenate([one.rows for one in each])[order]
        episodes = np.concatenate([one.episodes for one in each])[order]
        places = np.repeat(np.arange(len(each)), [len(one.rows) for one in each])[order]
        taken = self._take(track.hops[rows], places, episodes)
        return [
            Fired(place, float(track.scores[row, place]), hop)
            for row, place, hop in zip(
                rows[taken].tolist(), places[taken].tolist(), track.hops[rows[taken]].tolist(), strict=True
            )
        ]

    def hear(
        self, track: Track, thresholds: NDArray[np.float64] | None = None, *, within_seconds: float = WITHIN_SECONDS
    ) -> Heard:
        """Hold what `decide` tells against what was said."""
        fired = self.decide(track, thresholds)
        times = self.times(np.array([one.hop for one in fired], np.int64)).tolist()
        firings = [Firing(self.words[one.place], one.score, time) for one, time in zip(fired, times, strict=True)]
        return Heard.of(track.seconds, track.truth, firings, within_seconds=within_seconds)

    def decide_alone(self, track: Track, word: str, thresholds: Sequence[float]) -> Iterator[list[Firing]]:
        """Yield the detections of one word at each of some rising thresholds, were no other word ever detected."""
        place = self.words.index(word)
        for candidates in self._candidates(track, self._leads(track), place, thresholds):
            hops, scores = track.hops[candidates.rows], track.scores[candidates.rows, place]
            taken = self._take(hops, np.full(len(hops), place), candidates.episodes)
            yield [
                Firing(word, score, time)
                for score, time in zip(scores[taken].tolist(), self.times(hops[taken]).tolist(), strict=True)
            ]

    def leading_scores(self, track: Track, word: str) -> NDArray[np.float64]:
        """Give the scores of a word where it is ahead of all others by the margin, -1 elsewhere, (hops,)."""
        place = self.words.index(word)
        return np.where(self._leads(track) == place, track.scores[:, place], -1.0)

    def _smooth(self, answers: Answers) -> NDArray[np.float64]:
        """Mean of each answer and those before it without a gap; what lacks counts as nothing, (hops, words)."""
        starts = _starts(answers.hops)
        scores = np.zeros_like(answers.probabilities)
        for back in range(self.settings.smoothing - 1, -1, -1):  # the oldest first, as `Decider` adds
            rows = np.flatnonzero(np.arange(len(starts)) - back >= starts)
            scores[rows] += answers.probabilities[rows - back]
        return scores / self.settings.smoothing

    def _leads(self, track: Track) -> NDArray[np.int64]:
        """Place of the word that is ahead of all others by the margin at each hop, -1 where none is, (hops,)."""
        best = track.scores.argmax(axis=1)
        highest = track.scores[np.arange(len(best)), best]
        several = track.scores.shape[1] > 1
        runner_up = np.partition(track.scores, -2, axis=1)[:, -2] if several else 0.0
        return np.where(highest - runner_up >= self.settings.margin, best, -1)

    def _candidates(
        self, track: Track, leads: NDArray[np.int64], place: int, thresholds: Sequence[float]
    ) -> Iterator["_Candidates"]:
        """Yield where a word could be detected, for each of some rising thresholds."""
        rows = np.arange(len(track.hops))
        for least in thresholds:
            rows = rows[track.scores[rows, place] >= least]
            starts = _starts(track.hops[rows])
            is_candidate = (leads[rows] == place) & (np.arange(len(rows)) - starts + 1 >= self._least_hops)
            yield _Candidates(rows[is_candidate], starts[is_candidate])

    def _take(self, hops: NDArray[np.int64], places: NDArray[np.int64], episodes: NDArray[np.int64]) -> list[int]:
        """Take, in their order, those that come late enough after the last, one in each episode of a word."""
        later = np.searchsorted(hops, hops + self.refractory_hops, side="right").tolist()
        pairs = list(zip(places.tolist(), episodes.tolist(), strict=True))
        last: dict[int, int] = {}
        taken: list[int] = []
        at = 0
        while at < len(later):
            place, episode = pairs[at]
            if last.get(place) == episode:
                at += 1
                continue
            last[place] = episode
            taken.append(at)
            at = later[at]
        return taken


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Hops at which a word is detected unless another detection stands against it."""

    rows: NDArray[np.int64]
    """In the track, (candidates,), rising."""
    episodes: NDArray[np.int64]
    """Of each a number that it shares with those between which the score never fell below the threshold."""


def _starts(hops: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each hop the row where its run of hops without a gap begins, (hops,)."""
    is_start = np.ones(len(hops), np.bool_)
    is_start[1:] = np.diff(hops) != 1
    return np.maximum.accumulate(np.where(is_start, np.arange(len(hops)), 0))
