"""Pairs put together by the clips they share, so that a clip is transformed once for many of its pairs."""

from collections import deque
from collections.abc import Iterator

import numpy as np

from sayso.data.corpus import Rows

__all__ = ["group_pairs"]


def group_pairs(pairs: Rows, most: int) -> Iterator[Rows]:
    """Divide pairs into groups of at most `most` clips, those of neighbouring clips together.

    Args:
        pairs: (pairs, 2), rows of clips, in any order.
        most: clips in a group, 2 or more.

    Yields:
        Groups, (pairs of the group, 2); each pair is in one.
    """
    begin = 0
    ordered = pairs[_walk(pairs)]
    inside: set[int] = set()
    for at, pair in enumerate(ordered.tolist()):
        if len(inside.union(pair)) > most:
            yield ordered[begin:at]
            begin = at
            inside.clear()
        inside.update(pair)
    if len(ordered):
        yield ordered[begin:]


def _walk(pairs: Rows) -> Rows:
    """Give an order of pairs, (pairs,), in which clips are met breadth first, from those with the fewest pairs on."""
    rows, places = np.unique(pairs, return_inverse=True)
    ends = places.reshape(-1, 2)
    both = np.concatenate((ends, ends[:, ::-1]))
    both = both[np.argsort(both[:, 0], kind="stable")]
    starts = np.searchsorted(both[:, 0], np.arange(len(rows) + 1))
    beside = np.split(both[:, 1], starts[1:-1]) if len(rows) else []
    met = np.full(len(rows), -1)
    count = 0
    for first in np.argsort(np.diff(starts), kind="stable"):
        waiting = deque([int(first)] if met[first] < 0 else [])
        while waiting:
            here = waiting.popleft()
            if met[here] >= 0:
                continue
            met[here] = count
            count += 1
            waiting.extend(beside[here][met[beside[here]] < 0].tolist())
    return np.lexsort(np.sort(met[ends], axis=1).T[::-1])
