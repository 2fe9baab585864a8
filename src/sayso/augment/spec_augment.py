"""SpecAugment: bands of frequency and stretches of time are hidden.

Source: Park et al. (2019), "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition", without
time warping.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings
from sayso.config.schema import Range, Share

__all__ = ["SpecAugment", "SpecAugmentConfig"]

Count = Annotated[int, Range(least=0)]


@AUGMENTATIONS.register("spec_augment")
@dataclass(frozen=True, kw_only=True)
class SpecAugmentConfig(AugmentConfig):
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

    def build(self, surroundings: Surroundings) -> "SpecAugment":
        """Make the function for batches of features."""
        del surroundings
        return SpecAugment(self)


class SpecAugment:
    """Set bands and stretches of a batch of features to 0, other ones in each clip.

    Args:
        config: its settings.
    """

    def __init__(self, config: SpecAugmentConfig) -> None:
        self.config = config

    def __call__(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of features (batch, channels, bins, frames)."""
        config, (batch, _, bins, frames) = self.config, features.shape
        rows = _mask(batch, bins, config.frequency_masks, config.frequency_share, generator)  # (batch, bins)
        columns = _mask(batch, frames, config.time_masks, config.time_share, generator)  # (batch, frames)
        hidden = rows[:, None, :, None] | columns[:, None, None, :]
        return features.masked_fill(hidden.to(features.device), 0.0)


def _mask(batch: int, length: int, masks: int, share: float, generator: torch.Generator) -> Tensor:
    widths = torch.rand(batch, masks, 1, generator=generator) * share * length
    starts = torch.rand(batch, masks, 1, generator=generator) * (length - widths)
    place = torch.arange(length)
    return ((place >= starts.floor()) & (place < (starts + widths).floor())).any(dim=1)
