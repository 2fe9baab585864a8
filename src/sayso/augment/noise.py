"""Noise: the word is said somewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, uniform
from sayso.config.schema import NonNegative, Share
from sayso.errors import Fault

__all__ = ["Noise", "NoiseConfig"]


@AUGMENTATIONS.register("noise")
@dataclass(frozen=True, kw_only=True)
class NoiseConfig(AugmentConfig):
    """Add background recordings, or white noise where there are none, at a signal-to-noise ratio drawn evenly in dB."""

    probability: Share = 0.8
    """Share of the clips that get noise."""
    lowest_snr_db: float = 5.0
    """Loudest noise: signal over noise in dB."""
    highest_snr_db: float = 30.0
    """Softest noise: signal over noise in dB."""
    steepest_db_per_octave: NonNegative = 0.0
    """Noise that is made falls towards high frequencies by 0 to so many dB an octave, drawn evenly: 0 is white, 3 is
    pink, 6 is brown."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where the lowest ratio is above the highest."""
        if self.lowest_snr_db > self.highest_snr_db:
            yield Fault("lowest_snr_db", f"is {self.lowest_snr_db:g}, above highest_snr_db, {self.highest_snr_db:g}")

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
        noise = _stretches(self.recordings, samples, generator, steepest=config.steepest_db_per_octave)
        snr_db = uniform(batch, config.lowest_snr_db, config.highest_snr_db, generator, device)
        chosen = uniform(batch, 0, 1, generator, device) < config.probability
        ratio = samples.square().mean(1) / noise.square().mean(1).clamp(min=1e-12) / 10 ** (snr_db / 10)
        return (samples + (chosen * ratio.sqrt())[:, None] * noise).clamp(-1, 1)


def _stretches(recordings: Sequence[Tensor], samples: Tensor, generator: torch.Generator, *, steepest: float) -> Tensor:
    """Draw noise for each clip, (batch, samples): from recordings long enough, noise that is made being one more."""
    batch, length = samples.shape
    recordings = [noise for noise in recordings if len(noise) >= length]
    which = torch.randint(len(recordings) + 1, (batch,), generator=generator)
    place = torch.rand(batch, generator=generator).tolist()
    stretches = torch.empty(batch, length)
    made = which == len(recordings)
    stretches[made] = _coloured(torch.randn(int(made.sum()), length, generator=generator), generator, steepest=steepest)
    for row in torch.nonzero(~made).flatten().tolist():
        recording = recordings[int(which[row])]
        start = int(place[row] * (len(recording) - length + 1))
        stretches[row] = recording[start : start + length]
    return stretches.to(samples.device)


def _coloured(noise: Tensor, generator: torch.Generator, *, steepest: float) -> Tensor:
    """Let white noise fall by a slope of its own a clip, 0 to `steepest` dB an octave."""
    if steepest == 0:
        return noise
    slopes = uniform(len(noise), 0, steepest, generator, noise.device)
    spectrum = torch.fft.rfft(noise)
    octaves = torch.arange(spectrum.shape[1]).clamp(min=1).log2()
    return torch.fft.irfft(spectrum * 10 ** (-slopes[:, None] * octaves / 20), n=noise.shape[1])
