"""The length of an MP3 that does not say it: its frames are counted, and a first one is made that tells their number.

Decoders estimate the length from the first frame's bit rate, which is wrong where bit rates vary. A Xing frame says it.
http://www.mp3-tech.org/programmer/frame_header.html
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

__all__ = ["with_length"]

# Layer III, in kilobits a second by the index in the header; 0 is free, which nobody can tell the length of.
_KILOBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44_100, 48_000, 32_000)
_VERSION_1 = 3
_RATE_DIVIDERS = {3: 1, 2: 2, 0: 4}
_LAYER_III = 1
_HEAD_BYTES = 4
_NAMES = (b"Xing", b"Info", b"VBRI")
_VBRI_PLACE = 36
# What stands between frames, such as a picture in a tag, is passed over up to here.
_MOST_BETWEEN = 1 << 20


@dataclass(frozen=True)
class _Frame:
    """One frame's place in a file and what its header says."""

    start: int
    size: int
    """In bytes, header included."""
    version: int
    side_bytes: int
    """Between the header and what Xing would say."""


def with_length(content: bytes | mmap) -> bytes | None:
    """Give an MP3 with a Xing frame before its frames; None where it has one, or its frames cannot be counted."""
    found = _find_frames(content)
    first = next(found, None)
    if first is None:
        return None
    body = content[first.start : first.start + first.size]
    places = (_HEAD_BYTES + first.side_bytes, _VBRI_PLACE)
    if any(body[place : place + 4] in _NAMES for place in places):
        return None
    frames = [first, *found]
    end = frames[-1].start + frames[-1].size
    return _make_xing(content, first, len(frames), end - first.start) + content[first.start : end]


def _find_frames(content: bytes | mmap) -> Iterator[_Frame]:
    """Yield the whole frames in their order; a frame counts where another, or the end, follows it."""
    place, sought_until = _skip_tag(content), 0
    while place + _HEAD_BYTES <= len(content):
        frame = _read_frame(content, place)
        after = place + frame.size if frame else 0
        if frame and after <= len(content) and (after + _HEAD_BYTES > len(content) or _is_next(content, after)):
            yield frame
            place, sought_until = after, after + _MOST_BETWEEN
            continue
        place = content.find(b"\xff", place + 1, sought_until or place + _MOST_BETWEEN)
        if place < 0:
            return


def _is_next(content: bytes | mmap, place: int) -> bool:
    """Say whether a frame, or a tag that ends the file, stands at a place."""
    return _read_frame(content, place) is not None or content[place : place + 3] in (b"TAG", b"APE", b"ID3", b"LYR")


def _skip_tag(content: bytes | mmap) -> int:
    """Give the place behind an ID3v2 tag, 0 without one."""
    if content[:3] != b"ID3" or len(content) < 10:
        return 0
    size = sum((byte & 0x7F) << shift for byte, shift in zip(content[6:10], (21, 14, 7, 0), strict=True))
    return 10 + size


def _read_frame(content: bytes | mmap, place: int) -> _Frame | None:
    head = int.from_bytes(content[place : place + _HEAD_BYTES], "big")
    version, layer = head >> 19 & 3, head >> 17 & 3
    bit_rate, rate, padding, mode = head >> 12 & 15, head >> 10 & 3, head >> 9 & 1, head >> 6 & 3
    if head >> 21 != 0x7FF or version not in _RATE_DIVIDERS or layer != _LAYER_III or rate == 3:
        return None
    if not 0 < bit_rate < 15:
        return None
    hertz, is_1 = _RATES[rate] // _RATE_DIVIDERS[version], version == _VERSION_1
    kilobits = (_KILOBITS_1 if is_1 else _KILOBITS_2)[bit_rate]
    size = (144 if is_1 else 72) * 1000 * kilobits // hertz + padding
    mono = mode == 3
    side = (17 if mono else 32) if is_1 else (9 if mono else 17)
    return _Frame(place, size, version, side)


def _make_xing(content: bytes | mmap, first: _Frame, count: int, size: int) -> bytes:
    """Make an empty frame like the first, that says how many frames and bytes follow it."""
    head = int.from_bytes(content[first.start : first.start + _HEAD_BYTES], "big")
    # At the highest bit rate, so that there is room; without padding, and (the bit is set) without a checksum.
    made = (head & ~(15 << 12 | 1 << 9) | 14 << 12 | 1 << 16).to_bytes(_HEAD_BYTES, "big")
    frame = _read_frame(made, 0)
    assert frame is not None
    said = b"Xing" + struct.pack(">III", 3, count, size + frame.size)
    return (made + bytes(first.side_bytes) + said).ljust(frame.size, b"\0")
