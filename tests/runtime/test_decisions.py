"""When a word counts as detected: hand-made scores, one rule at a time."""

import numpy as np
import pytest

from sayso.errors import SettingsError
from sayso.runtime.decisions import Decider
from sayso.runtime.stream_settings import StreamSettings, WordThreshold

WORDS = ("up", "down")
PLAIN = {"hop_seconds": 0.1, "smoothing": 1, "threshold": 0.5, "refractory_seconds": 0.0}


def fired(scores, **changes):
    """The hops at which words fire, with the words."""
    decider = Decider(WORDS, StreamSettings(**(PLAIN | changes)), 16_000)
    decided = [decider.decide(np.array(row), hop)[1] for hop, row in enumerate(scores)]
    return [(one.hop, WORDS[one.place]) for one in decided if one]


def up(*scores):
    return [(score, 0.0) for score in scores]


def test_a_word_fires_once_while_it_stays_high():
    assert fired(up(0.4, 0.6, 0.9, 0.9, 0.4, 0.7)) == [(1, "up"), (5, "up")]


def test_scores_are_means_of_the_newest_answers():
    assert fired(up(0.0, 0.9, 0.5, 0.9), smoothing=3) == [(3, "up")]
    # Before the first answers there was nothing.
    assert fired(up(1.0), smoothing=3) == []


def test_it_must_stay_high_as_long_as_is_asked():
    assert fired(up(0.6, 0.6, 0.4, 0.6, 0.6, 0.6), least_seconds=0.2) == [(5, "up")]


def test_after_a_detection_there_is_none_for_a_while():
    scores = [(0.9, 0.0), (0.0, 0.9), (0.0, 0.0), (0.0, 0.9)]
    assert fired(scores) == [(0, "up"), (1, "down"), (3, "down")]
    assert fired(scores, refractory_seconds=0.2) == [(0, "up"), (3, "down")]


def test_it_must_stand_above_the_runner_up():
    assert fired([(0.6, 0.5), (0.7, 0.3)], margin=0.3) == [(1, "up")]


def test_each_word_may_have_its_own_threshold():
    own = (WordThreshold(word="down", threshold=0.8),)
    assert fired([(0.0, 0.7), (0.6, 0.0), (0.0, 0.8)], thresholds=own) == [(1, "up"), (2, "down")]


def test_hops_left_out_are_nothing_heard():
    decider = Decider(WORDS, StreamSettings(**(PLAIN | {"smoothing": 2})), 16_000)
    assert decider.decide(np.array([0.9, 0.0]), 0)[1] is None
    assert decider.decide(np.array([0.9, 0.0]), 5)[1] is None
    assert decider.decide(np.array([0.9, 0.0]), 6)[1] is not None


def test_a_threshold_of_no_word_is_told():
    own = (WordThreshold(word="left", threshold=0.8),)
    with pytest.raises(SettingsError, match="'left' is no word of this model; it has up, down"):
        Decider(WORDS, StreamSettings(thresholds=own), 16_000)


def test_two_thresholds_of_a_word_are_told():
    own = (WordThreshold(word="up", threshold=0.8), WordThreshold(word="up", threshold=0.9))
    with pytest.raises(SettingsError, match="two thresholds of 'up'"):
        StreamSettings(thresholds=own)
