"""Noise: the word is said somewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, find_reversed, uniform
from sayso.config.schema import Decibels, Share
from sayso.errors import Fault
from sayso.system.files import expand_home

__all__ = ["Noise", "NoiseConfig"]


@AUGMENTATIONS.register("noise")
@dataclass(frozen=True, kw_only=True)
class NoiseConfig(AugmentConfig):
    """Add a background recording, or white noise as one of them, at a signal-to-noise ratio drawn evenly in dB."""

    probability: Share = 0.8
    """Share of the clips that get noise."""
    lowest_snr_db: Decibels = 5.0
    """Loudest noise: signal over noise in dB."""
    highest_snr_db: Decibels = 30.0
    """Softest noise: signal over noise in dB."""
    recordings: tuple[str, ...] = ()
    """Files and folders, at any depth, of more background recordings, such as another data set's; those that are
    shorter than a clip are repeated. `surround` hears them, too. No clip that is tested should be among them."""

    @property
    def background(self) -> tuple[str, ...]:
        """The recordings."""
        return self.recordings

    def anchor(self) -> Self:
        """The same with whole paths."""
        return replace(self, recordings=tuple(str(expand_home(place).resolve()) for place in self.recordings))

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the lowest ratio is above the highest."""
        yield from find_reversed(self, "lowest_snr_db", "highest_snr_db")

    def build(self, surroundings: Surroundings) -> "Noise":
        """Make the function for batches of samples."""
        return Noise(self, surroundings.noise)


class Noise:
    """Add noise to some clips of a batch, each at a signal-to-noise ratio of its own, and clip them to [-1, 1].

    Args:
        config: its settings.
        recordings: of background noise, each (samples,), in [-1, 1).
    """

    def __init__(self, config: NoiseConfig, recordings: Sequence[Tensor]) -> None:
        self.config, self.recordings = config, recordings

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        config, batch, device = self.config, len(samples), samples.device
        noise = _stretches(self.recordings, samples, generator)
        snr_db = uniform(batch, config.lowest_snr_db, config.highest_snr_db, generator, device)
        chosen = uniform(batch, 0, 1, generator, device) < config.probability
        ratio = samples.square().mean(1) / noise.square().mean(1).clamp(min=1e-12) / 10 ** (snr_db / 10)
        return (samples + (chosen * ratio.sqrt())[:, None] * noise).clamp(-1, 1)


def _stretches(recordings: Sequence[Tensor], samples: Tensor, generator: torch.Generator) -> Tensor:
    """Draw noise for each clip, (batch, samples): from recordings long enough, white noise being one more."""
    batch, length = samples.shape
    recordings = [noise for noise in recordings if len(noise) >= length]
    which = torch.randint(len(recordings) + 1, (batch,), generator=generator)
    place = torch.rand(batch, generator=generator).tolist()
    stretches = torch.empty(batch, length)
    is_white = which == len(recordings)
    stretches[is_white] = torch.randn(int(is_white.sum()), length, generator=generator)
    for row in torch.nonzero(~is_white).flatten().tolist():
        recording = recordings[int(which[row])]
        start = int(place[row] * (len(recording) - length + 1))
        stretches[row] = recording[start : start + length]
    return stretches.to(samples.device)
