"""Which vectors of length 1 lie near others: a quick look at every pair by few values, and none is missed.

By the directions in which they differ most, and the length of the rest, no pair looks less alike than it is: the rests
are at most as alike as if they pointed the same way. Of patches 16 directions leave one pair in 1,000 to be looked at
whole; with 8 it is one in 100.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sayso.data.corpus import Rows
from sayso.data.near_copies.band import Floats

__all__ = ["Vectors"]

_DIRECTIONS = 16
# Vectors of either side that are compared at a time, so that their cosines stay in a processor's cache.
_BLOCK_VECTORS = 1 << 11
# Far more than rounding to float32 moves a cosine.
_SLACK = 1e-4


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors of length 1 to look among."""

    whole: Floats
    """(vectors, values)"""
    directions: Floats
    """In which they differ most, (values, directions)."""
    few: Floats
    """Their values in these directions and the length of the rest, (vectors, directions + 1)."""

    @classmethod
    def of(cls, whole: Floats) -> "Vectors":
        """Find the directions of vectors of length 1, (vectors, values), at least one."""
        _, directions = np.linalg.eigh(whole.T @ whole)
        directions = np.ascontiguousarray(directions[:, : -_DIRECTIONS - 1 : -1])
        return cls(whole, directions, _shorten(whole, directions))

    def find_near(self, sought: Floats, least: float) -> tuple[Rows, Rows, Floats]:
        """Find the vectors whose cosine with those sought is `least` or more.

        Args:
            sought: (sought, values), each of length 1.
            least: a cosine.

        Returns:
            For each hit the place in `sought`, that of the vector, and the cosine, by these places in order.
        """
        none = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
        found = zip(none, *self._hits(sought, _shorten(sought, self.directions), least), strict=True)
        here, there, cosines = (np.concatenate(each) for each in found)
        order = np.lexsort((there, here))
        return here[order], there[order], cosines[order]

    def _hits(self, sought: Floats, few: Floats, least: float) -> Iterator[tuple[Rows, Rows, Floats]]:
        for first in range(0, len(sought), _BLOCK_VECTORS):
            for start in range(0, len(self.few), _BLOCK_VECTORS):
                bounds = few[first : first + _BLOCK_VECTORS] @ self.few[start : start + _BLOCK_VECTORS].T
                here, there = np.divmod(np.flatnonzero(bounds >= np.float32(least - _SLACK)), bounds.shape[1])
                here, there = here + first, there + start
                cosines = np.einsum("ij,ij->i", sought[here], self.whole[there])
                near = cosines >= least
                yield here[near], there[near], cosines[near]


def _shorten(whole: Floats, directions: Floats) -> Floats:
    """Give the values in some directions, and the length of what is left."""
    values = whole @ directions
    rest = np.sqrt(np.maximum(0, 1 - np.square(values).sum(axis=1, keepdims=True)))
    return np.concatenate((values, rest), axis=1)
