"""libmpg123, inside libsndfile, writes its doubts about a file straight to the terminal; what matters Sayso says."""

import ctypes
import os
import platform
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock

__all__ = ["without_chatter"]

_changing = Lock()
_inside = 0


@contextmanager
def without_chatter() -> Generator[None]:
    """Send what C libraries write to their stream `stderr` nowhere, as long as any thread is inside.

    Python writes to the terminal by its own way, and so do progress bars: neither is touched, as they would be if the
    file descriptor were redirected. Does nothing where that stream cannot be exchanged (Windows, musl).
    """
    global _inside
    streams = _streams()
    if streams is None:
        yield
        return
    stderr, own, nowhere = streams
    with _changing:
        _inside += 1
        stderr.value = nowhere
    try:
        yield
    finally:
        with _changing:
            _inside -= 1
            if not _inside:
                stderr.value = own


@cache
def _streams() -> tuple[ctypes.c_void_p, int | None, int] | None:
    """Give the C library's variable `stderr`, what it holds, and an open stream that leads nowhere."""
    name = "__stderrp" if sys.platform == "darwin" else "stderr" if platform.libc_ver()[0] == "glibc" else None
    if name is None:
        return None
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    stderr = ctypes.c_void_p.in_dll(library, name)
    nowhere: int | None = library.fopen(os.fsencode(os.devnull), b"w")
    return None if nowhere is None else (stderr, stderr.value, nowhere)
