"""Gain: the word is louder or softer."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, Augmentation, AugmentConfig, Surroundings, uniform
from sayso.config.schema import NonNegative

__all__ = ["Gain"]


@AUGMENTATIONS.register("gain")
@dataclass(frozen=True, kw_only=True)
class Gain(AugmentConfig):
    """Multiply each clip by a gain drawn evenly in decibels; what would clip is clipped."""

    most_db: NonNegative = 6.0
    """Largest gain either way, in dB."""

    def build(self, surroundings: Surroundings) -> Augmentation:
        """Make the function for batches of samples."""
        del surroundings

        def amplify(samples: Tensor, generator: torch.Generator) -> Tensor:
            gain_db = uniform(len(samples), -self.most_db, self.most_db, generator, samples.device)
            return (samples * 10 ** (gain_db / 20)[:, None]).clamp(-1, 1)

        return amplify
