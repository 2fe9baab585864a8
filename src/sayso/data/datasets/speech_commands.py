"""Speech Commands: one-second clips of 30 (v0.01) or 35 (v0.02) English words by some 2,000 speakers, 16 kHz.

https://arxiv.org/abs/1804.03209, CC BY 4.0. Whole or partial copies, WAV or FLAC.
"""

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import soundfile

from sayso.audio import decode, probe, quantise
from sayso.config.schema import NonNegative, Range, did_you_mean
from sayso.data.clips import Clip, Listing, PartName
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.data.downloaded import Download
from sayso.data.losses import gather_reasons
from sayso.data.splits.settings import SplitSettings
from sayso.errors import AudioError, DataError, Fault, SettingsError
from sayso.system.files import atomic_folder, cache_folder, digest, is_folder_entry
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["SpeechCommandsConfig"]

NOISE_FOLDER = "_background_noise_"
UNKNOWN, SILENCE = "unknown", "silence"
LISTS: dict[PartName, str] = {"test": "testing_list.txt", "validation": "validation_list.txt"}
Lists = Mapping[PartName, frozenset[str]]
"""`word/stem` of the clips that the source gives to each part."""
Means = Mapping[PartName | None, float]
"""Mean number of clips of a chosen word in each part; None: the part is not known."""
PARTS: tuple[PartName, ...] = ("train", "validation", "test")
# The hashes that torchaudio has checked these archives against for years.
SHA256 = {
    "v0.01": "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
    "v0.02": "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
}
MIRRORS = ("https://download.tensorflow.org/data/", "https://storage.googleapis.com/download.tensorflow.org/data/")
# Each noise recording is cut into three stretches, so that no part ever hears a sample of another part's noise.
STRETCHES: dict[PartName, tuple[float, float]] = {"train": (0.0, 0.7), "validation": (0.7, 0.85), "test": (0.85, 1.0)}
SEGMENT_SECONDS = 1.0


@DATASETS.register("speech_commands")
@dataclass(frozen=True, kw_only=True)
class SpeechCommandsConfig(DatasetConfig):
    """Google Speech Commands: 30 or 35 English words, about 2,000 speakers, official lists of the parts."""

    licence: ClassVar[str] = "Speech Commands (P. Warden, Google; arXiv 1804.03209), CC BY 4.0"

    version: Literal["v0.01", "v0.02"] = "v0.01"
    """Release: v0.01 (64,727 clips of 30 words) or v0.02 (105,829 of 35, better labels)."""
    words: tuple[str, ...] = ()
    """Words to tell apart; empty: every word that is there."""
    unknown_share: NonNegative = 0.0
    """Clips of all other words as one class `unknown`, as a multiple of the mean number of clips of a chosen word;
    0 leaves them out."""
    silence_share: NonNegative = 0.0
    """Seconds of background noise as one class `silence`, as a multiple of the mean number of clips of a chosen word;
    0 leaves them out, and there are never more than the recordings hold. Whatever the split, tested silence is cut
    from stretches of the recordings that training does not hear."""
    draw_seed: Annotated[int, Range(least=0)] = 0
    """Seed of the draw of clips for `unknown`."""
    allow_copies: tuple[str, ...] = ("*_nohash_*",)
    """As for every dataset. The source holds exact repeats, each of one speaker's clip of one word, which its official
    parts and parts by speaker keep together; a random split may part them, as published ones do. `[]` makes that an
    error."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where a word is repeated, chosen and rejected at once, or unknown with every word chosen."""
        for word, count in Counter(self.words).items():
            if count > 1:
                yield Fault("words", f"'{word}' stands there {count} times")
        for index, word in enumerate(self.reject_words):
            if word in self.words:
                yield Fault(f"reject_words[{index}]", f"'{word}' stands in words too; choose one of the two")
        if self.unknown_share and not self.words:
            yield Fault("unknown_share", "needs `words`: with every word chosen, none is left to be unknown")

    def location(self) -> Path | None:
        """Give the folder of words: below $SAYSO_DATA, else what was downloaded."""
        return self._download().location()

    def listing(self, progress: Progress) -> Listing:
        """List the clips for the source's own parts; as `listing_for`."""
        return self.listing_for(SplitSettings(), progress)

    def listing_for(self, split: SplitSettings, progress: Progress) -> Listing:
        """List the clips, downloading them first when they are not here; as much silence as suits the split.

        Raises:
            DownloadError: they are not here and cannot be fetched.
            SettingsError: a chosen word is not there.
            DataError: no clip is there.
        """
        folder = str(self._download().fetch(progress))
        there = _sound_files(folder)
        noise = tuple(f"{folder}{os.sep}{NOISE_FOLDER}{os.sep}{name}" for name in there.pop(NOISE_FOLDER, ()))
        there = {word: names for word, names in there.items() if names}
        chosen = self._chosen(folder, there)
        lists: Lists = {part: _read_list(folder, name) for part, name in LISTS.items()}
        clips = [clip for word in chosen for clip in _clips(folder, word, there[word], lists)]
        notes = list(_list_notes(clips, lists, chosen))
        parts = Counter[PartName | None](clip.part for clip in clips)
        mean: Means = {part: count / len(chosen) for part, count in parts.items()}
        if self.unknown_share:
            rest = [word for word in there if word not in chosen and word not in self.reject_words]
            others = [clip for word in rest for clip in _clips(folder, word, there[word], lists)]
            unknown = self._unknown(others, mean)
            notes.append(_drawn_note(UNKNOWN, unknown, "clips of other words", self.unknown_share, mean))
            clips += unknown
        if self.silence_share:
            known = "test" in mean and split.by in ("auto", "official")
            stretched = mean if known else _by_stretch(mean)
            lengths = _measure(noise, notes)
            noise = tuple(lengths)
            silence = self._silence(lengths, stretched)
            notes.append(_drawn_note(SILENCE, silence, "seconds of noise", self.silence_share, stretched))
            clips += silence
            # Noise mixed into training clips must not be the noise that validation and test call silence.
            noise = _training_noise(noise)
        clips += [
            clip for word in dict.fromkeys(self.reject_words) for clip in _clips(folder, word, there[word], lists)
        ]
        return Listing(tuple(clips), noise, tuple(notes))

    def _download(self) -> Download:
        name = f"speech_commands_{self.version}"
        archive = f"{name}.tar.gz"
        urls = [mirror + archive for mirror in MIRRORS]
        return Download(name=name, urls=urls, archive=archive, sha256=SHA256[self.version])

    def _chosen(self, folder: str, there: Mapping[str, object]) -> tuple[str, ...]:
        if not there:
            raise DataError(f"{folder}: no word folders with sound files are there; remove it and run again")
        faults = [
            Fault(f"dataset.{key}[{index}]", f"no clips of '{word}' in {folder}; {did_you_mean(word, there)}")
            for key, words in (("words", self.words), ("reject_words", self.reject_words))
            for index, word in enumerate(words)
            if word not in there
        ]
        if faults:
            raise SettingsError(faults)
        return tuple(sorted(self.words)) or tuple(word for word in there if word not in self.reject_words)

    def _unknown(self, others: Sequence[Clip], mean: Means) -> list[Clip]:
        drawn: list[Clip] = []
        for index, (part, clips_a_word) in enumerate(_in_order(mean)):
            pool = [clip for clip in others if clip.part == part]
            order = np.random.default_rng((self.draw_seed, index)).permutation(len(pool))
            rows = sorted(order[: round(self.unknown_share * clips_a_word)].tolist())
            drawn += [replace(pool[row], label=UNKNOWN) for row in rows]
        return drawn

    def _silence(self, lengths: Mapping[str, float], mean: Means) -> list[Clip]:
        if not lengths:
            raise DataError(f"silence_share needs noise recordings in {NOISE_FOLDER}, none are there; set it to 0")
        segments: list[Clip] = []
        for part in STRETCHES:
            clips_a_word = mean.get(part, 0.0)
            pool = list(_segments(lengths, part))
            wanted = min(len(pool), round(self.silence_share * clips_a_word))
            # Evenly spread, so that every recording is heard in every part.
            segments += [pool[index * len(pool) // wanted] for index in range(wanted)]
        return segments


def _by_stretch(mean: Means) -> Means:
    """Share the clips of a word out over the parts as the noise is, for a split that is drawn only later."""
    return {part: sum(mean.values()) * (end - begin) for part, (begin, end) in STRETCHES.items()}


def _in_order(mean: Means) -> list[tuple[PartName | None, float]]:
    return [(part, mean[part]) for part in (*PARTS, None) if part in mean]


def _sound_files(folder: str) -> dict[str, list[str]]:
    """List the names of the sound files of every word folder, both in order; the noise folder among them."""
    with os.scandir(folder) as entries:
        words = sorted(entry.name for entry in entries if is_folder_entry(entry) and not entry.name.startswith("."))
    return {
        word: sorted(
            name
            for name in os.listdir(f"{folder}{os.sep}{word}")  # noqa: PTH208 - 100,000 names, no Path for each
            if name.endswith((".wav", ".flac")) and not name.startswith(".")
        )
        for word in words
    }


def _read_list(folder: str, name: str) -> frozenset[str]:
    """Read `word/stem` of every line; the official lists say .wav, the files may be .flac."""
    path = Path(folder, name)
    if not path.is_file():
        return frozenset()
    return frozenset(line.rpartition(".")[0] for line in path.read_text().split())


def _clips(folder: str, word: str, names: Iterable[str], lists: Lists) -> Iterator[Clip]:
    test, validation = lists["test"], lists["validation"]
    rest: PartName | None = "train" if test or validation else None
    prefix = f"{folder}{os.sep}{word}{os.sep}"
    for name in names:
        stem = name.rpartition(".")[0]
        key = f"{word}/{stem}"
        part = "test" if key in test else "validation" if key in validation else rest
        yield Clip(prefix + name, word, stem.partition("_nohash_")[0], part)


def _list_notes(clips: Sequence[Clip], lists: Lists, chosen: Sequence[str]) -> Iterator[str]:
    if not any(lists.values()):
        yield f"the official lists ({', '.join(LISTS.values())}) are not here, so the official parts are unknown"
        return
    here = Counter(clip.part for clip in clips)
    words = set(chosen)
    listed = {part: sum(key.partition("/")[0] in words for key in keys) for part, keys in lists.items()}
    shares = " and ".join(f"{here[part]:,} of {counted(listed[part], part + ' clip')}" for part in LISTS)
    whole = all(here[part] == listed[part] for part in LISTS)
    yield f"official lists of {counted(len(chosen), 'word')}: {shares} are here{'' if whole else ' (a partial copy)'}"


def _drawn_note(label: str, drawn: Sequence[Clip], what: str, share: float, mean: Means) -> str:
    counts = Counter(clip.part for clip in drawn)
    parts = ", ".join(f"{counts[part]:,} {part or 'in all'}" for part, _ in _in_order(mean))
    short = any(counts[part] < round(share * clips_a_word) for part, clips_a_word in mean.items())
    return f"'{label}' is made of {what}: {parts}" + ("; there are no more" if short else "")


def _measure(noise: Iterable[str], notes: list[str]) -> dict[str, float]:
    """Seconds of each noise recording that can be read, by its header; the others are told in `notes`."""
    lengths: dict[str, float] = {}
    unread: list[tuple[str, str]] = []
    for path in noise:
        try:
            lengths[path], _ = probe(path)
        except AudioError as error:
            unread.append((path, str(error)))
    notes += [f"noise recording skipped: {reason}" for reason in gather_reasons(unread)]
    return lengths


def _segments(lengths: Mapping[str, float], part: PartName) -> Iterator[Clip]:
    """Yield segments of one part's stretch of each recording, one after another; those to train on overlap by half."""
    begin, end = STRETCHES[part]
    step = SEGMENT_SECONDS / 2 if part == "train" else SEGMENT_SECONDS
    for path, duration in lengths.items():
        # Whole milliseconds inwards, so that rounding never reaches across a border.
        first, last = np.ceil(duration * begin * 1000) / 1000, np.floor(duration * end * 1000) / 1000
        for index in itertools.count():
            start = float(first + index * step)
            if start + SEGMENT_SECONDS > last:
                break
            yield Clip(path, SILENCE, None, part, start, start + SEGMENT_SECONDS, keeps_part=True)


def _training_noise(noise: Sequence[str]) -> tuple[str, ...]:
    """Write the training stretch of every recording to the cache, once, and give the new files."""
    stamps = [(path, stat.st_size, stat.st_mtime_ns) for path in noise for stat in [Path(path).stat()]]
    folder = cache_folder() / "noise" / digest([stamps, STRETCHES["train"]])[:32]
    stems = [Path(path).stem for path in noise]
    again = [stems[:place].count(stem) for place, stem in enumerate(stems)]
    names = [f"{stem}-{before + 1}.wav" if before else f"{stem}.wav" for stem, before in zip(stems, again, strict=True)]
    if not folder.is_dir():
        with atomic_folder(folder) as new:
            for path, name in zip(noise, names, strict=True):
                samples, rate = decode(Path(path))
                kept = samples[: int(len(samples) * STRETCHES["train"][1])]
                soundfile.write(new / name, quantise(kept), rate, subtype="PCM_16")
    return tuple(str(folder / name) for name in names)
