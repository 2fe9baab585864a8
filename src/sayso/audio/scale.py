"""Numbers outside [-1, 1], and channels that would cancel one another."""

from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from sayso.audio.format import FULL_SCALE, Samples

__all__ = [
    "MOST_PEAK",
    "Energies",
    "count_beyond",
    "find_peak",
    "holds_floats",
    "holds_int16",
    "mix",
    "take_channel",
    "with_numbers_alone",
]

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


def with_numbers_alone(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """Give samples of any shape with silence where they are no numbers (NaN or infinite), and how many those are."""
    numbers = np.isfinite(samples)
    lost = samples.size - int(np.count_nonzero(numbers))
    return (np.where(numbers, samples, np.float32(0)) if lost else samples), lost


def holds_floats(file: soundfile.SoundFile) -> bool:
    """Say whether a file holds floats, which may be any numbers."""
    return file.subtype in _FLOATS


def holds_int16(file: soundfile.SoundFile) -> bool:
    """Say whether a file of floats holds the whole numbers of int16, some of either sign and beyond what overshoots.

    The file is read from its beginning; true floats end the search at the first block.
    """
    if not holds_floats(file):
        return False
    least, most = 0.0, 0.0
    file.seek(0)
    while len(block := file.read(_BLOCK_FRAMES, dtype="float64", always_2d=True)):
        with np.errstate(invalid="ignore"):  # of NaN, which is told later, one kind is a warning
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
    energies = Energies()
    energies.add(samples)
    channel = energies.choose_channel()
    return take_channel(samples, channel), channel


def take_channel(samples: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """Give one of the channels of (samples, channels), or the mean of all: (samples,)."""
    if channel is None:
        return samples.mean(axis=1, dtype=np.float32)
    return np.ascontiguousarray(samples[:, channel])


class Energies:
    """How loud the channels of a sound are, each without its offset, and how loud their mean is; block by block."""

    def __init__(self) -> None:
        self._count = 0
        self._means: NDArray[np.float64] | float = 0.0
        self._squares: NDArray[np.float64] | float = 0.0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples, (samples, channels), at least one."""
        # Of each channel by itself: what a mean would keep of their offsets is not sound.
        parts = np.column_stack((samples, samples.mean(axis=1, dtype=np.float32)))
        count = self._count + len(parts)
        means = parts.mean(axis=0, dtype=np.float64)
        # https://doi.org/10.1007/978-3-642-51461-6_3, Chan, Golub & LeVeque: variances of parts put together.
        apart = (means - self._means) ** 2 * self._count * len(parts) / count
        self._squares = self._squares + parts.var(axis=0, dtype=np.float64) * len(parts) + apart
        self._means = self._means + (means - self._means) * len(parts) / count
        self._count = count

    def choose_channel(self) -> int | None:
        """Give the loudest channel where the mean would lose nearly all that is to be heard; None: the mean serves."""
        *channels, mean = np.atleast_1d(self._squares).tolist()
        loudest = max(channels)
        return None if mean >= _LEAST_KEPT * loudest else channels.index(loudest)
