"""What thresholds give on streams that had no part in choosing them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sayso.data.clips import Clip
from sayso.data.made_streams import find_source
from sayso.metrics.detection import Heard as Matched
from sayso.metrics.detection import Outcome, Stretch, latency_scores
from sayso.metrics.intervals import speaker_interval
from sayso.metrics.rates import ratio_bootstrap, replayed_rate
from sayso.runtime.replay import Replay
from sayso.studies.tuning.listening import HeardPart

__all__ = ["score_part"]

_LIMITS_DB = (10.0, 15.0)
_CONDITIONS = ("in a simulated room", "in no room", "5 to 10 dB", "10 to 15 dB", "15 to 20 dB")
"""Of how a word was placed; the levels are over what else is heard."""


def score_part(
    replay: Replay, part: HeardPart, thresholds: Sequence[Mapping[str, float]], clips: Sequence[Clip]
) -> dict[str, Any]:
    """Decide over all streams of a part as the runtime would with these thresholds, and score it.

    Args:
        replay: how it is decided.
        part: what the model said.
        thresholds: of each word, for each of those who listened.
        clips: of the corpus that the words' rows are of.

    Returns:
        `replayed_hours` and `independent_hours`, `sources` (how many recordings the background is of); of all words
        together and under `per_word` of each `misses`, `alarms` and `latency`; `by_condition`: misses of the words in
        simulated rooms and in none, and of those at each level; and `fired`: the sources with an alarm, the most first,
        each with `source`, `alarms` and `seconds` (of that source, over all replays). JSON can hold it.
    """
    chosen = [np.array([own[word] for word in replay.words]) for own in thresholds]
    matched = [replay.hear(one.track, chosen[one.listener]) for one in part.streams]
    seconds: defaultdict[str, float] = defaultdict(float)
    for one in part.streams:
        for place in one.places:
            seconds[place.name] += place.end - place.start
    # What sounded when a word was detected lies about the middle of the window.
    back = float(replay.times(np.zeros(1, np.int64))[0]) / 2
    alarms = [
        (one.firings[alarm.firing].word, find_source(heard.places, one.firings[alarm.firing].time - back))
        for heard, one in zip(part.streams, matched, strict=True)
        for alarm in one.outcome.alarms
    ]
    said = [
        (stretch.label, clips[row], missed, latency)
        for heard, one in zip(part.streams, matched, strict=True)
        for row, (stretch, missed, latency) in zip(heard.rows, _fates(one), strict=True)
    ]
    conditions = [
        tuple(_conditions(*each)) for heard in part.streams for each in zip(heard.in_room, heard.snr_db, strict=True)
    ]

    def scores(words: Sequence[str]) -> dict[str, Any]:
        own = [(clip, missed) for word, clip, missed, _ in said if word in words]
        return {
            "misses": _misses(own),
            "alarms": _alarms([source for word, source in alarms if word in words], seconds, part),
            "latency": latency_scores([late for word, _, _, late in said if word in words and late is not None]),
        }

    fired = Counter(source for _, source in alarms)
    return {
        "replayed_hours": part.replayed_hours,
        "independent_hours": part.independent_hours,
        "sources": len(seconds),
        **scores(replay.words),
        "per_word": {word: scores([word]) for word in replay.words},
        "by_condition": {
            name: _misses([one[1:3] for one, met in zip(said, conditions, strict=True) if name in met])
            for name in _CONDITIONS
            if any(name in met for met in conditions)
        },
        "fired": [
            {"source": name, "alarms": count, "seconds": round(seconds[name], 1)} for name, count in fired.most_common()
        ],
    }


def _fates(one: Matched) -> list[tuple[Stretch, bool, float | None]]:
    """Of each word that was said whether it was missed, and else how late it was known."""
    outcome: Outcome = one.outcome
    late = {hit.stretch: hit.latency for hit in outcome.hits}
    return [(stretch, place not in late, late.get(place)) for place, stretch in enumerate(one.truth)]


def _conditions(in_room: bool, snr_db: float) -> Iterator[str]:
    """Yield under which names a word that was placed so counts."""
    yield _CONDITIONS[0] if in_room else _CONDITIONS[1]
    yield _CONDITIONS[2 + sum(snr_db >= limit for limit in _LIMITS_DB)]


def _misses(said: Sequence[tuple[Clip, bool]]) -> dict[str, Any]:
    """Share of placed words that is missed; its interval is over speakers, or over clips where they are not known.

    A clip is placed again and again, so that words are not independent of one another.
    """
    if not said:
        return {"n": 0, "clips": 0, "missed": 0, "rate": None, "ci95": None, "over": None}
    speakers = {clip.speaker for clip, _ in said}
    by_speaker = None not in speakers and len(speakers) > 1
    total: Counter[Any] = Counter()
    missed: Counter[Any] = Counter()
    for clip, is_missed in said:
        group = clip.speaker if by_speaker else (clip.path, clip.start_seconds)
        total[group] += 1
        missed[group] += is_missed
    interval = speaker_interval([missed[group] for group in total], list(total.values()))
    return {
        "n": len(said),
        "clips": len({(clip.path, clip.start_seconds) for clip, _ in said}),
        "missed": missed.total(),
        "rate": missed.total() / len(said),
        "ci95": None if interval is None else list(interval),
        "over": None if interval is None else "speakers" if by_speaker else "clips",
    }


def _alarms(sources: Sequence[str], seconds: Mapping[str, float], part: HeardPart) -> dict[str, Any]:
    """Alarms an hour: as they were counted, within limits over independent hours, and over files like these."""
    counts = Counter(sources)
    rate = replayed_rate(len(sources), part.replayed_hours, part.independent_hours)
    over_files = ratio_bootstrap([counts[name] for name in seconds], [each / 3600 for each in seconds.values()])
    return {
        "n": len(sources),
        "per_hour": rate.per_hour,
        "poisson_ci95": [rate.low, rate.high],
        "at_most": rate.at_most,
        "sources_fired": len(counts),
        "sources_ci95": None if over_files is None else list(over_files),
    }
