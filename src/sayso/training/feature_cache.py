"""Features that are computed once: those that no augmentation changes, or those of so many augmented copies."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sayso.data.corpus import Rows
from sayso.errors import Fault, SettingsError
from sayso.training.hardware import memory_bytes

__all__ = ["FeatureCache", "check_copies", "check_room", "fits"]

_MOST_BYTES = 2**29
"""What features may take in memory; larger ones are computed anew for every batch."""
_MOST_ASKED_BYTES = 2**32
"""What those that a recipe asks for may, where a system does not tell how much memory it has; else half of that."""


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
    check_room(_bytes(copies * clips, shape), f"is {copies}, whose features", "take fewer, or null")


def check_room(size: int, what: str, mend: str) -> None:
    """Check that there is room for features which `training.copies` asks to be kept.

    Args:
        size: of them, in bytes.
        what: takes so much, in words.
        mend: what to ask for instead.

    Raises:
        SettingsError: they are too large.
    """
    memory = memory_bytes()
    most, why = (memory // 2, ", half of the memory here") if memory else (_MOST_ASKED_BYTES, "")
    if size > most:
        problem = f"{what} take {size / 2**30:.1f} GiB, the limit is {most / 2**30:.1f} GiB{why}; {mend}"
        raise SettingsError([Fault("training.copies", problem)])


def _bytes(count: int, shape: tuple[int, int, int]) -> int:
    return count * math.prod(shape) * 4
