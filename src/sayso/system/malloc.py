"""Memory that tensors left is kept for the next ones, instead of going back to the system.

A step of training or of a representation makes and frees arrays of megabytes, again and again. glibc gives such memory
back at once, and every page of the next array is then fetched and cleared anew: on two cores that was half the time of
a convnet's training step.
"""

import ctypes
import sys
from functools import cache

__all__ = ["keep_freed_memory"]

# The numbers of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


@cache
def keep_freed_memory() -> bool:
    """Have this process keep what it frees until it ends, up to the most it has held at one time.

    Returns:
        Whether it does; only glibc (Linux) is asked, elsewhere nothing changes.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER))
