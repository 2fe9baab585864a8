"""Mixup: a network hears two clips at once, and is to name both by as much as it hears of each.

Source: Zhang et al. (2018), "mixup: Beyond Empirical Risk Minimization"; here each clip has a share of its own.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

__all__ = ["Mixture"]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Which other clip of the batch is mixed into each, and how much of it."""

    other: Int64[Tensor, "batch"]
    """Its place in the batch."""
    share: Float[Tensor, "batch"]
    """Of the clip itself, 0.5 to 1, so that its own word stays the one that is heard most."""

    @classmethod
    def draw(cls, batch: int, alpha: float, rng: np.random.Generator, device: torch.device) -> "Mixture":
        """Draw shares from Beta(alpha, alpha), the larger of both for the clip itself, and an order of the others.

        Args:
            batch: clips.
            alpha: above 0; small: nearly one clip alone, 1: any share is as likely.
            rng: what they are drawn from.
            device: where the clips are.
        """
        drawn = rng.beta(alpha, alpha, batch)
        share = torch.from_numpy(np.maximum(drawn, 1 - drawn)).float()
        return cls(torch.from_numpy(rng.permutation(batch)).to(device), share.to(device))

    def mix(self, values: Float[Tensor, "batch *any"]) -> Float[Tensor, "batch *any"]:
        """Mix each clip's features with those of its other."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return share * values + (1 - share) * values[self.other]

    def loss(
        self,
        logits: Float[Tensor, "batch classes"],
        targets: Int64[Tensor, "batch"],
        *,
        weights: Float[Tensor, "classes"] | None,
        smoothing: float,
    ) -> Float[Tensor, ""]:
        """Give the mean cross-entropy against both words, each by its share.

        Args:
            logits: of the mixed clips.
            targets: words of the clips themselves.
            weights: what clips of each word weigh; None: all the same.
            smoothing: share of the targets that is spread over all words.
        """
        own, other = (
            nn.functional.cross_entropy(logits, words, weight=weights, label_smoothing=smoothing, reduction="none")
            for words in (targets, targets[self.other])
        )
        mixed = self.share * own + (1 - self.share) * other
        # What the clips weigh unmixed: every clip is the other of one, and the shares of several processes add up.
        return mixed.mean() if weights is None else mixed.sum() / weights[targets].sum()
