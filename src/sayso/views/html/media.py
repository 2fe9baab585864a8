"""Sounds and their pictures inside a page, as data URIs, so that it loads nothing."""

import base64

import numpy as np
from numpy.typing import NDArray

from sayso.audio import FULL_SCALE, encode_sound, resample
from sayso.views.plots.signals import spectrogram_png

__all__ = ["picture_uri", "small_sound_uri", "sound_uri"]

# Words are told apart as well, at a third of the size.
_SMALL_RATE = 11_025
_SMALL_STEP = 1 << 7
_SMALL_PEAK = 0.9


def sound_uri(samples: NDArray[np.int16], sample_rate: int) -> str:
    """Write a sound, (samples,) at a rate in hertz, as FLAC, or as WAV where FLAC does not know the rate."""
    try:
        return _data_uri("audio/flac", encode_sound(samples, sample_rate, "FLAC"))
    except ValueError:
        return _data_uri("audio/wav", encode_sound(samples, sample_rate, "WAV"))


def small_sound_uri(samples: NDArray[np.int16], sample_rate: int) -> str:
    """Write a sound small, where there are hundreds: at up to 11,025 Hz, of 9 bits, all at one peak; still FLAC."""
    wave = samples.astype(np.float32) / FULL_SCALE
    rate = min(sample_rate, _SMALL_RATE)
    wave = resample(wave, sample_rate, rate) if rate < sample_rate else wave
    peak = max(float(np.abs(wave).max(initial=0)), 1 / FULL_SCALE)
    steps = np.round(wave * (_SMALL_PEAK * FULL_SCALE / peak / _SMALL_STEP))
    return sound_uri((steps * _SMALL_STEP).astype(np.int16), rate)


def picture_uri(samples: NDArray[np.int16], sample_rate: int) -> str:
    """Draw the spectrogram of a sound as PNG."""
    return _data_uri("image/png", spectrogram_png(samples, sample_rate))


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
