"""Waveform: the samples as they are, for networks that find their own filters."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.features import FEATURES, Feature, FeatureConfig

__all__ = ["Waveform", "WaveformConfig"]


@FEATURES.register("waveform")
@dataclass(frozen=True, kw_only=True)
class WaveformConfig(FeatureConfig):
    """Samples as they are, (1, 1, samples)."""

    def build(self, audio: AudioFormat) -> "Waveform":
        """Make the module."""
        return Waveform(audio.clip_samples)


class Waveform(Feature):
    """Samples in the shape of features.

    Args:
        samples: length of a clip.
    """

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.shape = (1, 1, samples)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1 1 samples"]:
        """Represent a batch of clips."""
        return samples[:, None, None]
