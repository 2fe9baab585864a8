"""Telling a set's clips from the same clips changed on purpose, where no threshold holds for every set."""

import numpy as np

from sayso.data.faults.detector import Values

__all__ = ["LEAST_CLIPS", "log_odds"]

LEAST_CLIPS = 100
"""Fewer teach nothing."""
_SHRINKAGE = 0.02
_LEAST_VARIANCE = 1e-6


def log_odds(clips: Values, changed: Values, *, doubt: Values | float = 0.0) -> Values:
    """Log-odds that each clip is a changed one, (clips,), both being as likely beforehand.

    Linear discriminant analysis with shrunken correlations; the clips fall into two halves, and each half is judged by
    what the other taught.

    Args:
        clips: numbers of the clips as they are, (clips, numbers).
        changed: of the same clips changed, (clips, numbers).
        doubt: deviation added to each number, (numbers,), where its own is so small that it would decide alone.
    """
    half = np.random.default_rng(0).permutation(len(clips)) % 2
    odds = np.empty(len(clips))
    for part in (0, 1):
        these, those = clips[half != part], changed[half != part]
        covariance = (np.cov(these.T) + np.cov(those.T)) / 2
        variance = np.diag(covariance)
        covariance += np.diag(_SHRINKAGE * variance + np.square(doubt) + _LEAST_VARIANCE)
        direction = np.linalg.solve(covariance, those.mean(axis=0) - these.mean(axis=0))
        middle = (those.mean(axis=0) + these.mean(axis=0)) / 2
        odds[half == part] = (clips[half == part] - middle) @ direction
    return odds
