"""From samples at any rate to a clip of fixed rate and length."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from sayso.audio.format import AudioFormat, Fit, Samples
from sayso.audio.levels import find_sound, heard
from sayso.audio.reading import Sound, read_sound
from sayso.audio.samples import quantise, resample, to_float

__all__ = ["Fitted", "clip_from_file", "clip_from_samples", "fit_clip", "fit_length", "tell_clip"]

# Recordings of a word are a little longer than the clips they become.
_LONG_CLIPS = 2
_ROOM_SECONDS = 0.2
# Of the greatest energy. Digits between two seconds of -45 dB noise were understood to 87.4 % by it, to 82.2 by 0.99,
# to 75.6 by 0.999, to 60.0 by the first window of the greatest energy; with nothing around them to 89.3
# (benchmarks.surrounded). Half of what it leaves may be cut off.
_NEARLY_ALL = 0.98


@dataclass(frozen=True, eq=False)
class Fitted:
    """A recording at the rate of clips, and the part of it that a clip holds."""

    whole: Samples
    """(samples,), at `audio.sample_rate`."""
    start: int
    """The first sample that is taken; negative: so many zeros go before."""
    audio: AudioFormat

    @cached_property
    def samples(self) -> Samples:
        """What the clip holds before it is quantised, (audio.clip_samples,)."""
        return _take(self.whole, self.start, self.audio.clip_samples)

    @cached_property
    def clip(self) -> NDArray[np.int16]:
        """The clip, (audio.clip_samples,)."""
        return quantise(self.samples)

    def measure_loss(self) -> tuple[float, float]:
        """Tell what fitting throws away: seconds of sound outside the clip, and the length that would hold it.

        That length leaves some room around the sound, as far as the recording has it.

        What lies between the sounds, and noise as faint as the recording's floor, is none.
        """
        total = len(self.whole)
        if total <= self.audio.clip_samples:
            return 0.0, 0.0
        sounding, hop = find_sound(self.whole, self.audio.sample_rate)
        places = np.flatnonzero(sounding)
        if not len(places):
            return 0.0, 0.0
        middles = (places + 0.5) * hop - self.start
        lost = np.count_nonzero((middles < 0) | (middles >= self.audio.clip_samples)) * hop
        first, end = int(places[0]) * hop, min(int(places[-1] + 1) * hop, total)
        by_fit = {"start": end, "end": total - first, "centre": max(total - 2 * first, 2 * end - total)}
        needed = by_fit.get(self.audio.fit, end - first)
        enough = min(needed + round(_ROOM_SECONDS * self.audio.sample_rate), total)
        return lost / self.audio.sample_rate, enough / self.audio.sample_rate


def clip_from_file(
    path: Path | str, audio: AudioFormat, *, start_seconds: float | None = None, end_seconds: float | None = None
) -> NDArray[np.int16]:
    """Read one file, or a part of it, as a clip.

    Args:
        path: any sound file, as `read_sound`.
        audio: rate, length and fitting.
        start_seconds: where to begin; None: at the file's start.
        end_seconds: where to end; None: at the file's end.

    Returns:
        int16 samples of shape (audio.clip_samples,).

    Raises:
        AudioError: as `read_sound`.
    """
    sound = read_sound(path, start_seconds=start_seconds, end_seconds=end_seconds)
    return clip_from_samples(sound.samples, sound.sample_rate, audio)


def clip_from_samples(samples: Samples, sample_rate: float, audio: AudioFormat) -> NDArray[np.int16]:
    """Bring mono samples at any rate to a clip: int16 of shape (audio.clip_samples,); as `fit_clip`."""
    return fit_clip(samples, sample_rate, audio).clip


def tell_clip(sound: Sound, audio: AudioFormat) -> Iterator[str]:
    """Yield what was done to a recording to make a clip of it, each in a few words, and that it is far longer."""
    yield from sound.remarks
    if not np.any(sound.samples):
        yield "is digital silence, in which no word can be"
    seconds = len(sound.samples) / sound.sample_rate
    if seconds > _LONG_CLIPS * audio.clip_seconds:
        yield f"heard {audio.clip_seconds:g} of its {seconds:.1f} s; `sayso spot` finds words in long files"


def fit_clip(samples: Samples, sample_rate: float, audio: AudioFormat) -> Fitted:
    """Bring mono samples to a clip's rate, and choose what of them it holds.

    Args:
        samples: (n,), float32 in [-1, 1] or int16, as `read_array` gives; int16 that needs no other rate goes through
            untouched, which is what the way through float32 gives too, since every int16 is exact there.
        sample_rate: rate of `samples` in hertz.
        audio: rate, length and fitting. What is loudest is judged without clicks, and without a great offset.
    """
    rate = audio.sample_rate
    whole = samples if sample_rate == rate else resample(to_float(samples), sample_rate, rate)
    is_cut = audio.fit == "loudest" and len(whole) > audio.clip_samples
    return Fitted(whole, _find_start(heard(whole, rate) if is_cut else whole, audio.clip_samples, audio.fit), audio)


def fit_length(samples: Samples, length: int, fit: Fit) -> Samples:
    """Cut or pad with zeros to (length,): the centre, the start, the end, or around what is loudest.

    That is the middle one of the windows with nearly as much energy as the one that has most, and lie side by side.

    >>> fit_length(np.array([1, 2, 3, 4, 5], dtype=np.float32), 3, "centre")
    array([2., 3., 4.], dtype=float32)
    >>> fit_length(np.array([1, 2], dtype=np.float32), 4, "centre")
    array([0., 1., 2., 0.], dtype=float32)
    >>> fit_length(np.array([1, 2], dtype=np.float32), 3, "end")
    array([0., 1., 2.], dtype=float32)
    """
    return _take(samples, _find_start(samples, length, fit), length)


def _find_start(samples: Samples, length: int, fit: Fit) -> int:
    """Choose the first sample to take; negative: so many zeros go before."""
    surplus = len(samples) - length
    if fit == "start":
        return 0
    if fit == "end":
        return surplus
    if fit == "centre" or surplus <= 0:
        return surplus // 2 if surplus > 0 else -(-surplus // 2)
    energy = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    power = energy[length:] - energy[:-length]
    best = int(np.argmax(power))
    # All that holds the whole word has nearly as much: with the word in its middle, where shorter clips have it too.
    less = np.flatnonzero(power < _NEARLY_ALL * power[best])
    first, end = less[less < best].max(initial=-1) + 1, less[less > best].min(initial=len(power))
    return int(first + end - 1) // 2


def _take(samples: Samples, start: int, length: int) -> Samples:
    if len(samples) >= length:
        return samples[start : start + length]
    fitted = cast(Samples, np.zeros(length, samples.dtype))
    fitted[-start : len(samples) - start] = samples
    return fitted
