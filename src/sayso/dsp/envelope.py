"""Spectral envelopes of voices: what the vocal tract makes of the pulses, smooth over frequency."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["log_envelope", "quefrencies_of_tract", "read_stretched"]

# Quefrencies below 1.5 ms are the vocal tract's; the pitch of a voice below 600 Hz lies above.
_LIFTER_SECONDS = 0.0015
_LOWEST = 1e-4


def quefrencies_of_tract(sample_rate: int) -> int:
    """How many quefrencies are the vocal tract's at this rate, in hertz."""
    return max(1, round(_LIFTER_SECONDS * sample_rate))


def log_envelope(
    magnitudes: Float[Tensor, "batch frames bins"], window: int, *, quefrencies: int
) -> Float[Tensor, "batch frames bins"]:
    """Give the natural logarithm of each frame's envelope.

    Source: it is the cepstrum's low end (Oppenheim & Schafer 1968, "Homomorphic analysis of speech").

    Args:
        magnitudes: of short-time spectra.
        window: samples of a frame.
        quefrencies: how many of the cepstrum are kept, below half the window.
    """
    cepstrum = torch.fft.irfft(magnitudes.clamp(min=_LOWEST).log(), n=window)
    cepstrum[..., quefrencies : window - quefrencies + 1] = 0
    return torch.fft.rfft(cepstrum).real


def read_stretched(
    spectra: Float[Tensor, "batch frames bins"], factor: Float[Tensor, "batch"]
) -> Float[Tensor, "batch frames bins"]:
    """Read each spectrum at its frequencies divided by the factor; beyond the highest the highest's value stays."""
    bins = spectra.shape[-1]
    place = (torch.arange(bins, device=spectra.device) / factor[:, None]).clamp(max=bins - 1)  # (batch, bins)
    below = place.long().clamp(max=bins - 2)
    weight = (place - below)[:, None]
    at = below[:, None].expand(-1, spectra.shape[1], -1)
    return torch.lerp(spectra.gather(2, at), spectra.gather(2, at + 1), weight)
