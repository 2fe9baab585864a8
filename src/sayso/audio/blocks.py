"""A sound file block by block, whatever its length: the samples of `read_sound`, which are never held all at once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from sayso.audio.container import CUT_SHORT, has_no_end, is_cut_short, printable
from sayso.audio.format import Samples
from sayso.audio.media import find_medium
from sayso.audio.reading import Sound, bring_to_scale, check_file_rate, dtype_of, open_sound, probe, read_sound
from sayso.audio.scale import Energies, count_beyond, holds_floats, holds_int16, take_channel, with_numbers_alone
from sayso.errors import AudioError

__all__ = ["SoundBlocks"]

_BLOCK_SECONDS = 10.0


class SoundBlocks:
    """The samples of a file, block by block, each (samples,); laid one behind the other they are those of the file.

    Of MP3 the last digit may differ, as it does from one reading to the next. Files of several channels, or of floats,
    are read twice: how they are mixed, and whether they are sound at all, is known at their end alone. An MP3 or FLAC
    that does not say its length is held in memory, compressed as it is; of what the extra `media` reads, all the sound.

    Args:
        path: any file that libsndfile reads.
        block_seconds: length of a block; the last one is shorter.
        goes_on: put silence in place of samples that are no numbers (NaN or infinite), as listening does; else they are
            refused, as they always are in what the extra `media` reads.

    Raises:
        AudioError: as `read_sound`; what is wrong further on is told when it is come to.

    Attributes:
        name: the file, as it can be printed.
        sample_rate: in hertz.
        seconds: its length, by its header.
        read: what was done to it, without its samples; known once all blocks are read.
    """

    def __init__(self, path: Path | str, *, block_seconds: float = _BLOCK_SECONDS, goes_on: bool = False) -> None:
        self.name, self._path = printable(path), path
        self.seconds, rate = probe(path)
        self.sample_rate = check_file_rate(rate, self.name)
        self._block_samples = max(1, round(block_seconds * self.sample_rate))
        self._goes_on, self._no_numbers = goes_on, 0
        self.read = Sound(self.name, np.zeros(0, np.float32), self.sample_rate)

    def __iter__(self) -> Iterator[Samples]:
        """Read the file from its beginning."""
        if find_medium(self._path):
            yield from self._whole()
            return
        read = self._survey()
        beyond = 0
        with open_sound(self._path) as file:
            for samples in self._read_blocks(file, was_int16=read.was_int16):
                block = samples if samples.ndim == 1 else take_channel(samples, read.channel)
                beyond += count_beyond(block)
                yield block
            is_open = has_no_end(self._path, file)
            self.read = replace(read, beyond=beyond, no_numbers=self._no_numbers, has_no_end=is_open)

    def _whole(self) -> Iterator[Samples]:
        sound = read_sound(self._path)
        self.read = replace(sound, samples=self.read.samples)
        for start in range(0, len(sound.samples), self._block_samples):
            yield sound.samples[start : start + self._block_samples]

    def _survey(self) -> Sound:
        """Read the file once where only all of it tells how it is to be read."""
        with open_sound(self._path) as file:
            if is_cut_short(self._path, file, 0):
                raise AudioError(f"{self.name}: {CUT_SHORT}")
            was_int16 = holds_int16(file)
            several = file.channels > 1
            if not several and not holds_floats(file):
                return self.read
            file.seek(0)
            energies = Energies()
            for samples in self._read_blocks(file, was_int16=was_int16):
                if several:
                    energies.add(samples)
            return replace(self.read, was_int16=was_int16, channel=energies.choose_channel() if several else None)

    def _read_blocks(self, file: soundfile.SoundFile, *, was_int16: bool) -> Iterator[Any]:
        """Yield the samples from here on, (samples,) or (samples, channels)."""
        if file.format == "MP3":
            # soundfile seeks after each read, to where it is; libmpg123 loses the thread of its frames by that.
            vars(file)["_info"].seekable = 0
        dtype, place, self._no_numbers = dtype_of(file), 0, 0
        while len(samples := np.asarray(file.read(self._block_samples, dtype=dtype), dtype=dtype)):
            place += len(samples)
            yield samples if samples.dtype == np.int16 else self._bring_to_scale(samples, was_int16=was_int16)
        if is_cut_short(self._path, file, file.frames - place):
            raise AudioError(f"{self.name}: {CUT_SHORT}")
        if not place:
            raise AudioError(f"{self.name}: {CUT_SHORT if has_no_end(self._path, file) else 'holds no sound'}")

    def _bring_to_scale(self, samples: Any, *, was_int16: bool) -> Any:
        if self._goes_on:
            samples, lost = with_numbers_alone(samples)
            self._no_numbers += lost
        return bring_to_scale(samples, self.name, was_int16=was_int16)
