"""SpecAugment: bands of frequency and stretches of time are hidden.

Source: Park et al. (2019), "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition", without
time warping.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, Augmentation, AugmentConfig, Surroundings
from sayso.config.schema import Range, Share

__all__ = ["SpecAugment"]

Count = Annotated[int, Range(least=0)]


@AUGMENTATIONS.register("spec_augment")
@dataclass(frozen=True, kw_only=True)
class SpecAugment(AugmentConfig):
    """Set random bands and stretches of the normalised features to 0, which is their mean."""

    works_on: ClassVar = "features"

    frequency_masks: Count = 2
    """Bands hidden in each clip."""
    frequency_share: Share = 0.15
    """Widest band, as a share of all bins."""
    time_masks: Count = 2
    """Stretches hidden in each clip."""
    time_share: Share = 0.2
    """Longest stretch, as a share of all frames."""

    def build(self, surroundings: Surroundings) -> Augmentation:
        """Make the function for batches of features."""
        del surroundings

        def hide(features: Tensor, generator: torch.Generator) -> Tensor:
            batch, _, bins, frames = features.shape
            rows = _mask(batch, bins, self.frequency_masks, self.frequency_share, generator)  # (batch, bins)
            columns = _mask(batch, frames, self.time_masks, self.time_share, generator)  # (batch, frames)
            hidden = rows[:, None, :, None] | columns[:, None, None, :]
            return features.masked_fill(hidden.to(features.device), 0.0)

        return hide


def _mask(batch: int, length: int, masks: int, share: float, generator: torch.Generator) -> Tensor:
    widths = torch.rand(batch, masks, 1, generator=generator) * share * length
    starts = torch.rand(batch, masks, 1, generator=generator) * (length - widths)
    place = torch.arange(length)
    return ((place >= starts.floor()) & (place < (starts + widths).floor())).any(dim=1)
