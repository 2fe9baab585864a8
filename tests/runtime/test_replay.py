"""Decisions over whole tracks are those of `Decider`, hop by hop; and curves count what it would have told."""

from dataclasses import replace

import numpy as np
import pytest

from sayso.metrics.detection import Firing, Stretch, match
from sayso.runtime.decisions import Decider
from sayso.runtime.detection_curve import MOST_THRESHOLDS, miss_against_alarms
from sayso.runtime.hops import Answers
from sayso.runtime.replay import Replay
from sayso.runtime.stream_settings import StreamSettings, WordThreshold

RATE, WINDOW = 16_000, 16_000
WORDS = ("up", "down", "left")


def answers(seed, hops=2000, words=3, gaps=True):
    """Probabilities that wander, with peaks of all heights, and hops left out now and then."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((hops, words)).cumsum(axis=0)
    steps -= np.array([np.convolve(column, np.ones(40) / 40, "same") for column in steps.T]).T
    shares = np.exp(steps) / (1 + np.exp(steps).sum(axis=1, keepdims=True))
    numbers = np.arange(hops)
    kept = rng.random(hops) > 0.02 if gaps else np.ones(hops, bool)
    return Answers(numbers[kept], 0.999 * shares[kept])


def settings_of(seed):
    rng = np.random.default_rng(seed)
    return StreamSettings(
        smoothing=int(rng.integers(1, 6)),
        threshold=float(rng.uniform(0.05, 0.8)),
        thresholds=(WordThreshold(word="up", threshold=float(rng.uniform(0.05, 0.8))),),
        margin=float(rng.choice([0.0, 0.1, 0.3])),
        least_seconds=float(rng.choice([0.0, 0.08, 0.24])),
        refractory_seconds=float(rng.choice([0.0, 0.3, 1.0, 5.0])),
    )


def by_hand(heard, settings, words=WORDS):
    decider = Decider(words, settings, RATE)
    decided = [decider.decide(row, hop)[1] for hop, row in zip(heard.hops.tolist(), heard.probabilities, strict=True)]
    return [one for one in decided if one]


@pytest.mark.parametrize("seed", range(24))
def test_a_replay_decides_as_the_decider_does(seed):
    heard, settings = answers(seed), settings_of(seed)
    replay = Replay(WORDS, settings, sample_rate=RATE, window_samples=WINDOW)
    expected = by_hand(heard, settings)
    assert replay.decide(replay.track(heard, seconds=240.0)) == expected
    # Settings of which nothing ever fires would prove nothing.
    assert len(expected) > 3


@pytest.mark.parametrize("smoothing", [1, 3])
def test_a_model_of_one_word_is_replayed_too(smoothing):
    heard = answers(3, words=1)
    settings = StreamSettings(smoothing=smoothing, threshold=0.4, margin=0.5)
    replay = Replay(("up",), settings, sample_rate=RATE, window_samples=WINDOW)
    expected = by_hand(heard, settings, ("up",))
    assert replay.decide(replay.track(heard, seconds=240.0)) == expected
    assert len(expected) > 3


@pytest.mark.parametrize("seed", range(10))
def test_one_word_alone_is_the_decider_whose_other_words_never_fire(seed):
    heard, settings = answers(seed), settings_of(seed)
    replay = Replay(WORDS, settings, sample_rate=RATE, window_samples=WINDOW)
    track = replay.track(heard, seconds=240.0)
    thresholds = [0.02, 0.1, 0.3, 0.31, 0.7]
    assert track.scores.max() < 1
    for threshold, firings in zip(thresholds, replay.decide_alone(track, "down", thresholds), strict=True):
        alone = tuple(WordThreshold(word=word, threshold=1.0 if word != "down" else threshold) for word in WORDS)
        expected = by_hand(heard, replace(settings, thresholds=alone))
        assert firings == [Firing("down", one.score, (one.hop * 1280 + WINDOW) / RATE) for one in expected]
        shut = np.array([np.inf, threshold, np.inf])
        assert [Firing("down", one.score, time.time) for one, time in zip(expected, firings, strict=True)] == list(
            replay.hear(track, shut).firings
        )


def test_nothing_heard_gives_nothing():
    replay = Replay(WORDS, StreamSettings(), sample_rate=RATE, window_samples=WINDOW)
    track = replay.track(Answers(np.zeros(0, np.int64), np.zeros((0, 3))), seconds=0.5)
    assert replay.decide(track) == []
    points = miss_against_alarms(replay, [track], "up")
    assert [(point.threshold, point.alarms, point.miss_share) for point in points] == [(0.7, 0, None)]


def two_tracks():
    settings = StreamSettings(smoothing=2, refractory_seconds=0.5)
    replay = Replay(WORDS, settings, sample_rate=RATE, window_samples=WINDOW)
    truth = [Stretch("up", second, second + 0.5) for second in range(5, 200, 15)]
    truth.append(Stretch("down", 30.0, 30.5))
    return replay, [replay.track(answers(seed), seconds=240.0, truth=truth) for seed in (1, 2)]


def test_each_point_of_a_curve_is_what_a_replay_at_its_threshold_gives():
    replay, tracks = two_tracks()
    points = miss_against_alarms(replay, tracks, "up")
    assert 30 < len(points) <= MOST_THRESHOLDS
    assert [point.threshold for point in points] == sorted({point.threshold for point in points})
    for point in points[:: len(points) // 10]:
        shut = np.array([point.threshold, np.inf, np.inf])
        both = [replay.hear(track, shut) for track in tracks]
        found = [match([one for one in heard.truth if one.label == "up"], heard.firings) for heard in both]
        assert point.alarms == sum(len(one.alarms) for one in found)
        assert point.misses == sum(len(one.misses) for one in found)
        assert point.alarms_per_hour == pytest.approx(point.alarms / (480 / 3600))
        assert point.words == 2 * len(range(5, 200, 15))


def test_a_curve_goes_from_all_alarms_to_none():
    replay, tracks = two_tracks()
    points = miss_against_alarms(replay, tracks, "up")
    assert points[-1].alarms == 0
    assert points[0].misses < points[-1].misses
    assert points[0].alarms > 20
    few = [point.alarms for point in points if point.alarms <= 5]
    assert set(few) >= {0, 1, 2, 3}


def test_thresholds_may_be_given():
    replay, tracks = two_tracks()
    points = miss_against_alarms(replay, tracks, "down", thresholds=[0.5, 0.2])
    assert [point.threshold for point in points] == [0.2, 0.5]
    assert points[0].words == 2
