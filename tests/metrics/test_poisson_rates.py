"""Rates: exact limits against SciPy's chi-square, and a bootstrap against what its draws can be."""

import pytest
from scipy.stats import chi2

from sayso.metrics.rates import poisson_interval, poisson_upper_bound, ratio_bootstrap, replayed_rate


@pytest.mark.parametrize(("count", "hours"), [(0, 0.48), (1, 1.0), (3, 0.9), (17, 10.0), (1234, 7.5)])
def test_limits_are_those_of_garwood(count, hours):
    low, high = poisson_interval(count, hours)
    expected = chi2.ppf(0.025, 2 * count) / 2 / hours if count else 0.0
    assert low == pytest.approx(expected, rel=1e-8)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2 / hours, rel=1e-8)
    assert poisson_upper_bound(count, hours) == pytest.approx(chi2.ppf(0.95, 2 * count + 2) / 2 / hours, rel=1e-8)


def test_no_alarm_in_half_an_hour_says_little():
    assert 6.2 < poisson_upper_bound(0, 0.48) <= 6.3
    assert poisson_upper_bound(0, 0.9) == pytest.approx(3.33, abs=0.005)


def test_files_that_fire_alike_leave_no_doubt_between_them_and_unlike_ones_do():
    assert ratio_bootstrap([2, 2, 2], [1.0, 1.0, 1.0]) == (2.0, 2.0)
    low, high = ratio_bootstrap([0, 0, 0, 0, 20], [1.0, 1.0, 1.0, 1.0, 1.0])
    assert low == 0.0
    assert high == 12.0  # three of the five draws are the fifth file


def test_long_files_count_for_their_hours():
    low, high = ratio_bootstrap([10, 0] * 50, [10.0, 1.0] * 50)
    assert low < 10 * 50 / (11 * 50) < high < 1.0


def test_where_files_tell_nothing_there_is_no_interval():
    assert ratio_bootstrap([3], [1.0]) is None
    assert ratio_bootstrap([0, 0, 0], [1.0, 1.0, 1.0]) is None


def test_the_same_draws_every_time():
    counts, hours = list(range(10)), [0.5 + 0.1 * place for place in range(10)]
    assert ratio_bootstrap(counts, hours) == ratio_bootstrap(counts, hours)


def test_replays_tell_a_rate_more_closely_and_its_limits_no_more():
    once = replayed_rate(3, 2.0, 2.0)
    assert (once.low, once.high) == poisson_interval(3, 2.0)
    assert once.at_most == poisson_upper_bound(3, 2.0)
    many = replayed_rate(30, 20.0, 2.0)
    assert many == once
    # 0.7 events a hearing: none at least, one at most.
    few = replayed_rate(7, 20.0, 2.0)
    assert few.per_hour == 0.35
    assert (few.low, few.high, few.at_most) == (0.0, poisson_interval(1, 2.0)[1], poisson_upper_bound(1, 2.0))
