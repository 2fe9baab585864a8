"""One recording as its file holds it, and what several detectors read off it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["FRAME_SECONDS", "LOWEST_DB", "Recording"]

FRAME_SECONDS = 0.01
LOWEST_DB = -100.0
"""What digital silence counts as; the step of 16 bits is at -90 dB."""
_SPAN_DB = 25.0


@dataclass(frozen=True, eq=False)
class Recording:
    """A decoded file, or the stretch of it that a clip is."""

    samples: NDArray[np.float32]
    """(samples,) in [-1, 1], at the file's own rate, as the file holds them."""
    sample_rate: int
    """In hertz, as the file declares it."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.sample_rate

    @cached_property
    def offset(self) -> float:
        """Mean of the samples, which nobody hears."""
        return float(self.samples.mean(dtype=np.float64))

    @cached_property
    def wave(self) -> NDArray[np.float32]:
        """The samples without their offset, by which faults are judged, (samples,)."""
        return self.samples - np.float32(self.offset)

    @cached_property
    def levels_db(self) -> NDArray[np.float64]:
        """Level of each 10 ms in dB of full scale (RMS), (frames,); at least one frame."""
        size = min(max(1, round(FRAME_SECONDS * self.sample_rate)), len(self.samples))
        frames = self.wave[: len(self.samples) // size * size].reshape(-1, size)
        power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / size
        return 10 * np.log10(power + 10 ** (LOWEST_DB / 10))

    @cached_property
    def speech_db(self) -> float:
        """Level of the loudest 5 % of frames, which is the word's where a word is said."""
        return float(np.quantile(self.levels_db, 0.95))

    @cached_property
    def floor_db(self) -> float:
        """Level that the quietest tenth of the frames stays below."""
        return float(np.quantile(self.levels_db, 0.1))

    @cached_property
    def speech_frames(self) -> tuple[int, int]:
        """First frame of the speech and the frame after its last: within 25 dB of `speech_db` and above the floor."""
        floor = min(self.floor_db + 6, self.speech_db - 6)
        loud = np.flatnonzero(self.levels_db > max(self.speech_db - _SPAN_DB, floor))
        return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(self.levels_db))

    @property
    def speech_seconds(self) -> float:
        """From the first frame of the speech to its last."""
        first, end = self.speech_frames
        return (end - first) * FRAME_SECONDS

    @property
    def lengths_log2(self) -> NDArray[np.float64]:
        """Length of the recording and of the speech in it, (2,), in octaves of a second."""
        return np.log2([self.seconds, max(self.speech_seconds, FRAME_SECONDS)])

    @cached_property
    def energy_below(self) -> NDArray[np.float64]:
        """Share of the energy below each of its frequencies, (bins + 1,), the last of them 1; `bin_of` finds them."""
        spectrum = np.fft.rfft(self.wave)
        power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
        below = np.concatenate(([0.0], np.cumsum(power)))
        return below / max(float(below[-1]), 1e-12)

    def bin_of(self, hertz: float) -> int:
        """Index into `energy_below` of a frequency; of its end where the file does not reach so high."""
        return min(int(np.ceil(hertz * len(self.samples) / self.sample_rate)), len(self.energy_below) - 1)
