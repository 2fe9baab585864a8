"""Mel spectrogram: energies of triangular bands, close at low frequencies and wide at high ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig
from sayso.schema import NonNegative, Positive, PositiveInt, Range
from sayso.spectral import MelScale, Stft, frame_faults, mel_filter_bank, next_power_of_two

__all__ = ["Mel", "MelSpectrogram"]


@FEATURES.register("mel")
@dataclass(frozen=True, kw_only=True)
class Mel(FeatureConfig):
    """Mel spectrogram, (1, mels, frames)."""

    n_mels: PositiveInt = 40
    """Number of bands."""
    window_seconds: Positive = 0.03
    """Length of the window."""
    hop_seconds: Positive = 0.01
    """Time from frame to frame."""
    lowest_hertz: NonNegative = 20.0
    """Where the first band begins."""
    highest_hertz: Annotated[float, Range(above=0)] | None = None
    """Where the last band ends; empty: half the sample rate."""
    mel_scale: MelScale = "htk"
    """How frequencies are spaced: HTK's formula, or Slaney's, linear up to 1 kHz."""
    area_norm: bool = False
    """Give all bands the same area (Slaney's norm) instead of the same height."""
    scale: Literal["log", "linear"] = "log"
    """log: natural logarithm of energy + 1e-6; linear: energy as it is."""

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Windows longer than the clip, bands above half the sample rate, bands too narrow to hold a bin."""
        yield from frame_faults(self.window_seconds, self.hop_seconds, audio)
        nyquist = audio.sample_rate / 2
        highest = self.highest_hertz or nyquist
        if highest > nyquist:
            yield Fault("highest_hertz", f"is {highest:g}, must be at most half the sample rate, {nyquist:g}")
        elif self.lowest_hertz >= highest:
            yield Fault("lowest_hertz", f"is {self.lowest_hertz:g}, must be below highest_hertz, {highest:g}")
        elif empty := int((self._bank(audio).sum(axis=1) == 0).sum()):
            yield Fault(
                "n_mels", f"is {self.n_mels}: {empty} bands hold no frequency bin; use fewer or a longer window"
            )

    def build(self, audio: AudioFormat) -> "MelSpectrogram":
        """Make the module."""
        window, hop = round(self.window_seconds * audio.sample_rate), round(self.hop_seconds * audio.sample_rate)
        stft = Stft(n_fft=next_power_of_two(window), window=window, hop=hop)
        bank = torch.from_numpy(self._bank(audio)).float()
        return MelSpectrogram(stft, bank, samples=audio.clip_samples, log=self.scale == "log")

    def _bank(self, audio: AudioFormat) -> NDArray[np.float64]:
        return mel_filter_bank(
            n_mels=self.n_mels,
            n_fft=next_power_of_two(round(self.window_seconds * audio.sample_rate)),
            sample_rate=audio.sample_rate,
            lowest_hertz=self.lowest_hertz,
            highest_hertz=self.highest_hertz or audio.sample_rate / 2,
            scale=self.mel_scale,
            area=self.area_norm,
        )


class MelSpectrogram(Feature):
    """Power spectrogram times a bank of mel filters, in the logarithm if wanted.

    Args:
        stft: the transform of the frames.
        bank: (mels, bins).
        samples: length of a clip.
        log: take log(energy + 1e-6).
    """

    def __init__(self, stft: Stft, bank: Float[Tensor, "mels bins"], *, samples: int, log: bool) -> None:
        super().__init__()
        self.stft = stft
        self.log = log
        self.register_buffer("bank", bank, persistent=False)
        self.bank: Tensor
        self.shape = (1, bank.shape[0], stft.frames(samples))

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1 mels frames"]:
        """Represent a batch of clips."""
        energy = self.stft.power(samples) @ self.bank.T  # (batch, frames, mels)
        energy = (energy + 1e-6).log() if self.log else energy
        return energy.transpose(1, 2)[:, None]  # (batch, 1, mels, frames)
