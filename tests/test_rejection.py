"""Risk, coverage and rejection against hand counts, and the interval of the area against what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.rejection import auroc, reject_threshold, rejection, risk_coverage, share_of_clips

CONFIDENCES = st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9]), min_size=1, max_size=8).map(np.array)


def test_risk_by_hand():
    scores = risk_coverage(np.array([True, False, True, True]), np.array([0.9, 0.3, 0.8, 0.1]))
    assert scores["curve"] == [[0.25, 0], [0.5, 0], [0.75, round(1 / 3, 6)], [1, 0.25]]
    assert scores["aurc"] == pytest.approx((1 / 3 + 1 / 4) / 4)
    assert scores["coverage_at_1_percent_risk"] == 0.5


def test_clips_of_one_confidence_share_their_errors_in_any_order():
    for right in ([True, False, True, True], [False, True, True, True]):
        scores = risk_coverage(np.array(right), np.full(4, 0.7))
        assert scores["aurc"] == pytest.approx(0.25)
        assert scores["coverage_at_1_percent_risk"] == 0


def test_no_mistakes_and_many_clips():
    scores = risk_coverage(np.ones(5000, bool), np.linspace(0, 1, 5000))
    assert (scores["aurc"], scores["coverage_at_1_percent_risk"], len(scores["curve"])) == (0, 1, 100)


@given(CONFIDENCES, CONFIDENCES)
def test_the_area_is_the_share_of_pairs_in_order(known, unheard):
    area, (low, high) = auroc(
        known, unheard, known_speakers=[None] * len(known), unheard_speakers=[None] * len(unheard)
    )
    pairs = [1.0 if one > other else 0.5 if one == other else 0.0 for one in known for other in unheard]
    assert area == pytest.approx(np.mean(pairs))
    assert 0 <= low <= area <= high <= 1


def test_one_speaker_gives_no_interval():
    assert auroc(np.array([0.9]), np.array([0.1]), known_speakers=["a"], unheard_speakers=["a"]) == (1, None)


def test_the_interval_of_the_area_covers_the_truth_where_speakers_differ():
    rng, speakers, clips, covered = np.random.default_rng(3), 12, 15, 0
    names = [f"s{speaker}" for speaker in range(speakers) for _ in range(clips)]
    for _ in range(300):
        ease = np.repeat(rng.normal(0, 0.7, speakers), clips)
        known = ease + rng.normal(1.5, 1, speakers * clips)
        _, (low, high) = auroc(known, rng.normal(0, 1, 180), known_speakers=names, unheard_speakers=names)
        # Known less unheard is normal with mean 1.5 and variance 1 + 0.49 + 1.
        covered += low <= 0.829103 <= high
    assert 0.91 <= covered / 300 <= 0.99


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200).map(np.array))
def test_the_threshold_turns_away_as_many_as_it_may(confidence):
    threshold = reject_threshold(confidence)
    assert np.mean(confidence < threshold) <= 0.05
    assert np.mean(confidence <= threshold) > 0.05


def test_rejection_by_hand():
    scores = rejection(
        np.array([0.9, 0.8, 0.4, 0.7]),
        np.array([0.3, 0.75]),
        known_speakers=["a", "a", "b", "b"],
        unheard_speakers=["a", "b"],
        threshold=0.5,
    )
    assert scores["auroc"] == pytest.approx(6 / 8)
    assert (scores["false_reject"]["rate"], scores["false_accept"]["rate"]) == (0.25, 0.5)
    assert scores["false_accept_rate_at_5_percent"] == 0.5
    assert [0.25, 0.5] in scores["curve"]
    assert scores["curve"][0] == [0, 1]
    assert scores["curve"][-1] == [1, 0]


def test_a_share_has_both_intervals_where_speakers_are_known():
    share = share_of_clips(np.array([True, False, False, False]), ["a", "a", "b", None])
    assert share["n"] == 4
    assert share["speaker_ci95"][0] <= 1 / 3 <= share["speaker_ci95"][1]
    assert share_of_clips(np.array([True]), [None])["speaker_ci95"] is None
