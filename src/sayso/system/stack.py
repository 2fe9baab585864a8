"""Room on Python's stack, so that deep calls do not fetch memory from the system and give it back again and again."""

from collections.abc import Callable
from typing import Any

__all__ = ["call_with_room"]

# CPython lays frames into chunks of 2,048 places, and gives a chunk back as soon as its first frame is left: a function
# that is called again and again just there costs two calls of the system each time. Chunks are powers of two; one for a
# frame of a little more than half of it has room for thousands more: here 262,144 places, of which 120,000 are left.
_PLACES = 140_000


def call_with_room(call: Callable[[], Any]) -> Any:
    """Call, deep below which much is called; gives what it gives.

    A test that trains and has two graphs traced, under all of pytest's frames, made 330,000 pairs of such calls.
    """
    return call()


call_with_room.__code__ = call_with_room.__code__.replace(co_stacksize=_PLACES)
