"""Sound that is like speech and nobody's: buzz and hiss under formants, loud and faint, with noise behind it."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["make_babble"]

Wave = NDArray[np.float64]
_LARGEST = 32767


def make_babble(seconds: float, sample_rate: int) -> NDArray[np.int16]:
    """Make such sound, the same at every call; (samples,), at `sample_rate` in hertz."""
    rng = np.random.default_rng(0)
    samples = round(seconds * sample_rate)
    sound, place = _noise(rng, samples, sample_rate), 0
    while place < samples:
        length = int(rng.uniform(0.06, 0.35) * sample_rate)
        syllable = _syllable(rng, length, sample_rate)[: samples - place]
        sound[place : place + len(syllable)] += syllable
        pause = rng.uniform(0.1, 1.0) if rng.random() < 0.3 else 0.0
        place += int(length * rng.uniform(0.5, 1.1) + pause * sample_rate)
    return np.clip(np.round(sound * _LARGEST), -_LARGEST, _LARGEST).astype(np.int16)


def _noise(rng: np.random.Generator, samples: int, sample_rate: int) -> Wave:
    """Noise whose level wanders from second to second."""
    marks = np.arange(samples // sample_rate + 2) * sample_rate
    level_db = np.interp(np.arange(samples), marks, rng.uniform(-75, -35, len(marks)))
    return rng.standard_normal(samples) * 10 ** (level_db / 20)


def _syllable(rng: np.random.Generator, length: int, sample_rate: int) -> Wave:
    """A vowel, or a consonant that hisses, that rises and falls."""
    hertz = np.fft.rfftfreq(length, 1 / sample_rate)
    level, shape = 10 ** (rng.uniform(-45, -6) / 20), np.zeros(len(hertz))
    if rng.random() < 0.65:
        slide = 1 + 0.2 * rng.uniform(-1, 1) * np.linspace(-1, 1, length)
        source = np.diff(np.floor(np.cumsum(rng.uniform(80, 300) * slide / sample_rate)), prepend=0)
        for lowest, highest, width, least in ((250, 900, 80, 1), (800, 2600, 120, 0.1), (2200, 4000, 200, 0.05)):
            height = rng.uniform(least, 1.0)
            shape += height / (1 + ((hertz - rng.uniform(lowest, highest)) / width) ** 2)
    else:
        source = rng.standard_normal(length)
        shape += 1 / (1 + ((hertz - rng.uniform(1500, 6000)) / rng.uniform(500, 2500)) ** 2)
    wave = np.fft.irfft(np.fft.rfft(source) * shape, length)
    wave *= np.sin(np.pi * np.linspace(0, 1, length)) ** rng.uniform(0.3, 2)
    return wave * level / max(float(np.abs(wave).max()), 1e-9)
