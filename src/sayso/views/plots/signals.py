"""Small pictures of a sound itself."""

import io
from functools import cache

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sayso.audio import to_float

__all__ = ["LOWEST_DB", "spectrogram_levels", "spectrogram_png"]

_COLUMNS, _ROWS = 240, 96
_LEVELS = 64  # as many as the eye tells apart at this size; fewer make the file smaller
LOWEST_DB = -70.0
"""What is black in a small spectrogram, against its loudest point."""
_WINDOW_SECONDS = 0.025


def spectrogram_png(samples: NDArray[np.int16], sample_rate: int) -> bytes:
    """Draw a clip's spectrogram, 240 x 96 pixels: time from left to right, frequency from the bottom up.

    It spans 0 Hz to half the sample rate. Shown is the power of Hann windows of about 25 ms,
    in dB: the brightest point is the clip's loudest, the darkest 70 dB below.

    Args:
        samples: the clip, (samples,), of any length.
        sample_rate: in hertz.

    Returns:
        The bytes of a PNG file with a palette that also rises evenly in grey (magma).
    """
    levels = np.rint(spectrogram_levels(samples, sample_rate) * (_LEVELS - 1)).astype(np.uint8)
    return _png(np.ascontiguousarray(levels))


def spectrogram_levels(samples: NDArray[np.int16], sample_rate: int) -> NDArray[np.float64]:
    """Give the brightness that `spectrogram_png` draws: 0 to 1, (96, 240), the highest frequency first."""
    window = max(16, round(_WINDOW_SECONDS * sample_rate))
    wave = to_float(samples)
    wave = np.pad(wave, (0, max(0, window - len(wave))))
    starts = np.linspace(0, len(wave) - window, _COLUMNS).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(wave, window)[starts]  # (columns, window)
    spectrum = np.fft.rfft(frames * np.hanning(window).astype(np.float32), n=max(256, _next_power_of_2(window)))
    power = spectrum.real**2 + spectrum.imag**2  # (columns, bins)
    edges = np.linspace(0, power.shape[1], _ROWS + 1).astype(np.int64)
    rows = np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges)  # (columns, rows)
    top = float(rows.max())
    relative_db = 10 * np.log10(np.maximum(rows / top, 1e-12)) if top > 0 else np.full_like(rows, LOWEST_DB)
    return np.clip(1 - relative_db / LOWEST_DB, 0, 1).T[::-1].astype(np.float64)


def _next_power_of_2(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _png(levels: NDArray[np.uint8]) -> bytes:
    image = Image.fromarray(levels)
    image.putpalette(_palette())
    target = io.BytesIO()
    image.save(target, format="PNG")
    return target.getvalue()


@cache
def _palette() -> bytes:
    colours = mpl.colormaps["magma"](np.linspace(0, 1, _LEVELS))[:, :3]
    return np.rint(colours * 255).astype(np.uint8).tobytes()
