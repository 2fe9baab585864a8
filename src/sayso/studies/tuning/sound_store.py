"""Hours of sound at one rate, kept on the disk so that memory does not grow with them."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import soxr
from numpy.typing import NDArray

from sayso.audio import SoundBlocks, quantise, to_float

__all__ = ["SoundStore", "open_store", "read_blocks"]


class SoundStore:
    """Sounds one after the other in a file that goes with the block that opened it.

    Args:
        file: to write to and to read from.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._whole = np.zeros(0, np.int16)

    def add(self, blocks: Iterable[NDArray[np.int16]]) -> slice:
        """Keep a sound that comes in blocks, each (samples,); gives where it lies, to be read by.

        Where a block cannot be had nothing of it is ever read.
        """
        start = self._file.seek(0, 2) // 2
        samples = 0
        for block in blocks:
            self._file.seek(0, 2)
            self._file.write(block.tobytes())
            samples += len(block)
        return slice(start, start + samples)

    def read(self, place: slice) -> NDArray[np.int16]:
        """Give a sound, (samples,), which lies on the disk.

        All that are read once everything is there are parts of one map: each map holds a file open, of which a process
        may have a thousand.
        """
        if place.stop > len(self._whole):
            self._file.flush()
            self._whole = np.memmap(self._file, np.int16, "r")
        return self._whole[place]


@contextmanager
def open_store() -> Generator[SoundStore]:
    """Open an empty store for as long as the block runs."""
    with TemporaryFile() as file:
        yield SoundStore(file)


def read_blocks(path: Path, sample_rate: int) -> Iterator[NDArray[np.int16]]:
    """Read a file block by block at a rate in hertz.

    Raises:
        AudioError: as `SoundBlocks`.
    """
    sound = SoundBlocks(path)
    if sound.sample_rate == sample_rate:
        yield from (quantise(block) for block in sound)
        return
    resampler = soxr.ResampleStream(sound.sample_rate, sample_rate, 1, quality="HQ")
    for block in sound:
        yield quantise(np.asarray(resampler.resample_chunk(to_float(block)), np.float32))
    yield quantise(np.asarray(resampler.resample_chunk(np.zeros(0, np.float32), last=True), np.float32))
