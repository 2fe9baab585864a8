"""Pitch: the word is said by a higher or lower voice, from the same throat and at the same pace."""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Complex, Float, Int64
from torch import Tensor

from sayso.augment import AUGMENTATIONS, AugmentConfig, Surroundings, uniform
from sayso.config.schema import Range, Share
from sayso.dsp.envelope import log_envelope, quefrencies_of_tract, read_stretched

__all__ = ["Pitch", "PitchConfig"]

_WINDOW_SECONDS = 0.032
_MOST_GAIN = 10.0
# Each doubles how far a bin has climbed.
_CLIMBS = 3


@AUGMENTATIONS.register("pitch")
@dataclass(frozen=True, kw_only=True)
class PitchConfig(AugmentConfig):
    """Move the pitch of some clips up or down by a factor, the formants staying where they are.

    Source: short-time spectra are moved peak by peak, as in Laroche & Dolson (1999), "New phase-vocoder techniques for
    pitch-shifting, harmonizing and other exotic effects"; each then gets its own spectral envelope back.
    """

    probability: Share = 0.5
    """Share of the clips whose pitch is moved."""
    most: Annotated[float, Range(least=0, below=0.5)] = 0.15
    """Largest change either way; 0.15 moves a voice to 0.85 to 1.15 times its pitch, 2.4 semitones."""

    def build(self, surroundings: Surroundings) -> "Pitch":
        """Make the function for batches of samples."""
        return Pitch(self, surroundings.sample_rate)


class Pitch:
    """Move the pitch of some clips of a batch, each by a factor of its own.

    Args:
        config: its settings.
        sample_rate: of the clips, in hertz.
    """

    def __init__(self, config: PitchConfig, sample_rate: int) -> None:
        self.config = config
        self.hop = max(1, round(_WINDOW_SECONDS * sample_rate / 4))
        self.window = 4 * self.hop
        self.quefrencies = quefrencies_of_tract(sample_rate)

    def __call__(self, samples: Tensor, generator: torch.Generator) -> Tensor:
        """Change a batch of clips; samples (batch, samples) in [-1, 1)."""
        config, batch, device = self.config, len(samples), samples.device
        chosen = uniform(batch, 0, 1, generator, device) < config.probability
        factor = uniform(batch, 1 - config.most, 1 + config.most, generator, device)
        if not chosen.any():
            return samples
        window = torch.hann_window(self.window, device=device)
        spectrum = torch.stft(
            samples[chosen], self.window, self.hop, window=window, return_complex=True, pad_mode="constant"
        )
        moved = self._moved(spectrum.transpose(1, 2), factor[chosen]).transpose(1, 2)
        made = torch.istft(moved, self.window, self.hop, window=window, length=samples.shape[1])
        out = samples.clone()
        out[chosen] = made.clamp(-1, 1)
        return out

    def _moved(
        self, spectrum: Complex[Tensor, "batch frames bins"], factor: Float[Tensor, "batch"]
    ) -> Complex[Tensor, "batch frames bins"]:
        bins = spectrum.shape[-1]
        # As seen from a frame's middle, all bins of one sinusoid have one phase.
        sign = 1.0 - 2.0 * (torch.arange(bins, device=spectrum.device) % 2)
        magnitudes, phases = spectrum.abs(), (spectrum * sign).angle()
        envelope = log_envelope(magnitudes, self.window, quefrencies=self.quefrencies)
        source = magnitudes * (-envelope).exp()  # flat: the voice before the throat
        loud = read_stretched(source, factor) * envelope.exp()
        loud = torch.minimum(loud, _MOST_GAIN * magnitudes.amax(2, keepdim=True))
        turned = phases + self._turns(magnitudes, phases, factor)
        nearest = (torch.arange(bins, device=spectrum.device) / factor[:, None]).round().long().clamp(max=bins - 1)
        turned = turned.gather(2, nearest[:, None].expand_as(turned))
        return torch.polar(loud, turned) * sign

    def _turns(
        self,
        magnitudes: Float[Tensor, "batch frames bins"],
        phases: Float[Tensor, "batch frames bins"],
        factor: Float[Tensor, "batch"],
    ) -> Float[Tensor, "batch frames bins"]:
        """By how much more each sinusoid has turned at its new frequency, in radians, since the clip began."""
        bins = torch.arange(phases.shape[2], device=phases.device)
        even = 2 * torch.pi * self.hop / self.window * bins  # of a bin's own frequency from frame to frame
        off = torch.diff(phases, dim=1) - even
        more = (factor[:, None, None] - 1) * (even + off - 2 * torch.pi * (off / (2 * torch.pi)).round())
        peaks = _find_peaks(magnitudes)
        turns = [torch.zeros_like(phases[:, 0])]
        for frame in range(phases.shape[1] - 1):
            # The bins around a peak turn with it, or one sinusoid would come apart.
            own = peaks[:, frame + 1]
            turns.append((turns[-1] + more[:, frame]).gather(1, own) % (2 * torch.pi))
        return torch.stack(turns, dim=1)


def _find_peaks(magnitudes: Float[Tensor, "batch frames bins"]) -> Int64[Tensor, "batch frames bins"]:
    """Which bin each bin of a frame comes to that climbs to its louder neighbour, eight times at most."""
    around = torch.nn.functional.pad(magnitudes, (1, 1), value=-1.0)
    below, above = around[..., :-2], around[..., 2:]
    up, down = (above > magnitudes) & (above > below), (below > magnitudes) & (below >= above)
    peaks = torch.arange(magnitudes.shape[2], device=magnitudes.device) + up.long() - down.long()
    for _ in range(_CLIMBS):
        peaks = peaks.gather(2, peaks)
    return peaks
