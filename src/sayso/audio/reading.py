"""The only reader of sound files: a file, or a part of it, as one channel of samples."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sayso.audio.container import is_cut_short, openable, printable, why_unreadable
from sayso.audio.format import FULL_SCALE, HIGHEST_RATE, LOWEST_RATE, Samples
from sayso.audio.quiet import without_chatter
from sayso.audio.samples import to_float
from sayso.audio.scale import MOST_PEAK, count_beyond, find_peak, holds_int16, mix
from sayso.errors import AudioError
from sayso.system.wording import counted

__all__ = ["Sound", "decode", "probe", "read_sound"]

# ValueError and MemoryError: names and lengths that no file can have.
_UNREADABLE = (soundfile.LibsndfileError, OSError, ValueError, MemoryError)


@dataclass(frozen=True, eq=False)
class Sound:
    """A recording of one channel, at its own rate, and what was done to it that a person should know."""

    name: str
    """The file, as it can be printed, or what else it came from."""
    samples: Samples
    """(samples,); int16 where the file holds just those."""
    sample_rate: float
    """In hertz."""
    beyond: int = 0
    """Samples outside [-1, 1], which quantising clips."""
    was_int16: bool = False
    """Whether the file holds the whole numbers of int16 as floats, and they were divided by 32,768."""
    channel: int | None = None
    """The loudest channel, from 0, taken because the mean would lose its sound; None: the mean of all."""

    @property
    def remarks(self) -> Iterator[str]:
        """What was done to it, each in a few words."""
        if self.beyond:
            yield f"{counted(self.beyond, 'sample lies', 'samples lie')} outside [-1, 1] and will be clipped"
        if self.was_int16:
            yield "its floats are whole numbers of int16 and were divided by 32,768"
        if self.channel is not None:
            yield f"its channels all but cancel one another, so channel {self.channel + 1} was taken alone"


def read_sound(path: Path | str, *, start_seconds: float | None = None, end_seconds: float | None = None) -> Sound:
    """Read a file, or a part of it.

    Args:
        path: any file that libsndfile reads.
        start_seconds: where to begin; None: at the file's start.
        end_seconds: where to end; None: at the file's end.

    Raises:
        AudioError: the file is missing, not sound, cut short, empty, holds NaN or samples far outside [-1, 1], or has
            an absurd sample rate.
    """
    samples, rate, was_int16 = _read(path, start_seconds, end_seconds)
    name = printable(path)
    if len(samples) == 0:
        part = start_seconds is not None or end_seconds is not None
        raise AudioError(f"{name}: holds no sound" + (" between start and end" if part else ""))
    if samples.dtype == np.int16:
        return Sound(name, samples, rate)
    if not np.isfinite(samples).all():
        raise AudioError(f"{name}: holds samples that are not numbers (NaN or infinite)")
    floats = samples / np.float32(FULL_SCALE) if was_int16 else to_float(samples)
    mono, channel = (floats, None) if floats.ndim == 1 else mix(floats)
    if (peak := find_peak(mono)) > MOST_PEAK:
        raise AudioError(f"{name}: samples reach {peak:,.5g}, floats must lie in [-1, 1]; write it anew on that scale")
    return Sound(name, mono, rate, count_beyond(mono), was_int16, channel)


def decode(
    path: Path | str, *, start_seconds: float | None = None, end_seconds: float | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read a file, or a part of it, as mono samples in [-1, 1] (channels averaged) and its sample rate in hertz.

    Raises:
        AudioError: as `read_sound`.
    """
    sound = read_sound(path, start_seconds=start_seconds, end_seconds=end_seconds)
    return to_float(sound.samples), int(sound.sample_rate)


def probe(path: Path | str) -> tuple[float, int]:
    """Length in seconds and sample rate in hertz of a sound file, from its header.

    Raises:
        AudioError: it cannot be read as sound.
    """
    try:
        with without_chatter():
            info = soundfile.info(openable(path))
    except _UNREADABLE as error:
        raise AudioError(f"{printable(path)}: {why_unreadable(path)}") from error
    return info.frames / max(1, info.samplerate), int(info.samplerate)


def _read(path: Path | str, start_seconds: float | None, end_seconds: float | None) -> tuple[Samples, int, bool]:
    """Give the samples, (samples,) or (samples, channels), int16 where the file holds just one channel of those.

    Then their rate, and whether they are int16 stored as floats.
    """
    try:
        with without_chatter(), soundfile.SoundFile(openable(path)) as file:
            rate = int(file.samplerate)
            if not LOWEST_RATE <= rate <= HIGHEST_RATE:
                limits = f"{LOWEST_RATE} to {HIGHEST_RATE} Hz"
                raise AudioError(f"{printable(path)}: sample rate {rate} Hz, must be {limits}")
            first = _frame(start_seconds, 0, file)
            wanted = max(0, _frame(end_seconds, file.frames, file) - first)
            if first:
                file.seek(first)
            dtype = "int16" if file.channels == 1 and file.subtype == "PCM_16" else "float32"
            samples: Samples = np.asarray(file.read(wanted, dtype=dtype), dtype=dtype)
            if is_cut_short(path, file, wanted - len(samples)):
                raise AudioError(f"{printable(path)}: cut short, the file ends before its sound does")
            return samples, rate, holds_int16(file)
    except _UNREADABLE as error:
        raise AudioError(f"{printable(path)}: {why_unreadable(path)}") from error


def _frame(seconds: float | None, default: int, file: soundfile.SoundFile) -> int:
    return default if seconds is None else round(min(max(0.0, seconds * file.samplerate), file.frames))
