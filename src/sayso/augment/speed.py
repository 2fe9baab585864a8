"""Speed: the word is said faster and higher, or slower and lower."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, Augmentation, AugmentConfig, Surroundings, uniform
from sayso.schema import Range

__all__ = ["Speed"]


@AUGMENTATIONS.register("speed")
@dataclass(frozen=True, kw_only=True)
class Speed(AugmentConfig):
    """Play each clip faster or slower around its middle, by linear interpolation; silence fills what is missing."""

    most: Annotated[float, Range(least=0, below=1)] = 0.1
    """Largest change either way; 0.1 plays at 0.9 to 1.1 times the speed."""

    def build(self, surroundings: Surroundings) -> Augmentation:
        """Make the function for batches of samples."""
        del surroundings

        def play(samples: Tensor, generator: torch.Generator) -> Tensor:
            batch, length = samples.shape
            factor = uniform(batch, 1 - self.most, 1 + self.most, generator, samples.device)[:, None]
            middle = (length - 1) / 2
            # One silent sample at either end takes every position that lies outside the clip.
            where = (torch.arange(length, device=samples.device) - middle) * factor + middle + 1
            where = where.clamp(0, length + 1 - 1e-3)  # (batch, samples), positions in the padded clip
            padded = torch.nn.functional.pad(samples, (1, 1))
            left = where.floor()
            index = left.long().clamp(max=length)
            return torch.lerp(padded.gather(1, index), padded.gather(1, index + 1), where - left)

        return play
