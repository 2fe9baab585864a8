"""Numbers outside [-1, 1], and channels that would cancel one another."""

from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from sayso.audio.format import FULL_SCALE, Samples

__all__ = ["MOST_PEAK", "count_beyond", "find_peak", "holds_int16", "mix"]

MOST_PEAK = 2.0
"""Decoders and resampling overshoot full scale by a little; numbers above this are on another scale."""
_FLOATS = ("FLOAT", "DOUBLE")
_BLOCK_FRAMES = 1 << 14
# Of the energy of the loudest channel: two unlike channels keep half of it, five a fifth; one in use of three or more
# keeps a ninth, and what is left of a channel and its mirror image is far less.
_LEAST_KEPT = 1 / 8


def find_peak(samples: NDArray[np.floating[Any]]) -> float:
    """Find the greatest magnitude of some samples, (samples,)."""
    return max(float(samples.max()), -float(samples.min()))


def count_beyond(samples: Samples) -> int:
    """Count samples outside [-1, 1]; int16 cannot be."""
    return 0 if samples.dtype.kind == "i" else int(np.count_nonzero(np.abs(samples) > 1))


def holds_int16(file: soundfile.SoundFile) -> bool:
    """Say whether a file of floats holds the whole numbers of int16, some of either sign and beyond what overshoots.

    The file is read from its beginning; true floats end the search at the first block.
    """
    if file.subtype not in _FLOATS:
        return False
    least, most = 0.0, 0.0
    file.seek(0)
    while len(block := file.read(_BLOCK_FRAMES, dtype="float64", always_2d=True)):
        if not np.array_equal(block, np.rint(block)):
            return False
        least, most = min(least, float(block.min())), max(most, float(block.max()))
    return -FULL_SCALE <= least < 0 < most <= FULL_SCALE and max(-least, most) > MOST_PEAK


def mix(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], int | None]:
    """Give the mean of the channels, or the loudest one where the mean would lose nearly all that is to be heard.

    Args:
        samples: (samples, channels).

    Returns:
        (samples,), and which channel was taken; None: the mean.
    """
    mean = samples.mean(axis=1, dtype=np.float32)
    # Of each channel by itself, without its offset: what a mean would keep of them is not sound.
    energies = samples.var(axis=0, dtype=np.float64)
    loudest = int(energies.argmax())
    if mean.var(dtype=np.float64) >= _LEAST_KEPT * energies[loudest]:
        return mean, None
    return np.ascontiguousarray(samples[:, loudest]), loudest
