"""Scattering's two orders as few, large steps: bands cut from the spectrum, brought to a low rate, rectified, averaged.

The modulus of a band stays the same when the band is moved in frequency. So a wavelet's band is laid at frequency 0,
whatever its centre, and transformed back at the lowest rate that holds it: all wavelets of one rate in one transform.
The average over time, of which few frames are wanted, is one small matrix product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.dsp.fourier import ExactConstants, InverseRealDft, RealDft, modulus
from sayso.dsp.wavelets import BANDWIDTH, Padding, Wavelet, gauss_response, morlet_response

__all__ = ["Average", "Cascade", "reflected"]

_BLOCK_FRAMES = 32


@dataclass(frozen=True)
class _Care:
    """How exactly bands are kept: where a response is taken for 0, and how far beyond its band a rate reaches."""

    negligible: float
    oversampling: tuple[float, float] | None
    """Rate over bandwidth in the first and second order, at least; None: the rates of Kymatio."""


# The second order is only averaged: what folds over at its own bandwidth falls where the average is nearly blind.
# The first order is wanted itself: sampled at twice its bandwidth, FSDD's clips were wrong by 2e-4 (L2 norms) at worst,
# at 3.3 times by 6e-5.
_FAST = _Care(1e-6, (3.3, 1.1))
_EXACT = _Care(1e-12, None)


@dataclass(frozen=True)
class _Band:
    """Where a wavelet's response is, and at which rate its output is kept."""

    response: NDArray[np.float64]
    """(bins,), from bin `low` on."""
    low: int
    samples: int
    """Samples that its output is given, over the padded clip."""
    halvings: int

    @property
    def bins(self) -> int:
        return len(self.response)


class Average(ExactConstants):
    """Gaussian average of (batch, paths, samples) at the frames of a clip: (batch, paths, frames).

    Frames are taken in blocks, each one product with the same matrix, of as many samples as the block can see.

    Args:
        clip: how the clip was padded, and where its frames lie.
        window: T in samples of the clip.
        samples: of the input, over the padded clip; a power of two.
        gain: factor.
    """

    def __init__(self, clip: Padding, window: int, *, samples: int, gain: float) -> None:
        super().__init__()
        step = clip.length // samples
        stride = 2 ** int(np.log2(window)) // step
        over_time = np.fft.ifft(gauss_response(clip.length, BANDWIDTH / window)).real * step * gain
        reach = _reach(over_time[::step], 1e-12)
        self.frames, self.block = clip.frames, min(_BLOCK_FRAMES, clip.frames)
        self.blocks = -(-clip.frames // self.block)
        self.hop = self.block * stride
        self.span = (self.block - 1) * stride + 2 * reach
        start = clip.first_frame * stride - reach
        self.before = max(0, -start)
        self.start = max(0, start)
        end = start + (self.blocks - 1) * self.hop + self.span
        self.after = max(0, end - samples)
        self.end = self.before + end if self.before else end
        distance = np.arange(self.block)[None] * stride - (np.arange(self.span)[:, None] - reach)
        seen = (distance >= -reach) & (distance < reach)
        self.constant("weights", np.where(seen, over_time[(distance * step) % clip.length], 0.0))  # (span, block)
        self.weights: Tensor

    def forward(self, signal: Float[Tensor, "batch paths samples"]) -> Float[Tensor, "batch paths frames"]:
        """Average each path around each frame; the padded clip goes round in a circle."""
        pieces = [signal[..., signal.shape[-1] - self.before :]] if self.before else []
        pieces += [signal] if not self.after else [signal, signal[..., : self.after]]
        around = torch.cat(pieces, dim=-1) if len(pieces) > 1 else signal
        seen = around[..., self.start : self.end]
        if self.blocks == 1:
            return seen @ self.weights
        blocks = seen.unfold(-1, self.span, self.hop) @ self.weights  # (batch, paths, blocks, block)
        return blocks.flatten(-2)[..., : self.frames]


class Cascade(nn.Module):
    """First- and second-order coefficients from the spectrum of padded clips.

    Args:
        clip: how clips are padded.
        window: T in samples.
        first: wavelets of the first order, from high to low frequencies.
        second: wavelets of the second order; none: the first order alone.
        exact: sample every band as Kymatio does; else as coarsely as float32 deserves.

    Returns:
        (batch, paths, frames): the first order, then for each of its wavelets the second order's wavelets below it.
    """

    def __init__(
        self, clip: Padding, window: int, first: Sequence[Wavelet], second: Sequence[Wavelet], *, exact: bool
    ) -> None:
        super().__init__()
        care = _EXACT if exact else _FAST
        bands1 = [_band(wavelet, clip, window, care, order=1) for wavelet in first]
        bands2 = [_band(wavelet, clip, window, care, order=2) for wavelet in second]
        pairs = groupby(zip(bands1, first, strict=True), key=lambda p: (p[0].samples, p[0].halvings, p[1].halvings))
        groups = [(key[-1], [band for band, _ in group]) for key, group in pairs]
        self.first, self.second = nn.ModuleList(), nn.ModuleList()
        lows: list[int] = []
        for halvings, group in groups:
            keep = _kept([band for band, wavelet in zip(bands2, second, strict=True) if wavelet.halvings > halvings])
            self.first.append(_FirstOrder(group, clip, window, keep))
            lows += [keep[0]] if keep else []
        columns: list[tuple[int, int]] = []
        for order, (band, wavelet) in enumerate(zip(bands2, second, strict=True)):
            sizes = [len(group) for halvings, group in groups if halvings < wavelet.halvings]
            if sizes:
                self.second.append(_SecondOrder(band, [band.low - low for low in lows[: len(sizes)]], clip, window))
                columns += [(index, order) for index in range(sum(sizes))]
        # Paths come wavelet by wavelet of the second order; they are told wavelet by wavelet of the first.
        self.register_buffer(
            "order", torch.tensor(sorted(range(len(columns)), key=columns.__getitem__)), persistent=False
        )
        self.order: Tensor

    def forward(self, spectrum: Float[Tensor, "batch bins 2"]) -> Float[Tensor, "batch paths frames"]:
        """Run both orders."""
        whole = _both_sides(spectrum)
        averaged: list[Tensor] = []
        envelopes: list[Tensor] = []
        for group in self.first:
            average, envelope = group(whole)
            averaged.append(average)
            envelopes += [envelope] if envelope is not None else []
        paths = torch.cat(averaged, dim=1)
        if not len(self.second):
            return paths
        deeper = torch.cat([wavelet(envelopes) for wavelet in self.second], dim=1)
        return torch.cat((paths, deeper.index_select(1, self.order)), dim=1)


class _FirstOrder(ExactConstants):
    """Wavelets of one rate: their averages, and the low end of their envelopes' spectra for the second order."""

    def __init__(self, bands: Sequence[_Band], clip: Padding, window: int, keep: tuple[int, int] | None) -> None:
        super().__init__()
        bins = max(band.bins for band in bands)
        self.size = (len(bands), bins)
        self.keep = keep
        samples, gain = bands[0].samples, 2.0 ** -bands[0].halvings
        place = np.array([band.low for band in bands])[:, None] + np.arange(bins)
        self.register_buffer("place", torch.from_numpy(place.ravel() % clip.length), persistent=False)
        self.place: Tensor
        responses = np.stack([np.pad(band.response, (0, bins - band.bins)) for band in bands]) / clip.length
        responses *= gain / samples  # as the second order wants envelopes; the average takes it back
        self.constant("responses", _for_both_parts(responses))  # (wavelets, bins, 2)
        self.responses: Tensor
        self.back = InverseRealDft(samples)
        self.average = Average(clip, window, samples=samples, gain=float(samples))
        self.forth = RealDft(samples)

    def forward(self, spectrum: Float[Tensor, "batch length 2"]) -> tuple[Tensor, Tensor | None]:
        bands = spectrum.index_select(1, self.place).unflatten(1, self.size) * self.responses
        envelope = _modulus(self.back(bands))  # (batch, wavelets, samples)
        average = self.average(envelope)
        if self.keep is None:
            return average, None
        return average, _between(self.forth(envelope), *self.keep)


class _SecondOrder(ExactConstants):
    """One wavelet of the second order, on all first-order envelopes that vary fast enough for it."""

    def __init__(self, band: _Band, starts: Sequence[int], clip: Padding, window: int) -> None:
        super().__init__()
        self.starts, self.bins = starts, band.bins
        self.constant("response", _for_both_parts(band.response))  # (bins, 2)
        self.response: Tensor
        self.back = InverseRealDft(band.samples)
        self.average = Average(clip, window, samples=band.samples, gain=2.0**-band.halvings)

    def forward(self, below: Sequence[Float[Tensor, "batch _ _ 2"]]) -> Float[Tensor, "batch above frames"]:
        """Take the first groups of envelopes, each cut where this wavelet's band lies in what is kept of it."""
        cuts = [kept[:, :, start : start + self.bins] for start, kept in zip(self.starts, below, strict=False)]
        bands = _joined(cuts, self.response)
        if self.bins > self.back.length:
            # Sampling below the band folds it, as Kymatio does; where 0 lies is all one to the modulus.
            folds = -(-self.bins // self.back.length)
            missing = folds * self.back.length - self.bins
            bands = nn.functional.pad(bands, (0, 0, 0, missing)).unflatten(2, (folds, self.back.length)).sum(dim=2)
        return self.average(_modulus(self.back(bands)))


def _joined(
    cuts: Sequence[Float[Tensor, "batch _ bins 2"]], response: Float[Tensor, "bins 2"]
) -> Float[Tensor, "batch all bins 2"]:
    """All cuts times the response; each is brought to its place by the product, where no gradient is asked for."""
    if torch.compiler.is_exporting() or cuts[0].requires_grad:
        return torch.cat(list(cuts), dim=1) * response
    sizes = [cut.shape[1] for cut in cuts]
    bands = cuts[0].new_empty(cuts[0].shape[0], sum(sizes), *response.shape)
    for cut, place in zip(cuts, bands.split(sizes, dim=1), strict=True):
        torch.mul(cut, response, out=place)
    return bands


def reflected(samples: Float[Tensor, "batch samples"], clip: Padding) -> Float[Tensor, "batch padded"]:
    """Continue clips by reflection as `clip` says."""
    before = samples[:, 1 : clip.left + 1].flip(1)
    after = samples[:, samples.shape[1] - 1 - clip.right : -1].flip(1)
    return torch.cat((before, samples, after), dim=1)


def _band(wavelet: Wavelet, clip: Padding, window: int, care: _Care, *, order: int) -> _Band:
    response = morlet_response(clip.length, wavelet.centre, wavelet.deviation)
    middle = int(np.argmax(response))
    around = np.arange(clip.length) - clip.length // 2 + middle
    held = np.flatnonzero(np.abs(response[around % clip.length]) > care.negligible * response[middle])
    bins = around[held[0] : held[-1] + 1]
    frames_apart = 2 ** int(np.log2(window))
    halvings = min(wavelet.halvings, int(np.log2(window)))
    samples = clip.length >> halvings
    if care.oversampling:
        wanted = care.oversampling[order - 1] * len(bins)
        samples = min(samples if order == 1 else clip.length, 2 ** int(np.ceil(np.log2(wanted))))
    samples = max(samples, clip.length // frames_apart)
    if order == 1 and len(bins) > samples:
        bins = bins[:samples]
    if order == 2 and care.oversampling:
        # As many as the transform takes: then it need not copy them to put zeros behind.
        bins = around[held[0] : held[0] + max(len(bins), samples)]
    return _Band(response[bins % clip.length], int(bins[0]), samples, halvings)


def _kept(deeper: Sequence[_Band]) -> tuple[int, int] | None:
    """From which bin up to which one these second-order bands look at an envelope; None: there are none."""
    if not deeper:
        return None
    return min(0, *(band.low for band in deeper)), max(1, *(band.low + band.bins for band in deeper))


def _for_both_parts(response: NDArray[np.float64]) -> NDArray[np.float64]:
    """A real factor for the real and the imaginary part: as a whole array it is several times as fast as broadcast."""
    return np.repeat(response[..., None], 2, axis=-1)


def _modulus(parts: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
    """As `modulus`, and twice as fast where no gradient is asked for."""
    if parts.requires_grad or torch.compiler.is_exporting():
        return modulus(parts)
    squares = parts.square_()  # the transform's own result
    return (squares[..., 0] + squares[..., 1]).sqrt_()


def _reach(over_time: NDArray[np.float64], negligible: float) -> int:
    """How far from its middle, at index 0, a periodic window is more than negligible; at most half its length."""
    half = np.abs(over_time[: len(over_time) // 2])
    held = np.flatnonzero(half > negligible * half[0])
    return min(int(held[-1]) + 2, len(over_time) // 2)


def _both_sides(spectrum: Float[Tensor, "batch bins 2"]) -> Float[Tensor, "batch length 2"]:
    """The spectrum of real samples at all its frequencies, from those of its first half."""
    return torch.cat((spectrum, _mirrored(spectrum[:, 1:-1])), dim=1)


def _between(spectrum: Float[Tensor, "batch paths bins 2"], low: int, high: int) -> Float[Tensor, "batch paths kept 2"]:
    """Bins `low` (at most 0) up to `high` of the spectrum of real samples; 0 where there is none."""
    bins = spectrum.shape[2]
    negative, positive = min(-low, bins - 2), min(high, bins)
    kept = torch.cat((_mirrored(spectrum[:, :, 1 : negative + 1]), spectrum[:, :, :positive]), dim=2)
    missing = (-low - negative, high - positive)
    return nn.functional.pad(kept, (0, 0, *missing)) if any(missing) else kept


def _mirrored(half: Float[Tensor, "*batch bins 2"]) -> Float[Tensor, "*batch bins 2"]:
    if torch.compiler.is_exporting():
        turned = half.flip(-2)
        return torch.stack((turned[..., 0], -turned[..., 1]), dim=-1)
    return torch.view_as_real(torch.view_as_complex(half).flip(-1).conj_physical())
