"""Misses against false alarms: the axis begins where replays end, and what is not sure is dashed."""

import numpy as np
import pytest

from sayso.views.plots.alarms import draw_misses_by_alarms


def drawn(points, chosen=(0.5, 0.3), replayed_hours=4.0, independent_hours=0.5):
    figure = draw_misses_by_alarms(
        points, chosen, replayed_hours=replayed_hours, independent_hours=independent_hours, asked_per_hour=0.5
    )
    figure.draw_without_rendering()
    (axes,) = figure.axes
    dashed, plain, asked, dot = axes.lines
    return axes, dashed, plain, asked, dot


def test_the_curve_is_dashed_below_one_alarm_in_the_independent_hours():
    axes, dashed, plain, asked, dot = drawn([(0.0, 0.5), (0.5, 0.3), (1.0, 0.3), (3.0, 0.1), (10.0, 0.05)])
    assert axes.get_xlim()[0] == pytest.approx(0.25 / 1.15)
    assert dashed.get_linestyle() == "--"
    # No alarm stands at one in all hours; a rate that costs more and misses no less is left out.
    assert list(dashed.get_xydata().ravel()) == [0.25, 0.5, 0.5, 0.3, 2.0, 0.3]
    assert list(plain.get_xydata().ravel()) == [2.0, 0.3, 3.0, 0.1, 10.0, 0.05, 10.0, 0.05]
    assert asked.get_xdata()[0] == 0.5
    assert list(dot.get_xydata().ravel()) == [0.5, 0.3]


def test_a_word_that_never_fires_has_a_curve_too():
    _, dashed, plain, _, dot = drawn([(0.0, 1.0), (0.0, 0.4)], chosen=(0.0, 0.4))
    assert list(dashed.get_xydata().ravel()) == [0.25, 0.4, 2.0, 0.4]
    assert plain.get_ydata().tolist() == [0.4, 0.4]
    assert list(dot.get_xydata().ravel()) == [0.25, 0.4]


def test_numbers_stand_at_the_axis_however_far_it_goes():
    for most in (1.0, 30.0, 5000.0):
        axes, *_ = drawn([(0.0, 0.5), (most, 0.1)])
        low, high = axes.get_xlim()
        seen = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert 2 <= len(seen) <= 9
        assert np.all(np.diff(seen) > 0)
