"""What is a hit, a miss and a false alarm; and how they are counted."""

import itertools
import json

import numpy as np
import pytest

from sayso.metrics.detection import Firing, Heard, Stretch, latency_scores, match, score_alarms, score_detections
from sayso.metrics.intervals import wilson_interval


def said(*words):
    return [Stretch(label, start, end) for label, start, end in words]


def fired(*words):
    return [Firing(word, 0.9, time) for word, time in words]


def outcome(truth, firings, **options):
    found = match(said(*truth), fired(*firings), **options)
    return [(hit.stretch, hit.firing) for hit in found.hits], list(found.misses), [one.firing for one in found.alarms]


@pytest.mark.parametrize(("time", "is_hit"), [(0.99, False), (1.0, True), (1.6, True), (2.35, True), (2.36, False)])
def test_a_hit_lies_between_the_words_start_and_some_time_after_its_end(time, is_hit):
    assert outcome([("up", 1.0, 1.6)], [("up", time)]) == (([(0, 0)], [], []) if is_hit else ([], [0], [0]))


def test_how_long_after_can_be_set():
    assert outcome([("up", 1.0, 1.6)], [("up", 2.0)], within_seconds=0.3) == ([], [0], [0])
    assert outcome([("up", 1.0, 1.6)], [("up", 3.0)], within_seconds=1.5) == ([(0, 0)], [], [])


def test_latency_runs_from_the_words_end():
    hits = match(said(("up", 1.0, 1.6), ("up", 5.0, 5.5)), fired(("up", 1.9), ("up", 5.4))).hits
    assert [hit.latency for hit in hits] == pytest.approx([0.3, -0.1])


def test_another_word_is_a_miss_and_an_alarm():
    found = match(said(("up", 1.0, 1.6)), fired(("down", 1.8)))
    assert (found.hits, found.misses) == ((), (0,))
    assert [(one.firing, one.during) for one in found.alarms] == [(0, "up")]


def test_a_second_detection_of_the_same_word_is_an_alarm():
    found = match(said(("up", 1.0, 1.6)), fired(("up", 1.5), ("up", 2.2)))
    assert [(hit.stretch, hit.firing) for hit in found.hits] == [(0, 0)]
    assert [(one.firing, one.during) for one in found.alarms] == [(1, "up")]


def test_an_alarm_far_from_any_word_says_so():
    assert match(said(("up", 1.0, 1.6)), fired(("up", 9.0))).alarms[0].during is None


def test_the_same_word_twice_at_once_is_hit_twice():
    truth = [("up", 1.0, 1.3), ("up", 1.4, 1.8)]
    # The first detection could be of either; only of the first one leaves the other to the second.
    assert outcome(truth, [("up", 1.9), ("up", 2.4)]) == ([(0, 0), (1, 1)], [], [])
    assert outcome(truth, [("up", 1.9)]) == ([(0, 0)], [1], [])


def test_order_in_the_lists_does_not_matter():
    truth, firings = [("up", 5.0, 5.5), ("up", 1.0, 1.6)], [("up", 5.9), ("up", 1.9)]
    assert outcome(truth, firings) == ([(1, 1), (0, 0)], [], [])


def test_there_are_as_many_hits_as_there_can_be():
    rng = np.random.default_rng(0)
    for _ in range(200):
        starts, times = np.sort(rng.uniform(0, 4, 4)), np.sort(rng.uniform(0, 5, 4))
        truth = [("up", start, start + rng.uniform(0, 1)) for start in starts]
        can = [[start <= time <= end + 0.75 for time in times] for _, start, end in truth]
        most = max(
            sum(can[row][column] for row, column in enumerate(order)) for order in itertools.permutations(range(4))
        )
        assert len(outcome(truth, [("up", time) for time in times])[0]) == most


def test_scores_of_files_and_words():
    first = Heard.of(
        1800, said(("up", 1, 2), ("down", 5, 6), ("stop", 9, 10)), fired(("up", 2.2), ("up", 100), ("up", 200))
    )
    second = Heard.of(5400, said(("up", 1, 2), ("up", 11, 12)), fired(("up", 12.4)))
    scores = score_detections([first, second], ("up", "down"))
    assert json.loads(json.dumps(scores)) == scores
    assert (scores["hours"], scores["files"]) == (2.0, 2)
    # "stop" is no word of the model: nobody could have detected it.
    assert {key: scores["misses"][key] for key in ("n", "missed", "rate")} == {"n": 4, "missed": 2, "rate": 0.5}
    assert scores["misses"]["ci95"] == list(wilson_interval(2, 4))
    low, high = scores["misses"]["files_ci95"]
    assert 0 <= low < 0.5 < high <= 1
    alarms = scores["alarms"]
    assert (alarms["n"], alarms["files_fired"], alarms["per_hour"]) == (2, 1, 1.0)
    # Drawn twice, the first file gives 4 alarms in one hour, and the second none in three.
    assert alarms["files_ci95"] == [0.0, 4.0]
    assert scores["latency"]["median"] == pytest.approx(0.3)
    assert scores["per_word"]["down"]["misses"]["missed"] == 1
    assert scores["per_word"]["down"]["latency"] is None
    assert scores["per_word"]["down"]["alarms"]["at_most"] == pytest.approx(2.9957 / 2, abs=1e-4)
    assert scores["per_word"]["up"]["alarms"]["n"] == 2


def test_words_that_nobody_said_have_no_share():
    scores = score_detections([Heard.of(60, [], fired(("up", 3)))], ("up",))
    assert scores["misses"] == {"n": 0, "missed": 0, "rate": None, "ci95": None, "files_ci95": None}
    assert scores["alarms"]["per_hour"] == 60


def test_without_scipy_there_is_no_interval_over_files(monkeypatch):
    heard = [Heard.of(60, said(("up", 1, 2)), fired(("up", 2.1))), Heard.of(60, said(("up", 1, 2)), [])]
    assert score_detections(heard, ("up",))["misses"]["files_ci95"] is not None
    monkeypatch.setitem(__import__("sys").modules, "scipy.special", None)
    assert score_detections(heard, ("up",))["misses"]["files_ci95"] is None


def test_the_exact_interval_of_alarms_holds_the_rate():
    alarms = score_alarms([3, 1], [2.0, 2.0])
    low, high = alarms["poisson_ci95"]
    assert low < alarms["per_hour"] == 1.0 < alarms["at_most"] < high


def test_latency_as_a_distribution():
    found = latency_scores([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (found["quartile1"], found["median"], found["quartile3"]) == (0.2, 0.3, 0.4)
    assert found["p95"] == 0.5  # four of five are not 95 %
    assert latency_scores([]) is None
