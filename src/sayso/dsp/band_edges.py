"""Where a band of frequencies ends: smooth edges, in decibels over octaves."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["edge_db", "octaves_of_bins", "octaves_of_hertz"]

# Octaves are counted from here; bins below count as this.
_LOWEST_HERTZ = 62.5
# Beyond its cutoff a band ends within a third of an octave, by so much.
_STOP_DB, _SLOPE_OCTAVES = 60.0, 1 / 3


def octaves_of_hertz(hertz: float) -> float:
    """How many octaves a frequency above 0 lies above the lowest, which may be below 0.

    >>> octaves_of_hertz(250.0)
    2.0
    """
    return math.log2(hertz / _LOWEST_HERTZ)


def octaves_of_bins(bins: int, sample_rate: int) -> Float[Tensor, "bins"]:
    """How many octaves each bin of a spectrum, from 0 to half the rate in hertz, lies above the lowest frequency."""
    hertz = torch.linspace(0, sample_rate / 2, bins)
    return torch.log2(hertz.clamp(min=_LOWEST_HERTZ) / _LOWEST_HERTZ)


def edge_db(beyond: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Give the gain in dB so many octaves beyond a cutoff: 0 within the band, -60 from a third of an octave on."""
    return -_STOP_DB * (beyond / _SLOPE_OCTAVES).clamp(0, 1)
