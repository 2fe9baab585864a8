"""Representations: what a network gets to hear. One file each; samples in, (batch, channels, bins, frames) out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.config.registry import Part, Registry
from sayso.dsp.fourier import ExactConstants
from sayso.dsp.streaming import StreamingFeature
from sayso.errors import Fault

__all__ = ["FEATURES", "Feature", "FeatureConfig", "StreamingFeature"]


class Feature(ExactConstants):
    """Base of every representation, a batched module on any device.

    Attributes:
        shape: (channels, bins, frames) of one clip's features.
        networks: names of its modules that are networks of layers; all else transforms sound, and int8 leaves it alone.
    """

    shape: tuple[int, int, int]
    networks: tuple[str, ...] = ()

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch channels bins frames"]:
        """Represent a batch of clips, float32 in [-1, 1)."""
        raise NotImplementedError

    @property
    def steady_shape(self) -> tuple[int, int, int]:
        """Of what `steady` gives of one clip, (channels, bins, frames)."""
        return self.shape

    def steady(self, samples: Float[Tensor, "batch samples"]) -> Tensor:
        """Represent as far as training changes nothing: what this gives of a clip may be kept. See `learned`."""
        return self(samples)

    def learned(self, steady: Tensor) -> Float[Tensor, "batch channels bins frames"]:
        """Go on from there, by weights that training changes: both together are the representation."""
        return steady

    def streaming(self, hop: int) -> StreamingFeature | None:
        """Make the form for a stream in chunks of `hop` samples; None where the whole clip must be seen at once."""
        del hop
        return None

    def steady_streaming(self, hop: int) -> StreamingFeature | None:
        """Make that of what `steady` gives, whose frames are those of `steady_shape`; None as `streaming`."""
        return self.streaming(hop) if type(self).learned is Feature.learned else None

    def fill(self) -> None:
        """Fill in weights that were learned elsewhere; asked before the first use of what no checkpoint has filled.

        Raises:
            MissingExtraError: the package that ships them is not installed.
            ModelError: it ships others.
        """


@dataclass(frozen=True, kw_only=True)
class FeatureConfig(Part):
    """Base of the settings of every representation."""

    registry: ClassVar["Registry[FeatureConfig]"]
    credit: ClassVar[str] = ""
    """Whose weights they hold and under which licence, for a run's manifest and the exported file; empty: nobody's."""
    splits: ClassVar[bool] = False
    """Whether they tell `Feature.steady` from `Feature.learned`: of features that learn, what the first gives is kept
    then; else nothing is."""

    @property
    def learns(self) -> bool:
        """Whether training changes weights of the representation itself."""
        return False

    @property
    def is_kept(self) -> bool:
        """Whether a run keeps the features of its clips, to learn more words from: they are pretrained and frozen."""
        return bool(self.credit) and not self.learns

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Yield a fault for each setting that does not fit clips of that rate and length.

        It is asked before data is touched.
        """
        del audio
        return iter(())

    def build(self, audio: AudioFormat) -> Feature:
        """Make the module for clips of that rate and length."""
        raise NotImplementedError


FEATURES: Registry[FeatureConfig] = Registry("sayso.features", noun="features")
FeatureConfig.registry = FEATURES
