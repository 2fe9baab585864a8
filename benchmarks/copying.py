"""Ways to change a clip that leave it the same recording: softer, earlier, later, noisy, coded, resampled."""

import io
from collections.abc import Callable

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

__all__ = ["Samples", "copying_kinds"]

Samples = NDArray[np.int16]


def copying_kinds(rate: int) -> list[Callable[[Samples, int], Samples]]:
    """Give the ways to change a clip; each takes it and a seed."""
    return [
        lambda clip, _: _quantise(clip * 0.3),
        lambda clip, _: _shift(clip, rate // 9),
        lambda clip, _: _shift(clip, -rate // 7),
        lambda clip, seed: _add_noise(clip, 20, seed),
        lambda clip, _: _code(clip, rate),
        lambda clip, _: _resample(clip, rate),
        lambda clip, seed: _add_noise(_shift(_quantise(clip * 0.4), rate // 20), 25, seed),
    ]


def _quantise(sound: NDArray[np.floating]) -> Samples:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def _shift(clip: Samples, count: int) -> Samples:
    moved = np.roll(clip, count)
    moved[slice(0, count) if count > 0 else slice(count, None)] = 0
    return moved


def _add_noise(clip: Samples, snr_db: float, seed: int) -> Samples:
    level = np.sqrt(np.mean(np.square(clip, dtype=np.float64))) * 10 ** (-snr_db / 20)
    return _quantise(clip + np.random.default_rng(seed).normal(0, level, len(clip)))


def _code(clip: Samples, rate: int) -> Samples:
    file = io.BytesIO()
    soundfile.write(file, clip, rate, format="OGG", subtype="VORBIS")
    file.seek(0)
    return _quantise(soundfile.read(file)[0] * 32768)


def _resample(clip: Samples, rate: int) -> Samples:
    through = rate * 7 // 10
    back = soxr.resample(soxr.resample(clip.astype(np.float64), rate, through), through, rate)
    return _quantise(np.resize(back, len(clip)))
