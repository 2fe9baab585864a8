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

__all__ = ["ConvolvedTransform", "FoldedTransform"]

_LONGEST = 4096
_Count = int | torch.SymInt  # not yet known while a stream's graph is made


class FoldedTransform(ExactConstants):
    """Short-time Fourier transform of all frames by products with four small matrices.

    Samples are parted into the even and the odd, and those before the middle of frames are turned round, once for all
    frames that hold them: pieces of half a hop are then joined to frames.

    Args:
        taper: the window, as long as a frame; see `fits`.
        hop: samples from frame to frame.
    """

    def __init__(self, taper: NDArray[np.float64], hop: int) -> None:
        super().__init__()
        self.length, self.hop = len(taper), hop
        middle, quarter = self.length // 2, self.length // 4
        # So far from its middle, that sample included, a frame is heard.
        reach = 1 + int(np.abs(np.flatnonzero(taper) - middle).max())
        cosines, sines = phases(reach, quarter + 1, of=self.length)  # (reach, lower bins) each
        signs = (-1.0) ** np.arange(quarter + 1)  # phases count from the frame's beginning
        waves = np.stack((cosines, sines)) * signs * taper[middle : middle + reach, None]
        waves[0, 0] /= 2  # the sample in the middle is added to itself
        for name, wave in (("cosines", waves[0]), ("sines", waves[1])):
            self.constant(f"even_{name}", wave[::2])
            self.constant(f"odd_{name}", wave[1::2])
        self.even_cosines: Tensor
        self.odd_cosines: Tensor
        self.even_sines: Tensor
        self.odd_sines: Tensor
        # Pieces before and after the middle begin or end up to a piece outside the frame.
        reached = hop // 2 * -(-((reach + 1) // 2) // (hop // 2))
        self.added = max(0, reached - quarter)

    @staticmethod
    def fits(taper: NDArray[np.float64], hop: int) -> bool:
        """Whether a window, and frames so far apart, can be folded.

        The window must be of more than a sample, the same on both sides of its middle, and 0 at its beginning, its
        length a multiple of 4 and at most 4096, as the matrices would be tens of megabytes; the hop must be even.
        """
        is_symmetric = taper[0] == 0 and np.allclose(taper[1:], taper[:0:-1], rtol=1e-12)
        fits = len(taper) % 4 == 0 and len(taper) <= _LONGEST and hop % 2 == 0
        return bool(fits and is_symmetric and np.count_nonzero(taper) > 1)

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 2 bins frames"]:
        """Give real and imaginary parts of all whole frames."""
        even_real, odd_real, even_imaginary, odd_imaginary = self._products(samples)
        real = self.joined(even_real + odd_real, even_real - odd_real)
        imaginary = self.joined(even_imaginary + odd_imaginary, odd_imaginary - even_imaginary)
        return torch.stack((real, imaginary), dim=1).transpose(2, 3)

    def power(
        self, samples: Float[Tensor, "batch samples"]
    ) -> tuple[Float[Tensor, "batch frames lower"], Float[Tensor, "batch frames lower"]]:
        """Give their squared magnitudes, of the lower half of the frequencies and of the upper, from the highest down.

        The frequency in the middle is in both.
        """
        even_real, odd_real, even_imaginary, odd_imaginary = self._products(samples)
        halves: list[Tensor] = []
        for real, imaginary in (
            (even_real + odd_real, even_imaginary + odd_imaginary),
            (even_real - odd_real, even_imaginary - odd_imaginary),
        ):
            halves.append(real * real + imaginary * imaginary)
        return halves[0], halves[1]

    @staticmethod
    def joined(lower: Float[Tensor, "*frames lower"], upper: Float[Tensor, "*frames lower"]) -> Tensor:
        """Put the upper frequencies, given from the highest down, behind the lower."""
        return torch.cat((lower, upper[..., :-1].flip(-1)), dim=-1)

    def _products(self, samples: Float[Tensor, "batch samples"]) -> tuple[Float[Tensor, "batch frames lower"], ...]:
        frames = 1 + (samples.shape[-1] - self.length) // self.hop
        heard = samples[:, : self.length + (frames - 1) * self.hop]
        pairs = nn.functional.pad(heard, (2 * self.added, 2 * self.added)).unflatten(1, (-1, 2))
        even, odd = pairs[..., 0], pairs[..., 1]
        middle = self.added + self.length // 4
        evens, odds = len(self.even_cosines), len(self.odd_cosines)
        even_later, even_earlier = self._later(even, middle, frames, evens), self._earlier(even, middle, frames, evens)
        odd_later, odd_earlier = self._later(odd, middle, frames, odds), self._earlier(odd, middle - 1, frames, odds)
        return (
            (even_later + even_earlier) @ self.even_cosines,
            (odd_later + odd_earlier) @ self.odd_cosines,
            (even_later - even_earlier) @ self.even_sines,
            (odd_later - odd_earlier) @ self.odd_sines,
        )

    def _later(self, samples: Float[Tensor, "batch half"], first: int, frames: _Count, count: int) -> Tensor:
        """So many samples of every frame, (batch, frames, count): of the first from `first` on."""
        step = self.hop // 2
        pieces = -(-count // step)
        joined = samples[:, first : first + (frames + pieces - 1) * step].unflatten(1, (frames + pieces - 1, step))
        parts = [joined[:, place : place + frames] for place in range(pieces)]
        return _cut(parts, count)

    def _earlier(self, samples: Float[Tensor, "batch half"], first: int, frames: _Count, count: int) -> Tensor:
        """The same from `first` backward."""
        step = self.hop // 2
        pieces = -(-count // step)
        start = first + 1 - pieces * step
        joined = samples[:, start : start + (frames + pieces - 1) * step].unflatten(1, (frames + pieces - 1, step))
        turned = joined.flip(-1)
        parts = [turned[:, place : place + frames] for place in reversed(range(pieces))]
        return _cut(parts, count)


class ConvolvedTransform(ExactConstants):
    """The same as one convolution with the whole matrix of cosines and sines, for odd windows and hops.

    Args:
        taper: the window, as long as a frame.
        hop: samples from frame to frame.
        window: so many samples in the middle of the taper are the window itself; the rest is 0, and costs nothing.
    """

    def __init__(self, taper: NDArray[np.float64], hop: int, window: int) -> None:
        super().__init__()
        self.length, self.hop, self.bins = len(taper), hop, len(taper) // 2 + 1
        self.start, self.window = (len(taper) - window) // 2, window
        kernel = (phases(self.bins, self.length, of=self.length) * taper).reshape(-1, 1, self.length)
        self.constant("kernel", kernel[..., self.start : self.start + self.window])
        self.kernel: Tensor

    def forward(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch 2 bins frames"]:
        """Give real and imaginary parts of all whole frames."""
        return self._convolved(samples).unflatten(1, (2, self.bins))

    def power(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch frames bins"]:
        """Give their squared magnitudes."""
        parts = self._convolved(samples).transpose(1, 2)
        # Not by `split`: onnxruntime ends the process of whoever opens a file in which that node is damaged.
        real, imaginary = parts[..., : self.bins], parts[..., self.bins :]
        return real * real + imaginary * imaginary

    def _convolved(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch parts frames"]:
        last = self.start + self.window + (samples.shape[-1] - self.length) // self.hop * self.hop
        return nn.functional.conv1d(samples[:, None, self.start : last], self.kernel, stride=self.hop)


def _cut(parts: list[Float[Tensor, "batch frames step"]], count: int) -> Float[Tensor, "batch frames {count}"]:
    """Join pieces to frames of `count` samples."""
    *whole, last = parts
    return torch.cat((*whole, last[..., : count - sum(each.shape[-1] for each in whole)]), dim=-1)
