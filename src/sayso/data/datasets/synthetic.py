"""Words spoken by espeak-ng in many voices: clips without recordings and without network."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from sayso.config.schema import PositiveInt, Range, dump
from sayso.data.clips import Clip, Listing
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.data.voices.espeak import (
    ACCENTS,
    FASTEST,
    HIGHEST_PITCH,
    SLOWEST,
    VARIANTS,
    Espeak,
    find_language_faults,
    write_clip,
)
from sayso.data.voices.speakers import count_speakers, draw_speakers
from sayso.errors import DataError, Fault
from sayso.system.files import atomic_folder, cache_folder, digest
from sayso.system.progress import Progress
from sayso.system.wording import counted

__all__ = ["SyntheticConfig"]

FORMAT_VERSION = 1
PITCH_JITTER = 3


@DATASETS.register("synthetic")
@dataclass(frozen=True, kw_only=True)
class SyntheticConfig(DatasetConfig):
    """Words spoken by espeak-ng in many voices, made on this machine; each voice is a speaker."""

    is_made: ClassVar[bool] = True
    licence: ClassVar[str] = "synthetic voices of espeak-ng, a GPL-3 program"

    words: tuple[str, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    """Words to speak; each is a class."""
    texts: tuple[str, ...] = ()
    """What is spoken for each of `words`, in the same order; empty: the words themselves."""
    languages: tuple[str, ...] = ACCENTS
    """Languages or accents of espeak-ng, taken in turn by the voices."""
    voices: PositiveInt = 40
    """How many voices: a voice model x a language x a base pitch; models repeat only after all of them were used."""
    clips_per_voice: PositiveInt = 4
    """Clips of each word by each voice; they differ in rate, pitch and intonation."""
    rate_words_per_minute: tuple[float, ...] = (110.0, 210.0)
    """Slowest and fastest speech, in words a minute, 80 to 450."""
    pitch: tuple[float, ...] = (20.0, 80.0)
    """Lowest and highest base pitch of a voice, on espeak-ng's scale of 0 to 99."""
    seed: Annotated[int, Range(least=0)] = 0
    """Seed of voices, rates and pitches."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where words, texts, languages, a range or the number of voices cannot be used."""
        yield from _word_faults(self.words)
        if self.texts and len(self.texts) != len(self.words):
            yield Fault(
                "texts", f"has {len(self.texts)} entries, must have one for each of the {len(self.words)} words"
            )
        yield from _range_faults("rate_words_per_minute", self.rate_words_per_minute, SLOWEST, FASTEST)
        bad_pitch = list(_range_faults("pitch", self.pitch, 0, HIGHEST_PITCH))
        yield from bad_pitch
        if not bad_pitch and self.voices > (most := count_speakers(self.pitch)):
            yield Fault("voices", f"is {self.voices}, must be at most {most} with this range of pitch")
        yield from find_language_faults(self.languages)

    def location(self) -> Path | None:
        """Give the folder of clips in the cache, when they have been made."""
        folder = self._folder()
        return folder if folder.is_dir() else None

    def listing(self, progress: Progress) -> Listing:
        """List the clips, making them first when they are not in the cache.

        Raises:
            MissingExtraError: `espeakng-loader` is not installed.
            DataError: a word gives no sound.
            OutputError: the cache cannot be written.
        """
        folder = self._folder()
        if not folder.is_dir():
            with atomic_folder(folder) as new:
                self._make(new, progress)
        clips = [clip for word in sorted(self.words) for clip in _clips(folder, word)]
        wanted = len(self.words) * self.voices * self.clips_per_voice
        notes = ["these clips are spoken by a program: expect another score from people"]
        if self.voices > len(VARIANTS):
            notes.append(
                f"{self.voices} voices come from {len(VARIANTS)} voice models: the same model in another accent or "
                "pitch counts as another speaker"
            )
        if len(clips) < wanted:
            notes.append(f"of {counted(wanted, 'clip')} {wanted - len(clips)} came out silent and could not be used")
        return Listing(tuple(clips), notes=tuple(notes))

    def _folder(self) -> Path:
        own = {name: value for name, value in dump(self).items() if name not in DatasetConfig.__dataclass_fields__}
        return cache_folder() / "synthetic" / digest([FORMAT_VERSION, own])[:32]

    def _make(self, folder: Path, progress: Progress) -> None:
        rng = np.random.default_rng(self.seed)
        engine = Espeak()
        texts = self.texts or self.words
        slowest, fastest = self.rate_words_per_minute
        spoken: Counter[str] = Counter()
        for word in self.words:
            (folder / word).mkdir()
        total = self.voices * len(self.words) * self.clips_per_voice
        with progress.task("speaking words", total=total, unit="clips") as task:
            for voice in draw_speakers(self.voices, languages=self.languages, pitch=self.pitch, rng=rng):
                engine.choose(voice.language, voice.variant)
                for word, text in zip(self.words, texts, strict=True):
                    for take in range(self.clips_per_voice):
                        rate = round(rng.uniform(slowest, fastest))
                        pitch = voice.pitch + int(rng.integers(-PITCH_JITTER, PITCH_JITTER + 1))
                        samples = engine.say(text, rate=rate, pitch=pitch, intonation=int(rng.integers(30, 71)))
                        if len(samples):
                            path = folder / word / f"{voice.name}_{take:03d}.wav"
                            write_clip(path, samples)
                            spoken[word] += 1
                    task.advance(self.clips_per_voice)
        if silent := [word for word in self.words if not spoken[word]]:
            names = ", ".join(f"'{word}'" for word in silent)
            raise DataError(f"{names} gave no sound in {', '.join(self.languages)}; give dataset.texts to be spoken")


def _word_faults(words: tuple[str, ...]) -> Iterator[Fault]:
    if not words:
        yield Fault("words", "is empty, must name the words to speak")
    for word, count in Counter(words).items():
        if count > 1:
            yield Fault("words", f"'{word}' stands there {count} times")
        if not word.strip() or word.startswith(".") or {"/", "\\", "\0"} & set(word):
            yield Fault("words", f"{word!r} cannot name a folder; use `texts` for what is spoken")


def _range_faults(name: str, limits: tuple[float, ...], least: float, most: float) -> Iterator[Fault]:
    if len(limits) != 2 or not least <= limits[0] <= limits[1] <= most:
        yield Fault(name, f"is {list(limits)}, must be [lowest, highest] within {least:g} and {most:g}")


def _clips(folder: Path, word: str) -> Iterator[Clip]:
    base = str(folder / word)
    for name in sorted(os.listdir(base)):  # noqa: PTH208 - names are enough
        yield Clip(f"{base}{os.sep}{name}", word, name.rpartition("_")[0], is_made=True)
