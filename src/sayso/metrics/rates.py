"""How often something happens in an hour: exact limits where hours are independent, a bootstrap where files are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ReplayedRate", "poisson_interval", "poisson_upper_bound", "ratio_bootstrap", "replayed_rate"]

_TAIL = 0.05
_DRAWS = 10_000
_PRECISION = 1e-12


@dataclass(frozen=True)
class ReplayedRate:
    """A rate that was measured over the same sound several times, in events an hour."""

    per_hour: float
    low: float
    """Of the exact two-sided 95 % interval over independent hours."""
    high: float
    at_most: float
    """Exact one-sided 95 % upper bound over independent hours."""


def poisson_interval(count: int, exposure: float) -> tuple[float, float]:
    """Exact 95 % interval of a rate, of events that come independently of one another.

    Source: F. Garwood (1936), "Fiducial limits for the Poisson distribution". Both limits may be missed by a rate in
    2.5 % of cases at most.

    Args:
        count: how many events there were, 0 or more.
        exposure: in how many hours, or any other unit, above 0.

    Returns:
        Lower and upper limit, in events a unit of exposure.

    >>> tuple(round(limit, 2) for limit in poisson_interval(3, 1.0))
    (0.62, 8.77)
    """
    low = 0.0 if count == 0 else _mean_with(count - 1, 1 - _TAIL / 2)
    return low / exposure, _mean_with(count, _TAIL / 2) / exposure


def poisson_upper_bound(count: int, exposure: float) -> float:
    """Exact one-sided 95 % upper bound of a rate; as `poisson_interval`.

    >>> round(poisson_upper_bound(0, 0.48), 1)
    6.2
    """
    return _mean_with(count, _TAIL) / exposure


def replayed_rate(count: int, replayed_hours: float, independent_hours: float) -> ReplayedRate:
    """Say how often something happens, and within which limits, where the same sound was heard again and again.

    Hearing a second of sound once more, under other noise, tells the rate in this sound more closely; of other sound it
    tells nothing new. So the limits are those of what one hearing had on average, rounded outwards to whole events.

    Args:
        count: events over all replays.
        replayed_hours: length of all replays, above 0.
        independent_hours: of the sound, each second counted once, above 0 and no more than `replayed_hours`.

    >>> limits = replayed_rate(3, 10.0, 2.0)
    >>> limits.per_hour, limits.low, round(limits.at_most, 2)
    (0.3, 0.0, 2.37)
    """
    once = count * independent_hours / replayed_hours
    fewest, most = math.floor(once + _PRECISION), math.ceil(once - _PRECISION)
    return ReplayedRate(
        count / replayed_hours,
        poisson_interval(fewest, independent_hours)[0],
        poisson_interval(most, independent_hours)[1],
        poisson_upper_bound(most, independent_hours),
    )


def ratio_bootstrap(
    counts: Sequence[float], exposures: Sequence[float], *, seed: int = 0
) -> tuple[float, float] | None:
    """95 % interval of a rate over files like these: whole files are drawn anew, 10,000 times, and the limits read off.

    What comes from one file is not independent. With few files such an interval is too narrow, and files without an
    event cannot tell how rare it is: the exact bound beside it says that.

    Args:
        counts: events in each file.
        exposures: hours of each file, each above 0.
        seed: of the draws.

    Returns:
        Lower and upper limit; None with fewer than two files, or without any event.
    """
    events, hours = np.asarray(counts, np.float64), np.asarray(exposures, np.float64)
    if len(events) < 2 or not events.any():
        return None
    rng = np.random.default_rng(seed)
    rates: list[NDArray[np.float64]] = []
    chunk = max(1, 1_000_000 // len(events))
    for start in range(0, _DRAWS, chunk):
        drawn = rng.integers(0, len(events), (min(chunk, _DRAWS - start), len(events)))
        rates.append(events[drawn].sum(axis=1) / hours[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(rates), [_TAIL / 2, 1 - _TAIL / 2])
    return float(low), float(high)


def _mean_with(count: int, share: float) -> float:
    """Find the mean at which `count` events or fewer come with this probability, by halving."""
    numbers = np.arange(count + 1, dtype=np.float64)
    log_factorials = np.concatenate(([0.0], np.cumsum(np.log(numbers[1:]))))

    def at_most(mean: float) -> float:
        logs = numbers * math.log(mean) - mean - log_factorials
        top = float(logs.max())
        return math.exp(top) * float(np.exp(logs - top).sum())

    low, high = 0.0, 1.0
    while at_most(high) > share:
        low, high = high, 2 * high
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(middle) > share else (low, middle)
    return high
