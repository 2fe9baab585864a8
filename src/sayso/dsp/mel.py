"""Mel bands: the scale, the filter bank, and the settings and energies that `mel` and `mfcc` have in common."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.config.schema import NonNegative, Positive, PositiveInt, Range, Settings
from sayso.dsp.fourier import ExactConstants, needs_graph
from sayso.dsp.stft import Normalized, Stft, frame_faults, next_power_of_two, stft_of
from sayso.errors import Fault

__all__ = ["MelBandSettings", "MelBands", "MelScale", "hertz_to_mel", "mel_filter_bank", "mel_to_hertz"]

MelScale = Literal["htk", "slaney"]
_BANDS_AT_A_TIME = 8


@dataclass(frozen=True, kw_only=True)
class MelBandSettings(Settings):
    """Frames and bands; mixed into the settings of representations that begin with mel bands."""

    n_mels: PositiveInt = 40
    """Number of bands."""
    window_seconds: Positive = 0.03
    """Length of the window."""
    hop_seconds: Positive = 0.01
    """Time from frame to frame."""
    centre: bool = True
    """Frames are centred on every hop, and the clip is continued by reflection at both ends; false: every frame lies
    within the clip, so that a stream computes each once."""
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
        """Yield a fault where a window or hop does not fit the clips, or bands do not fit their sample rate.

        Bands do not fit where they reach above half the rate, end below their beginning, or hold no frequency bin.
        """
        frames = list(frame_faults(self.window_seconds, self.hop_seconds, audio, centred=self.centre))
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
        stft = stft_of(self.window_seconds, self.hop_seconds, audio, normalized=self.normalized, centred=self.centre)
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
    bands are taken eight at a time, as many as one of its vectors holds at least, with the bins that those eight cover;
    and they come band by band, all frames of a band in a row, which is what its products do fastest.

    Args:
        stft: the transform of the frames.
        bank: (mels, bins), from `mel_filter_bank`.
    """

    def __init__(self, stft: Stft, bank: NDArray[np.float64]) -> None:
        super().__init__()
        self.stft = stft
        self.constant("bank", bank)
        self.bank: Tensor
        half = stft.n_fft // 4 + 1
        self.constant("lower", bank[:, :half].T)
        self.constant("upper", np.where(np.arange(half) < half - 1, bank[:, ::-1][:, :half], 0).T)
        self.lower: Tensor
        self.upper: Tensor
        self._stretches: list[tuple[slice, slice]] = []
        for start in range(0, len(bank), _BANDS_AT_A_TIME):
            bands = slice(start, min(start + _BANDS_AT_A_TIME, len(bank)))
            covered = np.flatnonzero(bank[bands].any(axis=0))
            self._stretches.append((bands, slice(int(covered[0]), int(covered[-1]) + 1)))

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames mels"]:
        """Energies of the bands."""
        if halves := self.stft.power_in_halves(samples):
            return halves[0] @ self.lower + halves[1] @ self.upper
        power = self.stft.power(samples)
        if needs_graph(power) or power.device.type != "cpu":
            return power @ self.bank.T
        rows = power.flatten(0, 1)  # (batch * frames, bins)
        energies = rows.new_empty(len(self.bank), len(rows))
        for bands, bins in self._stretches:
            torch.mm(self.bank[bands, bins], rows[:, bins].T, out=energies[bands])
        return energies.unflatten(1, power.shape[:2]).permute(1, 2, 0)


def mel_filter_bank(
    *, n_mels: int, n_fft: int, sample_rate: int, lowest_hertz: float, highest_hertz: float, scale: MelScale, area: bool
) -> NDArray[np.float64]:
    """Triangular filters, evenly spaced on the mel scale, of shape (n_mels, n_fft // 2 + 1).

    Args:
        n_mels: number of filters.
        n_fft: length of the transform whose bins they weigh.
        sample_rate: in hertz.
        lowest_hertz: where the first filter begins.
        highest_hertz: where the last one ends, at most half the sample rate.
        scale: `htk` (2595 log10(1 + f / 700)) or `slaney` (linear to 1 kHz, then logarithmic).
        area: divide each filter by its width, so that all have the same area (Slaney's norm); else peaks are 1.
    """
    edges = np.linspace(hertz_to_mel(lowest_hertz, scale), hertz_to_mel(highest_hertz, scale), n_mels + 2)
    hertz = np.array([mel_to_hertz(edge, scale) for edge in edges])
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    low, peak, high = hertz[:-2, None], hertz[1:-1, None], hertz[2:, None]
    bank = np.maximum(0, np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak)))
    return bank * (2 / (high - low)) if area else bank


def hertz_to_mel(hertz: float, scale: MelScale) -> float:
    """Frequency in mel; inverse of `mel_to_hertz`.

    >>> round(hertz_to_mel(1000, "htk")), round(hertz_to_mel(1000, "slaney"))
    (1000, 15)
    """
    if scale == "htk":
        return 2595 * math.log10(1 + hertz / 700)
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)


def mel_to_hertz(mel: float, scale: MelScale) -> float:
    """Frequency in hertz; inverse of `hertz_to_mel`."""
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)
