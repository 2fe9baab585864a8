"""Loss and accuracy over the clips of an epoch."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sayso.system.distributed import sum_over_processes

__all__ = ["EpochScores"]


class EpochScores:
    """Loss and accuracy summed over clips; read once at an epoch's end, so that no step waits for a number."""

    def __init__(self) -> None:
        self._sums: Tensor | None = None

    def add(self, loss_sum: Tensor, logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"]) -> None:
        """Add a batch and the sum of its losses."""
        hits = (logits.argmax(dim=1) == targets).sum()
        batch = torch.stack((loss_sum.double(), hits.double(), torch.full_like(hits, len(targets)).double()))
        self._sums = batch if self._sums is None else self._sums + batch

    def gather(self, device: torch.device) -> None:
        """Add up what all processes have seen; each must come here once an epoch."""
        sums = torch.zeros(3, dtype=torch.float64, device=device) if self._sums is None else self._sums
        self._sums = sum_over_processes(sums)

    @property
    def loss(self) -> float:
        """Mean over the clips; 0 when there were none."""
        return self._share(0)

    @property
    def accuracy(self) -> float:
        """Share of clips whose highest logit is their word's; 0 when there were none."""
        return self._share(1)

    def reset(self) -> None:
        """Start again at nothing."""
        self._sums = None

    def _share(self, index: int) -> float:
        if self._sums is None or not self._sums[2]:
            return 0.0
        return float(self._sums[index] / self._sums[2])
