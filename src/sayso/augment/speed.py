"""Speed: the word is said faster and higher, or slower and lower."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, uniform
from sayso.config.schema import Range

__all__ = ["Speed", "SpeedConfig"]


@AUGMENTATIONS.register("speed")
@dataclass(frozen=True, kw_only=True)
class SpeedConfig(AugmentConfig):
    """Play each clip faster or slower around its middle, by linear interpolation; silence fills what is missing."""

    most: Annotated[float, Range(least=0, below=1)] = 0.1
    """Largest change either way; 0.1 plays at 0.9 to 1.1 times the speed."""

    def build(self, surroundings: Surroundings) -> "Speed":
        """Make the function for batches of samples."""
        del surroundings
        return Speed(self)


class Speed:
    """Play each clip of a batch at a speed of its own.

    Args:
        config: its settings.
    """

    def __init__(self, config: SpeedConfig) -> None:
        self.config = config

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips (batch, samples)."""
        batch, length = samples.shape
        factor = uniform(batch, 1 - self.config.most, 1 + self.config.most, generator, samples.device)
        # Positions from -1 (first sample) to 1 (last), stretched about the middle; the clip is one row of an image.
        where = torch.zeros(batch, 1, length, 2, device=samples.device)
        where[:, 0, :, 0] = torch.linspace(-1, 1, length, device=samples.device) * factor[:, None]
        image = samples[:, None, None]  # (batch, 1, 1, samples)
        played = nn.functional.grid_sample(image, where, mode="bilinear", padding_mode="zeros", align_corners=True)
        return played[:, 0, 0]
