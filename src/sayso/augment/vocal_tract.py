"""Vocal tract: the word comes from a longer or shorter throat, at the same pitch and pace."""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, uniform
from sayso.config.schema import Range

__all__ = ["VocalTract", "VocalTractConfig"]

_WINDOW_SECONDS = 0.032
# Quefrencies below 1.5 ms are the vocal tract's; the pitch of a voice below 600 Hz lies above.
_LIFTER_SECONDS = 0.0015
_LOWEST = 1e-4
_MOST_GAIN = 10.0


@AUGMENTATIONS.register("vocal_tract")
@dataclass(frozen=True, kw_only=True)
class VocalTractConfig(AugmentConfig):
    """Move each clip's formants up or down by a factor, the pitch staying where it is.

    Source: the spectral envelope is the cepstrum's low end (Oppenheim & Schafer 1968, "Homomorphic analysis of
    speech"); that it is stretched at random follows Jaitly & Hinton (2013), "Vocal tract length perturbation improves
    speech recognition".
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
        self.lifter = max(1, round(_LIFTER_SECONDS * sample_rate))

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        most = self.config.most
        factor = uniform(len(samples), 1 - most, 1 + most, generator, samples.device)
        window = torch.hann_window(self.window, device=samples.device)
        spectrum = torch.stft(samples, self.window, self.hop, window=window, return_complex=True, pad_mode="constant")
        envelope = self._log_envelope(spectrum.abs().transpose(1, 2))  # (batch, frames, bins)
        gain = (_stretched(envelope, factor) - envelope).exp().clamp(max=_MOST_GAIN)
        moved = torch.istft(
            spectrum * gain.transpose(1, 2), self.window, self.hop, window=window, length=samples.shape[1]
        )
        return moved.clamp(-1, 1)

    def _log_envelope(self, magnitudes: Float[Tensor, "batch frames bins"]) -> Float[Tensor, "batch frames bins"]:
        cepstrum = torch.fft.irfft(magnitudes.clamp(min=_LOWEST).log(), n=self.window)
        cepstrum[..., self.lifter : self.window - self.lifter + 1] = 0
        return torch.fft.rfft(cepstrum).real


def _stretched(
    envelope: Float[Tensor, "batch frames bins"], factor: Float[Tensor, "batch"]
) -> Float[Tensor, "batch frames bins"]:
    """Read each envelope at its frequencies divided by the factor; beyond the highest the highest's value stays."""
    bins = envelope.shape[-1]
    place = (torch.arange(bins, device=envelope.device) / factor[:, None]).clamp(max=bins - 1)  # (batch, bins)
    below = place.long().clamp(max=bins - 2)
    weight = (place - below)[:, None]
    at = below[:, None].expand(-1, envelope.shape[1], -1)
    return torch.lerp(envelope.gather(2, at), envelope.gather(2, at + 1), weight)
