"""How much is done at once."""

from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["Slots"]


class Slots:
    """A number of places, of which each is taken or free; for one event loop.

    Args:
        most: places that there are.

    Attributes:
        taken: places.
        count: how often one was taken.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = self.count = 0

    @contextmanager
    def one(self) -> Generator[bool]:
        """Take a place for a while, and say whether there was one."""
        if self.taken >= self.most:
            yield False
            return
        self.taken += 1
        self.count += 1
        try:
            yield True
        finally:
            self.taken -= 1
