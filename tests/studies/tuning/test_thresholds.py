"""Thresholds are chosen as low as the rate allows; where none allows it, that is said."""

import numpy as np
import pytest

from sayso.runtime.detection_curve import Point
from sayso.studies.tuning.thresholds import THRESHOLDS, choose, curve_rows


def points(*alarms, hours=2.0):
    """A curve of so many alarms at thresholds 0.1, 0.2, ...; each threshold misses one word in ten more."""
    return [Point((place + 1) / 10, count, count / hours, place, 10) for place, count in enumerate(alarms)]


def test_thresholds_are_even_in_log_odds():
    values = np.array(THRESHOLDS)
    assert len(values) == 200
    steps = np.diff(np.log(values / (1 - values)))
    assert values[0] == pytest.approx(0.018, abs=1e-4)
    assert values[-1] > 0.9999
    np.testing.assert_allclose(steps, 14 / 199, rtol=5e-3)


@pytest.mark.parametrize(
    ("alarms", "threshold", "keeps"),
    [
        ((9, 3, 1, 0), 0.3, True),
        ((9, 3, 2, 0), 0.4, True),
        ((1, 1, 0, 0), 0.1, True),
        # A score that flickers about a high threshold.
        ((9, 1, 2, 0), 0.2, True),
        ((9, 7, 4, 2), 0.4, False),
    ],
)
def test_the_lowest_that_keeps_the_rate_is_chosen(alarms, threshold, keeps):
    chosen = choose(points(*alarms), 0.5)
    assert (chosen.threshold, chosen.keeps) == (threshold, keeps)
    assert chosen.point.alarms == alarms[round(threshold * 10) - 1]


def test_one_that_fires_once_and_hears_nothing_is_not_chosen():
    stuck = Point(0.05, 1, 0.5, 9, 10)
    assert choose([stuck, *points(7, 4, 1)], 0.5).threshold == 0.3
    # A word that was never said has no misses: the fewest alarms count.
    never = [Point(threshold, alarms, alarms / 2, 0, 0) for threshold, alarms in ((0.1, 1), (0.2, 0), (0.3, 0))]
    assert choose(never, 0.5).threshold == 0.2


def test_rows_are_left_out_where_nothing_changes():
    same = [Point(threshold, 3, 1.5, 1, 4) for threshold in (0.1, 0.2, 0.3)]
    rows = curve_rows([*same, Point(0.4, 1, 0.5, 1, 4), Point(0.5, 1, 0.5, 1, 4)])
    assert [(row.threshold, row.alarms_per_hour, row.miss_share) for row in rows] == [
        (0.1, 1.5, 0.25),
        (0.4, 0.5, 0.25),
        (0.5, 0.5, 0.25),
    ]
    assert curve_rows([Point(0.1, 0, 0.0, 0, 0)])[0].miss_share is None
