"""What a model file says of its thresholds' costs: read as it was written, or refused."""

import pytest

from sayso.metrics.rates import poisson_upper_bound
from sayso.runtime.stream_curve import CurveRow, StreamCurve, dump_curve, read_curve


@pytest.fixture
def curve():
    rows = (CurveRow(0.2, 3.0, 0.0), CurveRow(0.6, 0.5, 0.1), CurveRow(0.9, 0.0, 0.5))
    return StreamCurve({"up": rows, "häh": (CurveRow(0.5, 1.0, None),)}, 4.0, 0.5, "3 recordings")


def test_it_is_read_as_it_was_written(curve):
    assert read_curve(dump_curve(curve)) == curve


def test_a_threshold_costs_what_the_row_below_it_says(curve):
    assert curve.at("up", 0.6) == curve.at("up", 0.89) == CurveRow(0.6, 0.5, 0.1)
    assert curve.at("up", 1.0) == CurveRow(0.9, 0.0, 0.5)
    assert curve.at("up", 0.1) is None
    assert curve.at("down", 0.6) is None


def test_a_rate_may_be_as_high_as_the_independent_hours_let_it(curve):
    assert curve.at_most(CurveRow(0.9, 0.0, 0.5)) == poisson_upper_bound(0, 0.5)
    # 12 alarms in the 4 h of replays are 1.5 in each half hour of sound.
    assert curve.at_most(CurveRow(0.2, 3.0, 0.0)) == poisson_upper_bound(2, 0.5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"words"', '"wards"'),
        ("[0.2, 3.0, 0.0]", "[0.2, 3.0]"),
        ("[0.2, 3.0, 0.0]", "[1.2, 3.0, 0.0]"),
        ("[0.2, 3.0, 0.0]", "[0.2, NaN, 0.0]"),
        ("[0.2, 3.0, 0.0]", "[0.2, -1, 0.0]"),
        ("[0.2, 3.0, 0.0]", '["0.2", 3.0, 0.0]'),
        ('"independent_hours": 0.5', '"independent_hours": 0'),
        (
            "{",
            "[",
        ),
    ],
)
def test_what_is_none_is_refused(curve, old, new):
    text = dump_curve(curve)
    assert old in text
    with pytest.raises(ValueError):  # noqa: PT011 - of many kinds, JSON's own among them
        read_curve(text.replace(old, new, 1))
