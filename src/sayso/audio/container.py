"""What a sound file's container promises, and whether the file keeps it; why a file is no sound."""

import errno
import os
import re
from pathlib import Path
from typing import Any

import soundfile

from sayso.errors import in_one_line

__all__ = ["CUT_SHORT", "has_no_end", "is_cut_short", "openable", "printable", "why_unreadable"]

CUT_SHORT = "cut short, the file ends before its sound does"
"""Why a file is refused whose end is gone."""

# What libsndfile logs when a header (WAV, AIFF, W64, AU) claims more bytes than are there.
_CLAIMED_BYTES = re.compile(r"\b(?:data|SSND|riff|Data Size)\s*: (\d+) \(should be (\d+)\)")
# Programs that write to a pipe cannot know the length, and claim about 2 or 4 GiB.
_UNKNOWN_BYTES = 0x7FFF_0000
_MP3_SLACK_SAMPLES = 2 * 1152
_OGG_PAGE_BYTES = 65_307


def openable(path: Path | str) -> Any:
    """The name as the file system has it: soundfile takes bytes too, whatever its types say, and of text only UTF-8.

    Raises:
        OSError: there is no regular file; to open a pipe would wait for whoever writes to it.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where the folder above may not be entered
        raise OSError
    return str(path) if os.name == "nt" else os.fsencode(path)


def printable(path: Path | str) -> str:
    """Give a path that can be printed in one line, and written, whatever is in it."""
    return in_one_line(str(path))


def is_cut_short(path: Path | str, file: soundfile.SoundFile, missing: int) -> bool:
    """Say whether the end of a file is gone; libsndfile itself shortens WAV, AIFF and OGG without a word.

    Args:
        path: the file.
        file: the same, opened.
        missing: samples that its header promises and that were not read.
    """
    if file.format == "FLAC":
        return missing > 0
    if file.format == "OGG":
        return missing > 0 or _read_last_ogg_page(path) is None
    if file.format == "MP3":
        # The length is an estimate there.
        return missing > _MP3_SLACK_SAMPLES
    claims = ((int(claimed), int(found)) for claimed, found in _CLAIMED_BYTES.findall(file.extra_info))
    # Some programs count the header in: such a claim is no more than the whole file.
    size = Path(path).stat().st_size
    return missing > 0 or any(max(found, size) < claimed < _UNKNOWN_BYTES for claimed, found in claims)


def has_no_end(path: Path | str, file: soundfile.SoundFile) -> bool:
    """Say whether an Ogg file stops between two pages, as one does whose writer was stopped, or one that was cut."""
    page = _read_last_ogg_page(path) if file.format == "OGG" else None
    return page is not None and not page[5] & 4


def why_unreadable(path: Path | str) -> str:
    """Say why nothing can be read from a path."""
    if not os.path.lexists(path):
        return "no such file"
    if os.path.isdir(path):  # noqa: PTH112 - as in `openable`
        return _why_no_entries(path) or "is a folder, not a sound file"
    if _is_dangling(path):
        return "is a link to a file that is not there"
    if not os.access(path, os.R_OK):
        return "no permission to read it"
    if not os.path.isfile(path):  # noqa: PTH113 - as in `openable`
        return "is no regular file but a pipe, socket or device; write its sound to a file first"
    if Path(path).stat().st_size == 0:
        return "is empty (0 bytes)"
    return "cannot be read as sound: another kind of file, damaged, or cut short"


def _read_last_ogg_page(path: Path | str) -> bytes | None:
    """Read the last page of an Ogg file, with what may follow it; None: it is not all there (RFC 3533)."""
    with Path(path).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _OGG_PAGE_BYTES))
        tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    # A head of 27 bytes, the lengths of up to 255 segments, the segments.
    segments = page[27 : 27 + page[26]] if len(page) > 26 else b""
    return page if len(page) >= 27 + len(segments) + sum(segments) > 27 else None


def _why_no_entries(path: Path | str) -> str:
    """Say why what is in a folder cannot be seen; empty where it can."""
    try:
        os.scandir(path).close()
    except OSError as error:
        return f"is a folder that cannot be read ({error.strerror}); check its permissions"
    return ""


def _is_dangling(path: Path | str) -> bool:
    """Say whether a path that is there leads to nothing; a place that may not be entered is another matter."""
    try:
        os.stat(path)  # noqa: PTH116 - as in `openable`, and a path may be text
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    return False
