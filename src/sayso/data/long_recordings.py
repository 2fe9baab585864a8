"""Long recordings in which no word is spoken that is to be learned: other speech, radio, noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sayso.audio import quantise, read_sound, resample, to_float
from sayso.data.datasets.folder.found import is_sound
from sayso.data.packing import hash_sounds
from sayso.errors import AudioError, DataError
from sayso.system.files import expand_home
from sayso.system.progress import Progress
from sayso.system.wording import counted, listed

__all__ = ["LongRecordings", "find_sounds", "read_recordings"]

_NAMED = 3
_ORDER_SEED = 4


@dataclass(frozen=True, eq=False)
class LongRecordings:
    """Recordings of any length, at one rate."""

    sounds: tuple[NDArray[np.int16], ...]
    """Each (samples,)."""
    names: tuple[str, ...]
    """Where each was read from."""
    sample_rate: int
    notes: tuple[str, ...] = ()
    """What a person should know of them, such as which could not be read."""

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the samples, wherever they lie."""
        return hash_sounds(self.sounds)

    @property
    def seconds(self) -> float:
        """Length of all together."""
        return sum(map(len, self.sounds)) / self.sample_rate

    def drawn(self, seconds: float, *, seed: int) -> "LongRecordings":
        """Draw recordings until they are so long together, the last one cut; with more seconds the same and more.

        Args:
            seconds: above 0.
            seed: draws their order.
        """
        left = max(1, round(seconds * self.sample_rate))
        taken: list[tuple[str, NDArray[np.int16]]] = []
        for place in np.random.default_rng((seed, _ORDER_SEED)).permutation(len(self.sounds)).tolist():
            taken.append((self.names[place], self.sounds[place][:left]))
            left -= len(taken[-1][1])
            if left <= 0:
                break
        names, sounds = zip(*taken, strict=True)
        return LongRecordings(sounds, names, self.sample_rate, self.notes)

    def windows(self, length: int, hop: int) -> Iterator[tuple[int, int]]:
        """Yield the windows of so many samples, a hop apart: number of the recording, first sample.

        Where a recording is shorter than one, it is one all the same, and zeros follow it.
        """
        for place, sound in enumerate(self.sounds):
            for start in range(0, max(1, len(sound) - length + 1), hop):
                yield place, start

    def take(self, windows: Sequence[tuple[int, int]], length: int) -> NDArray[np.int16]:
        """Cut out windows, (windows, length)."""
        taken = np.zeros((len(windows), length), np.int16)
        for row, (place, start) in enumerate(windows):
            part = self.sounds[place][start : start + length]
            taken[row, : len(part)] = part
        return taken


def find_sounds(places: Sequence[str | Path]) -> list[Path]:
    """Give the sound files that are named, or lie in folders that are named, at any depth, in order.

    Raises:
        DataError: a place is not there, or a folder holds no sound file.
    """
    found: list[Path] = []
    for place in map(expand_home, map(str, places)):
        if not place.exists():
            raise DataError(f"{place}: no such file or folder")
        own = sorted(path for path in place.rglob("*") if path.is_file() and is_sound(path.name))
        if place.is_file():
            own = [place]
        if not own:
            raise DataError(f"{place}: holds no sound file")
        found += own
    return found


def read_recordings(places: Sequence[str | Path], sample_rate: int, *, progress: Progress) -> LongRecordings:
    """Read long recordings and bring them to one rate.

    Args:
        places: files and folders.
        sample_rate: in hertz.
        progress: where to report.

    Raises:
        DataError: a place is not there, or nothing in it can be read.
    """
    paths = find_sounds(places)
    sounds: dict[str, NDArray[np.int16]] = {}
    bad: list[str] = []
    with progress.task("reading other recordings", total=len(paths), unit="files") as task:
        for path in paths:
            try:
                sound = read_sound(path)
                sounds[str(path)] = quantise(resample(to_float(sound.samples), sound.sample_rate, sample_rate))
            except AudioError as error:
                bad.append(str(error))
            task.advance()
    if not sounds:
        raise DataError(f"none of {counted(len(paths), 'other recording')} can be read: {bad[0]}")
    some = listed(bad, _NAMED, between="; ")
    notes = (f"{counted(len(bad), 'other recording')} skipped: {some}",) if bad else ()
    return LongRecordings(tuple(sounds.values()), tuple(sounds), sample_rate, notes)
