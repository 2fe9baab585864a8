"""Risk, coverage and rejection against hand counts, and the interval of the area against what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.metrics.rejection import (
    auroc,
    reject_threshold,
    rejection,
    risk_coverage,
    share_of_clips,
    threshold_for_right,
)

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
def test_the_area_is_the_share_of_pairs_in_order(known, unknown):
    area, limits = auroc(known, unknown, known_speakers=[None] * len(known), unknown_speakers=[None] * len(unknown))
    pairs = [1.0 if one > other else 0.5 if one == other else 0.0 for one in known for other in unknown]
    assert area == pytest.approx(np.mean(pairs))
    low, high = limits or (0, 1)
    assert 0 <= low <= area <= high <= 1
    assert (limits is None) == (min(len(known), len(unknown)) == 1)


@pytest.mark.parametrize(("known", "unknown"), [("aa", "aa"), ("ab", "cc"), ("cc", "ab")])
def test_one_speaker_on_a_side_gives_no_interval(known, unknown):
    given = {"known_speakers": list(known), "unknown_speakers": list(unknown)}
    assert auroc(np.array([0.9, 0.8]), np.array([0.1, 0.2]), **given) == (1, None)


@pytest.mark.parametrize(
    ("known_clips", "unknown_clips", "apart", "most"),
    [
        ([15] * 12, [15] * 12, False, 0.99),
        ([100] * 2 + [10] * 18, [100] * 2 + [10] * 18, False, 0.99),
        ([60, 30, 10, 10, 5, 5], [5, 5, 10, 10, 30, 60], False, 0.99),
        ([20] * 6, [50] * 2, True, 1.0),  # two voices tell little, and the interval is wide
        ([10] * 40, [50] * 3, True, 1.0),
    ],
)
def test_the_interval_of_the_area_covers_the_truth_where_speakers_differ(known_clips, unknown_clips, apart, most):
    rng, covered, corpora = np.random.default_rng(3), 0, 300
    heard = np.repeat(np.arange(len(known_clips)), known_clips)
    others = np.repeat(np.arange(len(unknown_clips)), unknown_clips) + 100 * apart
    given = {"known_speakers": [str(one) for one in heard], "unknown_speakers": [str(one) for one in others]}
    for _ in range(corpora):
        ease = rng.normal(0, 0.7, 200)
        known = ease[heard] + rng.normal(1.5, 1, len(heard))
        unknown = ease[others] + rng.normal(0, 1, len(others))
        _, (low, high) = auroc(known, unknown, **given)
        # Known less unknown is normal with mean 1.5 and variance 2 x (1 + 0.49), whoever speaks them.
        covered += low <= 0.807556 <= high
    assert 0.91 <= covered / corpora <= most


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200).map(np.array))
def test_the_threshold_turns_away_as_many_as_it_may(confidence):
    threshold = reject_threshold(confidence)
    assert np.mean(confidence < threshold) <= 0.05
    assert np.mean(confidence <= threshold) > 0.05


@pytest.mark.parametrize("percent", range(100))
def test_a_share_of_whole_clips_is_turned_away_whole(percent):
    assert reject_threshold(np.arange(100) / 100, lost_share=percent / 100) == percent / 100


def test_a_usual_threshold_counts_beside_few_answers_and_hardly_beside_many():
    targets = np.zeros(300, np.int64)
    probabilities = np.tile([0.8, 0.2], (300, 1))
    probabilities[::30] = 0.1, 0.9  # ten wrong answers count for nothing

    def found(clips, **asked):
        return threshold_for_right(probabilities[:clips], targets[:clips], lost_share=0.1, **asked)

    assert found(300) == 0.8
    assert found(300, usual=0.4) == pytest.approx((290 * 0.8 + 100 * 0.4) / 390)
    assert found(30, usual=0.4) == pytest.approx((29 * 0.8 + 100 * 0.4) / 129)
    assert found(1, usual=0.4) == pytest.approx((0.9 + 100 * 0.4) / 101)  # where none is right, all count


def test_rejection_by_hand():
    scores = rejection(
        np.array([0.9, 0.8, 0.4, 0.7]),
        np.array([0.3, 0.75]),
        known_speakers=["a", "a", "b", "b"],
        unknown_speakers=["a", "b"],
        threshold=0.5,
    )
    assert scores["auroc"] == pytest.approx(6 / 8)
    assert (scores["false_reject"]["rate"], scores["false_accept"]["rate"]) == (0.25, 0.5)
    assert scores["false_accept_rate_at_5_percent"] == 0.5
    assert [0.25, 0.5] in scores["curve"]
    assert scores["curve"][0] == [0, 1]
    assert scores["curve"][-1] == [1, 0]


def test_a_share_has_both_intervals_where_speakers_are_known():
    share = share_of_clips(np.array([True, False, False, False]), ["a", "a", "b", "b"])
    assert (share["n"], share["rate"]) == (4, 0.25)
    assert share["speaker_ci95"][0] <= 0.25 <= share["speaker_ci95"][1]
    assert share_of_clips(np.array([True, False, True]), ["a", "b", None])["speaker_ci95"] is None
    assert share_of_clips(np.array([True, False]), ["a", "a"])["speaker_ci95"] is None
