"""From samples at any rate to a clip of fixed rate and length."""

from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sayso.audio.format import AudioFormat, Fit, Samples
from sayso.audio.reading import read_sound
from sayso.audio.samples import quantise, resample, to_float

__all__ = ["clip_from_file", "clip_from_samples", "fit_length"]


def clip_from_file(
    path: Path | str, audio: AudioFormat, *, start_seconds: float | None = None, end_seconds: float | None = None
) -> NDArray[np.int16]:
    """Read one file, or a part of it, as a clip.

    Args:
        path: any file that libsndfile reads.
        audio: rate, length and fitting.
        start_seconds: where to begin; None: at the file's start.
        end_seconds: where to end; None: at the file's end.

    Returns:
        int16 samples of shape (audio.clip_samples,).

    Raises:
        AudioError: as `read_sound`.
    """
    sound = read_sound(path, start_seconds=start_seconds, end_seconds=end_seconds)
    return clip_from_samples(sound.samples, sound.sample_rate, audio)


def clip_from_samples(samples: Samples, sample_rate: float, audio: AudioFormat) -> NDArray[np.int16]:
    """Bring mono samples at any rate to a clip: int16 of shape (audio.clip_samples,).

    Args:
        samples: (n,), float32 in [-1, 1] or int16, as `read_array` gives; int16 that needs no other rate goes through
            untouched, which is what the way through float32 gives too, since every int16 is exact there.
        sample_rate: rate of `samples` in hertz.
        audio: rate, length and fitting.
    """
    if sample_rate == audio.sample_rate:
        return quantise(fit_length(samples, audio.clip_samples, audio.fit))
    resampled = resample(to_float(samples), sample_rate, audio.sample_rate)
    return quantise(fit_length(resampled, audio.clip_samples, audio.fit))


def fit_length(samples: Samples, length: int, fit: Fit) -> Samples:
    """Cut or pad with zeros to (length,): the centre, the start, or the window with the most energy.

    >>> fit_length(np.array([1, 2, 3, 4, 5], dtype=np.float32), 3, "centre")
    array([2., 3., 4.], dtype=float32)
    >>> fit_length(np.array([1, 2], dtype=np.float32), 4, "centre")
    array([0., 1., 2., 0.], dtype=float32)
    """
    surplus = len(samples) - length
    if surplus == 0:
        return samples
    if surplus > 0:
        start = {"centre": surplus // 2, "start": 0}.get(fit)
        start = _loudest_start(samples, length) if start is None else start
        return samples[start : start + length]
    before = 0 if fit == "start" else -surplus // 2
    fitted = cast(Samples, np.zeros(length, samples.dtype))
    fitted[before : before + len(samples)] = samples
    return fitted


def _loudest_start(samples: Samples, length: int) -> int:
    energy = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    return int(np.argmax(energy[length:] - energy[:-length]))
