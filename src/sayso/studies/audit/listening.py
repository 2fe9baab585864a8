"""Every file decoded once: its numbers for the detectors, and its samples as a model would get them."""

import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat, clip_from_samples, decode
from sayso.data.clips import Clip
from sayso.data.corpus import Corpus
from sayso.data.faults.detector import Detector, Values
from sayso.data.faults.recording import Recording
from sayso.data.packing import fingerprint
from sayso.errors import AudioError, DataError
from sayso.system.files import cache_folder, output_errors
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["Heard", "listen"]

_CHUNK_CLIPS = 64
# As packing: opening a file takes one lock inside soundfile.
_MOST_WORKERS = 8


@dataclass(frozen=True, eq=False)
class Heard:
    """What one pass over the files gave."""

    corpus: Corpus
    """The clips that could be read, as they will reach a model."""
    values: Mapping[Detector, Values]
    """What each detector measured, (clips, numbers)."""
    skipped: tuple[tuple[Clip, str], ...]
    """Clips that cannot be read, and why."""


@dataclass
class _Chunk:
    good: list[Clip]
    samples: NDArray[np.int16]
    values: list[list[Sequence[float]]]
    skipped: list[tuple[Clip, str]]
    fingerprints: list[str]


@contextmanager
def listen(
    clips: Sequence[Clip],
    audio: AudioFormat,
    detectors: Sequence[Detector],
    *,
    progress: Progress,
) -> Generator[Heard]:
    """Decode every clip in threads and measure it; the packed samples lie in a file that is gone after the block.

    Args:
        clips: to read.
        audio: rate, length and fitting of the packed samples.
        detectors: whose numbers are read off.
        progress: where to report.

    Raises:
        DataError: no clip can be read.
        OutputError: the cache folder, where that file lies, cannot be written.
    """
    folder = cache_folder()
    with ExitStack() as stack:
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            chunks = _decode_all(file, clips, audio, detectors, progress)
        good = tuple(clip for chunk in chunks for clip in chunk.good)
        skipped = tuple(pair for chunk in chunks for pair in chunk.skipped)
        if not good:
            raise DataError(f"none of {counted(len(clips), 'clip')} can be read; the first: {skipped[0][1]}")
        samples = np.memmap(file, np.int16, mode="r", shape=(len(good), audio.clip_samples)).view(np.ndarray)
        values = {
            detector: np.array([row[place] for chunk in chunks for row in chunk.values], np.float64)
            for place, detector in enumerate(detectors)
        }
        marks = tuple(mark for chunk in chunks for mark in chunk.fingerprints)
        yield Heard(Corpus(good, samples, audio, fingerprints=marks), values, skipped)


def _decode_all(
    file: IO[bytes], clips: Sequence[Clip], audio: AudioFormat, detectors: Sequence[Detector], progress: Progress
) -> list[_Chunk]:
    """Write the samples of all good clips one behind the other, in order; gives the rest of each chunk."""
    starts = range(0, len(clips), _CHUNK_CLIPS)
    done: list[_Chunk] = []

    def work(start: int) -> _Chunk:
        return _decode(clips[start : start + _CHUNK_CLIPS], audio, detectors)

    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    with progress.task("listening", total=len(clips), unit="clips") as task, ThreadPoolExecutor(workers) as pool:
        for chunk in pool.map(work, starts):
            file.write(chunk.samples.data)
            chunk.samples = chunk.samples[:0].copy()
            done.append(chunk)
            task.advance(len(chunk.good) + len(chunk.skipped))
    file.flush()
    return done


def _decode(clips: Sequence[Clip], audio: AudioFormat, detectors: Sequence[Detector]) -> _Chunk:
    chunk = _Chunk([], np.empty((len(clips), audio.clip_samples), np.int16), [], [], [])
    for clip in clips:
        try:
            samples, rate = decode(clip.path, start_seconds=clip.start_seconds, end_seconds=clip.end_seconds)
        except AudioError as error:
            chunk.skipped.append((clip, str(error)))
            continue
        # Quantising clips what lies outside.
        recording = Recording(np.clip(samples, -1, 1), rate)
        chunk.samples[len(chunk.good)] = clip_from_samples(samples, rate, audio)
        chunk.fingerprints.append(fingerprint(chunk.samples[len(chunk.good)]))
        chunk.values.append([detector.measure(recording, audio) for detector in detectors])
        chunk.good.append(clip)
    chunk.samples = chunk.samples[: len(chunk.good)]
    return chunk
