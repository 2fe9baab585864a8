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
        count: how often one was used, as whoever took it says.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = self.count = 0

    def used(self) -> None:
        """Count that what a place was taken for was done, or begun: what is refused before that is not counted."""
        self.count += 1

    @contextmanager
    def one(self) -> Generator[bool]:
        """Take a place for a while, and say whether there was one."""
        if self.taken >= self.most:
            yield False
            return
        self.taken += 1
        try:
            yield True
        finally:
            self.taken -= 1
