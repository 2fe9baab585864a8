"""Headers that do not say how long the sound is, though it is there: written to a pipe, or never finished.

What is missing is counted in the file itself, and the file is given anew, in memory, with a header that says it.
"""

import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path

import soundfile

from sayso.audio.mp3 import with_length

__all__ = ["UNKNOWN_FRAMES", "complete"]

UNKNOWN_FRAMES = (1 << 63) - 1
"""What libsndfile gives as the length of a file that does not say it."""
_FLAC_TOTAL, _FLAC_TOTAL_BITS = slice(18, 26), 36
_FLAC_LARGEST_FRAME = 1 << 20


def complete(path: Path | str, file: soundfile.SoundFile) -> bytes | None:
    """Give a file's content with a header that says its length; None: its own does, or it cannot be told."""
    if file.format == "MP3":
        with Path(path).open("rb") as content, mmap(content.fileno(), 0, access=ACCESS_READ) as mapped:
            return with_length(mapped)
    if file.format in ("WAV", "WAVEX") and file.frames == 0:
        return _with_data_size(Path(path).read_bytes())
    if file.format == "FLAC" and file.frames == UNKNOWN_FRAMES:
        return _with_total(Path(path).read_bytes())
    return None


def _with_data_size(content: bytes) -> bytes | None:
    """Put the size of what follows into the data chunk of a WAV that says 0; None: nothing but chunks follows."""
    place = 12 if content.startswith(b"RIFF") else len(content)
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        if name == b"data":
            rest = content[place + 8 :]
            if size or _is_chunks(rest):
                return None
            return content[: place + 4] + struct.pack("<I", len(rest)) + rest
        place += 8 + size + size % 2
    return None


def _is_chunks(content: bytes) -> bool:
    """Say whether something is made of whole chunks, or of nothing."""
    place = 0
    while place + 8 <= len(content) and content[place : place + 4].isascii():
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        place += 8 + size + size % 2
    return place >= len(content)


def _with_total(content: bytes) -> bytes | None:
    """Put the number of samples into the head of a FLAC; None: its last frame is not whole."""
    tail = max(0, len(content) - _FLAC_LARGEST_FRAME)
    place = len(content)
    while (place := content.rfind(b"\xff", tail, place)) >= 0:
        total = _count_until_end(content[place:], int.from_bytes(content[10:12], "big"))
        if total is not None:
            said = int.from_bytes(content[_FLAC_TOTAL], "big") | total & ((1 << _FLAC_TOTAL_BITS) - 1)
            return content[:18] + said.to_bytes(8, "big") + content[26:]
    return None


def _count_until_end(frame: bytes, block_samples: int) -> int | None:
    """Samples up to the end of a FLAC frame, by the number in its head; None: it is no whole frame (RFC 9639, 9)."""
    if len(frame) < 8 or frame[1] & 0xFE != 0xF8:
        return None
    ones = f"{frame[4]:08b}".index("0") if frame[4] != 0xFF else 8
    more = max(0, ones - 1)
    number = frame[4] & (0x7F >> ones)
    for byte in frame[5 : 5 + more]:
        number = number << 6 | byte & 0x3F
    kind, end = frame[2] >> 4, 5 + more
    own = {6: 1, 7: 2}.get(kind, 0)
    sizes = {1: 192, **{k: 144 << k for k in range(2, 6)}, **{k: 1 << k for k in range(8, 16)}}
    samples = sizes.get(kind, int.from_bytes(frame[end : end + own], "big") + 1)
    end += own + {12: 1, 13: 2, 14: 2}.get(frame[2] & 15, 0)
    if len(frame) < end + 3 or _remainder(frame[:end], 8, 0x07) != frame[end]:
        return None
    if _remainder(frame[:-2], 16, 0x8005) != int.from_bytes(frame[-2:], "big"):
        return None
    return (number if frame[1] & 1 else number * block_samples) + samples


def _remainder(content: bytes, bits: int, polynomial: int) -> int:
    """Checksum of some bytes (CRC)."""
    value, top, every = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in content:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & every
    return value
