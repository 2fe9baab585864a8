"""The only reader of sound files: a file, or a part of it, as one channel of samples."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from sayso.audio.container import CUT_SHORT, has_no_end, is_cut_short, openable, printable, why_unreadable
from sayso.audio.format import FULL_SCALE, HIGHEST_RATE, LOWEST_RATE, Samples
from sayso.audio.headers import UNKNOWN_FRAMES, complete
from sayso.audio.media import find_medium, probe_media, read_media
from sayso.audio.quiet import without_chatter
from sayso.audio.samples import to_float
from sayso.audio.scale import MOST_PEAK, count_beyond, find_peak, holds_int16, mix
from sayso.errors import AudioError
from sayso.system.wording import counted

__all__ = [
    "Sound",
    "bring_to_scale",
    "check_file_rate",
    "decode",
    "dtype_of",
    "open_sound",
    "probe",
    "read_sound",
]

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
    no_numbers: int = 0
    """Samples of its channels that are NaN or infinite, in place of which there is silence."""
    has_no_end: bool = False
    """Whether its end may be missing, of which the file itself does not know."""

    @property
    def remarks(self) -> Iterator[str]:
        """What was done to it, each in a few words."""
        if self.beyond:
            yield f"{counted(self.beyond, 'sample lies', 'samples lie')} outside [-1, 1] and will be clipped"
        if self.was_int16:
            yield "its floats are whole numbers of int16 and were divided by 32,768"
        if self.channel is not None:
            yield f"its channels all but cancel one another, so channel {self.channel + 1} was taken alone"
        if self.no_numbers:
            none = counted(self.no_numbers, "sample that is", "samples that are")
            yield f"{none} no number (NaN or infinite) became silence"
        if self.has_no_end:
            yield "its last page is not marked as the last, so that its end may be missing"


def read_sound(path: Path | str, *, start_seconds: float | None = None, end_seconds: float | None = None) -> Sound:
    """Read a file, or a part of it.

    Args:
        path: any file that libsndfile reads, or with the extra `media` FFmpeg.
        start_seconds: where to begin; None: at the file's start.
        end_seconds: where to end; None: at the file's end.

    Raises:
        AudioError: the file is missing, not sound, cut short, empty, holds NaN or samples far outside [-1, 1], or has
            an absurd sample rate.
    """
    name = printable(path)
    samples, read = _read(path, name, start_seconds, end_seconds)
    if len(samples) == 0:
        part = start_seconds is not None or end_seconds is not None
        if read.has_no_end and not part:
            raise AudioError(f"{name}: {CUT_SHORT}")
        none_asked = start_seconds is not None or (end_seconds is not None and end_seconds <= 0)
        raise AudioError(f"{name}: holds no sound" + (" between start and end" if none_asked else ""))
    if samples.dtype == np.int16:
        return replace(read, samples=samples)
    floats = bring_to_scale(samples, name, was_int16=read.was_int16)
    mono, channel = (floats, None) if floats.ndim == 1 else mix(floats)
    return replace(read, samples=mono, beyond=count_beyond(mono), channel=channel)


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
    if medium := find_medium(path):
        return probe_media(path, medium)
    with open_sound(path) as file:
        return file.frames / max(1, file.samplerate), int(file.samplerate)


def bring_to_scale(samples: Samples, name: str, *, was_int16: bool) -> NDArray[np.float32]:
    """Give the samples of a file, of one channel or several, as floats in [-1, 1], or a little beyond.

    Raises:
        AudioError: they are not numbers, or on another scale.
    """
    if not np.isfinite(samples).all():
        raise AudioError(f"{name}: holds samples that are not numbers (NaN or infinite)")
    floats = samples / np.float32(FULL_SCALE) if was_int16 else to_float(samples)
    if (peak := find_peak(floats)) > MOST_PEAK:
        scale = "must lie in [-1, 1]: it is damaged, or was written on another scale"
        raise AudioError(f"{name}: samples reach {peak:,.5g}, {scale}")
    return floats


def check_file_rate(rate: int, name: str) -> int:
    """Give the rate of a file in hertz; raises AudioError where no sound has such."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise AudioError(f"{name}: sample rate {rate} Hz, must be {LOWEST_RATE} to {HIGHEST_RATE} Hz")
    return rate


@contextmanager
def open_sound(path: Path | str) -> Generator[soundfile.SoundFile]:
    """Open a file for reading, with a length that is true; what cannot be read inside is an AudioError, too."""
    try:
        with without_chatter(), ExitStack() as stack:
            file = stack.enter_context(soundfile.SoundFile(openable(path)))
            if (content := complete(path, file)) is not None:
                file = stack.enter_context(soundfile.SoundFile(BytesIO(content)))
            if file.frames == UNKNOWN_FRAMES:
                raise AudioError(f"{printable(path)}: {CUT_SHORT}")
            yield file
    except _UNREADABLE as error:
        raise AudioError(f"{printable(path)}: {why_unreadable(path)}") from error


def _read(path: Path | str, name: str, start_seconds: float | None, end_seconds: float | None) -> tuple[Samples, Sound]:
    """Give the samples, (samples,) or (samples, channels), int16 where the file holds just one channel of those.

    Then what the file says of them, as a sound whose samples are still to come.
    """
    none = np.zeros(0, np.float32)
    if medium := find_medium(path):
        samples, rate = read_media(path, medium, start_seconds=start_seconds, end_seconds=end_seconds)
        return samples, Sound(name, none, check_file_rate(rate, name))
    with open_sound(path) as file:
        rate = check_file_rate(int(file.samplerate), name)
        first = _frame(start_seconds, 0, file)
        wanted = max(0, _frame(end_seconds, file.frames, file) - first)
        if first:
            if file.format == "OGG":
                # libsndfile 1.2.2 dies of a damaged Vorbis file in a seek before anything was decoded.
                file.read(1)
            file.seek(first)
        dtype = dtype_of(file)
        samples = np.asarray(file.read(wanted, dtype=dtype), dtype=dtype)
        if is_cut_short(path, file, wanted - len(samples)):
            raise AudioError(f"{name}: {CUT_SHORT}")
        return samples, Sound(name, none, rate, was_int16=holds_int16(file), has_no_end=has_no_end(path, file))


def dtype_of(file: soundfile.SoundFile) -> Literal["int16", "float32"]:
    """Say as what the samples of a file are read: as int16 where it holds one channel of just those."""
    return "int16" if file.channels == 1 and file.subtype == "PCM_16" else "float32"


def _frame(seconds: float | None, default: int, file: soundfile.SoundFile) -> int:
    return default if seconds is None else round(min(max(0.0, seconds * file.samplerate), file.frames))
