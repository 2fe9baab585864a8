"""The samples of clips, packed once into one memory-mapped int16 array.

A dataset gives a `Listing`; `pack` decodes it into a `Corpus`, which is kept in the
cache under a key made of every file's path, size and time and the audio format, so a second start only opens it.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sayso.audio import RESAMPLER, AudioFormat, can_read_media
from sayso.config.schema import dump
from sayso.data.clips import Clip, Listing, name_clips
from sayso.data.losses import check_losses, describe_losses
from sayso.data.packing import count_workers, decode_rows, hash_sounds, pack_clips, read_noise
from sayso.data.treatment import Treatment, note_treatments
from sayso.errors import DataError, OutputError
from sayso.system.files import atomic_folder, cache_folder, digest, read_json, write_json
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = [
    "Corpus",
    "Rows",
    "clear_packed",
    "find_changed_rows",
    "join",
    "list_packed",
    "pack",
    "packed_folder",
    "take",
]

Rows = NDArray[np.int64]
"""Places of clips in a corpus."""

PACK_VERSION = 3
_INDEX, _SAMPLES = "index.json", "samples.i16"
_INDEX_KEYS = {"audio", "clips", "skipped", "treated", "noise_remarks", "fingerprints", "noise_lengths", "folder"}
_CHECKED_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Corpus:
    """Decoded clips: row i of `samples` is `clips[i]`."""

    clips: tuple[Clip, ...]
    samples: NDArray[np.int16]
    """(clips, audio.clip_samples), memory-mapped."""
    audio: AudioFormat
    noise: tuple[NDArray[np.int16], ...] = ()
    """Background recordings at the same rate, each (samples,)."""
    notes: tuple[str, ...] = ()
    """What a person should know about these clips: skipped files, silence, repeats."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Files that could not be used, and why."""
    fingerprints: tuple[str, ...] = field(default=(), repr=False)
    """One hash a clip, of its samples."""

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The words, in alphabetical order."""
        return tuple(sorted({clip.label for clip in self.clips}))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each clip is called where it is shown: by the end of its path that no other recording has."""
        return name_clips(self.clips)

    @cached_property
    def targets(self) -> NDArray[np.int64]:
        """Index into `labels` of every clip, (clips,)."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[clip.label] for clip in self.clips], dtype=np.int64)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the samples, label, speaker and part of every clip, in order."""
        rows = [[c.label, c.speaker, c.part, h] for c, h in zip(self.clips, self.fingerprints, strict=True)]
        return digest({"audio": dump(self.audio), "clips": rows})

    @cached_property
    def noise_hash(self) -> str:
        """SHA-256 over the samples of the background noise."""
        return hash_sounds(self.noise)


def pack(listing: Listing, audio: AudioFormat, *, progress: Progress, max_bad_share: float = 0.1) -> Corpus:
    """Open the packed corpus of a listing, decoding it first when it is not in the cache.

    Raises:
        DataError: no clip could be read, more than `max_bad_share` of the files could not, or most of one word.
        OutputError: the cache cannot be written.
    """
    if not listing.clips:
        raise DataError("no clips were found; put sound files into one folder a word, such as my-clips/yes/1.wav")
    parts = [(clip.start_seconds, clip.end_seconds) for clip in listing.clips]
    stamps = [_stamp(path) for path in (*(clip.path for clip in listing.clips), *listing.noise)]
    # With the extra, what could not be read without it is tried again.
    readers = ["media"] if can_read_media() else []
    key = digest([PACK_VERSION, RESAMPLER, dump(audio), stamps, parts, *readers])
    folder = packed_folder() / key[:32]
    corpus = _open(folder, listing, audio)
    if corpus is None:
        # What lies there, if anything, is damaged.
        shutil.rmtree(folder, ignore_errors=True)
        corpus = _build(folder, listing, audio, progress, max_bad_share)
    check_losses(listing.clips, corpus.clips, corpus.skipped, max_bad_share)
    return corpus


def join(first: Corpus, second: Corpus, *, notes: Sequence[str]) -> Corpus:
    """Give the clips of two corpora of one audio format as one, in memory, with these notes and those of the second."""
    return Corpus(
        clips=(*first.clips, *second.clips),
        samples=np.concatenate((first.samples, second.samples)),
        audio=first.audio,
        noise=(*first.noise, *second.noise),
        notes=tuple(dict.fromkeys((*notes, *second.notes))),
        skipped=(*first.skipped, *second.skipped),
        fingerprints=(*first.fingerprints, *second.fingerprints),
    )


def take(corpus: Corpus, rows: Rows) -> Corpus:
    """Give some clips of a corpus, in memory."""
    return replace(
        corpus,
        clips=tuple(corpus.clips[row] for row in rows),
        samples=corpus.samples[rows],
        fingerprints=tuple(corpus.fingerprints[row] for row in rows),
    )


def find_changed_rows(corpus: Corpus, progress: Progress) -> list[int]:
    """Decode every recording anew, and give the rows of those that no longer give the packed samples.

    Files and cache may both change: a packed corpus is found by its files' size and time, and its hash is of the
    samples as they were packed.
    """
    starts = range(0, len(corpus), _CHECKED_AT_ONCE)

    def work(start: int) -> list[int]:
        rows = range(start, min(start + _CHECKED_AT_ONCE, len(corpus)))
        samples, packed = decode_rows(corpus.clips, rows, corpus.audio)
        good = [row for row in rows if row not in packed.skipped]
        changed = [
            row
            for row, anew, mark in zip(good, samples, packed.fingerprints, strict=True)
            if mark != corpus.fingerprints[row] or not np.array_equal(anew, corpus.samples[row])
        ]
        return sorted([*packed.skipped, *changed])

    found: list[int] = []
    with (
        progress.task("decoding anew", total=len(corpus), unit="clips") as task,
        ThreadPoolExecutor(count_workers()) as pool,
    ):
        for start, changed in zip(starts, pool.map(work, starts), strict=True):
            found += changed
            task.advance(min(_CHECKED_AT_ONCE, len(corpus) - start))
    return found


def list_packed() -> list[tuple[Path, Mapping[str, Any], int]]:
    """List every packed corpus in the cache: its folder, its index, its size in bytes."""
    folders = sorted(path.parent for path in packed_folder().glob("*/index.json"))
    return [(folder, index, _size(folder)) for folder in folders if (index := _read_index(folder))]


def clear_packed() -> int:
    """Remove every packed corpus from the cache; gives the bytes freed. The recordings themselves stay."""
    freed = _size(packed_folder())
    shutil.rmtree(packed_folder(), ignore_errors=True)
    return freed - _size(packed_folder())


def packed_folder() -> Path:
    """Give the folder of packed corpora, and of what was found out about them; `clear_packed` removes it."""
    return cache_folder() / "packed"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _stamp(path: str) -> tuple[str, int, int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - a Path for each of 100,000 clips costs more than the call
    except OSError:
        return path, -1, -1, -1
    # The mode too: a file that may not be read today may be tomorrow.
    return path, stat.st_size, stat.st_mtime_ns, stat.st_mode


def _build(folder: Path, listing: Listing, audio: AudioFormat, progress: Progress, max_bad_share: float) -> Corpus:
    """Pack a listing into a folder, and open it before others can see, and remove, that folder."""
    clips = listing.clips
    with atomic_folder(folder) as new:
        # Written rather than mapped: on a full disk a write fails, a mapping kills the process.
        with (new / _SAMPLES).open("w+b") as file:
            packed = pack_clips(file, clips, audio, progress)
            kept = [clip for row, clip in enumerate(clips) if row not in packed.skipped]
            check_losses(clips, kept, [(clips[row].path, why) for row, why in packed.skipped.items()], max_bad_share)
            file.seek(len(packed.fingerprints) * 2 * audio.clip_samples)
            noise_lengths: list[int] = []
            noise_remarks: list[str] = []
            for recording in read_noise(listing.noise, audio, noise_remarks):
                file.write(recording.data)
                noise_lengths.append(len(recording))
            file.truncate()
        index = {
            "audio": dump(audio),
            "clips": len(packed.fingerprints),
            "skipped": {str(row): why for row, why in packed.skipped.items()},
            "treated": {str(row): treatment.to_values() for row, treatment in packed.treated.items()},
            "noise_remarks": noise_remarks,
            "fingerprints": packed.fingerprints,
            "noise_lengths": noise_lengths,
            "folder": os.path.commonpath([clip.path for clip in clips]),
        }
        write_json(new / _INDEX, index)
        corpus = _open(new, listing, audio)
        if corpus is None:
            raise OutputError(
                f"{folder}: was written, but cannot be read back; check the disk, or set SAYSO_CACHE elsewhere"
            )
    return corpus


def _read_index(folder: Path) -> dict[str, Any] | None:
    try:
        index = read_json(folder / _INDEX)
    except (OSError, ValueError):
        return None
    whole = isinstance(index, dict) and index.keys() >= _INDEX_KEYS
    return cast(dict[str, Any], index) if whole else None


def _open(folder: Path, listing: Listing, audio: AudioFormat) -> Corpus | None:
    """Open a packed corpus; None when it is not there, or not whole."""
    index = _read_index(folder)
    if index is None:
        return None
    lengths: list[int] = index["noise_lengths"]
    end = index["clips"] * audio.clip_samples
    try:
        everything = np.memmap(folder / _SAMPLES, np.int16, mode="r").view(np.ndarray)
    except (OSError, ValueError):  # gone, removed at this moment by another process, or of an odd or no size
        return None
    if len(everything) != end + sum(lengths):
        return None
    skipped = {int(row): why for row, why in index["skipped"].items()}
    clips = tuple(clip for row, clip in enumerate(listing.clips) if row not in skipped)
    fingerprints = tuple(index["fingerprints"])
    return Corpus(
        clips=clips,
        samples=everything[:end].reshape(len(clips), audio.clip_samples),
        audio=audio,
        noise=tuple(np.split(everything[end:], np.cumsum(lengths)[:-1])) if lengths else (),
        notes=(*listing.notes, *_notes(listing, index, clips, fingerprints, audio)),
        skipped=tuple((listing.clips[row].path, why) for row, why in skipped.items()),
        fingerprints=fingerprints,
    )


def _notes(
    listing: Listing, index: Mapping[str, Any], clips: Sequence[Clip], fingerprints: Sequence[str], audio: AudioFormat
) -> Iterator[str]:
    reasons = [(listing.clips[int(row)].path, why) for row, why in index["skipped"].items()]
    if losses := describe_losses(listing.clips, clips, reasons):
        yield losses
    yield from index["noise_remarks"]
    treated = {int(row): Treatment.from_values(values) for row, values in index["treated"].items()}
    yield from note_treatments(listing.clips, treated, audio)
    nothing = {listing.clips[row] for row, treatment in treated.items() if treatment.silent or treatment.faint}
    first_of: dict[str, Clip] = {}
    clashes: list[tuple[Clip, Clip]] = []
    for clip, mark in zip(clips, fingerprints, strict=True):
        first = first_of.setdefault(mark, clip)
        if first.label != clip.label and clip not in nothing:
            clashes.append((first, clip))
    if clashes:
        first, second = clashes[0]
        names = name_clips(clips, (first, second))
        yield (
            f"{counted(len(clashes), 'clip is', 'clips are')} the same sound under two labels, such as "
            f"{names[0]} ('{first.label}') and {names[1]} ('{second.label}'): one "
            "of the two is wrong"
        )
