"""Morlet wavelets for scattering: which there are, their responses over frequency, and how a signal is padded.

Frequencies are in cycles a sample, 0 to 0.5. Values agree with Kymatio 0.3 (Andreux et al. 2020, "Kymatio: Scattering
Transforms in Python"); the construction is that of Andén & Mallat (2014), "Deep Scattering Spectrum".
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.dsp.fourier import fast_length

__all__ = [
    "BANDWIDTH",
    "REACH",
    "Padding",
    "Wavelet",
    "frames_apart",
    "gauss_response",
    "morlet_response",
    "padding",
    "short_padding",
    "wavelets",
]

BANDWIDTH = 0.1
"""Deviation, over frequency, of the averaging window of one sample; the window of T samples has `BANDWIDTH` / T."""
ALIASING = 5.0
"""How many deviations beyond its centre a wavelet is taken to reach when it is subsampled."""
REACH = 5.0
"""How many of its deviations in time the longest window or wavelet is taken to reach in float32. So a tone of 2 Hz, the
worst that was tried, is wrong by 6e-5 (L2 norms); what FSDD's clips lose is below what rates cost."""
_OVERLAP = math.sqrt(0.5)
_PERIODS = 5


@dataclass(frozen=True)
class Wavelet:
    """One wavelet: where it is centred, how wide it is, and how often its output may be halved."""

    centre: float
    """Centre frequency in cycles a sample."""
    deviation: float
    """Standard deviation over frequency, in cycles a sample."""
    halvings: int
    """Its output may be sampled at 1 / 2 ** halvings of the rate."""


@dataclass(frozen=True)
class Padding:
    """How a clip is continued by reflection, and where its frames lie then."""

    length: int
    """Samples after padding."""
    left: int
    """Samples put before."""
    right: int
    """Samples put after."""
    first_frame: int
    """Index of the clip's first frame among those of the padded signal."""
    frames: int
    """How many frames the clip has."""


def wavelets(per_octave: int, max_scale_log2: int) -> list[Wavelet]:
    """The wavelets of one order, from the highest frequency to the lowest.

    A geometric progression as long as wavelets are narrower in time than 2 ** max_scale_log2 samples, then
    `per_octave` - 1 more, evenly spaced down to 0.

    Args:
        per_octave: wavelets an octave, at least 1.
        max_scale_log2: logarithm of the longest wavelet.
    """
    narrowest = BANDWIDTH / 2**max_scale_log2
    step = 2 ** (1 / per_octave)
    centre = max(1 / (1 + 2 ** (3 / per_octave)), 0.35)
    deviation = centre * (step - 1) / (step + 1) / math.sqrt(2 * math.log(1 / _OVERLAP))
    found: list[tuple[float, float]] = []
    lowest = deviation
    if deviation > narrowest:
        found.append((centre, deviation))
        while found[-1][1] > narrowest * step:
            found.append((found[-1][0] / step, found[-1][1] / step))
        lowest = found[-1][0]
    found += [(lowest * (1 - index / per_octave), narrowest) for index in range(1, per_octave)]
    return [Wavelet(centre, deviation, _halvings(centre, deviation)) for centre, deviation in found]


def morlet_response(length: int, centre: float, deviation: float) -> NDArray[np.float64]:
    """Response of a Morlet wavelet at the `length` frequencies of a transform, (length,); 0 at frequency 0.

    A Gaussian around `centre` less as much of one around 0 as brings the mean to 0, made periodic, with absolute sum 1
    over time.
    """
    periods = min(math.ceil(math.sqrt(-2 * deviation**2 * math.log(1e-7)) + 1), _PERIODS)
    frequencies = np.arange((1 - periods) * length, periods * length) / length
    at_0 = np.fft.fftfreq(length) if periods == 1 else frequencies
    band = _periodic(np.exp(-((frequencies - centre) ** 2) / (2 * deviation**2)), length)
    low = _periodic(np.exp(-(at_0**2) / (2 * deviation**2)), length)
    return _normalised(band - band[0] / low[0] * low)


def gauss_response(length: int, deviation: float) -> NDArray[np.float64]:
    """Response of a Gaussian window at the `length` frequencies of a transform, (length,), with absolute sum 1."""
    periods = min(math.ceil(math.sqrt(-2 * deviation**2 * math.log(1e-7)) + 1), _PERIODS)
    frequencies = np.arange((1 - periods) * length, periods * length) / length
    at_0 = np.fft.fftfreq(length) if periods == 1 else frequencies
    return _normalised(_periodic(np.exp(-(at_0**2) / (2 * deviation**2)), length))


def frames_apart(window: int) -> int:
    """Samples of the clip from one frame to the next, where the average is over `window`: a power of two.

    >>> frames_apart(300)
    256
    """
    return 2 ** math.floor(math.log2(window))


def padding(samples: int, window: int) -> Padding:
    """Pad clips of `samples` so that a window of `window` samples at their edge sees little of the other end.

    Args:
        samples: length of a clip.
        window: T, the length over which coefficients are averaged; frames are 2 ** floor(log2 T) samples apart.
    """
    reach = _temporal_support(gauss_response(samples, BANDWIDTH / window))
    # A reflection can add no more than the clip less one sample on either side.
    longest = math.floor(math.log2(3 * samples - 2))
    length = 2 ** min(math.ceil(math.log2(samples + 6 * reach)), longest)
    left = (length - samples) // 2
    stride = frames_apart(window)
    first, last = -(-left // stride), -(-(left + samples) // stride)
    return Padding(length, left, length - samples - left, first, last - first)


def short_padding(samples: int, window: int, *, max_scale_log2: int) -> Padding:
    """Pad clips of `samples` by no more than float32 can tell, with frames where `padding` has them.

    Args:
        samples: length of a clip.
        window: T, the length over which coefficients are averaged.
        max_scale_log2: logarithm of the longest wavelet.

    Returns:
        As many frames as a transform is fast for, an even number; or what `padding` gives where that is no longer.
    """
    whole = padding(samples, window)
    stride = frames_apart(window)
    reach = math.ceil(REACH * max(window, 2**max_scale_log2) / (2 * math.pi * BANDWIDTH))
    spared = (whole.left - reach) // stride
    left = whole.left - spared * stride
    length = 2 * stride * fast_length(-(-(left + samples + reach) // (2 * stride)))
    if spared <= 0 or length >= whole.length or length - samples - left >= samples:
        return whole
    return Padding(length, left, length - samples - left, whole.first_frame - spared, whole.frames)


def _halvings(centre: float, deviation: float) -> int:
    highest = min(centre + ALIASING * deviation, 0.5)
    return math.floor(-math.log2(highest)) - 1


def _periodic(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    return values.reshape(-1, length).mean(axis=0)


def _normalised(response: NDArray[np.float64]) -> NDArray[np.float64]:
    return response / np.abs(np.fft.ifft(response)).sum()


def _temporal_support(response: NDArray[np.float64], *, tolerance: float = 1e-3) -> int:
    """Samples on either side of its middle beyond which a window holds no more than `tolerance` of its sum."""
    half = np.abs(np.fft.ifft(response))[: len(response) // 2]
    beyond = np.cumsum(half[::-1])[::-1]
    within = np.flatnonzero(beyond <= tolerance)
    return int(within[0]) + 1 if len(within) else len(response) // 2
