"""The short-time transform as real products, for runtimes without a fast one, in a quarter of the multiplications.

A frame is the sum of two parts about its middle: one even, which cosines alone hear, and one odd, which sines alone
hear. Each holds half the samples. Between the frequencies k and half the length less k, cosines and sines differ by
the sign of every second sample: so the sums over the even and over the odd samples, added and subtracted, give both.
"""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from sayso.dsp.fourier import ExactConstants, phases

__all__ = ["FoldedTransform"]


class FoldedTransform(ExactConstants):
    """Short-time Fourier transform of all frames by products with four small matrices.

    Args:
        taper: the window, as long as a frame, a multiple of 4; 0 at its beginning.
        hop: samples from frame to frame.
    """

    def __init__(self, taper: NDArray[np.float64], hop: int) -> None:
        super().__init__()
        self.length, self.hop = len(taper), hop
        middle = self.length // 2
        # How far from its middle a frame is heard, that sample included.
        self.reach = max(2, 1 + int(np.abs(np.flatnonzero(taper) - middle).max()))
        # A frame is so many hops; they begin where they reach over the end of the last frame as little as can be.
        self.hops = -(-(2 * self.reach - 1) // hop)
        self.begin = max(0, min(middle - self.reach + 1, self.length - self.hops * hop))
        self.missing = max(0, self.begin + self.hops * hop - self.length)
        self.middle = middle - self.begin
        self.constant("taper", taper[middle - self.reach + 1 : middle + self.reach])
        cosines, sines = phases(self.reach, self.length // 4 + 1, of=self.length)  # (reach, lower bins) each
        signs = (-1.0) ** np.arange(self.length // 4 + 1)  # phases are those from the frame's beginning
        cosines, sines = cosines * signs, sines * signs
        cosines[0] /= 2  # the sample in the middle is added to itself
        self.constant("even_cosines", cosines[::2])
        self.constant("odd_cosines", cosines[1::2])
        self.constant("even_sines", sines[::2])
        self.constant("odd_sines", sines[1::2])
        self.taper: Tensor
        self.even_cosines: Tensor
        self.odd_cosines: Tensor
        self.even_sines: Tensor
        self.odd_sines: Tensor

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 2 bins frames"]:
        """Give real and imaginary parts of all whole frames."""
        even_real, odd_real, even_imaginary, odd_imaginary = self._products(samples)
        real = _joined(even_real + odd_real, even_real - odd_real)
        imaginary = _joined(even_imaginary + odd_imaginary, odd_imaginary - even_imaginary)
        return torch.stack((real, imaginary), dim=1).transpose(2, 3)

    def power(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames bins"]:
        """Give their squared magnitudes."""
        even_real, odd_real, even_imaginary, odd_imaginary = self._products(samples)
        real, imaginary = even_real + odd_real, even_imaginary + odd_imaginary
        lower = real * real + imaginary * imaginary
        real, imaginary = even_real - odd_real, even_imaginary - odd_imaginary
        return _joined(lower, real * real + imaginary * imaginary)

    def _products(self, samples: Float[Tensor, "batch samples"]) -> list[Float[Tensor, "batch frames lower"]]:
        frames = 1 + (samples.shape[-1] - self.length) // self.hop
        if self.missing:
            samples = nn.functional.pad(samples, (0, self.missing))
        count = frames + self.hops - 1
        hops = samples[:, self.begin : self.begin + count * self.hop].unflatten(1, (count, self.hop))
        whole = torch.cat([hops[:, place : place + frames] for place in range(self.hops)], dim=-1)
        heard = whole[..., self.middle - self.reach + 1 : self.middle + self.reach] * self.taper
        later, earlier = heard[..., self.reach - 1 :], heard[..., : self.reach].flip(-1)
        even_later, odd_later = later[..., ::2], later[..., 1::2]
        even_earlier, odd_earlier = earlier[..., ::2], earlier[..., 1::2]
        return [
            (even_later + even_earlier) @ self.even_cosines,
            (odd_later + odd_earlier) @ self.odd_cosines,
            (even_later - even_earlier) @ self.even_sines,
            (odd_later - odd_earlier) @ self.odd_sines,
        ]


def _joined(lower: Float[Tensor, "*frames lower"], upper: Float[Tensor, "*frames lower"]) -> Tensor:
    """Put the upper frequencies, counted from the highest down, behind the lower; the middle one is in both."""
    return torch.cat((lower, upper[..., :-1].flip(-1)), dim=-1)
