"""Sounds that tests make or write into files, and the one line by which a file is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from sayso.audio import AudioFormat, clip_from_file
from sayso.errors import AudioError

__all__ = ["ONE_SECOND", "RATE", "hiss", "pulsed_voice", "refusal", "sine", "write"]

RATE = 16_000
ONE_SECOND = AudioFormat()


def sine(pitch_hz: float = 440.0, *, rate: int = RATE, seconds: float = 1.0) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def hiss(samples: int = 5 * RATE) -> NDArray[np.float32]:
    return (0.2 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def pulsed_voice(rate: int) -> NDArray[np.float32]:
    """Give a second of pulses at 100 Hz through a resonance at 1,000 Hz."""
    time = np.arange(rate) / rate
    pulses = np.zeros(rate)
    pulses[:: rate // 100] = 1
    ring = np.exp(-2 * np.pi * 150 * time[:400]) * np.sin(2 * np.pi * 1000 * time[:400])
    voice = np.convolve(pulses, ring)[:rate]
    return (0.2 * voice / np.abs(voice).max()).astype(np.float32)


def write(path: Path, samples: NDArray[Any], *, rate: int = RATE, **options: Any) -> Path:
    soundfile.write(path, samples, rate, **options)
    return path


def refusal(path: Path, **options: Any) -> str:
    """Give the one line that says why a file is refused."""
    with pytest.raises(AudioError) as caught:
        clip_from_file(path, ONE_SECOND, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")
