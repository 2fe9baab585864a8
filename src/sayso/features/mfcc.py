"""Mel-frequency cepstral coefficients: the cosine transform of a mel spectrogram in decibels or logarithms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.audio import AudioFormat
from sayso.config.schema import NonNegative, Positive, PositiveInt, Range
from sayso.dsp.compression import Compression, LevelSettings
from sayso.dsp.fourier import ExactConstants
from sayso.dsp.mel import MelBands, MelBandSettings
from sayso.dsp.streaming import StreamingFeature, stream_frames
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig

__all__ = ["Mfcc", "MfccConfig"]


@FEATURES.register("mfcc")
@dataclass(frozen=True, kw_only=True)
class MfccConfig(LevelSettings, MelBandSettings, FeatureConfig):
    """Mel-frequency cepstral coefficients, (1, coefficients, frames); with deltas two or three times the rows."""

    n_coefficients: PositiveInt = 20
    """How many coefficients are kept, the first is the mean level."""
    scale: Literal["log", "db"] = "db"
    """What the cosine transform is taken of. log: natural logarithm of energy + 1e-6; db: decibels of the energy."""
    top_db: Positive | None = 80.0
    """For db: levels end so far below the clip's own highest; empty: nothing is cut off."""
    lifter: NonNegative = 0.0
    """Coefficient n is weighed by 1 + lifter / 2 * sin(pi (n + 1) / lifter); 0: not at all, HTK has 22."""
    deltas: Annotated[int, Range(least=0, most=2)] = 0
    """Rows of change below the coefficients: 0 none, 1 the slope over frames, 2 the slope and its bend."""
    delta_frames: Annotated[int, Range(least=3)] = 9
    """Frames that a slope is fitted to; odd."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where there are more coefficients than bands, or `delta_frames` is even."""
        if self.n_coefficients > self.n_mels:
            yield Fault("n_coefficients", f"is {self.n_coefficients}, must be at most n_mels, {self.n_mels}")
        if self.delta_frames % 2 == 0:
            yield Fault("delta_frames", f"is {self.delta_frames}, must be odd")

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Yield a fault where the bands do not fit the clips, or slopes take more frames than a clip has."""
        found = list(self.band_faults(audio))
        yield from found
        frames = 0 if found else self.bands(audio).stft.frames(audio.clip_samples)
        if self.deltas and not found and self.delta_frames > frames:
            yield Fault("delta_frames", f"is {self.delta_frames}, must be at most the clip's frames, {frames}")

    def build(self, audio: AudioFormat) -> "Mfcc":
        """Make the module."""
        cosines = _cosines(self.n_mels, self.n_coefficients, self.lifter)
        orders = [_Delta(order, self.delta_frames) for order in range(1, self.deltas + 1)]
        bands, compress = self.bands(audio), self.compression(self.scale)
        return Mfcc(bands, compress, cosines, orders, frames=bands.stft.frames(audio.clip_samples))


class Mfcc(Feature):
    """Compressed mel energies times a matrix of cosines, and their slopes over time.

    The orthonormal DCT-II of Davis & Mermelstein (1980); liftering, levels and deltas as librosa 0.11 defines them.

    Args:
        bands: samples to energies of mel bands.
        compress: energies to levels.
        cosines: (coefficients, mels), liftering included.
        orders: modules that give the change of each coefficient over time.
        frames: of a clip.
    """

    def __init__(
        self,
        bands: MelBands,
        compress: Compression,
        cosines: NDArray[np.float64],
        orders: "list[_Delta]",
        *,
        frames: int,
    ) -> None:
        super().__init__()
        self.bands, self.compress = bands, compress
        self.constant("cosines", cosines)
        self.cosines: Tensor
        self.orders = nn.ModuleList(orders)
        self.shape = (1, len(cosines) * (1 + len(orders)), frames)

    def streaming(self, hop: int) -> StreamingFeature | None:
        """Make the form for a stream, but with deltas, which end differently at the ends of a clip."""
        is_local = self.compress.is_local and not len(self.orders)
        return stream_frames(self, self.bands.stft, hop, frames=self.shape[2]) if is_local else None

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1 rows frames"]:
        """Represent a batch of clips."""
        cepstrum = self.bands.stft.in_chunks(self._cepstrum, samples)
        rows = torch.cat([cepstrum, *(order(cepstrum) for order in self.orders)], dim=1)
        return rows[:, None]

    def _cepstrum(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch coefficients frames"]:
        return (self.compress(self.bands(samples)) @ self.cosines.T).transpose(1, 2)


class _Delta(ExactConstants):
    """Derivative over frames of a polynomial of degree `order` fitted to `width` of them (Savitzky & Golay 1964).

    In the middle the first is the regression formula of HTK. Near the ends it is the derivative of the polynomial that
    fits the first or last `width` frames, which is librosa's default.
    """

    def __init__(self, order: int, width: int) -> None:
        super().__init__()
        self.reach = width // 2
        time = np.arange(width) - self.reach
        fit = np.linalg.pinv(np.vander(time, order + 1, increasing=True))  # (order + 1, width)
        # The order-th derivative of c0 + c1 t (+ c2 t^2): c1, which is constant, or 2 c2, constant too.
        self.constant("taps", order * fit[order][None, None, None])  # (1, 1, 1, width)
        self.taps: Tensor

    def forward(self, rows: Float[Tensor, "batch rows frames"]) -> Float[Tensor, "batch rows frames"]:
        middle = nn.functional.conv2d(rows[:, None], self.taps)[:, 0]
        # The derivative of highest order is the same all along the polynomial, so the ends repeat it.
        return nn.functional.pad(middle, (self.reach, self.reach), mode="replicate")


def _cosines(n_mels: int, n_coefficients: int, lifter: float) -> NDArray[np.float64]:
    """Rows of the orthonormal DCT-II, liftered; (coefficients, mels)."""
    order = np.arange(n_coefficients)[:, None]
    cosines = np.cos(np.pi * order * (np.arange(n_mels) + 0.5) / n_mels) * np.sqrt(2 / n_mels)
    cosines[0] /= np.sqrt(2)
    return cosines * (1 + lifter / 2 * np.sin(np.pi * (order + 1) / lifter)) if lifter else cosines
