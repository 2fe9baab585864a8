"""How far the errors could have come out otherwise: test speakers and seeds drawn anew, together for all sizes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.intervals import Z95, t_quantile

__all__ = ["DRAWS", "Interval", "draw_deviations", "draw_errors", "find_limits", "intervals_around"]

DRAWS = 2_000
_LIMITS = (0.025, 0.975)

Interval = tuple[float, float]


def draw_errors(wrong: NDArray[np.float64], units: Sequence[object], *, seed: int = 0) -> NDArray[np.float64]:
    """Draw the mean error at every size as other test speakers and other seeds could have given it.

    They deviate as `draw_deviations` says, and at least as much as those of independent clips do, one clip added to
    both sides, so that a size without a miss leaves doubt too.

    Args:
        wrong: 1 where the answer was wrong, else 0, (sizes, seeds, clips).
        units: who speaks each clip, (clips,); or another name for each clip, where speakers are not known.
        seed: of the draws.

    Returns:
        Errors, 0 or more, (2,000, sizes). With one speaker or one seed these vary not at all: the caller has to say so.
    """
    rng = np.random.default_rng((seed, 5))
    sizes, _, clips = wrong.shape
    mean = wrong.mean(axis=(1, 2))
    place = {unit: row for row, unit in enumerate(dict.fromkeys(units))}
    belongs = np.zeros((clips, len(place)))
    belongs[np.arange(clips), [place[unit] for unit in units]] = 1
    by_unit, totals = wrong.mean(axis=1) @ belongs, belongs.sum(axis=0)
    off = draw_deviations(mean, by_unit, totals, wrong.mean(axis=2), rng)
    share = (mean * clips + 1) / (clips + 2)
    lacking = np.sqrt(np.maximum(share * (1 - share) / clips - off.var(axis=0), 0))
    return np.maximum(mean + off + lacking * rng.standard_normal((DRAWS, sizes)), 0)


def draw_deviations(
    mean: NDArray[np.float64],
    by_unit: NDArray[np.float64],
    totals: NDArray[np.float64],
    by_seed: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw how far a rate at every size deviates over the units and the seeds that it was measured on.

    A bootstrap over units and one over seeds, each joint over the sizes, whose deviations add up. Few units or seeds
    vary less than what they are drawn from, and their spread is badly known: deviations are widened by
    sqrt(n / (n - 1)) and by Student's t over the normal's quantile. One unit, or one seed, varies not at all.

    Args:
        mean: the rate, (sizes,).
        by_unit: what each unit counts, the mean over seeds, (sizes, units).
        totals: what it could count, or for how long it did, (units,).
        by_seed: the rate of each seed, (sizes, seeds).
        rng: draws, units first.

    Returns:
        (2,000, sizes)
    """
    units, seeds = len(totals), by_seed.shape[1]
    times = rng.multinomial(units, np.full(units, 1 / units), DRAWS)
    off = _widening(units) * ((times @ by_unit.T) / (times @ totals)[:, None] - mean)
    times = rng.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS)
    return off + _widening(seeds) * (times @ by_seed.T / seeds - mean)


def find_limits(drawn: NDArray[np.float64]) -> list[Interval]:
    """95 % of each column, (draws, columns), without arithmetic between infinities."""
    low = np.quantile(drawn, _LIMITS[0], axis=0, method="lower")
    high = np.quantile(drawn, _LIMITS[1], axis=0, method="higher")
    return list(zip(low.tolist(), high.tolist(), strict=True))


def intervals_around(rates: NDArray[np.float64], drawn: NDArray[np.float64]) -> tuple[Interval, ...]:
    """95 % of each column of what was drawn, with the rate itself always inside."""
    return tuple((min(low, rate), max(high, rate)) for (low, high), rate in zip(find_limits(drawn), rates, strict=True))


def _widening(count: int) -> float:
    return float(np.sqrt(count / (count - 1)) * t_quantile(count - 1) / Z95) if count > 1 else 0.0
