"""The one entry for sound that a caller holds as numbers: what is no sound for sure is refused, not guessed at."""

import math
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sayso.audio.format import HIGHEST_RATE, LOWEST_RATE, Samples
from sayso.audio.scale import MOST_PEAK, find_peak
from sayso.errors import AudioError

__all__ = ["check_rate", "read_array"]

_WANTED = "must be float in [-1, 1] or int16"
_FLOATS = ("float16", "float32", "float64")


def read_array(sound: object) -> Samples:
    """Give one channel of sound as float32 or native int16, from an array or a list of numbers.

    Args:
        sound: (samples,): floats of 16 to 64 bits in [-1, 1], int16 of either byte order, or a list of such numbers; a
            list of whole numbers alone is int16.

    Raises:
        AudioError: it is anything else, empty, not finite, or reaches beyond `MOST_PEAK`; says what was given.
    """
    samples = _as_array(sound)
    if samples.ndim != 1 or len(samples) == 0:
        raise AudioError(
            f"samples have shape {samples.shape}, must be (samples,) with at least one; average channels first"
        )
    if samples.dtype.kind == "i" and samples.dtype.itemsize == 2:  # its name takes as long as all else here
        return samples.astype(np.int16, copy=False)
    if samples.dtype.name not in _FLOATS:
        raise AudioError(f"samples are {samples.dtype.name}, {_WANTED}")
    if not np.isfinite(samples).all():
        raise AudioError("samples hold values that are not numbers (NaN or infinite)")
    if (peak := find_peak(samples)) > MOST_PEAK:
        raise AudioError(f"samples reach {peak:,.5g}, floats must lie in [-1, 1]; divide those of int16 by 32768 first")
    return samples.astype(np.float32, copy=False)


def check_rate(sample_rate: object, name: str = "sample_rate") -> float:
    """Give a sample rate in hertz that sound may have; `name` says in messages where it was given.

    Raises:
        AudioError: it is no number, or out of range.
    """
    is_number = isinstance(sample_rate, int | float | np.integer | np.floating) and not isinstance(sample_rate, bool)
    rate = float(cast(float, sample_rate)) if is_number else math.nan
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise AudioError(f"{name} is {sample_rate!r}, must be {LOWEST_RATE} to {HIGHEST_RATE} Hz")
    return rate


def _as_array(sound: object) -> NDArray[Any]:
    """Give what was handed over as an array of its own kind; the whole numbers of a list as int16 where they fit."""
    is_list = isinstance(sound, list | tuple)
    if not is_list and not hasattr(sound, "__array__"):
        raise AudioError(f"samples are a {type(sound).__name__}, must be an array or a list of numbers")
    try:
        samples = np.asarray(sound)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        raise AudioError(f"samples are a {type(sound).__name__} that is no array of numbers; {_WANTED}") from error
    if is_list and samples.dtype == np.int64 and samples.size:
        least, most = int(samples.min()), int(samples.max())
        if least < -32768 or most > 32767:
            raise AudioError(f"samples are whole numbers from {least:,} to {most:,}, {_WANTED}")
        return samples.astype(np.int16)
    return samples
