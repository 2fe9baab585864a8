"""Gain: the word is louder or softer."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, uniform
from sayso.config.schema import DecibelsApart, Range

__all__ = ["Gain", "GainConfig"]


@AUGMENTATIONS.register("gain")
@dataclass(frozen=True, kw_only=True)
class GainConfig(AugmentConfig):
    """Multiply each clip by a gain drawn evenly in decibels; what would clip is clipped."""

    most_db: DecibelsApart = 6.0
    """Largest gain either way from the middle, in dB."""
    middle_db: Annotated[float, Range(least=-60.0, most=60.0)] = 0.0
    """What gains are spread around, in dB: 18 around -12 are -30 to 6, for microphones far away or turned low."""

    @property
    def draws(self) -> bool:
        """Not where all gains are their middle."""
        return self.most_db > 0

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
        most_db, middle_db = self.config.most_db, self.config.middle_db
        gain_db = uniform(len(samples), middle_db - most_db, middle_db + most_db, generator, samples.device)
        return (samples * 10 ** (gain_db / 20)[:, None]).clamp(-1, 1)
