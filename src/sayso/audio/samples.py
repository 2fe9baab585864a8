"""Samples at another rate, and on another scale."""

import numpy as np
import soxr
from numpy.typing import NDArray

from sayso.audio.format import FULL_SCALE, Samples

__all__ = ["quantise", "resample", "to_float"]


def resample(samples: NDArray[np.float32], from_rate: float, to_rate: float) -> NDArray[np.float32]:
    """Bring samples from one rate to another in hertz, by soxr's HQ recipe; (n,) to about (n * to / from,)."""
    if from_rate == to_rate:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate, quality="HQ"), dtype=np.float32)


def quantise(samples: Samples) -> NDArray[np.int16]:
    """Round samples in [-1, 1] to int16; what lies outside is clipped, and int16 stays as it is.

    >>> quantise(np.array([0.0, 0.5, 1.0, -2.0], dtype=np.float32))
    array([     0,  16384,  32767, -32768], dtype=int16)
    """
    if samples.dtype.kind == "i":
        return samples.astype(np.int16, copy=False)
    return np.clip(np.rint(samples * np.float32(FULL_SCALE)), -32768, 32767).astype(np.int16)


def to_float(samples: Samples) -> NDArray[np.float32]:
    """Give int16 samples as float32 in [-1, 1), which is what models take; floats keep their values."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32, copy=False)
    return samples.astype(np.float32) / np.float32(FULL_SCALE)
