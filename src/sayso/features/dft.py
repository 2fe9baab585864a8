"""Discrete Fourier transform of the whole clip: which frequencies are in it, and not when."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.audio import AudioFormat
from sayso.config.schema import Range
from sayso.dsp.compression import Compression, LevelSettings, Scale, power_faults
from sayso.dsp.fourier import RealDft, fast_length
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig

__all__ = ["Dft", "DftConfig"]


@FEATURES.register("dft")
@dataclass(frozen=True, kw_only=True)
class DftConfig(LevelSettings, FeatureConfig):
    """Fourier transform of the whole clip, (1, bins, 1), or complex as (2, bins, 1)."""

    power: Annotated[float, Range(above=0)] | None = 1.0
    """Exponent of the magnitude: 1 magnitude, 2 energy; empty: real and imaginary parts."""
    scale: Scale = "log"
    """log: natural logarithm of the value + 1e-6; db: decibels, the same for every power; linear: the value as it is.
    Complex is always linear."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where complex values are asked for together with a logarithm."""
        if self.power is None and self.scale != "linear":
            yield Fault("scale", f"is {self.scale}, must be linear when power is empty (the two parts have signs)")

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Yield a fault where float32 cannot hold the power for clips of that length."""
        return power_faults(self.power, audio.clip_samples)

    def build(self, audio: AudioFormat) -> "Dft":
        """Make the module."""
        compress = None if self.power is None else self.compression(self.scale, power=self.power)
        return Dft(audio.clip_samples, compress)


class Dft(Feature):
    """Fourier transform of the whole clip, no window.

    Bin k is k * sample_rate / length hertz, where length is the clip's, filled up with zeros to the next product of 2,
    3 and 5 (seconds and tenths at the usual rates are such).

    Args:
        samples: length of a clip.
        compress: energies to what the network hears; None: real and imaginary parts as two channels.
    """

    def __init__(self, samples: int, compress: Compression | None) -> None:
        super().__init__()
        self.dft = RealDft(fast_length(samples))
        self.compress = compress
        self.surplus = self.dft.length - samples
        self.shape = (1 if compress else 2, self.dft.bins, 1)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch channels bins 1"]:
        """Represent a batch of clips."""
        padded = nn.functional.pad(samples, (0, self.surplus)) if self.surplus else samples
        spectrum = self.dft(padded)  # (batch, bins, 2)
        if self.compress is None:
            return spectrum.transpose(1, 2)[..., None]  # (batch, 2, bins, 1)
        real, imaginary = spectrum.unbind(-1)
        energy = torch.addcmul(real * real, imaginary, imaginary)
        return self.compress(energy[:, None])[..., None]  # (batch, 1, bins, 1)
