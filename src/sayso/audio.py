"""From a sound file to a clip of fixed rate and length: the one path, for training and for answering.

decode (any file libsndfile reads, channels averaged) -> resample (soxr) -> fit to length -> quantise to int16.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from sayso.errors import AudioError
from sayso.schema import Positive, Range, Settings

__all__ = [
    "FULL_SCALE",
    "RESAMPLER",
    "AudioFormat",
    "Fit",
    "clip_from_file",
    "clip_from_samples",
    "decode",
    "fit_length",
    "probe",
    "quantise",
    "resample",
    "to_float",
]

Fit = Literal["centre", "start", "loudest"]
FULL_SCALE = 32768.0
RESAMPLER = "soxr HQ"
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000


@dataclass(frozen=True, kw_only=True)
class AudioFormat(Settings):
    """How clips reach the model: their sample rate, their length, and which part is taken when they are longer."""

    sample_rate: Annotated[int, Range(least=LOWEST_RATE, most=192_000)] = 16_000
    """Samples a second; every file is resampled to it."""
    clip_seconds: Annotated[Positive, Range(most=60)] = 1.0
    """Length of a clip in seconds; shorter files are padded with silence, longer ones cut."""
    fit: Fit = "centre"
    """Which part of a longer file is taken, and where a shorter one is placed: centre, start, or loudest part."""

    @property
    def clip_samples(self) -> int:
        """Length of a clip in samples."""
        return max(1, round(self.clip_seconds * self.sample_rate))


def clip_from_file(
    path: Path, audio: AudioFormat, *, start_seconds: float | None = None, end_seconds: float | None = None
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
        AudioError: the file is missing, not sound, cut short, empty, holds NaN or has an absurd sample rate.
    """
    samples, sample_rate = decode(path, start_seconds=start_seconds, end_seconds=end_seconds)
    return clip_from_samples(samples, sample_rate, audio)


def clip_from_samples(samples: NDArray[np.float32], sample_rate: int, audio: AudioFormat) -> NDArray[np.int16]:
    """Bring mono samples in [-1, 1] at any rate to a clip: int16 of shape (audio.clip_samples,)."""
    return quantise(fit_length(resample(samples, sample_rate, audio.sample_rate), audio.clip_samples, audio.fit))


def decode(
    path: Path, *, start_seconds: float | None = None, end_seconds: float | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read a file, or a part of it, as mono samples in [-1, 1] (channels averaged) and its sample rate in hertz.

    Raises:
        AudioError: as `clip_from_file`.
    """
    try:
        with soundfile.SoundFile(path) as file:
            rate = int(file.samplerate)
            if not LOWEST_RATE <= rate <= HIGHEST_RATE:
                raise AudioError(f"{path}: sample rate {rate} Hz, must be {LOWEST_RATE} to {HIGHEST_RATE} Hz")
            start = min(file.frames, round((start_seconds or 0.0) * rate))
            end = file.frames if end_seconds is None else min(file.frames, round(end_seconds * rate))
            if start:
                file.seek(start)
            wanted = max(0, end - start)
            samples = np.asarray(file.read(wanted, dtype="float32"), dtype=np.float32)
    except (soundfile.LibsndfileError, OSError) as error:
        reason = "no such file" if not path.exists() else "cannot be read as sound"
        raise AudioError(f"{path}: {reason}") from error
    if samples.shape[0] == 0:
        raise AudioError(f"{path}: holds no sound" + (" between start and end" if start_seconds else ""))
    if samples.shape[0] < wanted:
        raise AudioError(f"{path}: cut short, {samples.shape[0]} of {wanted} samples are there")
    mono = samples if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float32)
    if not np.isfinite(mono).all():
        raise AudioError(f"{path}: holds samples that are not numbers (NaN or infinite)")
    return mono, rate


def probe(path: Path) -> tuple[float, int]:
    """Length in seconds and sample rate in hertz of a sound file, from its header.

    Raises:
        AudioError: it cannot be read as sound.
    """
    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(f"{path}: cannot be read as sound") from error
    return info.frames / max(1, info.samplerate), int(info.samplerate)


def resample(samples: NDArray[np.float32], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Bring samples from one rate to another in hertz, by soxr's HQ recipe; (n,) to about (n * to / from,)."""
    if from_rate == to_rate:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate, quality="HQ"), dtype=np.float32)


def fit_length(samples: NDArray[np.float32], length: int, fit: Fit) -> NDArray[np.float32]:
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
    return np.pad(samples, (before, -surplus - before))


def quantise(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round samples in [-1, 1] to int16; what lies outside is clipped.

    >>> quantise(np.array([0.0, 0.5, 1.0, -2.0], dtype=np.float32))
    array([     0,  16384,  32767, -32768], dtype=int16)
    """
    return np.clip(np.rint(samples * np.float32(FULL_SCALE)), -32768, 32767).astype(np.int16)


def to_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Give int16 samples as float32 in [-1, 1), which is what models take."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def _loudest_start(samples: NDArray[np.float32], length: int) -> int:
    energy = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    return int(np.argmax(energy[length:] - energy[:-length]))
