"""What representations share: windows, framing and the short-time transform."""

import math
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayso.audio import AudioFormat
from sayso.dsp.folded import ConvolvedTransform, FoldedTransform
from sayso.dsp.fourier import ExactConstants, RealDft, needs_graph
from sayso.errors import Fault

__all__ = [
    "Normalized",
    "Stft",
    "frame_faults",
    "in_chunks",
    "next_power_of_two",
    "stft_of",
]

Normalized = Literal["none", "window", "frame_length"]
# Numbers of one chunk's frames, 4 MiB: more fall out of the cache of a core or two, with fewer the many short steps
# cost more than they compute. Measured on two cores, from 2 ** 15 to 2 ** 21.
_CHUNK_NUMBERS = 2**20
# Above this a kernel for the whole frame would be tens of megabytes.
_LONGEST_KERNEL = 2048


class Stft(ExactConstants):
    """Short-time Fourier transform of centred frames, Hann window, no padding of the spectrum's ends.

    At work each frame takes the fast Fourier transform. An exported model has products with matrices in its place:
    those of `FoldedTransform`, of `ConvolvedTransform` at odd sizes, or of `RealDft` where a matrix would be large.

    Frame t is centred on sample t * hop, and the signal is continued by reflection at both ends, like torch's.
    Not centred, frame t begins on that sample, and no frame reaches beyond the clip.

    Args:
        n_fft: length of the transform in samples.
        window: length of the window in samples, at most n_fft; it stands in the middle of the frame.
        hop: samples from frame to frame.
        normalized: `window` divides by the root of the window's energy, as torchaudio's Spectrogram does in Python and
            R when its `normalized` is true; `frame_length` by the root of n_fft, as torch.stft's `normalized` does.
        centred: continue the signal, so that frames are centred.

    Returns:
        Real and imaginary parts, (batch, 2, n_fft // 2 + 1, frames).
    """

    def __init__(
        self, *, n_fft: int, window: int, hop: int, normalized: Normalized = "none", centred: bool = True
    ) -> None:
        super().__init__()
        self.n_fft, self.window, self.hop, self.centred = n_fft, window, hop, centred
        self.bins = n_fft // 2 + 1
        taper = np.zeros(n_fft)
        start = (n_fft - window) // 2
        taper[start : start + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        taper /= {"none": 1.0, "window": math.sqrt((taper**2).sum()), "frame_length": math.sqrt(n_fft)}[normalized]
        self.constant("taper", taper)
        self.taper: Tensor
        self.peak = float(taper.sum())
        """Largest magnitude that samples in [-1, 1] can give."""
        if FoldedTransform.fits(taper, hop):
            self.products = FoldedTransform(taper, hop)
        else:
            self.products = ConvolvedTransform(taper, hop, window) if n_fft <= _LONGEST_KERNEL else RealDft(n_fft)

    def frames(self, samples: int) -> int:
        """How many frames a clip of `samples` gives."""
        return 1 + (samples if self.centred else samples - self.n_fft) // self.hop

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 2 bins frames"]:
        """Transform a batch of clips; at work a view of (batch, frames, bins, 2), as the transform lays it."""
        if torch.compiler.is_exporting() and isinstance(self.products, FoldedTransform | ConvolvedTransform):
            return self.products(self._padded(samples))
        return self.in_chunks(self._transform, samples).permute(0, 3, 2, 1)

    def power(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames bins"]:
        """Squared magnitudes, frames before bins as the transform lays them, so that no step moves memory."""
        if halves := self.power_in_halves(samples):
            return FoldedTransform.joined(*halves)
        if torch.compiler.is_exporting() and isinstance(self.products, ConvolvedTransform):
            return self.products.power(self._padded(samples))
        parts = self._transform(samples)
        if not needs_graph(parts):
            parts.square_()  # the transform's own result, and its numbers lie in a row
            return parts[..., 0] + parts[..., 1]
        real, imaginary = parts.unbind(-1)
        return torch.addcmul(real * real, imaginary, imaginary)

    def power_in_halves(
        self, samples: Float[Tensor, "batch samples"]
    ) -> tuple[Float[Tensor, "batch frames lower"], Float[Tensor, "batch frames lower"]] | None:
        """Give these as `FoldedTransform.power` does; None where frames are not folded: at work, or at odd sizes."""
        if torch.compiler.is_exporting() and isinstance(self.products, FoldedTransform):
            return self.products.power(self._padded(samples))
        return None

    def in_chunks(
        self,
        work: Callable[[Float[Tensor, "chunk samples"]], Float[Tensor, "chunk *rest"]],
        samples: Float[Tensor, "batch samples"],
    ) -> Float[Tensor, "batch *rest"]:
        """Do `work` on clips whose frames fit the cache together."""
        # A stream is exported for any length, of which no number is made then.
        return (
            work(samples) if torch.compiler.is_exporting() else in_chunks(work, samples, numbers=self._numbers(samples))
        )

    def _numbers(self, samples: Float[Tensor, "batch samples"]) -> int:
        return self.frames(samples.shape[-1]) * self.n_fft

    def _padded(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch padded"]:
        if not self.centred:
            return samples
        half = self.n_fft // 2
        if torch.compiler.is_exporting():
            return nn.functional.pad(samples[:, None], (half, half), mode="reflect")[:, 0]
        # The same, and several times as fast as the reflection of few clips.
        before, after = samples[:, 1 : half + 1].flip(1), samples[:, -half - 1 : -1].flip(1)
        return torch.cat((before, samples, after), dim=1)

    def _transform(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames bins 2"]:
        frames = self._padded(samples).unfold(-1, self.n_fft, self.hop) * self.taper  # (batch, frames, n_fft)
        return self.products(frames) if torch.compiler.is_exporting() else torch.view_as_real(torch.fft.rfft(frames))


def stft_of(
    window_seconds: float,
    hop_seconds: float,
    audio: AudioFormat,
    *,
    normalized: Normalized = "none",
    centred: bool = True,
) -> Stft:
    """The transform for a window and hop in seconds; its length is the next power of two."""
    window, hop = round(window_seconds * audio.sample_rate), round(hop_seconds * audio.sample_rate)
    return Stft(n_fft=next_power_of_two(window), window=window, hop=hop, normalized=normalized, centred=centred)


def in_chunks(
    work: Callable[[Float[Tensor, "chunk *given"]], Float[Tensor, "chunk *rest"]],
    samples: Float[Tensor, "batch *given"],
    *,
    numbers: int,
) -> Float[Tensor, "batch *rest"]:
    """Do `work` on a few clips at a time, so that what lies between its steps stays in the processor's cache.

    Args:
        work: what to do with clips, each on its own.
        samples: the clips, or what was made of them.
        numbers: how many numbers the largest step in between makes of one clip.
    """
    count = max(1, _CHUNK_NUMBERS // numbers)
    if torch.compiler.is_exporting() or samples.device.type != "cpu" or len(samples) <= count:
        return work(samples)
    first, *others = samples.split(count)
    made = work(first)
    if made.requires_grad:
        return torch.cat([made, *map(work, others)])
    # Each result is brought to its place while it is warm, and its memory serves the next.
    whole = made.new_empty((len(samples), *made.shape[1:]))
    whole[:count] = made
    for place, chunk in enumerate(others, start=1):
        whole[place * count : (place + 1) * count] = work(chunk)
    return whole


def next_power_of_two(length: int) -> int:
    """The smallest power of two that is at least `length`.

    >>> next_power_of_two(400)
    512
    """
    return 1 << (length - 1).bit_length()


def frame_faults(
    window_seconds: float, hop_seconds: float, audio: AudioFormat, *, centred: bool = True
) -> Iterator[Fault]:
    """Yield a fault where a window or its transform does not fit clips of that format, or a hop is below a sample."""
    window, hop = round(window_seconds * audio.sample_rate), round(hop_seconds * audio.sample_rate)
    frame = next_power_of_two(max(window, 1))
    if window < 2:
        yield Fault("window_seconds", f"is {window_seconds:g}, less than 2 samples at {audio.sample_rate} Hz")
    elif window > audio.clip_samples:
        yield Fault("window_seconds", f"is {window_seconds:g}, longer than the clips of {audio.clip_seconds:g} s")
    elif (frame // 2 if centred else frame - 1) >= audio.clip_samples:
        yield Fault(
            "window_seconds",
            f"is {window_seconds:g}: its transform of {frame} samples is too long for clips of {audio.clip_samples}",
        )
    if hop < 1:
        yield Fault("hop_seconds", f"is {hop_seconds:g}, less than 1 sample at {audio.sample_rate} Hz")
