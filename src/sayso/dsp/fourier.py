"""The real discrete Fourier transform, and constants that are exact in any precision.

`RealDft` computes one thing in two ways. At work it takes the fast Fourier transform; while a model is exported it is
products with matrices of cosines and sines, because real products are what every runtime has. The matrices are made
with float64 angles, the phase taken modulo n first: angles in float32 agree with themselves and are wrong by percents.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["ExactConstants", "InverseRealDft", "RealDft", "fast_length", "modulus", "needs_graph", "phases"]


class ExactConstants(nn.Module):
    """Base of modules with constants made in float64: buffers in float32, and whole again after `.double()`."""

    def __init__(self) -> None:
        super().__init__()
        self._exact: dict[str, NDArray[np.float64]] = {}

    def constant(self, name: str, values: NDArray[np.float64]) -> None:
        """Enter a constant under `name`, as a float32 buffer that is not saved with the weights."""
        self._exact[name] = np.ascontiguousarray(values)
        self.register_buffer(name, torch.from_numpy(self._exact[name]).float(), persistent=False)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        super()._apply(fn, recurse)
        for name, values in self._exact.items():
            setattr(self, name, torch.from_numpy(values).to(getattr(self, name)))  # its type and device
        return self


class RealDft(ExactConstants):
    """Discrete Fourier transform of `length` real samples.

    For export the transform is done in four steps (Bailey 1990): with length = rows x columns, a DFT of each column, a
    turn of each phase, a DFT of each row, all as real products. Its matrices are small where one product with the whole
    kernel would need length squared numbers.

    Args:
        length: number of samples; with a divisor near its root, as `fast_length` gives.

    Returns:
        Real and imaginary parts beside each other, (..., length // 2 + 1, 2).
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length, self.bins = length, length // 2 + 1
        rows = max(divisor for divisor in range(1, math.isqrt(length) + 1) if length % divisor == 0)
        columns = length // rows
        half = columns // 2 + 1
        self.constant("first", phases(rows, rows, of=rows))  # (2, rows, rows)
        self.constant("turn", phases(rows, columns, of=length))  # (2, rows, columns)
        self.constant("second", phases(half, columns, of=columns))  # (2, half, columns)
        self.first: Tensor
        self.turn: Tensor
        self.second: Tensor

    def forward(self, samples: Float[Tensor, "*batch samples"]) -> Float[Tensor, "*batch bins 2"]:
        """Transform the last axis."""
        if torch.compiler.is_exporting():
            return self._by_products(samples)
        return torch.view_as_real(torch.fft.rfft(samples))

    def _by_products(self, samples: Float[Tensor, "*batch samples"]) -> Float[Tensor, "*batch bins 2"]:
        rows, columns = self.turn.shape[1:]
        grid = samples.unflatten(-1, (rows, columns))
        real, imaginary = _turned(self.first[0] @ grid, self.first[1] @ grid, self.turn)  # (..., rows, columns)
        real, imaginary = real.transpose(-1, -2), imaginary.transpose(-1, -2)  # (..., columns, rows)
        cosine, sine = self.second
        parts = (cosine @ real - sine @ imaginary, cosine @ imaginary + sine @ real)  # (..., half, rows) each
        return torch.stack([part.flatten(-2)[..., : self.bins] for part in parts], dim=-1)


class InverseRealDft(ExactConstants):
    """Inverse transform, to `length` complex samples, of the coefficients of the lowest frequencies alone.

    It sums without dividing by the length. Export goes in four steps, as in `RealDft`.

    Args:
        length: number of samples.

    Returns:
        Real and imaginary parts beside each other, (..., length, 2), of coefficients (..., up to length, 2).
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length
        rows = max(divisor for divisor in range(1, math.isqrt(length) + 1) if length % divisor == 0)
        columns = length // rows
        self.constant("first", _conjugate(phases(rows, rows, of=rows)))  # (2, rows, rows)
        self.constant("turn", _conjugate(phases(rows, columns, of=length)))  # (2, rows, columns)
        self.constant("second", _conjugate(phases(columns, columns, of=columns)))  # (2, columns, columns)
        self.first: Tensor
        self.turn: Tensor
        self.second: Tensor

    def forward(self, coefficients: Float[Tensor, "*batch bins 2"]) -> Float[Tensor, "*batch samples 2"]:
        """Transform the last but one axis."""
        if torch.compiler.is_exporting():
            return self._by_products(coefficients)
        whole = torch.view_as_complex(coefficients)
        return torch.view_as_real(torch.fft.ifft(whole, n=self.length, norm="forward"))

    def _by_products(self, coefficients: Float[Tensor, "*batch bins 2"]) -> Float[Tensor, "*batch samples 2"]:
        missing = self.length - coefficients.shape[-2]
        whole = nn.functional.pad(coefficients, (0, 0, 0, missing))
        real, imaginary = whole.unflatten(-2, self.turn.shape[1:]).unbind(-1)  # (..., rows, columns) each
        cosine, sine = self.first
        real, imaginary = cosine @ real - sine @ imaginary, cosine @ imaginary + sine @ real
        real, imaginary = _turned(real, imaginary, self.turn)
        real, imaginary = real.transpose(-1, -2), imaginary.transpose(-1, -2)  # (..., columns, rows)
        cosine, sine = self.second
        parts = (cosine @ real - sine @ imaginary, cosine @ imaginary + sine @ real)  # (..., columns, rows) each
        return torch.stack([part.flatten(-2) for part in parts], dim=-1)


def modulus(parts: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
    """Absolute value of complex numbers given as real and imaginary parts; its gradient at 0 is 0."""
    if torch.compiler.is_exporting():
        return parts.square().sum(-1).sqrt()
    return torch.view_as_complex(parts).abs()


def phases(rows: int, columns: int, *, of: int) -> NDArray[np.float64]:
    """Cosine and minus sine of 2 pi row column / of, (2, rows, columns)."""
    angle = 2 * np.pi / of * (np.outer(np.arange(rows), np.arange(columns)) % of)
    return np.stack((np.cos(angle), -np.sin(angle)))


def needs_graph(tensor: Tensor) -> bool:
    """Whether each step on it must be one that torch can differentiate or export, which none that overwrites is."""
    return tensor.requires_grad or torch.compiler.is_exporting()


def fast_length(length: int) -> int:
    """The smallest number that is at least `length` and a product of 2, 3 and 5 alone, so that transforms are fast.

    >>> fast_length(16000), fast_length(8009)
    (16000, 8100)
    """
    while _rest(length) > 1:
        length += 1
    return length


def _rest(length: int) -> int:
    for prime in (2, 3, 5):
        while length % prime == 0:
            length //= prime
    return length


def _conjugate(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    return parts * np.array([1.0, -1.0])[:, None, None]


def _turned(
    real: Float[Tensor, "*grid"], imaginary: Float[Tensor, "*grid"], turn: Float[Tensor, "2 rows columns"]
) -> tuple[Float[Tensor, "*grid"], Float[Tensor, "*grid"]]:
    cosine, sine = turn
    return real * cosine - imaginary * sine, real * sine + imaginary * cosine
