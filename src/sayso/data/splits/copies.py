"""Copies of a recording kept together where clips are drawn."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from sayso.data.corpus import Rows

__all__ = ["Groups", "draw_whole_groups", "group_copies", "without_parted"]

Groups = Mapping[int, Collection[int]]
"""By row, all rows of its recording, itself among them; a row that is not there is alone."""


def group_copies(pairs: Iterable[tuple[int, int]], *, without: Collection[int] = ()) -> Groups:
    """Group the rows that pairs of copies join, one after another, leaving out the rows of `without`."""
    group_of: dict[int, set[int]] = {}
    for first, second in pairs:
        if first in without or second in without:
            continue
        group = group_of.get(first, {first}) | group_of.get(second, {second})
        group_of |= dict.fromkeys(group, group)
    return group_of


def draw_whole_groups(order: Sequence[int], count: int, groups: Groups) -> list[int]:
    """Draw rows in an order until there are `count`, each with all its copies.

    A recording with more copies than are left to draw is passed over, and so is one with copies beyond these rows.
    Where each has more than `count`, the one with the fewest is drawn, if that leaves some rows.
    """
    own, drawn = set(order), set[int]()
    whole = [group for row in order if own.issuperset(group := groups.get(row, (row,)))]
    for group in whole:
        if len(drawn) >= count:
            break
        if drawn.isdisjoint(group) and len(drawn) + len(group) <= count:
            drawn.update(group)
    fewest = min(whole, key=len, default=())
    if count and not drawn and len(fewest) < len(own):
        drawn.update(fewest)
    return sorted(drawn)


def without_parted(drawn: Rows, groups: Groups) -> Rows:
    """Take out of drawn rows those that have a copy among the rows that were not drawn."""
    inside = set(drawn.tolist())
    return np.array([row for row in drawn.tolist() if inside.issuperset(groups.get(row, (row,)))], dtype=np.int64)
