"""From a sound file to a clip of fixed rate and length: the one path, for training and for answering.

decode (any file libsndfile reads, channels averaged) -> resample (soxr) -> fit to length -> quantise to int16.
"""

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from sayso.config.schema import Positive, Range, Settings
from sayso.errors import AudioError

__all__ = [
    "FULL_SCALE",
    "RESAMPLER",
    "AudioFormat",
    "Fit",
    "Samples",
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
Samples = NDArray[np.float32] | NDArray[np.int16]
"""Sound as float32 in [-1, 1], or as int16 at full scale."""
# ValueError and MemoryError: names and lengths that no file can have.
_UNREADABLE = (soundfile.LibsndfileError, OSError, ValueError, MemoryError)
# What libsndfile logs when a header (WAV, AIFF, W64, AU) claims more bytes than are there.
_CLAIMED_BYTES = re.compile(r"\b(?:data|SSND|riff|Data Size)\s*: (\d+) \(should be (\d+)\)")
# Programs that write to a pipe cannot know the length, and claim about 2 or 4 GiB.
_UNKNOWN_BYTES = 0x7FFF_0000
_MP3_SLACK_SAMPLES = 2 * 1152
_OGG_PAGE_BYTES = 65_307


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
    path: Path | str, audio: AudioFormat, *, start_seconds: float | None = None, end_seconds: float | None = None
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
    samples, sample_rate = _read(path, start_seconds, end_seconds)
    return clip_from_samples(samples, sample_rate, audio)


def clip_from_samples(samples: Samples, sample_rate: int, audio: AudioFormat) -> NDArray[np.int16]:
    """Bring mono samples at any rate to a clip: int16 of shape (audio.clip_samples,).

    Args:
        samples: (n,), float32 in [-1, 1] or int16; int16 that needs no other rate goes through untouched, which is
            what the way through float32 gives too, since every int16 is exact there.
        sample_rate: rate of `samples` in hertz.
        audio: rate, length and fitting.
    """
    if sample_rate == audio.sample_rate:
        return quantise(fit_length(samples, audio.clip_samples, audio.fit))
    resampled = resample(to_float(samples), sample_rate, audio.sample_rate)
    return quantise(fit_length(resampled, audio.clip_samples, audio.fit))


def decode(
    path: Path | str, *, start_seconds: float | None = None, end_seconds: float | None = None
) -> tuple[NDArray[np.float32], int]:
    """Read a file, or a part of it, as mono samples in [-1, 1] (channels averaged) and its sample rate in hertz.

    Raises:
        AudioError: as `clip_from_file`.
    """
    samples, sample_rate = _read(path, start_seconds, end_seconds)
    return to_float(samples), sample_rate


def probe(path: Path | str) -> tuple[float, int]:
    """Length in seconds and sample rate in hertz of a sound file, from its header.

    Raises:
        AudioError: it cannot be read as sound.
    """
    try:
        info = soundfile.info(_openable(path))
    except _UNREADABLE as error:
        raise AudioError(f"{_name(path)}: {_why_unreadable(path)}") from error
    return info.frames / max(1, info.samplerate), int(info.samplerate)


def resample(samples: NDArray[np.float32], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Bring samples from one rate to another in hertz, by soxr's HQ recipe; (n,) to about (n * to / from,)."""
    if from_rate == to_rate:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate, quality="HQ"), dtype=np.float32)


def fit_length(samples: Samples, length: int, fit: Fit) -> Samples:
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
    fitted = cast(Samples, np.zeros(length, samples.dtype))
    fitted[before : before + len(samples)] = samples
    return fitted


def quantise(samples: Samples) -> NDArray[np.int16]:
    """Round samples in [-1, 1] to int16; what lies outside is clipped, and int16 stays as it is.

    >>> quantise(np.array([0.0, 0.5, 1.0, -2.0], dtype=np.float32))
    array([     0,  16384,  32767, -32768], dtype=int16)
    """
    if samples.dtype == np.int16:
        return samples.astype(np.int16, copy=False)
    return np.clip(np.rint(samples * np.float32(FULL_SCALE)), -32768, 32767).astype(np.int16)


def to_float(samples: Samples) -> NDArray[np.float32]:
    """Give int16 samples as float32 in [-1, 1), which is what models take; float32 stays as it is."""
    if samples.dtype == np.float32:
        return samples.astype(np.float32, copy=False)
    return samples.astype(np.float32) / np.float32(FULL_SCALE)


def _read(path: Path | str, start_seconds: float | None, end_seconds: float | None) -> tuple[Samples, int]:
    """Give the mono samples, int16 where the file holds just those, and their rate."""
    try:
        with soundfile.SoundFile(_openable(path)) as file:
            rate = int(file.samplerate)
            if not LOWEST_RATE <= rate <= HIGHEST_RATE:
                raise AudioError(f"{_name(path)}: sample rate {rate} Hz, must be {LOWEST_RATE} to {HIGHEST_RATE} Hz")
            first = _frame(start_seconds, 0, file)
            wanted = max(0, _frame(end_seconds, file.frames, file) - first)
            if first:
                file.seek(first)
            plain = file.channels == 1 and file.subtype == "PCM_16"
            dtype = "int16" if plain else "float32"
            samples = np.asarray(file.read(wanted, dtype=dtype), dtype=dtype)
            if _is_cut_short(path, file, wanted - len(samples)):
                raise AudioError(f"{_name(path)}: cut short, the file ends before its sound does")
    except _UNREADABLE as error:
        raise AudioError(f"{_name(path)}: {_why_unreadable(path)}") from error
    if len(samples) == 0:
        part = start_seconds is not None or end_seconds is not None
        raise AudioError(f"{_name(path)}: holds no sound" + (" between start and end" if part else ""))
    mono: Samples = samples if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float32)
    if not plain and not np.isfinite(mono).all():
        raise AudioError(f"{_name(path)}: holds samples that are not numbers (NaN or infinite)")
    return mono, rate


def _openable(path: Path | str) -> Any:
    """The name as the file system has it: soundfile takes bytes too, whatever its types say, and of text only UTF-8."""
    return str(path) if os.name == "nt" else os.fsencode(path)


def _frame(seconds: float | None, default: int, file: soundfile.SoundFile) -> int:
    return default if seconds is None else round(min(max(0.0, seconds * file.samplerate), file.frames))


def _is_cut_short(path: Path | str, file: soundfile.SoundFile, missing: int) -> bool:
    """Say whether the end of a file is gone; libsndfile itself shortens WAV, AIFF and OGG without a word."""
    if file.format == "FLAC":
        return missing > 0
    if file.format == "OGG":
        return missing > 0 or not _ends_as_ogg(path)
    if file.format == "MP3":
        # The length is an estimate there.
        return missing > _MP3_SLACK_SAMPLES
    claims = ((int(claimed), int(found)) for claimed, found in _CLAIMED_BYTES.findall(file.extra_info))
    return missing > 0 or any(found < claimed < _UNKNOWN_BYTES for claimed, found in claims)


def _ends_as_ogg(path: Path | str) -> bool:
    """Say whether the last page of an Ogg file is all there and is marked as the last (RFC 3533)."""
    with Path(path).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _OGG_PAGE_BYTES))
        tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    # A head of 27 bytes, the lengths of up to 255 segments, the segments.
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    return len(page) >= 27 + len(segments) + sum(segments) > 27 and bool(page[5] & 4)


def _why_unreadable(path: Path | str) -> str:
    if not os.path.lexists(path):
        return "no such file"
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where the folder above may not be entered
        return "is a folder, not a sound file"
    if _is_dangling(path):
        return "is a link to a file that is not there"
    if not os.access(path, os.R_OK):
        return "no permission to read it"
    if Path(path).stat().st_size == 0:
        return "is empty (0 bytes)"
    return "cannot be read as sound: another kind of file, damaged, or cut short"


def _is_dangling(path: Path | str) -> bool:
    """Say whether a path that is there leads to nothing; a place that may not be entered is another matter."""
    try:
        os.stat(path)  # noqa: PTH116 - as above, and a path may be text
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    return False


def _name(path: Path | str) -> str:
    """Give a path that can be printed and written whatever bytes are in it."""
    return str(path).encode(errors="backslashreplace").decode()


def _loudest_start(samples: Samples, length: int) -> int:
    energy = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    return int(np.argmax(energy[length:] - energy[:-length]))
