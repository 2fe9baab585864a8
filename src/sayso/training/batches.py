"""Which clips make up each batch, drawn anew every epoch from (seed, epoch)."""

from collections.abc import Hashable, Sequence

import numpy as np

from sayso.data.corpus import Rows
from sayso.errors import Fault, SettingsError
from sayso.recipe.recipe import Training
from sayso.system.distributed import Processes

__all__ = ["balance_rows", "check_shares", "count_batches", "draw_batches", "take_share"]


def draw_batches(rows: Rows, *, batch_size: int, seed: int, epoch: int) -> list[Rows]:
    """The rows of each step of an epoch, every row once, in batches of nearly one size.

    >>> [len(batch) for batch in draw_batches(np.arange(10), batch_size=4, seed=0, epoch=0)]
    [4, 3, 3]
    """
    shuffled = np.random.default_rng((seed, epoch, 0)).permutation(rows)
    return np.array_split(shuffled, count_batches(len(rows), batch_size))


def count_batches(clips: int, batch_size: int) -> int:
    """How many batches an epoch has; where batches may be of several clips, none is of one alone.

    >>> count_batches(10, 4), count_batches(5, 2), count_batches(5, 1)
    (3, 2, 5)
    """
    count = -(-clips // batch_size)
    return count if batch_size == 1 else max(1, min(count, clips // 2))


def balance_rows(rows: Rows, groups: Sequence[Sequence[Hashable]], *, seed: int, epoch: int) -> Rows:
    """As many rows as are given, each of those in a small group several times, those of a large one not all.

    Args:
        rows: of the corpus.
        groups: of each row a path, such as (word, source): the first names share the rows evenly, those of the next
            level share what falls to the first, and so on.
        seed: of the training.
        epoch: draws others of the large groups.

    >>> balance_rows(np.arange(6), [("no",), ("yes",), ("no",), ("no",), ("no",), ("no",)], seed=0, epoch=0).tolist()
    [3, 0, 4, 1, 1, 1]
    """
    rng = np.random.default_rng((seed, epoch, 3))
    drawn = _share_out(rng.permutation(len(rows)), groups, len(rows), 0)
    return rows[drawn]


def _share_out(places: Rows, groups: Sequence[Sequence[Hashable]], count: int, level: int) -> Rows:
    """Draw so many of these places, evenly over the groups of a level and those below it."""
    if level == len(groups[0]):
        return np.resize(places, count)
    members: dict[Hashable, list[int]] = {}
    for place in places.tolist():
        members.setdefault(groups[place][level], []).append(place)
    counts = [len(share) for share in np.array_split(np.arange(count), len(members))]
    shares = [
        _share_out(np.array(own, np.int64), groups, size, level + 1)
        for own, size in zip(members.values(), counts, strict=True)
    ]
    return np.concatenate(shares)


def take_share(rows: Rows, processes: Processes) -> Rows:
    """The rows of a batch that fall to this process: each row to exactly one, as evenly as can be.

    >>> [take_share(np.arange(7), Processes(rank, 3)).tolist() for rank in range(3)]
    [[0, 1, 2], [3, 4], [5, 6]]
    """
    return np.array_split(rows, processes.count)[processes.rank]


def check_shares(training: Training, clips: int, processes: Processes) -> None:
    """Check that every process gets at least two clips of every batch, of one alone batch norm cannot tell a spread.

    Raises:
        SettingsError: the batches are too small for so many processes.
    """
    smallest = clips // count_batches(clips, training.batch_size)
    if processes.count > 1 and smallest < 2 * processes.count:
        problem = f"is {training.batch_size}, so that {clips} clips give batches of {smallest}"
        need = f"{processes.count} processes need {2 * processes.count}; raise it, or start fewer"
        raise SettingsError([Fault("training.batch_size", f"{problem}; {need}")])
