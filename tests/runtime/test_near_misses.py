"""What nearly fired is found once a stretch, at its best moment, and never beside a detection of the same word."""

import numpy as np
import pytest

from sayso.runtime import Detection, Judgement, StreamSettings, WordThreshold
from sayso.runtime.near_misses import NEAR_SHARE, NearMisses

WORDS = ("up", "down")


@pytest.fixture
def watcher():
    # `up` is near from 0.56 on, `down` from 0.28 on.
    settings = StreamSettings(threshold=0.8, thresholds=(WordThreshold(word="down", threshold=0.4),))
    return NearMisses(WORDS, settings)


def cut(start, end):
    return np.array([start, end]).astype(np.int16)


def judged(hop, up, down=0.0, fires=None):
    detection = Detection(fires, max(up, down), hop, hop + 1) if fires else None
    return Judgement(hop, float(hop), float(hop + 1), np.array([up, down]), detection)


def watched(watcher, *scores, first=0):
    found = [miss for hop, row in enumerate(scores, first) for miss in watcher.watch(judged(hop, *row), cut)]
    return [(miss.word, miss.score, miss.start, miss.samples.tolist()) for miss in found]


def test_the_best_moment_of_a_stretch_is_told_when_it_ends(watcher):
    assert NEAR_SHARE == 0.7
    assert watched(watcher, (0.1,), (0.6,), (0.7,), (0.65,)) == []
    assert watched(watcher, (0.5,), (0.1,), first=4) == [("up", 0.7, 2.0, [2, 3])]
    assert watched(watcher, (0.55,), (0.1,), first=6) == []


def test_words_have_their_own_thresholds_and_stretches(watcher):
    found = watched(watcher, (0.6, 0.3), (0.1, 0.35), (0.1, 0.1))
    assert found == [("up", 0.6, 0.0, [0, 1]), ("down", 0.35, 1.0, [1, 2])]


def test_a_stretch_in_which_the_word_fired_is_none(watcher):
    rows = [(0.7,), (0.9, 0.0, "up"), (0.95,), (0.6,), (0.1,)]
    assert watched(watcher, *rows) == []
    assert watched(watcher, (0.6,), (0.1,), first=5) == [("up", 0.6, 5.0, [5, 6])]


def test_a_score_that_was_high_enough_but_did_not_fire_is_one(watcher):
    assert watched(watcher, (0.9,), (0.1,)) == [("up", 0.9, 0.0, [0, 1])]


def test_silence_that_was_left_out_and_the_end_of_the_stream_end_a_stretch(watcher):
    assert watched(watcher, (0.6,)) == []
    assert watched(watcher, (0.7,), first=9) == [("up", 0.6, 0.0, [0, 1])]
    assert [miss.score for miss in watcher.finish()] == [0.7]
    assert list(watcher.finish()) == []
