"""Spectrogram: the short-time Fourier transform as a power of its magnitude, or complex as two channels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.config.schema import Positive, Range, Settings
from sayso.dsp.compression import Compression, LevelSettings, Scale, power_faults
from sayso.dsp.fourier import ExactConstants
from sayso.dsp.stft import Normalized, Stft, frame_faults, stft_of
from sayso.dsp.streaming import StreamingFeature, stream_frames
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig

__all__ = ["Picture", "Spectrogram", "SpectrogramConfig"]

Pixels = Annotated[int, Range(least=1, most=4096)]


@dataclass(frozen=True, kw_only=True)
class Picture(Settings):
    """Size of a grey picture in pixels."""

    height: Pixels = 64
    """Rows, over frequency."""
    width: Pixels = 64
    """Columns, over time."""


@FEATURES.register("spectrogram")
@dataclass(frozen=True, kw_only=True)
class SpectrogramConfig(LevelSettings, FeatureConfig):
    """Spectrogram, (1, bins, frames), or complex as (2, bins, frames)."""

    power: Annotated[float, Range(above=0)] | None = 2.0
    """Exponent of the magnitude: 2 energy, 1 magnitude, 0.5 its root; empty: real and imaginary parts."""
    window_seconds: Positive = 0.03
    """Length of the window."""
    hop_seconds: Positive = 0.01
    """Time from frame to frame."""
    centre: bool = True
    """Frames are centred on every hop, and the clip is continued by reflection at both ends; false: every frame lies
    within the clip, so that a stream computes each once."""
    scale: Scale = "log"
    """log: natural logarithm of the value + 1e-6; db: decibels, the same for every power; linear: the value as it is.
    Complex is always linear."""
    normalized: Normalized = "none"
    """Divide magnitudes by the root of the window's energy (window: torchaudio's `normalized`, in Python and R) or of
    the transform's length (frame_length: torch.stft's `normalized`)."""
    image: Picture | None = None
    """A grey picture of {height, width} pixels, each clip from its lowest value, 0, to its highest, 1."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where complex values are asked for together with a logarithm or a grey picture."""
        if self.power is None and self.scale != "linear":
            yield Fault("scale", f"is {self.scale}, must be linear when power is empty (the two parts have signs)")
        if self.power is None and self.image:
            yield Fault("image", "needs a power: real and imaginary parts have no brightness")

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Yield a fault where the window or hop does not fit the clips, or float32 cannot hold the power."""
        found = list(frame_faults(self.window_seconds, self.hop_seconds, audio, centred=self.centre))
        # A Hann window's sum is half its length.
        yield from found or power_faults(self.power, self.window_seconds * audio.sample_rate / 2)

    def build(self, audio: AudioFormat) -> "Spectrogram":
        """Make the module."""
        stft = stft_of(self.window_seconds, self.hop_seconds, audio, normalized=self.normalized, centred=self.centre)
        compress = None if self.power is None else self.compression(self.scale, power=self.power)
        return Spectrogram(stft, compress, samples=audio.clip_samples, picture=self.image)


class Spectrogram(Feature):
    """Energies of the short-time Fourier transform, compressed, or its real and imaginary parts.

    Args:
        stft: the transform of the frames.
        compress: energies to what the network hears; None: two channels.
        samples: length of a clip.
        picture: bring the result to this size, and to values from 0 to 1; needs `compress`.
    """

    def __init__(
        self, stft: Stft, compress: Compression | None, *, samples: int, picture: Picture | None = None
    ) -> None:
        super().__init__()
        self.stft, self.compress = stft, compress
        rows, columns = stft.bins, stft.frames(samples)
        self.to_grey = _Grey((columns, rows), (picture.width, picture.height)) if picture else None
        size = (picture.height, picture.width) if picture else (rows, columns)
        self.shape = (1 if compress else 2, *size)

    def streaming(self, hop: int) -> StreamingFeature | None:
        """Make the form for a stream, but of pictures, whose grey values hang on the whole clip."""
        if self.to_grey or not (self.compress is None or self.compress.is_local):
            return None
        return stream_frames(self, self.stft, hop, frames=self.shape[2])

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch channels bins frames"]:
        """Represent a batch of clips."""
        if self.compress is None:
            return self.stft(samples)
        return self.stft.in_chunks(self._values, samples).transpose(1, 2)[:, None]  # (batch, 1, bins, frames)

    def _values(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames bins"]:
        assert self.compress is not None
        values = self.compress(self.stft.power(samples))
        return self.to_grey(values) if self.to_grey else values


class _Grey(ExactConstants):
    """Each clip from its lowest value, 0, to its highest, 1, resized by bilinear interpolation.

    Args:
        before: size of the last two axes.
        after: size wanted.
    """

    def __init__(self, before: tuple[int, int], after: tuple[int, int]) -> None:
        super().__init__()
        self.constant("first", _resizing(before[0], after[0]))
        self.constant("second", _resizing(before[1], after[1]))
        self.first: Tensor
        self.second: Tensor

    def forward(self, values: Float[Tensor, "batch frames bins"]) -> Float[Tensor, "batch width height"]:
        lowest, highest = values.amin(dim=(1, 2), keepdim=True), values.amax(dim=(1, 2), keepdim=True)
        grey = (values - lowest) / torch.clamp(highest - lowest, min=1e-12)
        return self.first @ grey @ self.second.T


def _resizing(before: int, after: int) -> NDArray[np.float64]:
    """Bilinear interpolation from `before` to `after` points, as Pillow and antialiased torch do it; (after, before).

    Shrinking, a point is the mean under a triangle as wide as the points are apart, so that nothing is passed over.
    """
    ratio = before / after
    reach = max(ratio, 1.0)
    centres = (np.arange(after)[:, None] + 0.5) * ratio - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(before) - centres) / reach)
    return weights / weights.sum(axis=1, keepdims=True)
