"""Mel bands: the settings and the energies that `mel` and `mfcc` have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.errors import Fault
from sayso.fourier import ExactConstants
from sayso.schema import NonNegative, Positive, PositiveInt, Range, Settings
from sayso.spectral import MelScale, Normalized, Stft, frame_faults, mel_filter_bank, next_power_of_two, stft_of

__all__ = ["MelBandSettings", "MelBands"]

_BANDS_AT_A_TIME = 16


@dataclass(frozen=True, kw_only=True)
class MelBandSettings(Settings):
    """Frames and bands; mixed into the settings of representations that begin with mel bands."""

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
    normalized: Normalized = "none"
    """Divide magnitudes by the root of the window's energy (window: torchaudio's `normalized`, in Python and R) or of
    the transform's length (frame_length: torch.stft's `normalized`)."""
    area_norm: bool = False
    """Give all bands the same area (Slaney's norm) instead of the same height."""

    def band_faults(self, audio: AudioFormat) -> Iterator[Fault]:
        """Windows longer than the clip, bands above half the sample rate, bands too narrow to hold a bin."""
        frames = list(frame_faults(self.window_seconds, self.hop_seconds, audio))
        yield from frames
        nyquist = audio.sample_rate / 2
        highest = self.highest_hertz or nyquist
        if highest > nyquist:
            yield Fault("highest_hertz", f"is {highest:g}, must be at most half the sample rate, {nyquist:g}")
        elif self.lowest_hertz >= highest:
            yield Fault("lowest_hertz", f"is {self.lowest_hertz:g}, must be below highest_hertz, {highest:g}")
        elif not frames and (empty := self._empty_bands(audio)):
            spacing = audio.sample_rate / self._n_fft(audio)
            yield Fault(
                "n_mels",
                f"is {self.n_mels}: {empty} of the bands would hold no frequency bin, as bins are {spacing:g} Hz "
                "apart; use fewer bands or a longer window",
            )

    def bands(self, audio: AudioFormat) -> "MelBands":
        """Make the module for clips of that rate."""
        stft = stft_of(self.window_seconds, self.hop_seconds, audio, normalized=self.normalized)
        return MelBands(stft, self._bank(audio))

    def _empty_bands(self, audio: AudioFormat) -> int:
        # A bin lies under two bands at most; so many bands need not be made to know that they are too many.
        bins = self._n_fft(audio) // 2 + 1
        if self.n_mels > 2 * bins:
            return self.n_mels - 2 * bins
        return int((self._bank(audio).sum(axis=1) == 0).sum())

    def _n_fft(self, audio: AudioFormat) -> int:
        return next_power_of_two(round(self.window_seconds * audio.sample_rate))

    def _bank(self, audio: AudioFormat) -> NDArray[np.float64]:
        return mel_filter_bank(
            n_mels=self.n_mels,
            n_fft=self._n_fft(audio),
            sample_rate=audio.sample_rate,
            lowest_hertz=self.lowest_hertz,
            highest_hertz=self.highest_hertz or audio.sample_rate / 2,
            scale=self.mel_scale,
            area=self.area_norm,
        )


class MelBands(ExactConstants):
    """Power spectrogram times a bank of mel filters.

    A band covers a short stretch of bins, so that a dense product would mostly multiply by zero. On a processor the
    bands are taken sixteen at a time, as wide as its vectors, with the bins that those sixteen cover; each bin stands
    there twice, for its real and its imaginary part, and the product adds the two squares on the way.

    Args:
        stft: the transform of the frames.
        bank: (mels, bins), from `mel_filter_bank`.
    """

    def __init__(self, stft: Stft, bank: NDArray[np.float64]) -> None:
        super().__init__()
        self.stft = stft
        self.constant("bank", bank)
        self.bank: Tensor
        self._stretches: list[tuple[slice, slice]] = []
        for start in range(0, len(bank), _BANDS_AT_A_TIME):
            bands = slice(start, min(start + _BANDS_AT_A_TIME, len(bank)))
            covered = np.flatnonzero(bank[bands].any(axis=0))
            bins = slice(int(covered[0]), int(covered[-1]) + 1)
            self.constant(
                f"block_{len(self._stretches)}", np.repeat(bank[bands, bins].T, 2, axis=0)
            )  # (2 * bins, bands)
            self._stretches.append((bands, slice(2 * bins.start, 2 * bins.stop)))

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames mels"]:
        """Energies of the bands."""
        needs_graph = torch.compiler.is_exporting() or (samples.requires_grad and torch.is_grad_enabled())
        if needs_graph or samples.device.type != "cpu":
            return self.stft.power(samples) @ self.bank.T
        squares = self.stft.squared_parts(samples)
        rows = squares.flatten(2).flatten(0, 1)  # (batch * frames, 2 * bins)
        energies = rows.new_empty(len(rows), len(self.bank))
        for index, (bands, bins) in enumerate(self._stretches):
            torch.mm(rows[:, bins], getattr(self, f"block_{index}"), out=energies[:, bands])
        return energies.unflatten(0, squares.shape[:2])
