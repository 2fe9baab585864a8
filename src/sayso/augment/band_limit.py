"""Band limit: the word comes down a telephone line, or out of a small loudspeaker."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, find_reversed, uniform
from sayso.config.schema import Positive, Share
from sayso.dsp.band_edges import edge_db, octaves_of_bins, octaves_of_hertz
from sayso.errors import Fault

__all__ = ["BandLimit", "BandLimitConfig"]


@AUGMENTATIONS.register("band_limit")
@dataclass(frozen=True, kw_only=True)
class BandLimitConfig(AugmentConfig):
    """Leave some clips a band alone that begins and ends somewhere, drawn evenly in octaves.

    A telephone's is 300 to 3,400 Hz (ITU-T G.712).
    """

    probability: Share = 0.5
    """Share of the clips whose band is limited."""
    lowest_start_hz: Positive = 80.0
    """Where the band begins at the lowest, in hertz."""
    highest_start_hz: Positive = 500.0
    """Where it begins at the highest."""
    lowest_end_hz: Positive = 2_000.0
    """Where it ends at the lowest."""
    highest_end_hz: Positive = 7_000.0
    """Where it ends at the highest; from half the sample rate on nothing is missing above."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each range that ends before it begins, and where a band could."""
        yield from find_reversed(self, "lowest_start_hz", "highest_start_hz")
        yield from find_reversed(self, "lowest_end_hz", "highest_end_hz")
        yield from find_reversed(self, "highest_start_hz", "lowest_end_hz")

    def build(self, surroundings: Surroundings) -> "BandLimit":
        """Make the function for batches of samples."""
        return BandLimit(self, surroundings.sample_rate)


class BandLimit:
    """Take from some clips of a batch what lies outside a band of their own, without delay.

    Args:
        config: its settings.
        sample_rate: of the clips, in hertz.
    """

    def __init__(self, config: BandLimitConfig, sample_rate: int) -> None:
        self.config, self.sample_rate = config, sample_rate

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        config, (batch, length), device = self.config, samples.shape, samples.device
        chosen = uniform(batch, 0, 1, generator, device) < config.probability
        starts, ends = (
            uniform(batch, octaves_of_hertz(lowest), octaves_of_hertz(highest), generator, device)
            for lowest, highest in (
                (config.lowest_start_hz, config.highest_start_hz),
                (config.lowest_end_hz, config.highest_end_hz),
            )
        )
        spectrum = torch.fft.rfft(samples)
        octaves = octaves_of_bins(spectrum.shape[-1], self.sample_rate).to(device)
        gains_db = edge_db(starts[:, None] - octaves) + edge_db(octaves - ends[:, None])  # (batch, bins)
        heard = torch.fft.irfft(spectrum * 10 ** (gains_db / 20), n=length)
        return torch.where(chosen[:, None], heard.clamp(-1, 1), samples)
