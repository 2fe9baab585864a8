"""Wavelet scattering: energies in wavelet bands, and how these energies themselves vary, averaged over time.

Source: Andén & Mallat (2014), "Deep Scattering Spectrum". Coefficients agree with Kymatio 0.3.

Why it is fast: the modulus of a band does not change when the band is moved in frequency. So each wavelet's band is cut
out of the spectrum, laid at frequency 0, and transformed back at the lowest rate that holds it, all wavelets of one
rate together; and the average over time, of which few frames are wanted, is one small matrix product.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sayso.audio import AudioFormat
from sayso.config.schema import PositiveInt, Range
from sayso.dsp.scattering import Cascade
from sayso.dsp.stft import in_chunks
from sayso.dsp.wavelets import padding, short_padding, wavelets
from sayso.errors import Fault
from sayso.features import FEATURES, Feature, FeatureConfig

__all__ = ["Scattering", "ScatteringConfig"]

_CLIPS_LARGEST_STEP = 4
"""Numbers of the largest step, as a multiple of the padded clip. It has some 7, but the steps are many and short, so
that more clips at a time gain more than they lose to the cache."""


@FEATURES.register("scattering")
@dataclass(frozen=True, kw_only=True)
class ScatteringConfig(FeatureConfig):
    """Wavelet scattering, (1, paths, frames)."""

    max_scale_log2: Annotated[int, Range(least=2, most=16)] = 8
    """J: the longest wavelet spans about 2 ** J samples."""
    wavelets_per_octave: Annotated[int, Range(least=1, most=48)] = 12
    """Q: wavelets an octave in the first order; the second has one."""
    window_samples: PositiveInt | None = None
    """T: length of the average over time; empty: 2 ** J. Frames are T samples apart (rounded down to a power of 2)."""
    max_order: Literal[1, 2] = 2
    """2: also how the energy of each band varies."""
    zeroth_order: bool = False
    """Put the average of the clip itself before the other paths."""
    scale: Literal["log", "linear"] = "log"
    """log: natural logarithm of |coefficient| + 1e-6; linear: the coefficient."""
    average_time: bool = False
    """Average over all frames, after the logarithm: one frame a clip."""

    def misfits(self, audio: AudioFormat) -> Iterator[Fault]:
        """Yield a fault where the longest wavelet or the average is longer than the clips."""
        if 2**self.max_scale_log2 > audio.clip_samples:
            most = int(np.log2(audio.clip_samples))
            yield Fault("max_scale_log2", f"is {self.max_scale_log2}, at most {most} fits {audio.clip_samples} samples")
        if (self.window_samples or 1) > audio.clip_samples:
            yield Fault("window_samples", f"is {self.window_samples}, must be at most {audio.clip_samples}, the clip")

    def build(self, audio: AudioFormat) -> "Scattering":
        """Make the module."""
        return Scattering(self, audio.clip_samples)


class Scattering(Feature):
    """First- and second-order scattering of clips of one length.

    In float32 bands are sampled as coarsely as keeps the relative error within 1e-4 of Kymatio's; in float64 exactly as
    Kymatio samples them, within 1e-6.

    Args:
        config: its settings.
        samples: length of a clip.
    """

    def __init__(self, config: ScatteringConfig, samples: int) -> None:
        super().__init__()
        self.config = config
        self.window = config.window_samples or 2**config.max_scale_log2
        whole = padding(samples, self.window)
        short = short_padding(samples, self.window, max_scale_log2=config.max_scale_log2)
        first = wavelets(config.wavelets_per_octave, config.max_scale_log2)
        second = wavelets(1, config.max_scale_log2) if config.max_order == 2 else []
        self.fast = Cascade(short, self.window, first, second, exact=False, zeroth=config.zeroth_order)
        self.exact = Cascade(whole, self.window, first, second, exact=True, zeroth=config.zeroth_order)
        paths = config.zeroth_order + len(first) + sum(w2.halvings > w1.halvings for w1 in first for w2 in second)
        self.shape = (1, paths, 1 if config.average_time else whole.frames)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 1 paths frames"]:
        """Represent a batch of clips."""
        return in_chunks(self._coefficients, samples, numbers=_CLIPS_LARGEST_STEP * self.fast.clip.length)[:, None]

    def _coefficients(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch paths frames"]:
        paths = (self.exact if samples.dtype == torch.float64 else self.fast)(samples)
        if self.config.scale == "log":
            paths = (paths.abs() + 1e-6).log()
        return paths.mean(dim=-1, keepdim=True) if self.config.average_time else paths
