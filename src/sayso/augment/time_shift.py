"""Time shift: the word comes a little earlier or later."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, Augmentation, AugmentConfig, Surroundings
from sayso.config.schema import NonNegative

__all__ = ["TimeShift"]


@AUGMENTATIONS.register("time_shift")
@dataclass(frozen=True, kw_only=True)
class TimeShift(AugmentConfig):
    """Shift each clip by up to so many seconds either way; silence fills the gap."""

    most_seconds: NonNegative = 0.1
    """Largest shift."""

    def build(self, surroundings: Surroundings) -> Augmentation:
        """Make the function for batches of samples."""
        most = round(self.most_seconds * surroundings.sample_rate)

        def shift(samples: Tensor, generator: torch.Generator) -> Tensor:
            batch, length = samples.shape
            reach = min(most, length - 1)
            by = torch.randint(-reach, reach + 1, (batch, 1), generator=generator).to(samples.device)
            padded = torch.nn.functional.pad(samples, (reach, reach))
            index = torch.arange(reach, reach + length, device=samples.device) - by  # (batch, samples)
            return padded.gather(1, index)

        return shift
