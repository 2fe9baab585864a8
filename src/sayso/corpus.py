"""Clips with labels and speakers, and their samples packed once into one memory-mapped int16 array.

A dataset gives a `Listing` (names only, nothing decoded); `pack` decodes it into a `Corpus`, which is kept in the
cache under a key made of every file's path, size and time and the audio format, so a second start only opens it.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sayso.audio import RESAMPLER, AudioFormat, clip_from_file, decode, quantise, resample
from sayso.errors import AudioError, DataError
from sayso.files import atomic_folder, cache_folder, digest, write_json
from sayso.progress import Progress
from sayso.registry import Part, Registry
from sayso.schema import Share, dump

__all__ = ["DATASETS", "Clip", "Corpus", "Dataset", "Listing", "PartName", "clear_packed", "pack", "packed"]

PartName = Literal["train", "validation", "test"]
PACK_VERSION = 1
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of one word: where it lies, what it says, who says it, and which part the source gives it to."""

    path: str
    label: str
    speaker: str | None = None
    split: PartName | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None


@dataclass(frozen=True)
class Listing:
    """What a dataset offers before anything is decoded: clips, noise recordings, and notes a person should read."""

    clips: tuple[Clip, ...]
    noise: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dataset(Part):
    """Base of every source of clips. One file in `datasets/` each."""

    registry: ClassVar["Registry[Dataset]"]

    split: Literal["auto", "official", "random", "speakers"] = "auto"
    """How the test part is chosen: the source's own, at random, or by speaker; auto takes the source's own, else by
    speaker where speakers are known, else random."""
    test_share: Share = 0.2
    """Share of the clips (random) or of the speakers (speakers) held out for testing."""
    test_speakers: tuple[str, ...] = ()
    """With split speakers: exactly these are held out."""
    split_seed: int = 0
    """Seed of a random split or of the choice of speakers; apart from the training's own seed."""
    max_bad_share: Share = 0.1
    """Share of files that may be unreadable; they are skipped and listed. More is an error."""

    def listing(self, progress: Progress) -> Listing:
        """List the clips, fetching or making the recordings first where need be.

        Raises:
            DataError: nothing usable is there; the message says how to mend it.
        """
        raise NotImplementedError

    def anchored(self) -> "Dataset":
        """The same dataset with paths that hold from any working folder, for the recipe that a run keeps."""
        return self

    def location(self) -> Path | None:
        """Where the recordings lie on this machine, or None when they are not here yet."""
        return None


DATASETS: Registry[Dataset] = Registry("sayso.datasets", noun="dataset")
Dataset.registry = DATASETS


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
    def targets(self) -> NDArray[np.int64]:
        """Index into `labels` of every clip, (clips,)."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.array([index[clip.label] for clip in self.clips], dtype=np.int64)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the samples, label, speaker and part of every clip, in order."""
        rows = [[c.label, c.speaker, c.split, h] for c, h in zip(self.clips, self.fingerprints, strict=True)]
        return digest({"audio": dump(self.audio), "clips": rows})


def pack(listing: Listing, audio: AudioFormat, *, progress: Progress, max_bad_share: float = 0.1) -> Corpus:
    """Open the packed corpus of a listing, decoding it first when it is not in the cache.

    Raises:
        DataError: no clip could be read, or more than `max_bad_share` of the files could not.
        OutputError: the cache cannot be written.
    """
    stats = [_stamp(path) for path in _files(listing)]
    key = digest(
        [
            PACK_VERSION,
            RESAMPLER,
            dump(audio),
            stats,
            [(c.start_seconds, c.end_seconds) for c in listing.clips],
        ]
    )
    folder = _packed_root() / key[:32]
    if not (folder / "index.json").exists():
        _build(folder, listing, audio, progress, max_bad_share)
    corpus = _open(folder, listing, audio)
    _check_bad_share(corpus.skipped, len(listing.clips), max_bad_share)
    return corpus


def packed() -> list[tuple[Path, Mapping[str, Any], int]]:
    """Every packed corpus in the cache: its folder, its index, its size in bytes."""
    found: list[tuple[Path, Mapping[str, Any], int]] = []
    for index in sorted(_packed_root().glob("*/index.json")):
        size = sum(file.stat().st_size for file in index.parent.iterdir())
        found.append((index.parent, json.loads(index.read_text()), size))
    return found


def clear_packed() -> int:
    """Remove every packed corpus from the cache; gives the bytes freed. The recordings themselves stay."""
    freed = sum(size for _, _, size in packed())
    shutil.rmtree(_packed_root(), ignore_errors=True)
    return freed


def _packed_root() -> Path:
    return cache_folder() / "packed"


def _files(listing: Listing) -> Iterator[str]:
    yield from (clip.path for clip in listing.clips)
    yield from listing.noise


def _stamp(path: str) -> tuple[str, int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - a Path for each of 100,000 clips costs more than the call
    except OSError:
        return path, -1, -1
    return path, stat.st_size, stat.st_mtime_ns


def _build(folder: Path, listing: Listing, audio: AudioFormat, progress: Progress, max_bad_share: float) -> None:
    clips = listing.clips
    with atomic_folder(folder) as new:
        raw = new / "decoded.i16"
        shape = (len(clips), audio.clip_samples)
        decoded = np.memmap(raw, np.int16, mode="w+", shape=shape) if clips else np.zeros(shape, np.int16)
        skipped: dict[int, str] = {}
        fingerprints: list[str] = [""] * len(clips)

        def work(start: int) -> int:
            for row in range(start, min(start + _CHUNK, len(clips))):
                clip = clips[row]
                try:
                    samples = clip_from_file(
                        Path(clip.path), audio, start_seconds=clip.start_seconds, end_seconds=clip.end_seconds
                    )
                except AudioError as error:
                    skipped[row] = str(error)
                    continue
                decoded[row] = samples
                fingerprints[row] = hashlib.blake2b(samples.tobytes(), digest_size=16).hexdigest()
            return min(_CHUNK, len(clips) - start)

        with (
            progress.task("packing clips", total=len(clips), unit="clips") as task,
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            for done in pool.map(work, range(0, len(clips), _CHUNK)):
                task.advance(done)
        _check_bad_share([(clips[row].path, why) for row, why in sorted(skipped.items())], len(clips), max_bad_share)
        noise = _noise(listing.noise, audio, skipped_noise := list[str]())
        np.save(new / "noise.npy", np.concatenate(noise) if noise else np.zeros(0, np.int16))
        write_json(
            new / "index.json",
            {
                "audio": dump(audio),
                "clips": len(clips),
                "skipped": {str(row): skipped[row] for row in sorted(skipped)},
                "skipped_noise": skipped_noise,
                "silent": [row for row in range(len(clips)) if row not in skipped and not decoded[row].any()],
                "fingerprints": fingerprints,
                "noise_lengths": [len(recording) for recording in noise],
                "folder": os.path.commonpath([clip.path for clip in clips]) if clips else "",
            },
        )


def _noise(paths: Sequence[str], audio: AudioFormat, skipped: list[str]) -> list[NDArray[np.int16]]:
    recordings: list[NDArray[np.int16]] = []
    for path in paths:
        try:
            samples, rate = decode(Path(path))
        except AudioError as error:
            skipped.append(str(error))
            continue
        recordings.append(quantise(resample(samples, rate, audio.sample_rate)))
    return recordings


def _open(folder: Path, listing: Listing, audio: AudioFormat) -> Corpus:
    index = json.loads((folder / "index.json").read_text())
    rows = len(listing.clips)
    samples = np.memmap(folder / "decoded.i16", np.int16, mode="r", shape=(rows, audio.clip_samples))
    bad = {int(row): why for row, why in index["skipped"].items()}
    good = [row for row in range(rows) if row not in bad]
    kept = samples if not bad else samples[good]
    clips = listing.clips if not bad else tuple(listing.clips[row] for row in good)
    fingerprints = tuple(index["fingerprints"][row] for row in good)
    skipped = tuple((listing.clips[row].path, why) for row, why in bad.items())
    bounds = np.cumsum(index["noise_lengths"])[:-1]
    noise = np.load(folder / "noise.npy", mmap_mode="r")
    return Corpus(
        clips=clips,
        samples=kept,
        audio=audio,
        noise=tuple(np.split(noise, bounds)) if index["noise_lengths"] else (),
        notes=(*listing.notes, *_notes(listing, index, clips, fingerprints)),
        skipped=skipped,
        fingerprints=fingerprints,
    )


def _notes(
    listing: Listing, index: Mapping[str, Any], clips: Sequence[Clip], fingerprints: Sequence[str]
) -> Iterator[str]:
    if index["skipped"]:
        yield f"{len(index['skipped'])} of {len(listing.clips)} files could not be read and were skipped"
    for why in index["skipped_noise"]:
        yield f"noise recording skipped: {why}"
    if silent := index["silent"]:
        names = ", ".join(Path(listing.clips[row].path).name for row in silent[:3])
        yield f"{len(silent)} clips are digital silence ({names}{', ...' if len(silent) > 3 else ''})"
    seen: dict[str, Clip] = {}
    clashes: list[tuple[Clip, Clip]] = []
    silence = {index["fingerprints"][row] for row in silent}
    for clip, fingerprint in zip(clips, fingerprints, strict=True):
        first = seen.setdefault(fingerprint, clip)
        if first.label != clip.label and fingerprint not in silence:
            clashes.append((first, clip))
    if clashes:
        first, second = clashes[0]
        yield (
            f"{len(clashes)} clips are the same sound under two labels, such as {Path(first.path).name} "
            f"('{first.label}') and {Path(second.path).name} ('{second.label}'): one of the two is wrong"
        )


def _check_bad_share(skipped: Sequence[tuple[str, str]], total: int, max_bad_share: float) -> None:
    if total == 0:
        raise DataError("no clips were found; put sound files into one folder a word, such as my-clips/yes/1.wav")
    if len(skipped) == total or len(skipped) > max_bad_share * total:
        shown = "; ".join(why for _, why in skipped[:5]) + ("; ..." if len(skipped) > 5 else "")
        raise DataError(
            f"{len(skipped)} of {total} files cannot be used, the limit is {max_bad_share:.0%} "
            f"(dataset.max_bad_share): {shown}"
        )
