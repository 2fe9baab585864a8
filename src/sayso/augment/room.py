"""Room: the word is said at some distance, between walls."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, find_reversed, uniform
from sayso.config.schema import Decibels, Positive, Share
from sayso.dsp.fourier import fast_length
from sayso.errors import Fault

__all__ = ["Room", "RoomConfig"]

# Reverberation time is what a sound takes to fall by 60 dB, which for amplitudes is a factor of a thousand.
_FALL = 6.907755


@AUGMENTATIONS.register("room")
@dataclass(frozen=True, kw_only=True)
class RoomConfig(AugmentConfig):
    """Add to some clips the echo of a room: white noise that fades away, after the sound that comes straight.

    Source: Moorer (1979), "About this reverberation business", whose late echoes are exponentially decaying noise.
    """

    probability: Share = 0.5
    """Share of the clips that are said in a room."""
    shortest_seconds: Positive = 0.1
    """Shortest reverberation time, in which the echo falls by 60 dB."""
    longest_seconds: Positive = 0.6
    """Longest reverberation time."""
    lowest_direct_db: Decibels = 0.0
    """Energy of the direct sound over that of its echo where the speaker is far away, in dB."""
    highest_direct_db: Decibels = 20.0
    """The same where the speaker is near."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each range that ends before it begins."""
        yield from find_reversed(self, "shortest_seconds", "longest_seconds")
        yield from find_reversed(self, "lowest_direct_db", "highest_direct_db")

    def build(self, surroundings: Surroundings) -> "Room":
        """Make the function for batches of samples."""
        return Room(self, surroundings.sample_rate)


class Room:
    """Say some clips of a batch in a room of their own, as loud as before.

    Args:
        config: its settings.
        sample_rate: of the clips, in hertz.
    """

    def __init__(self, config: RoomConfig, sample_rate: int) -> None:
        self.config, self.sample_rate = config, sample_rate

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        config, (batch, length), device = self.config, samples.shape, samples.device
        chosen = uniform(batch, 0, 1, generator, device) < config.probability
        seconds = uniform(batch, config.shortest_seconds, config.longest_seconds, generator, device)
        direct_db = uniform(batch, config.lowest_direct_db, config.highest_direct_db, generator, device)
        taps = min(length, round(config.longest_seconds * self.sample_rate))
        echo = self._echoes(seconds, taps, generator) * 10 ** (-direct_db / 20)[:, None]
        size = fast_length(length + taps)
        spectrum = torch.fft.rfft(samples, n=size) * (1 + torch.fft.rfft(echo, n=size))
        heard = torch.fft.irfft(spectrum, n=size)[:, :length]
        loudness = samples.square().mean(1) / heard.square().mean(1).clamp(min=1e-12)
        return torch.where(chosen[:, None], (heard * loudness.sqrt()[:, None]).clamp(-1, 1), samples)

    def _echoes(self, seconds: Tensor, taps: int, generator: torch.Generator) -> Tensor:
        """Give each clip a fading noise of energy 1, (batch, taps)."""
        time = torch.arange(taps, device=seconds.device) / self.sample_rate
        noise = torch.randn(len(seconds), taps, generator=generator).to(seconds.device)
        echo = noise * torch.exp(-_FALL * time / seconds[:, None])
        return echo / echo.square().sum(1, keepdim=True).sqrt()
