"""A curve answers where alarms fall as such curves do, and says why where it cannot."""

import numpy as np
import pytest

from sayso.studies.background_curve.verdict import judge, tell_answers

MINUTES = (2.0, 4.0, 8.0, 16.0, 32.0)
SOURCES, SEEDS = 40, 4


def alarms(rate_of, hours=50.0, seed=0):
    """Alarms over each source, drawn as events that come independently; and each source's hours."""
    rng = np.random.default_rng(seed)
    each = np.full(SOURCES, hours / SOURCES)
    rates = np.array([rate_of(size) for size in MINUTES])
    return rng.poisson(rates[:, None, None] * each, (len(MINUTES), SEEDS, SOURCES)).astype(float), each


def judged(rate_of, hours=50.0, minutes=MINUTES):
    counts, each = alarms(rate_of, hours)
    return judge(minutes, counts[: len(minutes)], each, hours)


def test_a_power_law_tells_what_halves_it():
    # Alarms fall by half where minutes grow fourfold.
    curve = judged(lambda size: 40 / size**0.5)
    assert curve.verdict == "fitted"
    for rate, (low, high), size in zip(curve.rates, curve.ci95, MINUTES, strict=True):
        assert low <= rate <= high
        assert low <= 40 / size**0.5 <= high
    low, high = curve.minutes_for_half_ci95
    assert low <= 128 <= high
    assert curve.band[-1][0] == pytest.approx(64)
    (answer,) = tell_answers(curve, MINUTES, 50.0)
    assert answer.startswith("to halve the alarms: ")


def test_what_halves_it_far_off_is_not_followed():
    curve = judged(lambda size: 20 + 40 / size)
    (answer,) = tell_answers(curve, MINUTES, 50.0)
    assert curve.verdict == "fitted"
    assert "more than 96 more minutes, if any number does" in answer


def test_few_hours_say_nothing():
    curve = judged(lambda size: 6 / size**0.5, hours=0.3)
    assert curve.verdict == "flat"
    (answer,) = tell_answers(curve, MINUTES, 0.3)
    assert "no gain shows that 0.3 h of different test background" in answer
    assert "cannot be said" in answer


def test_without_any_alarm_there_is_nothing_to_halve():
    curve = judged(lambda size: 0.0)
    assert curve.verdict == "no alarms"
    # None in 50 h is no proof of none.
    assert all(low == 0 < high for low, high in curve.ci95)
    assert "nothing to halve" in next(tell_answers(curve, MINUTES, 50.0))


def test_three_sizes_are_no_curve():
    curve = judged(lambda size: 400 / size, minutes=MINUTES[:3])
    assert curve.verdict == "too few sizes"
    assert "no curve is fitted through 3 sizes, it takes 4" in next(tell_answers(curve, MINUTES[:3], 50.0))


def test_alarms_that_do_not_fall_so_are_told():
    steps = dict(zip(MINUTES, (400.0, 390.0, 100.0, 20.0, 110.0), strict=True))
    curve = judged(lambda size: steps[size], hours=200.0)
    assert curve.verdict == "another shape"
    assert "do not fall as such curves do" in next(tell_answers(curve, MINUTES, 200.0))


def test_replays_make_no_interval_narrower_than_the_different_background():
    counts, each = alarms(lambda size: 40 / size**0.5)
    narrow, wide = judge(MINUTES, counts, each, 50.0), judge(MINUTES, counts, each, 0.5)
    for (low, high), (lowest, highest) in zip(narrow.ci95, wide.ci95, strict=True):
        assert lowest <= low
        assert highest > high
