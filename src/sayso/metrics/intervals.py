"""Intervals of shares and means: of clips taken as independent, of clips of speakers, of repeated measurements."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MOST_LOG_ODDS",
    "Z95",
    "between_groups",
    "mean_interval",
    "speaker_groups",
    "speaker_interval",
    "speaker_intervals",
    "t_quantile",
    "wilson_interval",
]

Z95 = 1.959963984540054
MOST_LOG_ODDS = 500.0
"""No limit lies further out: beyond it `exp` overflows, and the share is 0 or 1 in double precision long before."""


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share, clips taken as independent.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Args:
        hits: how many were right, 0 to `total`.
        total: how many there were, at least 1.

    Returns:
        Lower and upper limit in [0, 1].

    >>> tuple(round(limit, 3) for limit in wilson_interval(295, 300))
    (0.962, 0.993)
    """
    share = hits / total
    centre = share + Z95**2 / (2 * total)
    spread = Z95 * math.sqrt(share * (1 - share) / total + Z95**2 / (4 * total**2))
    scale = 1 + Z95**2 / total
    low, high = (centre - spread) / scale, (centre + spread) / scale
    # At the ends the formula is exact but its rounding is not.
    return (0.0 if hits == 0 else low, 1.0 if hits == total else high)


def speaker_interval(hits: Sequence[float], totals: Sequence[int]) -> tuple[float, float] | None:
    """95 % interval of the accuracy on clips of speakers like these: clips of one speaker are not independent.

    How it is made: `speaker_intervals`.

    Args:
        hits: right answers of each speaker.
        totals: clips of each speaker, each at least 1.

    Returns:
        Lower and upper limit in [0, 1], the accuracy between them; None with fewer than two speakers.
    """
    if len(hits) < 2:
        return None
    low, high = speaker_intervals([hits], [totals])[0]
    return float(low), float(high)


def speaker_intervals(hits: ArrayLike, totals: ArrayLike) -> NDArray[np.float64]:
    """`speaker_interval` of many corpora at once, each with the same number of speakers.

    A t-interval on the log-odds of the whole accuracy. Its variance comes from how far each speaker's hits are from
    what the whole accuracy expects (the ratio estimator of cluster sampling; Cochran (1977), "Sampling Techniques",
    chapter 9A), each distance corrected for the speaker's own pull on that accuracy (HC2; MacKinnon & White 1985). Its
    degrees of freedom are Satterthwaite's for these numbers of clips, as Bell & McCaffrey (2002) have them, and no more
    than twice (sum of squares)^2 / (sum of fourth powers) of the distances: where one or two speakers make nearly all
    of the variance it is known as badly as from two or three. It is at least that of independent clips. One clip is
    added to both sides, so that scores without a miss leave doubt too. What it covers: `docs/intervals.md`.

    Args:
        hits: right answers, (corpora, speakers).
        totals: clips, (corpora, speakers), each at least 1; at least two speakers.

    Returns:
        (corpora, 2): lower and upper limits in [0, 1].
    """
    right, clips = np.asarray(hits, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    total = clips.sum(axis=1, keepdims=True)
    share = (right.sum(axis=1, keepdims=True) + 1) / (total + 2)
    odd = share * (1 - share)
    spread_squared, quantiles = between_groups(right - share * clips, clips, odd)
    total, share, odd = total[:, 0], share[:, 0], odd[:, 0]
    spread = np.maximum(quantiles * np.sqrt(spread_squared) / total, Z95 * np.sqrt(odd / total)) / odd
    spread = np.minimum(spread, MOST_LOG_ODDS)
    centre, seen = np.log(share / (1 - share)), right.sum(axis=1) / total
    low, high = (1 / (1 + np.exp(-(centre + sign * spread))) for sign in (-1, 1))
    return np.stack((np.minimum(low, seen), np.maximum(high, seen)), axis=1)


def speaker_groups(speakers: Sequence[str | None]) -> NDArray[np.int64]:
    """The number of each clip's speaker, from 0 in order of appearance; one that is not known is a speaker of its own.

    >>> speaker_groups(["ann", None, "ann", None]).tolist()
    [0, 1, 0, 2]
    """
    names = [(name, -1) if name is not None else ("", clip) for clip, name in enumerate(speakers)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def between_groups(
    distances: NDArray[np.float64], clips: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far sums over groups of clips spread around what the whole expects, and how well that is known.

    How: `speaker_intervals`.

    Args:
        distances: of each group's sum from what the whole expects of it, (corpora, groups).
        clips: of each group, the same shape.
        variance: of one clip, were all independent, (corpora, 1).

    Returns:
        Variance of the whole sum, and the quantile of a two-sided 95 % t-interval, each (corpora,).
    """
    total = clips.sum(axis=1, keepdims=True)
    squares = np.square(distances) / (1 - clips / total)
    whole = squares.sum(axis=1, keepdims=True)
    # The part of the variance that lies between groups rather than between the clips of one, in [0, 1].
    pairs = np.square(clips).sum(axis=1, keepdims=True) - total
    between = np.clip((whole - variance * total) / np.maximum(variance * pairs, 1e-9), 0, 1)
    by_design = _satterthwaite(clips, clips * (1 + (clips - 1) * between))
    by_outcome = 2 * whole[:, 0] ** 2 / np.maximum(np.square(squares).sum(axis=1), 1e-12)
    return whole[:, 0], t_quantile(np.maximum(1, np.minimum(by_design, by_outcome)))


def _satterthwaite(clips: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees of freedom of the sum of HC2 squares when each speaker's hits have such variances, (corpora,).

    (trace of C)^2 / (trace of C squared), C the covariance of the corrected distances: as Bell & McCaffrey (2002).
    """
    weights = clips / clips.sum(axis=1, keepdims=True)
    factors = 1 / (1 - weights)
    total = variances.sum(axis=1, keepdims=True)
    own = weights**2 * total - 2 * weights * variances
    two, cross, squares = (
        (factors * product).sum(axis=1) for product in (weights**2, weights * variances, np.square(variances))
    )
    total = total[:, 0]
    between = 2 * two * squares + 2 * cross**2 - 4 * two * cross * total + two**2 * total**2
    of_square = (factors**2 * variances * (variances + 2 * own)).sum(axis=1) + between
    # Rounding may leave nothing of the square where one speaker has nearly all clips.
    return (factors * (variances + own)).sum(axis=1) ** 2 / np.maximum(of_square, 1e-12)


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % t-interval of the mean of independent values, such as the accuracies of several seeds.

    Returns:
        Lower and upper limit; None with fewer than two values.

    >>> tuple(round(limit, 4) for limit in mean_interval([0.95, 0.96, 0.97]))
    (0.9352, 0.9848)
    """
    if len(values) < 2:
        return None
    wide = np.asarray(values, dtype=np.float64)
    spread = float(t_quantile(len(wide) - 1)) * float(wide.std(ddof=1)) / math.sqrt(len(wide))
    return float(wide.mean()) - spread, float(wide.mean()) + spread


def t_quantile(degrees: ArrayLike) -> NDArray[np.float64]:
    """How many deviations reach to 97.5 % of Student's t, for each number of degrees of freedom, above 0."""
    # Imported here: SciPy is part of training, and the rest of this file is not to wait for it.
    from scipy.special import stdtrit  # pyright: ignore[reportAttributeAccessIssue]

    return np.asarray(stdtrit(degrees, 0.975), dtype=np.float64)
