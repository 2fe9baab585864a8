"""Scattering's two orders as few, large steps: bands cut from the spectrum, brought to a low rate, rectified, averaged.

The modulus of a band stays the same when the band is moved in frequency. So a wavelet's band is laid at frequency 0,
whatever its centre, and transformed back at the lowest rate that holds it: all wavelets of one rate in one transform.
The average over time, of which few frames are wanted, is one small matrix product, with the few lowest bins where a
spectrum is there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.dsp.fourier import ExactConstants, InverseRealDft, RealDft, modulus, needs_graph, phases
from sayso.dsp.stft import next_power_of_two
from sayso.dsp.wavelets import BANDWIDTH, REACH, Padding, Wavelet, frames_apart, gauss_response, morlet_response

__all__ = ["Cascade"]

_BLOCK_FRAMES = 32


@dataclass(frozen=True)
class _Care:
    """How exactly bands are kept: where a response is taken for 0, and how far beyond its band a rate reaches."""

    negligible: float
    window_end: float
    """Where the averaging window is taken for 0, as a part of its middle."""
    oversampling: tuple[float, float] | None
    """Rate over bandwidth in the first and second order, at least; None: the rates of Kymatio."""


# The second order is only averaged: what folds over falls where the average is nearly blind, and at 0.55 times the
# bandwidth FSDD's clips were wrong by 1.1e-4 (L2 norms). The first order is wanted itself: at 3.3 times they were wrong
# by 8e-5 at worst, at 3.6 times by 7e-5.
_FAST = _Care(1e-6, math.exp(-(REACH**2) / 2), (3.6, 0.8))
_EXACT = _Care(1e-12, 1e-12, None)


@dataclass(frozen=True)
class _Setting:
    """What all wavelets of a cascade share."""

    clip: Padding
    window: int
    """T in samples of the clip."""
    care: _Care

    @property
    def frames_apart(self) -> int:
        return frames_apart(self.window)

    @property
    def frames(self) -> int:
        """Frames of the padded clip."""
        return self.clip.length // self.frames_apart

    def window_at(self, samples: int) -> NDArray[np.float64]:
        """The averaging window's response at the `samples` frequencies of signals sampled more coarsely."""
        response = np.fft.fftshift(gauss_response(self.clip.length, BANDWIDTH / self.window))
        folded = np.zeros(samples)
        np.add.at(folded, (np.arange(len(response)) - len(response) // 2) % samples, response)
        return folded


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


class _Average(ExactConstants):
    """Gaussian average of (batch, paths, samples) at the frames of a clip: (batch, paths, frames).

    Frames are taken in blocks, each one product with the same matrix, of as many samples as the block can see.

    Args:
        setting: how the clip was padded, where its frames lie, and how wide the window is.
        samples: of the input, over the padded clip; as many for each of its frames.
        gain: factor.
    """

    def __init__(self, setting: _Setting, *, samples: int, gain: float) -> None:
        super().__init__()
        clip, stride = setting.clip, samples // setting.frames
        over_time = np.fft.ifft(setting.window_at(samples)).real * gain
        reach = _reach(over_time, setting.care.window_end)
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
        self.constant("weights", np.where(seen, over_time[distance % samples], 0.0))  # (span, block)
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


class _SpectrumAverage(ExactConstants):
    """The same average of signals given by their spectra, of which it needs the few lowest bins.

    Args:
        setting: as above.
        samples: of the signals, over the padded clip.
        gain: factor.
    """

    def __init__(self, setting: _Setting, *, samples: int, gain: float) -> None:
        super().__init__()
        clip, response = setting.clip, setting.window_at(samples)[: samples // 2 + 1]
        self.bins = int(np.flatnonzero(response > setting.care.negligible)[-1]) + 1
        response[1 : (samples + 1) // 2] *= 2  # these stand for two bins each
        times = (clip.first_frame + np.arange(clip.frames)) * setting.frames_apart
        parts = phases(self.bins, clip.length, of=clip.length)[..., times]  # (2, bins, frames)
        weights = parts * response[: self.bins, None] * gain / samples
        self.constant("weights", np.moveaxis(weights, 0, 1).reshape(2 * self.bins, -1))
        self.weights: Tensor  # (2 * bins, frames), of the real and the imaginary part of each bin

    def forward(self, spectrum: Float[Tensor, "batch paths bins 2"]) -> Float[Tensor, "batch paths frames"]:
        """Average each path around each frame."""
        return spectrum[:, :, : self.bins].flatten(2) @ self.weights


class Cascade(nn.Module):
    """Coefficients of clips, of the first order and the second.

    Args:
        clip: how clips are padded.
        window: T in samples.
        first: wavelets of the first order, from high to low frequencies.
        second: wavelets of the second order; none: the first order alone.
        exact: sample every band as Kymatio does; else as coarsely as float32 deserves.
        zeroth: also average the clips themselves.

    Returns:
        (batch, paths, frames): the zeroth order, the first, then for each of its wavelets the second order's below it.
    """

    def __init__(
        self,
        clip: Padding,
        window: int,
        first: Sequence[Wavelet],
        second: Sequence[Wavelet],
        *,
        exact: bool,
        zeroth: bool,
    ) -> None:
        super().__init__()
        self.clip, self.spectrum = clip, RealDft(clip.length)
        setting = _Setting(clip, window, _EXACT if exact else _FAST)
        self.zeroth = _SpectrumAverage(setting, samples=clip.length, gain=1.0) if zeroth else None
        bands1 = [_band(wavelet, setting, order=1) for wavelet in first]
        self.lead = max(0, *(-band.low for band in bands1))
        bands2 = [_band(wavelet, setting, order=2) for wavelet in second]
        pairs = groupby(zip(bands1, first, strict=True), key=lambda p: (p[0].samples, p[0].halvings, p[1].halvings))
        groups = [(key[-1], [band for band, _ in group]) for key, group in pairs]
        self.first, self.second = nn.ModuleList(), nn.ModuleList()
        lows: list[int] = []
        for halvings, group in groups:
            keep = _kept([band for band, wavelet in zip(bands2, second, strict=True) if wavelet.halvings > halvings])
            self.first.append(_FirstOrder(group, setting, lead=self.lead, keep=keep))
            lows += [keep[0]] if keep else []
        columns: list[tuple[int, int]] = []
        for order, (band, wavelet) in enumerate(zip(bands2, second, strict=True)):
            sizes = [len(group) for halvings, group in groups if halvings < wavelet.halvings]
            if sizes:
                starts = [band.low - low for low in lows[: len(sizes)]]
                self.second.append(_SecondOrder(band, starts, setting))
                columns += [(index, order) for index in range(sum(sizes))]
        # Paths come wavelet by wavelet of the second order; they are told wavelet by wavelet of the first.
        self.register_buffer(
            "order", torch.tensor(sorted(range(len(columns)), key=columns.__getitem__)), persistent=False
        )
        self.order: Tensor

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch paths frames"]:
        """Run all orders."""
        spectrum = self.spectrum(_reflected(samples, self.clip))
        whole = _both_sides(spectrum, self.lead)
        averaged: list[Tensor] = [self.zeroth(spectrum[:, None])] if self.zeroth else []
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

    def __init__(self, bands: Sequence[_Band], setting: _Setting, *, lead: int, keep: tuple[int, int] | None) -> None:
        super().__init__()
        bins = max(band.bins for band in bands)
        self.size = (len(bands), bins)
        self.keep = keep
        samples, gain = bands[0].samples, 2.0 ** -bands[0].halvings
        self.cuts = [slice(lead + band.low, lead + band.low + band.bins) for band in bands]
        place = np.array([cut.start for cut in self.cuts])[:, None] + np.arange(bins)
        self.register_buffer("place", torch.from_numpy(place.ravel() % (lead + setting.clip.length)), persistent=False)
        self.place: Tensor
        responses = np.stack([np.pad(band.response, (0, bins - band.bins)) for band in bands]) / setting.clip.length
        responses *= gain / samples  # as the second order wants envelopes; the average takes it back
        self.constant("responses", _for_both_parts(responses))  # (wavelets, bins, 2)
        self.responses: Tensor
        self.back = InverseRealDft(samples)
        self.average = _SpectrumAverage(setting, samples=samples, gain=float(samples))
        self.forth = RealDft(samples)

    def forward(self, spectrum: Float[Tensor, "batch length 2"]) -> tuple[Tensor, Tensor | None]:
        envelope = _modulus(self.back(self._bands(spectrum)))  # (batch, wavelets, samples)
        varying = self.forth(envelope)
        return self.average(varying), None if self.keep is None else _between(varying, *self.keep)

    def _bands(self, spectrum: Float[Tensor, "batch length 2"]) -> Float[Tensor, "batch wavelets bins 2"]:
        if needs_graph(spectrum):
            return spectrum.index_select(1, self.place).unflatten(1, self.size) * self.responses
        bands = spectrum.new_zeros(len(spectrum), len(self.cuts), self.back.length, 2)
        for index, cut in enumerate(self.cuts):
            bins = cut.stop - cut.start
            torch.mul(spectrum[:, cut], self.responses[index, :bins], out=bands[:, index, :bins])
        return bands


class _SecondOrder(ExactConstants):
    """One wavelet of the second order, on all first-order envelopes that vary fast enough for it."""

    def __init__(self, band: _Band, starts: Sequence[int], setting: _Setting) -> None:
        super().__init__()
        self.starts, self.bins = starts, band.bins
        self.constant("response", _for_both_parts(band.response))  # (bins, 2)
        self.response: Tensor
        self.back = InverseRealDft(band.samples)
        self.average = _Average(setting, samples=band.samples, gain=2.0**-band.halvings)

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
    if needs_graph(cuts[0]):
        return torch.cat(list(cuts), dim=1) * response
    sizes = [cut.shape[1] for cut in cuts]
    bands = cuts[0].new_empty(cuts[0].shape[0], sum(sizes), *response.shape)
    for cut, place in zip(cuts, bands.split(sizes, dim=1), strict=True):
        torch.mul(cut, response, out=place)
    return bands


def _reflected(samples: Float[Tensor, "batch samples"], clip: Padding) -> Float[Tensor, "batch padded"]:
    """Continue clips by reflection as `clip` says."""
    before = samples[:, 1 : clip.left + 1].flip(1)
    after = samples[:, samples.shape[1] - 1 - clip.right : -1].flip(1)
    return torch.cat((before, samples, after), dim=1)


def _band(wavelet: Wavelet, setting: _Setting, *, order: int) -> _Band:
    length, care = setting.clip.length, setting.care
    response = morlet_response(length, wavelet.centre, wavelet.deviation)
    middle = int(np.argmax(response))
    around = np.arange(length) - length // 2 + middle
    held = np.flatnonzero(np.abs(response[around % length]) > care.negligible * response[middle])
    bins = around[held[0] : held[-1] + 1]
    halvings = min(wavelet.halvings, int(np.log2(setting.window)))
    samples = length >> halvings
    if care.oversampling:
        wanted = math.ceil(care.oversampling[order - 1] * len(bins) / setting.frames)
        samples = min(samples if order == 1 else length, setting.frames * _shared_length(wanted))
    if care.oversampling if order == 2 else len(bins) > samples:
        # In the second order as many as the transform takes: then it need not copy them to put zeros behind.
        bins = around[(length - samples) // 2 :][:samples]
    return _Band(response[bins % length], int(bins[0]), samples, halvings)


def _shared_length(length: int) -> int:
    """The next 2 ** k or 3 * 2 ** k: near enough, and few, so that many wavelets share a transform."""
    power = next_power_of_two(length)
    return power * 3 // 4 if power >= 4 and power * 3 // 4 >= length else power


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
    if needs_graph(parts):
        return modulus(parts)
    squares = parts.square_()  # the transform's own result
    return (squares[..., 0] + squares[..., 1]).sqrt_()


def _reach(over_time: NDArray[np.float64], negligible: float) -> int:
    """How far from its middle, at index 0, a periodic window is more than negligible; at most half its length."""
    half = np.abs(over_time[: len(over_time) // 2])
    held = np.flatnonzero(half > negligible * half[0])
    return min(int(held[-1]) + 2, len(over_time) // 2)


def _both_sides(spectrum: Float[Tensor, "batch bins 2"], lead: int) -> Float[Tensor, "batch all 2"]:
    """The spectrum of real samples at all its frequencies, from `lead` bins below 0 on."""
    above = _mirrored(spectrum[:, 1:-1])
    return torch.cat((above[:, above.shape[1] - lead :], spectrum, above), dim=1)


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
