"""Small sets of made-up clips for tests of the audit."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

__all__ = ["RATE", "spoken", "write_set"]

RATE = 8000


def spoken(rng: np.random.Generator, *, pitch_hz: float = 120.0, seconds: float = 0.35) -> np.ndarray:
    """Something like a word: harmonics that swell and fade, some hiss at the end, a pause around it."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch = pitch_hz * rng.uniform(0.92, 1.08)
    voice = sum(np.sin(2 * np.pi * k * pitch * time + rng.uniform(0, 6)) / k for k in range(1, 20))
    word = (
        0.1 * voice * np.hanning(len(time)) + 0.02 * rng.standard_normal(len(time)) * np.linspace(0, 1, len(time)) ** 2
    )
    pause = round(rng.uniform(0.08, 0.12) * RATE)
    return np.pad(word, pause) + 3e-4 * rng.standard_normal(len(time) + 2 * pause)


def write_set(folder: Path, changes: dict[str, Callable[[np.ndarray], np.ndarray]], *, clips: int = 60) -> Path:
    """Write `clips` of each of two words; the first of `yes` are changed and named by what was done to them."""
    rng = np.random.default_rng(0)
    names = list(changes)
    for word, pitch_hz in {"yes": 120.0, "no": 170.0}.items():
        (folder / word).mkdir(parents=True)
        for index in range(clips):
            wave = spoken(rng, pitch_hz=pitch_hz)
            name = names[index] if word == "yes" and index < len(names) else f"clip{index}"
            wave = changes[name](wave) if name in changes else wave
            soundfile.write(folder / word / f"{name}.wav", np.clip(wave, -1, 1), RATE, subtype="PCM_16")
    return folder
