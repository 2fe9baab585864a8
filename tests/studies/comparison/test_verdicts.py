import itertools

import numpy as np
import pytest

from sayso.studies.comparison.verdicts import holm, judge_pairs, least_reachable, sign_flip_p
from sayso.studies.trials.answers import Answers


def answers(right, speakers):
    right = np.atleast_2d(np.asarray(right, dtype=np.float64))
    return Answers(right, tuple(speakers), tuple((str(clip),) for clip in range(right.shape[1])))


def by_speakers(count, gain, *, clips=10, seed=0):
    """Two recipes on `count` speakers: the first is right with a probability that is `gain` higher."""
    rng = np.random.default_rng(seed)
    speakers = [f"s{clip % count}" for clip in range(count * clips)]
    first, second = rng.random((3, count * clips)) < 0.5 + gain, rng.random((3, count * clips)) < 0.5
    return {"first": answers(first, speakers), "second": answers(second, speakers)}


def test_sign_flip_p_is_the_share_of_sign_patterns_as_far_off():
    gains = [3.0, 1.0, -2.0, 4.0, 0.5]
    sums = [
        abs(sum(s * g for s, g in zip(signs, gains, strict=True))) for signs in itertools.product((1, -1), repeat=5)
    ]
    assert sign_flip_p(gains) == pytest.approx(np.mean([total >= abs(sum(gains)) - 1e-12 for total in sums]))


def test_drawn_signs_agree_with_all_of_them():
    gains = np.random.default_rng(3).normal(0.4, 1, 16)
    drawn = sign_flip_p([*gains, 0.0])  # a seventeenth speaker without a gain changes nothing but the method
    assert drawn == pytest.approx(sign_flip_p(gains.tolist()), abs=0.005)


def test_sign_flip_p_is_uniform_where_nothing_differs():
    rng = np.random.default_rng(0)
    found = np.array([sign_flip_p(rng.normal(0, 1, 8).tolist()) for _ in range(1000)])
    for level in (0.05, 0.25, 0.5):
        assert np.mean(found <= level) == pytest.approx(level, abs=0.04)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_many_speakers_that_agree_give_a_verdict():
    (pair,) = judge_pairs(by_speakers(12, 0.3))
    assert pair.verdict == "better"
    assert pair.p is not None
    assert pair.ci95 is not None
    assert pair.p <= 0.01
    assert 0 < pair.ci95[0] < pair.difference < pair.ci95[1]


def test_few_speakers_give_none_however_sure_their_clips_are():
    (pair,) = judge_pairs(by_speakers(5, 0.45, clips=400))
    assert pair.p == pytest.approx(1 / 16)
    assert pair.verdict == "no verdict"


@pytest.mark.parametrize("speakers", [[None] * 40, ["ann"] * 40, [None] * 20 + ["ann"] * 20])
def test_clips_never_stand_in_for_speakers(speakers):
    sure = {"first": answers(np.ones(40), speakers), "second": answers(np.zeros(40), speakers)}
    (pair,) = judge_pairs(sure)
    assert (pair.difference, pair.ci95, pair.p, pair.verdict) == (1.0, None, None, "no verdict")


def test_six_speakers_cannot_support_eight_recipes():
    assert least_reachable(6, 1) <= 0.05 < least_reachable(6, 2)
    assert least_reachable(40, 28) <= 0.05


def test_better_is_whoever_is_better_on_known_speakers():
    nameless, speakers = [None] * 300, [f"s{clip % 12}" for clip in range(120)]
    right = np.random.default_rng(0).random((2, 120)) < [[0.5], [0.9]]
    ranked = {
        "liked by the nameless": answers([*np.ones(300), *right[0]], [*nameless, *speakers]),
        "liked by the known": answers([*np.zeros(300), *right[1]], [*nameless, *speakers]),
    }
    (pair,) = judge_pairs(ranked)
    assert (pair.first, pair.verdict) == ("liked by the known", "better")
    assert pair.difference > 0
