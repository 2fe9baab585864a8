"""Spectrogram: the short-time Fourier transform as a power of its magnitude, or complex as two channels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig
from sayso.schema import Positive, Range
from sayso.spectral import Stft, frame_faults, next_power_of_two

__all__ = ["Spectrogram", "SpectrogramImage"]


@FEATURES.register("spectrogram")
@dataclass(frozen=True, kw_only=True)
class Spectrogram(FeatureConfig):
    """Spectrogram, (1, bins, frames), or complex as (2, bins, frames)."""

    power: Annotated[float, Range(above=0)] | None = 2.0
    """Exponent of the magnitude: 2 energy, 1 magnitude, 0.5 its root; empty: real and imaginary parts."""
    window_seconds: Positive = 0.03
    """Length of the window."""
    hop_seconds: Positive = 0.01
    """Time from frame to frame."""
    scale: Literal["log", "linear"] = "log"
    """log: natural logarithm of the value + 1e-6; linear: the value as it is. Complex is always linear."""

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Windows longer than the clip, hops of no sample."""
        return frame_faults(self.window_seconds, self.hop_seconds, audio)

    def faults(self) -> Iterator[Fault]:
        """A logarithm of complex numbers is not offered."""
        if self.power is None and self.scale == "log":
            yield Fault("scale", "is log, must be linear when power is empty (real and imaginary parts have signs)")

    def build(self, audio: AudioFormat) -> "SpectrogramImage":
        """Make the module."""
        window, hop = round(self.window_seconds * audio.sample_rate), round(self.hop_seconds * audio.sample_rate)
        stft = Stft(n_fft=next_power_of_two(window), window=window, hop=hop)
        return SpectrogramImage(stft, samples=audio.clip_samples, power=self.power, log=self.scale == "log")


class SpectrogramImage(Feature):
    """Short-time Fourier transform raised to a power, or as real and imaginary parts.

    Args:
        stft: the transform of the frames.
        samples: length of a clip.
        power: exponent of the magnitude, or None for two channels.
        log: take log(value + 1e-6).
    """

    def __init__(self, stft: Stft, *, samples: int, power: float | None, log: bool) -> None:
        super().__init__()
        self.stft, self.power, self.log = stft, power, log
        self.shape = (1 if power else 2, stft.bins, stft.frames(samples))

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch channels bins frames"]:
        """Represent a batch of clips."""
        if self.power is None:
            return self.stft(samples)
        value = self.stft.power(samples).transpose(1, 2)[:, None]  # (batch, 1, bins, frames)
        if self.power != 2:
            # The root's slope is infinite at 0; a floor far below one quantisation step keeps gradients finite.
            value = torch.clamp(value, min=1e-12) ** (self.power / 2)
        return (value + 1e-6).log() if self.log else value
