"""Codec: the word was sent or kept in few bits, and something of it was lost."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, find_reversed, uniform
from sayso.config.schema import Positive, Range, Share
from sayso.errors import Fault

__all__ = ["Codec", "CodecConfig"]

_MU = 255.0
_HOP_SECONDS = 0.02
# Loudness of a coefficient's surroundings is taken over so many of 25 Hz each.
_BAND = 9
_LEAST_STEP = 1e-8

Bits = Annotated[int, Range(least=2, most=16)]


@AUGMENTATIONS.register("codec")
@dataclass(frozen=True, kw_only=True)
class CodecConfig(AugmentConfig):
    """Send some clips through a codec of few bits: of telephones by samples, or of music and calls by spectra.

    The first rounds samples after mu-law companding (ITU-T G.711, there 8 bits); the second rounds a modified discrete
    cosine transform (Princen & Bradley 1986, "Analysis/synthesis filter bank design based on time domain aliasing
    cancellation"), more coarsely where it is loud, so that what is soft beside it is gone.
    """

    probability: Share = 0.5
    """Share of the clips that go through a codec."""
    companded: Share = 0.5
    """Share of those whose samples are rounded; of the others spectra are."""
    fewest_bits: Bits = 4
    """Bits of a sample in the worst line, its sign included."""
    most_bits: Bits = 8
    """Bits of a sample in the best."""
    finest_step: Positive = 0.25
    """Steps of spectra at best, as a multiple of the root mean square around each coefficient: noise 23 dB below."""
    coarsest_step: Positive = 1.5
    """The same at worst: noise 7 dB below, and what is softer than three quarters of that mean is gone."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each range that ends before it begins."""
        yield from find_reversed(self, "fewest_bits", "most_bits")
        yield from find_reversed(self, "finest_step", "coarsest_step")

    def build(self, surroundings: Surroundings) -> "Codec":
        """Make the function for batches of samples."""
        return Codec(self, surroundings.sample_rate)


class Codec:
    """Send some clips of a batch through a codec, each through one of its own, and clip them to [-1, 1].

    Args:
        config: its settings.
        sample_rate: of the clips, in hertz.
    """

    def __init__(self, config: CodecConfig, sample_rate: int) -> None:
        self.config, self.hop = config, max(1, round(_HOP_SECONDS * sample_rate))
        self.basis = _cosines(self.hop)

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        config, batch, device = self.config, len(samples), samples.device
        chosen, companded = (
            uniform(batch, 0, 1, generator, device) < share for share in (config.probability, config.companded)
        )
        bits = uniform(batch, config.fewest_bits, config.most_bits + 1, generator, device).floor()
        step = uniform(batch, config.finest_step, config.coarsest_step, generator, device)
        heard = torch.where(companded[:, None], _companded(samples, bits), self._transformed(samples, step))
        return torch.where(chosen[:, None], heard.clamp(-1, 1), samples)

    def _transformed(
        self, samples: Float[Tensor, "batch samples"], step: Float[Tensor, "batch"]
    ) -> Float[Tensor, "batch samples"]:
        hop, length = self.hop, samples.shape[1]
        basis = self.basis.to(samples.device)  # (samples of two hops, coefficients)
        padded = torch.nn.functional.pad(samples, (hop, hop + -length % hop))
        coefficients = padded.unfold(1, 2 * hop, hop) @ basis  # (batch, frames, coefficients)
        around = torch.nn.functional.avg_pool1d(
            coefficients.square(), _BAND, stride=1, padding=_BAND // 2, count_include_pad=False
        ).sqrt()
        steps = (step[:, None, None] * around).clamp(min=_LEAST_STEP)
        frames = ((coefficients / steps).round() * steps) @ basis.T  # (batch, frames, samples of two hops)
        # The second half of each frame and the first of the next are one hop, in which what was folded cancels out.
        whole = frames[:, :-1, hop:] + frames[:, 1:, :hop]
        return whole.flatten(1)[:, :length]


def _companded(samples: Float[Tensor, "batch samples"], bits: Float[Tensor, "batch"]) -> Float[Tensor, "batch samples"]:
    levels = (2 ** (bits - 1) - 1)[:, None]  # on either side of zero
    pressed = (_MU * samples.abs()).log1p() / math.log1p(_MU)
    return samples.sign() * torch.expm1((pressed * levels).round() / levels * math.log1p(_MU)) / _MU


def _cosines(hop: int) -> Float[Tensor, "samples coefficients"]:
    """Give the transform of two hops under a sine window; its transpose, overlapped and added, undoes it."""
    time, frequency = torch.arange(2 * hop, dtype=torch.float64), torch.arange(hop, dtype=torch.float64)
    window = torch.sin(torch.pi / (2 * hop) * (time + 0.5))
    angle = torch.pi / hop * (time[:, None] + 0.5 + hop / 2) * (frequency + 0.5)
    return (math.sqrt(2 / hop) * window[:, None] * torch.cos(angle)).float()
