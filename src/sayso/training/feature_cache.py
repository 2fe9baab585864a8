"""Features that are the same every epoch, computed once."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sayso.data.corpus import Rows

__all__ = ["MOST_BYTES", "FeatureCache"]

MOST_BYTES = 2**29
"""What features may take in memory; larger ones are computed anew for every batch."""


class FeatureCache:
    """Room for the features of some rows of a corpus, all filled before the first is asked for.

    They are filled in one order, whatever the epoch that a training goes on with, so that the last bits are the same.

    Args:
        rows: of the corpus; each once.
        shape: (channels, bins, frames) of the features of one clip.
    """

    def __init__(self, rows: Rows, shape: tuple[int, int, int]) -> None:
        self.values = torch.empty(len(rows), *shape)
        self._place = np.full(int(rows.max(initial=-1)) + 1, -1, dtype=np.int64)
        self._place[rows] = np.arange(len(rows))

    @staticmethod
    def fits(count: int, shape: tuple[int, int, int]) -> bool:
        """Whether the features of so many clips may be kept."""
        return count * math.prod(shape) * 4 <= MOST_BYTES

    def __setitem__(self, rows: Rows, features: Float[Tensor, "rows channels bins frames"]) -> None:
        self.values[torch.from_numpy(self._place[rows])] = features

    def __getitem__(self, rows: Rows) -> Float[Tensor, "rows channels bins frames"]:
        return self.values[torch.from_numpy(self._place[rows])]
