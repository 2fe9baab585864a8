"""Files decoded to clips, written one behind the other, with what is to be told of each."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sayso.audio import AudioFormat, fit_clip, quantise, read_sound, resample, to_float
from sayso.data.clips import Clip
from sayso.data.losses import gather_reasons
from sayso.data.treatment import Treatment
from sayso.errors import AudioError
from sayso.system.files import digest
from sayso.system.progress import Progress

__all__ = ["Packed", "count_workers", "decode_rows", "fingerprint", "hash_sounds", "pack_clips", "read_noise"]

_CHUNK_BYTES = 2 << 20
# Opening a file takes one lock inside soundfile, so more threads than this only wait for one another.
_MOST_WORKERS = 8


@dataclass
class Packed:
    """What packing some clips gave beside their samples."""

    fingerprints: list[str] = field(default_factory=list)
    """One hash of each good clip, of its samples."""
    skipped: dict[int, str] = field(default_factory=dict)
    """Why, by row, of the bad ones."""
    treated: dict[int, Treatment] = field(default_factory=dict)
    """What was done, by row, to good ones that are not ordinary."""


def pack_clips(file: BinaryIO, clips: Sequence[Clip], audio: AudioFormat, progress: Progress) -> Packed:
    """Write the good clips one behind the other.

    Threads do, since libsndfile and the hash work outside Python's lock. Each writes what it decoded: a further thread
    that only writes takes a third of the speed on two cores.
    """
    row_bytes = 2 * audio.clip_samples
    size = max(1, _CHUNK_BYTES // row_bytes)
    starts = range(0, len(clips), size)
    writing = Lock()

    def work(start: int) -> Packed:
        samples, some = decode_rows(clips, range(start, min(start + size, len(clips))), audio)
        with writing:
            file.seek(start * row_bytes)
            file.write(samples.data)
        return some

    whole = Packed()
    workers = ThreadPoolExecutor(count_workers())
    with progress.task("packing clips", total=len(clips), unit="clips") as task, workers as pool:
        for start, some in zip(starts, pool.map(work, starts), strict=True):
            if whole.skipped:
                with writing:
                    target = len(whole.fingerprints) * row_bytes
                    _move(file, start * row_bytes, target, len(some.fingerprints) * row_bytes)
            whole.fingerprints += some.fingerprints
            whole.skipped |= some.skipped
            whole.treated |= some.treated
            task.advance(len(some.fingerprints) + len(some.skipped))
    return whole


def count_workers() -> int:
    """Count the threads that decode."""
    return min(_MOST_WORKERS, os.cpu_count() or 1)


def _move(file: BinaryIO, source: int, target: int, size: int) -> None:
    file.seek(source)
    content = file.read(size)
    file.seek(target)
    file.write(content)


def decode_rows(clips: Sequence[Clip], rows: range, audio: AudioFormat) -> tuple[NDArray[np.int16], Packed]:
    """Decode some clips: the samples of the good ones, (good clips, audio.clip_samples), and what is told of them."""
    samples = np.empty((len(rows), audio.clip_samples), np.int16)
    packed = Packed()
    for row in rows:
        clip, place = clips[row], len(packed.fingerprints)
        try:
            sound = read_sound(clip.path, start_seconds=clip.start_seconds, end_seconds=clip.end_seconds)
        except AudioError as error:
            packed.skipped[row] = str(error)
            continue
        fitted = fit_clip(sound.samples, sound.sample_rate, audio)
        samples[place] = fitted.clip
        packed.fingerprints.append(fingerprint(samples[place]))
        if (treatment := Treatment.of(sound, fitted)) != Treatment():
            packed.treated[row] = treatment
    return samples[: len(packed.fingerprints)], packed


def fingerprint(clip: NDArray[np.int16]) -> str:
    """Hash the samples of a clip."""
    return hashlib.sha256(clip.data).hexdigest()[:32]


def hash_sounds(sounds: Iterable[NDArray[np.int16]]) -> str:
    """Hash the samples of recordings, in their order."""
    return digest([hashlib.sha256(np.ascontiguousarray(sound).data).hexdigest() for sound in sounds])


def read_noise(paths: Sequence[str], audio: AudioFormat, remarks: list[str]) -> Iterator[NDArray[np.int16]]:
    """Decode noise recordings; what is to be said of them, such as that one cannot be read, is added to `remarks`."""
    skipped: list[tuple[str, str]] = []
    for path in paths:
        try:
            sound = read_sound(path)
        except AudioError as error:
            skipped.append((path, str(error)))
            continue
        remarks += [f"noise recording {sound.name}: {remark}" for remark in sound.remarks]
        yield quantise(resample(to_float(sound.samples), sound.sample_rate, audio.sample_rate))
    remarks += [f"noise recording skipped: {reason}" for reason in gather_reasons(skipped)]
