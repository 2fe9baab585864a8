"""Error against size: the curve a + b / size^c through the errors at several sizes, for many draws at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEAST_SIZES", "ErrorCurves", "fit_curves"]

LEAST_SIZES = 4
"""Three numbers are fitted; fewer sizes than this would leave nothing to test them by."""
# The steeper half is rarely met; errors of speech recognisers fall with exponents around 0.3 to 0.7.
_EXPONENTS = np.round(np.arange(0.02, 2.001, 0.02), 2)


@dataclass(frozen=True, eq=False)
class ErrorCurves:
    """Fitted curves, one a draw: error = floor + scale / size^exponent."""

    floor: NDArray[np.float64]
    """(draws,), 0 or more: the error that would be left however large the size."""
    scale: NDArray[np.float64]
    """(draws,), 0 or more: the error at size 1 above the floor."""
    exponent: NDArray[np.float64]
    """(draws,), above 0 and up to 2."""

    def errors(self, sizes: ArrayLike) -> NDArray[np.float64]:
        """The error at each size, 0 to 1, (draws, sizes)."""
        wide = np.asarray(sizes, dtype=np.float64)
        found = self.floor[:, None] + self.scale[:, None] * wide ** -self.exponent[:, None]
        return np.clip(found, 0.0, 1.0)

    def sizes_for(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The size at which each curve comes down to an error; infinite where its floor is as high.

        Args:
            errors: one a draw, (draws,).
        """
        above = errors - self.floor
        with np.errstate(divide="ignore", over="ignore"):
            sizes = (self.scale / np.maximum(above, 1e-300)) ** (1 / self.exponent)
        return np.where(above > 0, sizes, np.inf)


def fit_curves(sizes: ArrayLike, errors: ArrayLike, weights: ArrayLike) -> ErrorCurves:
    """Fit a curve to each row of errors by weighted least squares.

    The power law with a floor is the usual form of learning curves; see Viering & Loog (2023), "The shape of learning
    curves: a review". For a given exponent the other two numbers follow from the normal equations with neither below
    0, so that only the exponent is searched for, in steps of 0.02.

    Args:
        sizes: different ones, rising, each above 0, (sizes,).
        errors: 0 to 1, (draws, sizes).
        weights: above 0, such as one over the variance of each error, (sizes,).
    """
    at, seen = np.asarray(sizes, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    weight = np.asarray(weights, dtype=np.float64)
    weight = weight / weight.sum()
    # Relative to the largest size, so that the powers stay near 1 and sums of squares keep their digits.
    powers = (at / at[-1]) ** -_EXPONENTS[:, None]
    x, xx = powers @ weight, (powers**2) @ weight
    y, xy = (seen @ weight)[:, None], (seen * weight) @ powers.T
    scale = np.maximum((xy - x * y) / np.maximum(xx - x**2, 1e-12), 0)
    floor = y - scale * x
    scale = np.where(floor < 0, xy / xx, scale)
    floor = np.where(floor < 0, 0.0, floor)
    missed = floor**2 + 2 * floor * scale * x + scale**2 * xx - 2 * floor * y - 2 * scale * xy
    best = missed.argmin(axis=1)
    rows = np.arange(len(seen))
    exponent = _EXPONENTS[best]
    return ErrorCurves(floor[rows, best], scale[rows, best] * at[-1] ** exponent, exponent)
