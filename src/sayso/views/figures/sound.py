"""A sound to look at, and what can be seen of it without any representation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.audio import FULL_SCALE, AudioFormat, clip_from_file, clip_from_samples, decode, to_float
from sayso.views.plots.panels import Curves

__all__ = [
    "LOWEST_HERTZ",
    "Sound",
    "make_dft_panel",
    "make_vowel",
    "make_waveform_panel",
    "make_zoom_panel",
    "read_sound",
]

LOWEST_HERTZ = 50.0
"""Where logarithmic frequency axes begin."""
_MOST_SECONDS = 60.0
_HIGHEST_RATE = 192_000
_ZOOM_SAMPLES = 200
_MOST_POINTS = 2000
# A man's "ah" (Peterson and Barney 1952, rounded): formants and their bandwidths in hertz.
_FORMANTS = ((700.0, 80.0), (1200.0, 90.0), (2600.0, 120.0), (3500.0, 200.0))


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound with its name and format."""

    name: str
    wave: NDArray[np.float32]
    """(audio.clip_samples,), in [-1, 1)."""
    audio: AudioFormat

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.wave) / self.audio.sample_rate

    def bring_to_peak(self) -> "Sound":
        """Bring the sound to a peak of 1, as `level: peak` has it; silence stays silence."""
        peak = max(float(np.abs(self.wave).max()), 1 / FULL_SCALE)
        return Sound(f"{self.name}, at a peak of 1", (self.wave / peak).astype(np.float32), self.audio)


def read_sound(path: Path, audio: AudioFormat | None = None) -> Sound:
    """Read a file as it is (up to 60 s), or as a model with that format hears it.

    Raises:
        AudioError: it is no sound.
    """
    if audio is not None:
        return Sound(path.name, to_float(clip_from_file(path, audio)), audio)
    samples, rate = decode(path)
    seconds = min(_MOST_SECONDS, len(samples) / rate)
    whole = AudioFormat(sample_rate=min(rate, _HIGHEST_RATE), clip_seconds=seconds, fit="start")
    return Sound(path.name, to_float(clip_from_samples(samples, rate, whole)), whole)


def make_vowel(audio: AudioFormat) -> Sound:
    """Make an "ah" of falling pitch that begins softly over a faint hiss, to look at where no recording is."""
    time = np.arange(audio.clip_samples) / audio.sample_rate
    length = max(1e-3, float(time[-1]))
    pitch_hertz = 130 - 40 * time / length
    phase = 2 * np.pi * np.cumsum(pitch_hertz) / audio.sample_rate
    wave = np.zeros_like(time)
    for harmonic in range(1, int(0.45 * audio.sample_rate / 130) + 1):
        gain = sum(1 / (1 + ((harmonic * pitch_hertz - formant) / width) ** 2) for formant, width in _FORMANTS)
        wave += gain / np.sqrt(harmonic) * np.sin(harmonic * phase)
    loudness = np.clip((time / length - 0.15) / 0.25, 0, 1) * np.clip((0.9 - time / length) / 0.2, 0, 1)
    voiced = wave * loudness / max(1e-9, float(np.abs(wave).max()))
    hiss = np.random.default_rng(0).standard_normal(len(time))
    return Sound("a made-up 'ah'", (0.6 * voiced + 0.004 * hiss).astype(np.float32), audio)


def make_waveform_panel(sound: Sound) -> Curves:
    """Show the whole wave; of a long one the extremes of each short stretch."""
    stretch = -(-len(sound.wave) // _MOST_POINTS)
    whole = np.pad(sound.wave.astype(np.float64), (0, -len(sound.wave) % stretch), mode="edge").reshape(-1, stretch)
    x = np.arange(len(whole)) * stretch / sound.audio.sample_rate
    y = whole[:, 0]
    if stretch > 1:  # down and up again in each stretch draws its whole range
        x, y = np.repeat(x, 2), np.stack((whole.min(axis=1), whole.max(axis=1)), axis=1).ravel()
    return Curves(
        title="Waveform",
        x=x,
        ys=y[None],
        x_label="time (s)",
        y_label="amplitude (full scale 1)",
        thin=True,
    )


def make_zoom_panel(sound: Sound) -> Curves:
    """Show the 200 samples around the loudest one."""
    loudest = int(np.abs(sound.wave).argmax())
    start = max(0, min(loudest - _ZOOM_SAMPLES // 2, len(sound.wave) - _ZOOM_SAMPLES))
    some = sound.wave[start : start + _ZOOM_SAMPLES].astype(np.float64)
    return Curves(
        title=f"{len(some)} samples from {start / sound.audio.sample_rate:.3f} s on, around the loudest",
        x=1000 * np.arange(len(some)) / sound.audio.sample_rate,
        ys=some[None],
        x_label="time (ms)",
        y_label="amplitude (full scale 1)",
        marker=".",
        thin=True,
    )


def make_dft_panel(sound: Sound) -> Curves:
    """Show the magnitude of the clip's Fourier transform, the highest of neighbours where there are too many."""
    size = np.abs(np.fft.rfft(sound.wave.astype(np.float64))) * 2 / len(sound.wave)
    hertz = np.arange(len(size)) * sound.audio.sample_rate / len(sound.wave)
    edges = np.geomspace(LOWEST_HERTZ, max(2 * LOWEST_HERTZ, sound.audio.sample_rate / 2), _MOST_POINTS)
    first = np.unique(np.searchsorted(hertz, edges[:-1]))
    first = first[first < len(size)]
    return Curves(
        title="Fourier transform of the whole clip",
        x=hertz[first],
        ys=np.maximum.reduceat(size, first)[None],
        x_label="frequency (Hz)",
        y_label="magnitude (full scale 1)",
        log_x=True,
        thin=True,
    )
