"""Detections in long sound held against what was said there: hits, misses, false alarms an hour, latency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sayso.metrics.intervals import speaker_interval, wilson_interval
from sayso.metrics.rates import poisson_interval, poisson_upper_bound, ratio_bootstrap

__all__ = [
    "WITHIN_SECONDS",
    "Alarm",
    "Firing",
    "Heard",
    "Hit",
    "Outcome",
    "Stretch",
    "latency_scores",
    "match",
    "score_alarms",
    "score_detections",
    "score_misses",
]

WITHIN_SECONDS = 0.75
"""How long after a word's end it may be detected."""
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Stretch:
    """A word that was said."""

    label: str
    start: float
    """In seconds from the sound's beginning."""
    end: float
    """Where the word ends, not before `start`."""


@dataclass(frozen=True)
class Firing:
    """A word that was detected, whether it was said or not."""

    word: str
    score: float
    """In [0, 1]."""
    time: float
    """When it was known, in seconds from the sound's beginning."""


@dataclass(frozen=True)
class Hit:
    """A word that was said and detected."""

    stretch: int
    """Among what was said."""
    firing: int
    """Among the detections."""
    latency: float
    """From the word's end to its detection, in seconds; below 0 where it was known before it ended."""


@dataclass(frozen=True)
class Alarm:
    """A detection that is no hit."""

    firing: int
    """Among the detections."""
    during: str | None
    """What was said in or shortly before it: another word, or the same again where that was detected already; None:
    nothing that is known of."""


@dataclass(frozen=True)
class Outcome:
    """Every word that was said is a hit or a miss, every detection a hit or a false alarm."""

    hits: tuple[Hit, ...]
    """In the order of their detections."""
    misses: tuple[int, ...]
    """Among what was said."""
    alarms: tuple[Alarm, ...]
    """In the order of the detections."""


@dataclass(frozen=True)
class Heard:
    """One file, or stream, that was listened to."""

    seconds: float
    """Its length, above 0."""
    truth: tuple[Stretch, ...]
    firings: tuple[Firing, ...]
    outcome: Outcome

    @classmethod
    def of(
        cls,
        seconds: float,
        truth: Sequence[Stretch],
        firings: Sequence[Firing],
        *,
        within_seconds: float = WITHIN_SECONDS,
    ) -> "Heard":
        """Match what was detected in a file with what was said in it; as `match`."""
        return cls(seconds, tuple(truth), tuple(firings), match(truth, firings, within_seconds=within_seconds))


def match(truth: Sequence[Stretch], firings: Sequence[Firing], *, within_seconds: float = WITHIN_SECONDS) -> Outcome:
    """Tell hits from false alarms.

    A hit is a detection of a word that was said, from its start on until `within_seconds` after its end. Each word that
    was said is hit once at most, and each detection hits one word at most, so that there are as many hits as there can
    be. Every other detection is a false alarm: outside of any word, of another word, and also a second one of the same
    word, since whoever is listened to then acts twice.

    Args:
        truth: what was said, in any order.
        firings: what was detected, in any order.
        within_seconds: how long after a word's end it may be detected, 0 or more.
    """
    hit: dict[int, int] = {}
    order = sorted(range(len(firings)), key=lambda place: firings[place].time)
    for word in dict.fromkeys(firing.word for firing in firings):
        said = sorted((place for place, one in enumerate(truth) if one.label == word), key=lambda at: truth[at].start)
        waiting: list[int] = []
        upcoming = 0
        for place in (place for place in order if firings[place].word == word):
            time = firings[place].time
            while upcoming < len(said) and truth[said[upcoming]].start <= time:
                waiting.append(said[upcoming])
                upcoming += 1
            waiting = [at for at in waiting if time <= truth[at].end + within_seconds]
            if waiting:
                # The one whose time is up first: the others can wait for later detections.
                soonest = min(waiting, key=lambda at: truth[at].end)
                waiting.remove(soonest)
                hit[place] = soonest
    hits = tuple(Hit(hit[place], place, firings[place].time - truth[hit[place]].end) for place in order if place in hit)
    taken = set(hit.values())
    misses = tuple(place for place in range(len(truth)) if place not in taken)
    around = _Around(truth, within_seconds)
    alarms = tuple(Alarm(place, around.label_at(firings[place])) for place in order if place not in hit)
    return Outcome(hits, misses, alarms)


class _Around:
    """Finds what was said about a time."""

    def __init__(self, truth: Sequence[Stretch], within_seconds: float) -> None:
        self._truth = sorted(truth, key=lambda one: one.start)
        self._starts = np.array([one.start for one in self._truth])
        self._ends = np.array([one.end + within_seconds for one in self._truth])
        self._last_end = np.maximum.accumulate(self._ends) if len(self._ends) else self._ends

    def label_at(self, firing: Firing) -> str | None:
        """Give the label that stands there, the detected word before others, and the latest of several."""
        place = int(np.searchsorted(self._starts, firing.time, side="right")) - 1
        found: str | None = None
        while place >= 0 and self._last_end[place] >= firing.time:
            if self._ends[place] >= firing.time:
                label = self._truth[place].label
                if label == firing.word:
                    return label
                found = found or label
            place -= 1
        return found


def score_detections(heard: Sequence[Heard], words: Sequence[str]) -> dict[str, Any]:
    """Score files that were listened to, together and by word; values that JSON can hold.

    Args:
        heard: the files, at least one.
        words: those of the model; what is said of others in the truth is no miss.

    Returns:
        `hours` and `files`, then of all words together `misses`, `alarms` and `latency`, as `score_misses`,
        `score_alarms` and `latency_scores` give them, and under `per_word` the same of each word.
    """
    known = list(dict.fromkeys(words))
    return {
        "hours": sum(one.seconds for one in heard) / _SECONDS_AN_HOUR,
        "files": len(heard),
        **_scores(heard, frozenset(known)),
        "per_word": {word: _scores(heard, frozenset((word,))) for word in known},
    }


def _scores(heard: Sequence[Heard], words: frozenset[str]) -> dict[str, Any]:
    said = [sum(stretch.label in words for stretch in one.truth) for one in heard]
    hits = [[hit for hit in one.outcome.hits if one.firings[hit.firing].word in words] for one in heard]
    alarms = [sum(one.firings[alarm.firing].word in words for alarm in one.outcome.alarms) for one in heard]
    return {
        "misses": score_misses([all_ - len(some) for all_, some in zip(said, hits, strict=True)], said),
        "alarms": score_alarms(alarms, [one.seconds / _SECONDS_AN_HOUR for one in heard]),
        "latency": latency_scores([hit.latency for some in hits for hit in some]),
    }


def score_misses(misses: Sequence[int], words: Sequence[int]) -> dict[str, Any]:
    """Score words that were not detected.

    Args:
        misses: of each file.
        words: how many were said in each file.

    Returns:
        `n` words, `missed` of them, the share `rate`; `ci95` over words taken as independent (Wilson), and
        `files_ci95` over files like these: `speaker_interval`, of files with words; None with fewer than two of
        them, or where SciPy is not installed. Without any word rate and intervals are None.
    """
    total, missed = sum(words), sum(misses)
    if total == 0:
        return {"n": 0, "missed": 0, "rate": None, "ci95": None, "files_ci95": None}
    pairs = [(few, all_) for few, all_ in zip(misses, words, strict=True) if all_]
    return {
        "n": total,
        "missed": missed,
        "rate": missed / total,
        "ci95": list(wilson_interval(missed, total)),
        "files_ci95": _files_interval(*zip(*pairs, strict=True)),
    }


def score_alarms(alarms: Sequence[int], hours: Sequence[float]) -> dict[str, Any]:
    """Score false alarms.

    The hours are those of all the sound, words included.

    Args:
        alarms: of each file.
        hours: of each file, each above 0.

    Returns:
        `n` alarms, `files_fired` that have any, `per_hour`; `poisson_ci95`, exact, two-sided, and `at_most`, the exact
        one-sided 95 % upper bound, both of alarms that come independently of one another; `files_ci95` over files like
        these, by bootstrap: None with fewer than two files, or without any alarm.
    """
    total, exposure = sum(alarms), sum(hours)
    over_files = ratio_bootstrap(alarms, hours)
    return {
        "n": total,
        "files_fired": sum(few > 0 for few in alarms),
        "per_hour": total / exposure,
        "poisson_ci95": list(poisson_interval(total, exposure)),
        "at_most": poisson_upper_bound(total, exposure),
        "files_ci95": None if over_files is None else list(over_files),
    }


def latency_scores(latencies: Sequence[float]) -> Mapping[str, float] | None:
    """Describe how long after their ends words were detected, in seconds; None where none was."""
    if not latencies:
        return None
    # Of a few words too half lie between these quartiles, and 95 % within the last.
    low = np.quantile(latencies, 0.25, method="lower")
    high, late = np.quantile(latencies, [0.75, 0.95], method="higher")
    median = np.median(latencies)
    return {"quartile1": float(low), "median": float(median), "quartile3": float(high), "p95": float(late)}


def _files_interval(misses: Sequence[int], words: Sequence[int]) -> list[float] | None:
    try:
        interval = speaker_interval(misses, words)
    except ModuleNotFoundError:  # SciPy comes with training, and this is also shown where only answers are given
        return None
    return None if interval is None else list(interval)
