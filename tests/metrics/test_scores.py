"""Scores against hand counts, and intervals against what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.metrics.calibration import expected_calibration_error
from sayso.metrics.intervals import mean_interval, speaker_interval, wilson_interval
from sayso.metrics.scores import confusion_matrix, cross_entropy, paired_difference, per_class, score


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share_and_stays_within_0_and_1(total, data):
    hits = data.draw(st.integers(0, total))
    low, high = wilson_interval(hits, total)
    assert 0 <= low <= hits / total <= high <= 1
    assert low < high


def test_wilson_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = rng.binomial(300, 0.97, size=4000)
    covered = [low <= 0.97 <= high for low, high in (wilson_interval(int(h), 300) for h in hits)]
    assert 0.93 <= np.mean(covered) <= 0.98


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 1)), min_size=2, max_size=30))
def test_speaker_interval_holds_the_accuracy_it_is_about(rows):
    totals = [total for total, _ in rows]
    hits = [round(share * total) for total, share in rows]
    low, high = speaker_interval(hits, totals)
    smoothed = (sum(hits) + 1) / (sum(totals) + 2)
    assert 0 <= low < smoothed < high <= 1
    assert low <= sum(hits) / sum(totals) <= high


def test_speaker_interval_needs_two_speakers():
    assert speaker_interval([9], [10]) is None


def test_perfect_speakers_still_leave_doubt():
    low, high = speaker_interval([10, 10, 10], [10, 10, 10])
    assert low < 1
    assert high <= 1


@pytest.mark.parametrize(("speakers", "clips", "spread"), [(6, 50, 1.0), (60, 10, 1.0), (150, 5, 0.0)])
def test_paired_difference_covers_the_truth_where_speakers_differ(speakers, clips, spread):
    rng = np.random.default_rng(2)
    names = [f"s{speaker}" for speaker in range(speakers) for _ in range(clips)]
    covered = []
    for _ in range(400):
        # Each speaker suits the first model better or worse: a gain of 0.05 on average, 0.05 +- 0.1 x spread each.
        gain = np.repeat(np.clip(0.05 + 0.1 * spread * rng.standard_normal(speakers), -0.4, 0.4), clips)
        first, second = rng.random(len(names)) < 0.55 + gain, rng.random(len(names)) < 0.55
        _, (low, high) = paired_difference(first.tolist(), second.tolist(), names)
        covered.append(low <= 0.05 <= high)
    assert 0.90 <= np.mean(covered) <= 0.99


def test_paired_difference_by_hand():
    # Three speakers of 40 clips: the first two gain half a clip each time. Sums less their share: 20/3, 20/3, -40/3.
    gains, speakers = [0.5] * 80 + [0.0] * 40, [name for name in "abc" for _ in range(40)]
    difference, (low, high) = paired_difference(gains, [0.0] * 120, speakers)
    between = 3 / 2 * ((20 / 3) ** 2 * 2 + (40 / 3) ** 2) / 120**2
    assert difference == pytest.approx(1 / 3)
    assert difference - low == pytest.approx(4.30265 * between**0.5, rel=1e-5)
    assert high == 1
    # Nobody known: clips count as alone, 20 discordant and 100 not, which is as good as 57 to know the variance by.
    difference, (low, high) = paired_difference([1.0] * 20 + [0.0] * 100, [0.0] * 120, [None] * 120)
    variance = (20 * (5 / 6) ** 2 + 100 * (1 / 6) ** 2) / (1 - 1 / 120) / 120**2
    assert high - difference == pytest.approx(2.00236 * variance**0.5, rel=1e-4)


def test_models_that_never_differ_still_leave_doubt():
    difference, (low, high) = paired_difference([1, 0] * 50, [1, 0] * 50, [f"s{clip % 20}" for clip in range(100)])
    assert difference == 0
    assert -0.05 < low < 0 < high < 0.05


@pytest.mark.parametrize("speakers", [["a", "a"], ["a"], ["a", "b", "c"]])
def test_paired_difference_needs_the_same_clips_of_two_speakers(speakers):
    with pytest.raises(ValueError, match="at least two speakers"):
        paired_difference([1, 0], [0, 0], speakers)


def test_an_interval_of_a_mean_needs_two_values():
    assert mean_interval([0.9]) is None
    assert mean_interval([0.9, 0.9]) == (0.9, 0.9)


def test_per_class_by_hand():
    targets, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 1])
    table = per_class(confusion_matrix(targets, predicted, 3), ["a", "b", "c"])
    assert table["a"] == {"n": 3, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3}
    assert table["b"]["precision"] == 1 / 3
    assert table["c"] == {"n": 1, "precision": None, "recall": 0.0, "f1": 0.0}


def test_loss_and_calibration_by_hand():
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2]])
    targets = np.array([0, 1])
    assert cross_entropy(targets, probabilities) == pytest.approx(-(np.log(0.8) + np.log(0.2)) / 2)
    assert expected_calibration_error(targets, probabilities) == pytest.approx(0.3)


def test_score_has_the_shape_that_metrics_json_promises():
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]])
    scores = score(np.array([0, 1, 1]), probabilities, labels=["a", "b"], speakers=["x", "y", None])
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["errors"] == 1
    assert scores["n"] == 3
    assert scores["per_speaker"].keys() == {"x", "y"}
    assert scores["confusion"] == {"labels": ["a", "b"], "counts": [[1, 0], [1, 1]]}
    assert scores["worst_speaker"] is None
    assert [row["n"] for row in scores["reliability"]] == [1, 1, 1]
    assert scores["risk_coverage"]["aurc"] == pytest.approx((0 + 0 + 1 / 3) / 3)


def test_the_worst_speaker_is_named_of_equals_the_one_with_more_clips():
    targets, probabilities = np.zeros(7, np.int64), np.array([[1.0, 0.0]] * 7)
    probabilities[[0, 2, 3]] = [0.0, 1.0]
    speakers = ["a", "a", "b", "b", "b", "b", "c"]
    assert score(targets, probabilities, labels=["x", "y"], speakers=speakers)["worst_speaker"] == "b"
