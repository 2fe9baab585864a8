"""Features that are computed once: those that no augmentation changes, or those of so many augmented copies."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sayso.data.corpus import Rows
from sayso.errors import Fault, SettingsError

__all__ = ["FeatureCache", "check_copies", "fits"]

_MOST_BYTES = 2**29
"""What features may take in memory; larger ones are computed anew for every batch."""
_MOST_COPIES_BYTES = 3 * 2**30
"""What the features of augmented copies may, which a recipe asks for."""


class FeatureCache:
    """Room for the features of some rows of a corpus, all filled before the first is asked for.

    They are filled in one order, whatever the epoch that a training goes on with, so that the last bits are the same.

    Args:
        rows: of the corpus; each once.
        shape: of what is kept of one clip: (channels, bins, frames) of features, (classes,) of answers.
    """

    def __init__(self, rows: Rows, shape: tuple[int, ...]) -> None:
        self.values = torch.empty(len(rows), *shape)
        self._place = np.full(int(rows.max(initial=-1)) + 1, -1, dtype=np.int64)
        self._place[rows] = np.arange(len(rows))

    def __setitem__(self, rows: Rows, features: Float[Tensor, "rows *shape"]) -> None:
        self.values[torch.from_numpy(self._place[rows])] = features.to(self.values)

    def __getitem__(self, rows: Rows) -> Float[Tensor, "rows *shape"]:
        return self.values[torch.from_numpy(self._place[rows])]


def fits(count: int, shape: tuple[int, int, int]) -> bool:
    """Whether the features of so many clips may be kept."""
    return _bytes(count, shape) <= _MOST_BYTES


def check_copies(copies: int, clips: int, shape: tuple[int, int, int]) -> None:
    """Check that the features of so many copies of so many clips may be kept.

    Raises:
        SettingsError: they are too large.
    """
    size = _bytes(copies * clips, shape)
    if size > _MOST_COPIES_BYTES:
        problem = (
            f"is {copies}, whose features take {size / 2**30:.1f} GiB, the limit is {_MOST_COPIES_BYTES >> 30} GiB"
        )
        raise SettingsError([Fault("training.copies", f"{problem}; take fewer, or null")])


def _bytes(count: int, shape: tuple[int, int, int]) -> int:
    return count * math.prod(shape) * 4
