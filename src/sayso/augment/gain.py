"""Gain: the word is louder or softer."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, uniform
from sayso.config.schema import NonNegative

__all__ = ["Gain", "GainConfig"]


@AUGMENTATIONS.register("gain")
@dataclass(frozen=True, kw_only=True)
class GainConfig(AugmentConfig):
    """Multiply each clip by a gain drawn evenly in decibels; what would clip is clipped."""

    most_db: NonNegative = 6.0
    """Largest gain either way, in dB."""

    def build(self, surroundings: Surroundings) -> "Gain":
        """Make the function for batches of samples."""
        del surroundings
        return Gain(self)


class Gain:
    """Multiply each clip of a batch by a gain of its own, and clip it to [-1, 1].

    Args:
        config: its settings.
    """

    def __init__(self, config: GainConfig) -> None:
        self.config = config

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        most_db = self.config.most_db
        gain_db = uniform(len(samples), -most_db, most_db, generator, samples.device)
        return (samples * 10 ** (gain_db / 20)[:, None]).clamp(-1, 1)
