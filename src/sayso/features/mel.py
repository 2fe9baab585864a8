"""Mel spectrogram: energies of triangular bands, close at low frequencies and wide at high ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.config.schema import Positive, Share
from sayso.dsp.compression import Compression, LevelSettings, Pcen
from sayso.dsp.mel import MelBands, MelBandSettings
from sayso.dsp.streaming import StreamingFeature, stream_frames
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig

__all__ = ["Mel", "MelConfig"]


@FEATURES.register("mel")
@dataclass(frozen=True, kw_only=True)
class MelConfig(LevelSettings, MelBandSettings, FeatureConfig):
    """Mel spectrogram, (1, mels, frames)."""

    scale: Literal["log", "db", "pcen", "linear"] = "log"
    """log: natural logarithm of energy + 1e-6; db: decibels of the energy, silence -100; pcen: each band against its
    own recent past (Wang et al. 2017); linear: energy as it is."""
    pcen_gain: Share = 0.98
    """For pcen: how much of a band's past level is divided out."""
    pcen_bias: Positive = 2.0
    """For pcen: added before the root."""
    pcen_power: Positive = 0.5
    """For pcen: exponent of the root."""
    pcen_time_constant_seconds: Positive = 0.4
    """For pcen: how long a band's past counts."""
    pcen_start: Literal["first_frame", "one"] = "first_frame"
    """For pcen: what was before the clip: its first frame for ever, or energy 1, which librosa assumes."""

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Yield a fault where the window, the hop or the bands do not fit the clips; see `band_faults`."""
        return self.band_faults(audio)

    def build(self, audio: AudioFormat) -> "Mel":
        """Make the module."""
        bands = self.bands(audio)
        frames = bands.stft.frames(audio.clip_samples)
        compress = self._pcen(frames, audio) if self.scale == "pcen" else self.compression(self.scale)
        return Mel(bands, compress, frames=frames)

    def _pcen(self, frames: int, audio: AudioFormat) -> Pcen:
        hop = round(self.hop_seconds * audio.sample_rate)
        return Pcen(
            frames,
            time_constant_frames=self.pcen_time_constant_seconds * audio.sample_rate / hop,
            gain=self.pcen_gain,
            bias=self.pcen_bias,
            power=self.pcen_power,
            start=self.pcen_start,
        )


class Mel(Feature):
    """Energies of mel bands, compressed.

    Args:
        bands: samples to energies.
        compress: energies to what the network hears.
        frames: of a clip.
    """

    def __init__(self, bands: MelBands, compress: Compression | Pcen, *, frames: int) -> None:
        super().__init__()
        self.bands, self.compress = bands, compress
        self.shape = (1, bands.bank.shape[0], frames)

    def streaming(self, hop: int) -> StreamingFeature | None:
        """Make the form for a stream, but with pcen, which begins with the clip."""
        is_local = isinstance(self.compress, Compression) and self.compress.is_local
        return stream_frames(self, self.bands.stft, hop, frames=self.shape[2]) if is_local else None

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1 mels frames"]:
        """Represent a batch of clips."""
        return self.bands.stft.in_chunks(self._levels, samples)[:, None]

    def _levels(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch mels frames"]:
        return self.compress(self.bands(samples)).transpose(1, 2)
