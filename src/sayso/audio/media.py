"""Files of sound that libsndfile does not read, such as phones' recorders and browsers write: by the extra `media`.

PyAV brings FFmpeg's readers (https://pyav.org). A file's kind is told by its first bytes, whatever its ending says, and
it is opened as that kind alone, so that FFmpeg neither guesses nor follows a playlist to other places.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile

from sayso.audio.container import CUT_SHORT, openable, printable
from sayso.audio.format import Samples
from sayso.audio.track import Track, base_of, end_of, start_of
from sayso.errors import AudioError, install_command

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

__all__ = ["Medium", "can_read_media", "find_medium", "probe_media", "read_media"]

# Decoders need what went before: AAC two blocks.
_LEAD_SECONDS = 0.5
# A file whose packets end so much before its length as told has lost some.
_SLACK_SECONDS = 0.05
_HEAD_BYTES, _SEGMENT_HEAD_BYTES = 16, 1 << 12


@dataclass(frozen=True)
class Medium:
    """A kind of file that holds sound, and perhaps pictures."""

    demuxer: str
    """FFmpeg's name of its reader."""
    name: str
    """What people call it."""
    tells_length: bool = False
    """Whether its header says how long the sound is; else its packets do."""


_MPEG4 = Medium("mov", "M4A, MP4 or 3GP", tells_length=True)
_MATROSKA = Medium("matroska", "WebM or Matroska")
_CAF = Medium("caf", "CAF with compressed sound", tells_length=True)
_WMA = Medium("asf", "WMA")
_AMR = Medium("amr", "AMR")
_AAC = Medium("aac", "AAC")
_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_STARTS = {
    b"\x1a\x45\xdf\xa3": _MATROSKA,
    b"caff": _CAF,
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": _WMA,
    b"#!AMR": _AMR,
}


def can_read_media() -> bool:
    """Whether the extra is installed."""
    return find_spec("av") is not None


def find_medium(path: Path | str) -> Medium | None:
    """Tell by its first bytes of which kind a file is; None: one for libsndfile, or none that is known."""
    try:
        with FileIO(openable(path)) as file:
            head = file.read(_HEAD_BYTES)
            if head.startswith(b"ID3"):
                file.seek(_tag_bytes(head))
                head = file.read(2)
    except (OSError, ValueError):  # packing and answering say why
        return None
    if head[4:8] in _ATOMS:
        return _MPEG4
    if head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xF6 == 0xF0:  # layer 0, which MP3 has not
        return _AAC
    medium = next((medium for start, medium in _STARTS.items() if head.startswith(start)), None)
    return None if medium is _CAF and _is_for_libsndfile(path) else medium


def read_media(
    path: Path | str, medium: Medium, *, start_seconds: float | None = None, end_seconds: float | None = None
) -> tuple[Samples, int]:
    """Decode a file, or a part of it; of a video the sound, of several sounds the one that players take.

    What its container says was put before and behind the sound, to fill blocks, is left away.

    Returns:
        The samples, (samples,) in int16 where the file holds just one channel of those, else (samples, channels) in
        float32; and their rate in hertz.

    Raises:
        AudioError: the extra is not installed, or the file is damaged, cut short, without sound, or protected.
    """
    with _opened(path, medium) as (container, stream):
        start = max(0.0, start_seconds or 0.0)
        track = Track(stream, start_seconds=start, end_seconds=end_seconds)
        # Others tell times in milliseconds, or guess them: there the samples before are counted.
        if medium is _MPEG4 and track.is_exact and start > _LEAD_SECONDS:
            track.place = None
            container.seek(round((start - _LEAD_SECONDS + start_of(stream)) / base_of(stream)), stream=stream)
        reached = 0.0
        # Pictures too: they may last longer than the sound, and only all together end where the file is told to.
        for packet in container.demux():
            reached = max(reached, end_of(packet))
            if packet.stream_index == stream.index:
                track.take(packet)
            if track.is_complete:
                break
        else:
            told = (container.duration or 0) / 1e6 if medium.tells_length or _tells_duration(path, medium) else 0.0
            if reached - (container.start_time or 0) / 1e6 < told - _SLACK_SECONDS:
                raise AudioError(f"{printable(path)}: {CUT_SHORT}")
        return track.samples(), track.rate


def probe_media(path: Path | str, medium: Medium) -> tuple[float, int]:
    """Give length in seconds and rate in hertz, from the header, or where that does not say it from the packets.

    Raises:
        AudioError: as `read_media`.
    """
    with _opened(path, medium) as (container, stream):
        if medium.tells_length and stream.duration:
            return float(stream.duration * base_of(stream)), stream.rate
        ends = [end_of(packet) for packet in container.demux(stream)]
        return max(0.0, *ends) - start_of(stream), stream.rate


class _File(FileIO):
    """A file that refuses a place before its beginning as FFmpeg expects it: PyAV prints exceptions to the terminal."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place and give it; below 0: there is none such."""
        try:
            return super().seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


@contextmanager
def _opened(path: Path | str, medium: Medium) -> Generator["tuple[InputContainer, AudioStream]"]:
    """Open a file and find its sound; what cannot be read inside is an AudioError, too."""
    name = printable(path)
    try:
        import av
        from av.error import FFmpegError
    except ImportError as error:
        said = f"{name}: {medium.name}, which an extra reads that is not installed"
        raise AudioError(f"{said}: {install_command('media')}") from error
    try:
        with ExitStack() as stack:
            file = stack.enter_context(_File(path))
            container = stack.enter_context(av.open(file, "r", format=medium.demuxer, metadata_errors="replace"))
            stream = container.streams.best("audio")
            if stream is None and container.streams.video:
                raise AudioError(f"{name}: holds no sound, it is a video without any")
            if medium is _MATROSKA and _is_segment_cut_short(path):
                raise AudioError(f"{name}: {CUT_SHORT}")
            # A codec that FFmpeg does not know has no rate at all.
            if not isinstance(stream, av.AudioStream) or not getattr(stream, "rate", 0):
                raise AudioError(f"{name}: {_damaged(medium)}")
            yield container, stream
    except (FFmpegError, OSError, ValueError, MemoryError) as error:
        raise AudioError(f"{name}: {_damaged(medium)}") from error


def _damaged(medium: Medium) -> str:
    return f"damaged, cut short, or protected: {medium.name} whose sound cannot be decoded to its end"


def _tag_bytes(head: bytes) -> int:
    """Give the size of an ID3v2 tag, its head included."""
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def _is_for_libsndfile(path: Path | str) -> bool:
    try:
        soundfile.SoundFile(openable(path)).close()
    except soundfile.LibsndfileError:
        return False
    return True


def _is_segment_cut_short(path: Path | str) -> bool:
    """Say whether a Matroska file is smaller than it says; those of browsers do not say it (RFC 9559, 4.5)."""
    head = _matroska_head(path)
    place = head.find(b"\x18\x53\x80\x67") + 4
    if place < 4 or place >= len(head) or not head[place]:
        return False
    # As many zeros as lead its first byte, so many bytes follow; nothing but ones is a size that is not known.
    more = 8 - head[place].bit_length()
    bits = 7 * (more + 1)
    size = int.from_bytes(head[place : place + more + 1], "big") & ((1 << bits) - 1)
    return size != (1 << bits) - 1 and place + more + 1 + size > Path(path).stat().st_size


def _tells_duration(path: Path | str, medium: Medium) -> bool:
    """Say whether a Matroska file has an element that tells its duration; without it FFmpeg guesses."""
    head = _matroska_head(path) if medium is _MATROSKA else b""
    return any(element in head for element in (b"\x44\x89\x84", b"\x44\x89\x88"))


def _matroska_head(path: Path | str) -> bytes:
    """Read what stands before the first cluster of sound, or the beginning of that."""
    with Path(path).open("rb") as file:
        return file.read(_SEGMENT_HEAD_BYTES).partition(b"\x1f\x43\xb6\x75")[0]
