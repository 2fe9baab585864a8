"""Equaliser: the word goes through another microphone, or down a telephone line."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, find_reversed, uniform
from sayso.config.schema import DecibelsApart, Positive, Share
from sayso.dsp.band_edges import edge_db, octaves_of_bins, octaves_of_hertz
from sayso.errors import Fault

__all__ = ["Equaliser", "EqualiserConfig"]


@AUGMENTATIONS.register("equaliser")
@dataclass(frozen=True, kw_only=True)
class EqualiserConfig(AugmentConfig):
    """Colour each clip by a smooth filter of its own, and end the band of some clips early."""

    most_db: DecibelsApart = 8.0
    """Largest gain either way at any octave, in dB."""
    band_probability: Share = 0.3
    """Share of the clips whose band is limited."""
    lowest_cutoff_hz: Positive = 3_000.0
    """Where the band ends at the earliest, in hertz."""
    highest_cutoff_hz: Positive = 7_000.0
    """Where it ends at the latest, in hertz."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the lowest cutoff is above the highest."""
        yield from find_reversed(self, "lowest_cutoff_hz", "highest_cutoff_hz")

    def build(self, surroundings: Surroundings) -> "Equaliser":
        """Make the function for batches of samples."""
        return Equaliser(self, surroundings.sample_rate)


class Equaliser:
    """Filter each clip of a batch by gains of its own, without delay, and clip it to [-1, 1].

    Args:
        config: its settings.
        sample_rate: of the clips, in hertz.
    """

    def __init__(self, config: EqualiserConfig, sample_rate: int) -> None:
        self.config, self.sample_rate = config, sample_rate

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        spectrum = torch.fft.rfft(samples)
        octaves = octaves_of_bins(spectrum.shape[-1], self.sample_rate).to(samples.device)
        gains_db = self._colour(octaves, len(samples), generator) + self._band(octaves, len(samples), generator)
        return torch.fft.irfft(spectrum * 10 ** (gains_db / 20), n=samples.shape[-1]).clamp(-1, 1)

    def _colour(
        self, octaves: Float[Tensor, "bins"], batch: int, generator: torch.Generator
    ) -> Float[Tensor, "batch bins"]:
        # A gain is drawn at every octave, and runs straight from one to the next.
        most_db, count = self.config.most_db, math.ceil(float(octaves[-1])) + 1
        knots = uniform(batch * count, -most_db, most_db, generator, octaves.device).reshape(batch, count)
        below = octaves.long().clamp(max=count - 2)
        return torch.lerp(knots[:, below], knots[:, below + 1], octaves - below)

    def _band(
        self, octaves: Float[Tensor, "bins"], batch: int, generator: torch.Generator
    ) -> Float[Tensor, "batch bins"]:
        config, device = self.config, octaves.device
        lowest, highest = octaves_of_hertz(config.lowest_cutoff_hz), octaves_of_hertz(config.highest_cutoff_hz)
        cutoffs = uniform(batch, lowest, highest, generator, device)
        limited = uniform(batch, 0, 1, generator, device) < config.band_probability
        return limited[:, None] * edge_db(octaves - cutoffs[:, None])
