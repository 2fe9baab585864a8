"""Weights as int8, with a scale for each output."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["quantise"]

_MOST = 127
# Shares of the largest weight at which an output's scale may end: where few weights are large, the others gain.
_SHARES = np.linspace(0.7, 1.0, 31)


def quantise(rows: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round weights to int8, each output by the scale that leaves the least squared error.

    Args:
        rows: (outputs, weights).

    Returns:
        (outputs, weights), and the scales that they are to be multiplied by, (outputs,).
    """
    largest = np.abs(rows).max(axis=1, keepdims=True)
    best = np.full((len(rows), 1), np.inf)
    scales = np.ones((len(rows), 1))
    for share in _SHARES:
        tried = np.where(largest > 0, largest * share / _MOST, 1.0)
        errors = ((_rounded(rows, tried) * tried - rows) ** 2).sum(axis=1, keepdims=True)
        scales, best = np.where(errors < best, tried, scales), np.minimum(errors, best)
    exact = scales.astype(np.float32)
    return _rounded(rows, exact).astype(np.int8), exact[:, 0]


def _rounded(rows: NDArray[np.float32], scales: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.clip(np.round(rows / scales), -_MOST, _MOST)
