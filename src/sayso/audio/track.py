"""The sound track of a file that FFmpeg reads: its packets decoded, and put where they belong."""

from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sayso.audio.format import FULL_SCALE, Samples

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.packet import Packet

__all__ = ["Track", "base_of", "end_of", "start_of"]

# What a file is to play is told in milliseconds, or in sixhundredths of a second.
_ROUNDING_SECONDS = 0.002


class Track:
    """The decoded samples of a sound track, as far as they are wanted.

    Args:
        stream: where they come from.
        start_seconds: where what is wanted begins.
        end_seconds: where it ends; None: with the track.

    Attributes:
        rate: in hertz.
        place: the sample that comes next, from 0; None: the next packet says it.
    """

    def __init__(self, stream: "AudioStream", *, start_seconds: float, end_seconds: float | None) -> None:
        self.rate = stream.rate
        self.place: int | None = 0
        self._stream, self._start_seconds, self._end_seconds = stream, start_seconds, end_seconds
        self._blocks: list[NDArray[Any]] = []
        self._origin = 0
        self._channels = 0
        self._last_lacks = 0

    @property
    def is_complete(self) -> bool:
        """Whether all that is wanted is there."""
        return self.place is not None and self.place >= self._end

    @property
    def is_exact(self) -> bool:
        """Whether the container counts in samples."""
        return self.rate * base_of(self._stream) == 1

    def take(self, packet: "Packet[Any]") -> None:
        """Decode the next packet.

        Raises:
            ValueError: it changes the rate or the number of channels.
        """
        for frame in packet.decode():
            self._add(frame)

    def samples(self) -> Samples:
        """Give what is wanted, (samples,) where it is one channel of int16, else (samples, channels) in float32."""
        if not self._blocks:
            return np.zeros(0, np.float32)
        whole = np.concatenate(self._blocks)
        first = max(0, self._first - self._origin)
        end = min(self._end, self._told_end(self._origin + len(whole))) - self._origin
        part = whole[first : max(first, int(end))]
        return np.ascontiguousarray(part[:, 0]) if part.dtype == np.int16 and self._channels == 1 else _to_floats(part)

    @property
    def _first(self) -> int:
        return round(self._start_seconds * self.rate)

    @property
    def _end(self) -> float:
        return inf if self._end_seconds is None else round(max(0.0, self._end_seconds) * self.rate)

    def _add(self, frame: "AudioFrame") -> None:
        block = _to_block(frame)
        if not self._channels:
            self.rate, self._channels = frame.sample_rate, block.shape[1]
        if (frame.sample_rate, block.shape[1]) != (self.rate, self._channels):
            raise ValueError("rate or channels change")
        if self.place is None:
            ticks = (frame.pts or 0) - (self._stream.start_time or 0)
            self.place = round(ticks * base_of(self._stream) * self.rate)
        if not self._blocks:
            self._origin = self.place
        self.place += len(block)
        if self.place > self._first and self.place - len(block) < self._end:
            self._blocks.append(block)
        # A block is filled up with what is not to be heard.
        self._last_lacks = max(0, len(block) - (frame.duration or len(block)))

    def _told_end(self, decoded_end: int) -> int:
        """Give the sample behind the last that is to be heard, of a track whose samples end at `decoded_end`."""
        if not self.is_exact:
            return decoded_end
        heard, told = decoded_end - self._last_lacks, self._stream.duration
        return told if told and heard - told >= _ROUNDING_SECONDS * self.rate else heard


def base_of(stream: "AudioStream") -> Fraction:
    """Give the unit of a track's times, in seconds."""
    return stream.time_base or Fraction(1, stream.rate)


def start_of(stream: "AudioStream") -> float:
    """Give the time in seconds at which a track begins."""
    return float((stream.start_time or 0) * base_of(stream))


def end_of(packet: "Packet[Any]") -> float:
    """Give the time in seconds at which a packet ends; 0 where it does not say."""
    return 0.0 if packet.pts is None else float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _to_block(frame: "AudioFrame") -> NDArray[Any]:
    """Give the samples of a frame, (samples, channels)."""
    samples = frame.to_ndarray()
    return samples.T if frame.format.is_planar else samples.reshape(frame.samples, -1)


def _to_floats(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Bring samples of any type that FFmpeg has to float32, full scale to 1."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype == np.uint8:
        return ((samples.astype(np.float32) - 128) / 128).astype(np.float32)
    scale = FULL_SCALE if samples.dtype == np.int16 else -float(np.iinfo(samples.dtype).min)
    return (samples / scale).astype(np.float32)
