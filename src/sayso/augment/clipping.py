"""Clipping: the microphone or its amplifier was turned up too far."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, find_reversed, uniform
from sayso.config.schema import Range, Share
from sayso.errors import Fault

__all__ = ["Clipping", "ClippingConfig"]


@AUGMENTATIONS.register("clipping")
@dataclass(frozen=True, kw_only=True)
class ClippingConfig(AugmentConfig):
    """Cut the peaks of some clips off at a share of the highest, and play them as loud as before."""

    probability: Share = 0.5
    """Share of the clips that are overdriven."""
    lowest_share: Annotated[float, Range(above=0, most=1)] = 0.1
    """Where the most overdriven are cut, as a share of their peak."""
    highest_share: Annotated[float, Range(above=0, most=1)] = 1.0
    """Where the least overdriven are cut; 1 leaves a clip as it is."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the lowest share is above the highest."""
        yield from find_reversed(self, "lowest_share", "highest_share")

    def build(self, surroundings: Surroundings) -> "Clipping":
        """Make the function for batches of samples."""
        del surroundings
        return Clipping(self)


class Clipping:
    """Overdrive some clips of a batch, each by as much as is drawn for it, evenly in decibels.

    Args:
        config: its settings.
    """

    def __init__(self, config: ClippingConfig) -> None:
        self.config = config

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        config, batch, device = self.config, len(samples), samples.device
        chosen = uniform(batch, 0, 1, generator, device) < config.probability
        share = config.highest_share * (config.lowest_share / config.highest_share) ** uniform(
            batch, 0, 1, generator, device
        )
        limit = (share * samples.abs().amax(1))[:, None]
        cut = torch.minimum(torch.maximum(samples, -limit), limit)
        # No sample falls below this share of itself, so the gain never lifts the peak above what it was.
        loudness = samples.square().mean(1) / cut.square().mean(1).clamp(min=1e-12)
        return torch.where(chosen[:, None], cut * loudness.sqrt()[:, None], samples)
