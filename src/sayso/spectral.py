"""What representations share: windows, framing, the real DFT and filter banks.

`Stft` computes one thing in two ways. At work it takes the fast Fourier transform; while a model is exported it is one
product with a matrix of cosines and sines, because real products are what every runtime has. The matrix is made with
float64 angles, the phase taken modulo n first: angles in float32 agree with themselves and are wrong by percents.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.audio import AudioFormat
from sayso.errors import Fault

__all__ = ["MelScale", "Stft", "frame_faults", "hertz_to_mel", "mel_filter_bank", "mel_to_hertz", "next_power_of_two"]

MelScale = Literal["htk", "slaney"]


class Stft(nn.Module):
    """Short-time Fourier transform of centred frames, Hann window, no padding of the spectrum's ends.

    Frame t is centred on sample t * hop; the signal is continued by reflection at its ends, as torch and librosa do.

    Args:
        n_fft: length of the transform in samples.
        window: length of the window in samples, at most n_fft; it stands in the middle of the frame.
        hop: samples from frame to frame.

    Returns:
        Real and imaginary parts, (batch, 2, n_fft // 2 + 1, 1 + samples // hop).
    """

    def __init__(self, *, n_fft: int, window: int, hop: int) -> None:
        super().__init__()
        self.n_fft, self.window, self.hop = n_fft, window, hop
        self.bins = n_fft // 2 + 1
        taper = np.zeros(n_fft)
        start = (n_fft - window) // 2
        taper[start : start + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        self.register_buffer("taper", torch.from_numpy(taper).float(), persistent=False)
        self.taper: Tensor
        # Only the samples under the window count, so the product needs no rows for the rest.
        self._support = slice(start, start + window)
        kernel = (_dft_kernel(n_fft)[self._support] * taper[self._support, None]).T[:, None]
        self.register_buffer("kernel", torch.from_numpy(kernel.copy()).float(), persistent=False)
        self.kernel: Tensor  # (2 * bins, 1, window), the rows of the windowed DFT

    def frames(self, samples: int) -> int:
        """How many frames a clip of `samples` gives."""
        return 1 + samples // self.hop

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 2 bins frames"]:
        """Transform a batch of clips."""
        return torch.stack(self._parts(samples), dim=1).transpose(2, 3)

    def power(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames bins"]:
        """Squared magnitudes, frames before bins as the transform lays them, so that no step moves memory."""
        real, imaginary = self._parts(samples)
        return torch.addcmul(real * real, imaginary, imaginary)

    def _parts(
        self, samples: Float[Tensor, "batch samples"]
    ) -> tuple[Float[Tensor, "batch frames bins"], Float[Tensor, "batch frames bins"]]:
        half = self.n_fft // 2
        padded = nn.functional.pad(samples[:, None], (half, half), mode="reflect")[:, 0]
        if torch.compiler.is_exporting():
            return self._by_product(padded)
        frames = padded.unfold(-1, self.n_fft, self.hop) * self.taper  # (batch, frames, n_fft)
        spectrum = torch.fft.rfft(frames)
        return spectrum.real, spectrum.imag

    def _by_product(
        self, padded: Float[Tensor, "batch padded"]
    ) -> tuple[Float[Tensor, "batch frames bins"], Float[Tensor, "batch frames bins"]]:
        last = self._support.start + self.window + (padded.shape[-1] - self.n_fft) // self.hop * self.hop
        inner = padded[:, None, self._support.start : last]
        spectrum = nn.functional.conv1d(inner, self.kernel, stride=self.hop)  # (batch, 2 * bins, frames)
        real, imaginary = spectrum.transpose(1, 2).split(self.bins, dim=2)
        return real, imaginary


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


def next_power_of_two(length: int) -> int:
    """The smallest power of two that is at least `length`.

    >>> next_power_of_two(400)
    512
    """
    return 1 << (length - 1).bit_length()


def frame_faults(window_seconds: float, hop_seconds: float, audio: AudioFormat) -> Iterator[Fault]:
    """What is wrong with a window and hop in seconds for clips of that rate and length."""
    window, hop = round(window_seconds * audio.sample_rate), round(hop_seconds * audio.sample_rate)
    if window < 2:
        yield Fault("window_seconds", f"is {window_seconds:g}, less than 2 samples at {audio.sample_rate} Hz")
    if next_power_of_two(max(window, 1)) // 2 >= audio.clip_samples:
        yield Fault("window_seconds", f"is {window_seconds:g}, too long for clips of {audio.clip_seconds:g} s")
    if hop < 1:
        yield Fault("hop_seconds", f"is {hop_seconds:g}, less than 1 sample at {audio.sample_rate} Hz")


def _dft_kernel(n_fft: int) -> NDArray[np.float64]:
    """Cosines, then minus sines, of shape (n_fft, 2 * bins)."""
    phase = np.outer(np.arange(n_fft), np.arange(n_fft // 2 + 1)) % n_fft
    angle = 2 * np.pi * phase / n_fft
    return np.concatenate((np.cos(angle), -np.sin(angle)), axis=1)
