"""Raw sound from a pipe, as `arecord -t raw` and `ffmpeg -f s16le` write it: numbers without any header."""

import sys
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sayso.audio import check_rate
from sayso.config.schema import did_you_mean
from sayso.errors import AudioError, Fault, SettingsError
from sayso.runtime.live import Block, Source, Tell
from sayso.system.wording import counted

__all__ = ["MOST_CHANNELS", "PCM_FORMATS", "STANDARD_INPUT", "RawInput", "open_raw"]

STANDARD_INPUT = "-"
"""What is given for a path where sound comes from standard input."""
_STANDARD_NAME = "standard input"
_MOST_BYTES = 1 << 16
MOST_CHANNELS = 64
"""Of raw sound."""
# A raw recording begins with any bytes at all, but hardly with these.
_HEADER_BYTES = 4
_HEADERS = {
    b"RIFF": "WAV",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"FORM": "AIFF",
    b"caff": "CAF",  # codespell:ignore caf
    b"ID3\x03": "MP3",
}


def _three_bytes(data: bytes) -> NDArray[np.float32]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return wide.view("<i4")[:, 0].astype(np.float32) / np.float32(1 << 31)


def _eight_bytes(data: bytes) -> NDArray[np.float32]:
    # What a float32 cannot hold becomes infinite, and is told where the sound is cleaned.
    with np.errstate(over="ignore", invalid="ignore"):
        return np.frombuffer(data, "<f8").astype(np.float32)


PCM_FORMATS: dict[str, tuple[int, Callable[[bytes], NDArray[Any]]]] = {
    "s16le": (2, lambda data: np.frombuffer(data, "<i2").astype(np.int16, copy=False)),
    "s16be": (2, lambda data: np.frombuffer(data, ">i2").astype(np.int16)),
    "s24le": (3, _three_bytes),
    "s32le": (4, lambda data: np.frombuffer(data, "<i4").astype(np.float32) / np.float32(1 << 31)),
    "f32le": (4, lambda data: np.frombuffer(data, "<f4").astype(np.float32, copy=False)),
    "f64le": (8, _eight_bytes),
    "u8": (1, lambda data: (np.frombuffer(data, np.uint8).astype(np.int16) - 128) * np.int16(256)),
}
"""By ffmpeg's names: the bytes of a sample, and what reads them, as int16 or as floats in [-1, 1]."""


class RawInput(Source):
    """Raw sound from a file or pipe that is open.

    Args:
        source: read until it ends.
        name: for messages.
        sample_rate: in hertz, from 1 to 768 kHz.
        pcm_format: one of `PCM_FORMATS`, or the same as arecord writes it (`S16_LE`).
        channels: of each moment, one after the other.
        tell: takes what a person should know.

    Raises:
        AudioError: the rate is none.
        SettingsError: there is no such format, or so many channels.
    """

    def __init__(
        self, source: BufferedIOBase, *, name: str, sample_rate: float, pcm_format: str, channels: int, tell: Tell
    ) -> None:
        kind = pcm_format.lower().replace("_", "")
        if kind not in PCM_FORMATS:
            raise SettingsError([Fault("--format", f"is '{pcm_format}'; {did_you_mean(kind, PCM_FORMATS)}")])
        if not 1 <= channels <= MOST_CHANNELS:
            raise SettingsError([Fault("--channels", f"is {channels}, must be 1 to {MOST_CHANNELS}")])
        self.name, self.sample_rate = name, check_rate(sample_rate, "--rate")
        self._source, self._channels, self._tell = source, channels, tell
        width, self._decode = PCM_FORMATS[kind]
        self._frame = width * channels

    def blocks(self) -> Iterator[Block]:
        """Yield what arrives, as soon as it does.

        Raises:
            AudioError: nothing arrives at all, or a file with a header.
        """
        rest = self._begin()
        while True:
            whole = len(rest) - len(rest) % self._frame
            if whole:
                yield self._decode(rest[:whole]).reshape(-1, self._channels)
            rest = rest[whole:]
            if not (more := self._read()):
                break
            rest += more
        if rest:
            left = counted(len(rest), "byte is", "bytes are")
            self._tell(f"{self.name} ended in the middle of a sample: its last {left} left out")

    def close(self) -> None:
        """Close what is read from, but for standard input."""
        if self.name != _STANDARD_NAME:
            self._source.close()

    def _begin(self) -> bytes:
        first = b""
        while len(first) < max(_HEADER_BYTES, self._frame) and (more := self._read()):
            first += more
        if len(first) < self._frame:
            raise AudioError(f"{self.name}: ended before any sound came; does what should write it run?")
        if kind := _HEADERS.get(first[:_HEADER_BYTES]):
            mend = "write raw sound: `arecord -t raw`, `ffmpeg -i FILE -f s16le -ac 1 -ar 16000 -`"
            raise AudioError(f"{self.name}: is {kind}, must be samples without a header; {mend}")
        return first

    def _read(self) -> bytes:
        """Give what is there, waiting for the first byte of it alone."""
        try:
            return self._source.read1(_MOST_BYTES)
        except OSError as error:
            raise AudioError(f"{self.name}: cannot be read any more ({error.strerror})") from error


def open_raw(path: str, *, sample_rate: float, pcm_format: str, channels: int, tell: Tell) -> RawInput:
    """Open raw sound by its path, or standard input where that is `-`.

    Raises:
        AudioError: it cannot be opened, or standard input is a terminal or closed.
        SettingsError: as `RawInput`.
    """
    if path == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.isatty():
            what = "is closed" if sys.stdin is None else "is a terminal"
            mend = "pipe raw sound into it, or leave --input out to hear a microphone"
            raise AudioError(f"{_STANDARD_NAME} {what}; {mend}")
        source = cast(BufferedIOBase, sys.stdin.buffer)
    else:
        try:
            source = Path(path).open("rb")  # noqa: SIM115 - as long as it is listened to
        except (OSError, ValueError) as error:
            raise AudioError(f"{path}: cannot be opened ({getattr(error, 'strerror', error)})") from error
    name = _STANDARD_NAME if path == STANDARD_INPUT else path
    return RawInput(source, name=name, sample_rate=sample_rate, pcm_format=pcm_format, channels=channels, tell=tell)
