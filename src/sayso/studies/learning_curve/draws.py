"""How far the errors could have come out otherwise: test speakers and seeds drawn anew, together for all sizes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sayso.metrics.intervals import Z95, t_quantile

__all__ = ["DRAWS", "draw_errors"]

DRAWS = 2_000


def draw_errors(wrong: NDArray[np.float64], units: Sequence[object], *, seed: int = 0) -> NDArray[np.float64]:
    """Draw the mean error at every size as other test speakers and other seeds could have given it.

    A bootstrap over speakers and one over seeds, each joint over the sizes, whose deviations add up. Few speakers or
    seeds vary less than what they are drawn from, and their spread is badly known: deviations are widened by
    sqrt(n / (n - 1)) and by Student's t over the normal's quantile. At least as much as of independent clips they
    vary in all, one clip added to both sides, so that a size without a miss leaves doubt too.

    Args:
        wrong: 1 where the answer was wrong, else 0, (sizes, seeds, clips).
        units: who speaks each clip, (clips,); or another name for each clip, where speakers are not known.
        seed: of the draws.

    Returns:
        Errors, 0 or more, (2,000, sizes). With one speaker or one seed these vary not at all: the caller has to say so.
    """
    rng = np.random.default_rng((seed, 5))
    sizes, seeds, clips = wrong.shape
    mean = wrong.mean(axis=(1, 2))
    place = {unit: row for row, unit in enumerate(dict.fromkeys(units))}
    belongs = np.zeros((clips, len(place)))
    belongs[np.arange(clips), [place[unit] for unit in units]] = 1
    by_unit, totals = wrong.mean(axis=1) @ belongs, belongs.sum(axis=0)
    times = rng.multinomial(len(totals), np.full(len(totals), 1 / len(totals)), DRAWS)
    off = _widening(len(totals)) * ((times @ by_unit.T) / (times @ totals)[:, None] - mean)
    by_seed = wrong.mean(axis=2)
    times = rng.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS)
    off += _widening(seeds) * (times @ by_seed.T / seeds - mean)
    share = (mean * clips + 1) / (clips + 2)
    lacking = np.sqrt(np.maximum(share * (1 - share) / clips - off.var(axis=0), 0))
    return np.maximum(mean + off + lacking * rng.standard_normal((DRAWS, sizes)), 0)


def _widening(count: int) -> float:
    return float(np.sqrt(count / (count - 1)) * t_quantile(count - 1) / Z95) if count > 1 else 0.0
