"""Vocal tract: the word comes from a longer or shorter throat, at the same pitch and pace."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, uniform
from sayso.config.schema import Range
from sayso.dsp.envelope import log_envelope, quefrencies_of_tract, read_stretched

__all__ = ["VocalTract", "VocalTractConfig"]

_WINDOW_SECONDS = 0.032
_MOST_GAIN = 10.0


@AUGMENTATIONS.register("vocal_tract")
@dataclass(frozen=True, kw_only=True)
class VocalTractConfig(AugmentConfig):
    """Move each clip's formants up or down by a factor, the pitch staying where it is.

    Source: that the spectral envelope is stretched at random follows Jaitly & Hinton (2013), "Vocal tract length
    perturbation improves speech recognition".
    """

    most: Annotated[float, Range(least=0, below=0.5)] = 0.15
    """Largest change either way; 0.15 moves formants to 0.85 to 1.15 times their frequency."""

    def build(self, surroundings: Surroundings) -> "VocalTract":
        """Make the function for batches of samples."""
        return VocalTract(self, surroundings.sample_rate)


class VocalTract:
    """Stretch the spectral envelope of each clip of a batch by a factor of its own.

    Args:
        config: its settings.
        sample_rate: of the clips, in hertz.
    """

    def __init__(self, config: VocalTractConfig, sample_rate: int) -> None:
        self.config = config
        self.hop = max(1, round(_WINDOW_SECONDS * sample_rate / 4))
        self.window = 4 * self.hop
        self.quefrencies = quefrencies_of_tract(sample_rate)

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        most = self.config.most
        factor = uniform(len(samples), 1 - most, 1 + most, generator, samples.device)
        window = torch.hann_window(self.window, device=samples.device)
        spectrum = torch.stft(samples, self.window, self.hop, window=window, return_complex=True, pad_mode="constant")
        magnitudes = spectrum.abs().transpose(1, 2)  # (batch, frames, bins)
        envelope = log_envelope(magnitudes, self.window, quefrencies=self.quefrencies)
        gain = (read_stretched(envelope, factor) - envelope).exp().clamp(max=_MOST_GAIN)
        moved = torch.istft(
            spectrum * gain.transpose(1, 2), self.window, self.hop, window=window, length=samples.shape[1]
        )
        return moved.clamp(-1, 1)
