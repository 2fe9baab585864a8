"""Sounds and their pictures inside a page, as data URIs, so that it loads nothing."""

import base64

import numpy as np
from numpy.typing import NDArray

from sayso.audio import encode_sound
from sayso.views.plots.signals import spectrogram_png

__all__ = ["picture_uri", "sound_uri"]


def sound_uri(samples: NDArray[np.int16], sample_rate: int) -> str:
    """Write a sound, (samples,) at a rate in hertz, as FLAC, or as WAV where FLAC does not know the rate."""
    try:
        return _data_uri("audio/flac", encode_sound(samples, sample_rate, "FLAC"))
    except ValueError:
        return _data_uri("audio/wav", encode_sound(samples, sample_rate, "WAV"))


def picture_uri(samples: NDArray[np.int16], sample_rate: int) -> str:
    """Draw the spectrogram of a sound as PNG."""
    return _data_uri("image/png", spectrogram_png(samples, sample_rate))


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
