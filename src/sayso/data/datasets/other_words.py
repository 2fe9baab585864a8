"""Common words that are none of the wanted ones, in synthetic voices, to learn "none of these" from."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np

from sayso.config.schema import PositiveInt, Range, Share, dump
from sayso.data.clips import Clip, Listing
from sayso.data.datasets import DATASETS, DatasetConfig
from sayso.data.voices.espeak import ACCENTS, Espeak, find_language_faults, write_clip
from sayso.data.voices.speakers import count_speakers, draw_speakers
from sayso.data.voices.vocabulary import other_words
from sayso.errors import Fault
from sayso.system.files import atomic_folder, cache_folder, digest
from sayso.system.progress import Progress

__all__ = ["OtherWordsConfig"]

FORMAT_VERSION = 3
_SLOWEST, _FASTEST = 110, 210
_PITCH = (10.0, 90.0)
_NEAR = 2


@DATASETS.register("other_words")
@dataclass(frozen=True, kw_only=True)
class OtherWordsConfig(DatasetConfig):
    """Common words spoken by espeak-ng, without those that sound like the wanted ones; for `rejection.negatives`."""

    licence: ClassVar[str] = "synthetic voices of espeak-ng, a GPL-3 program"

    wanted: tuple[str, ...]
    """What is to be recognised, as it is spoken; words that sound the same are left out."""
    without: tuple[str, ...] = ()
    """Words that are left out besides."""
    languages: tuple[str, ...] = ACCENTS
    """Languages or accents of espeak-ng, taken in turn by the voices; the first decides what sounds alike."""
    clips: PositiveInt = 1_500
    """How many clips, over words and voices in turn."""
    near_share: Share = 0.3
    """Share of them that are words near to a wanted one, those that differ in one or two sounds."""
    voices: PositiveInt = 60
    """How many voices."""
    seed: Annotated[int, Range(least=0)] = 0
    """Seed of words, voices, rates and pitches."""

    def faults(self) -> Iterator[Fault]:
        """Yield a fault where languages, voices or wanted words cannot be used."""
        yield from find_language_faults(self.languages)
        if self.voices > (most := count_speakers(_PITCH)):
            yield Fault("voices", f"is {self.voices}, must be at most {most}")

    def location(self) -> Path | None:
        """Give the folder of clips in the cache, when they have been made."""
        folder = self._folder()
        return folder if folder.is_dir() else None

    def listing(self, progress: Progress) -> Listing:
        """List the clips, making them first when they are not in the cache.

        Raises:
            MissingExtraError: `espeakng-loader` is not installed.
            OutputError: the cache cannot be written.
        """
        folder = self._folder()
        if not folder.is_dir():
            with atomic_folder(folder) as new:
                self._make(new, progress)
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are enough
        return Listing(tuple(_clip(folder, name) for name in names))

    def _folder(self) -> Path:
        own = {name: value for name, value in dump(self).items() if name not in DatasetConfig.__dataclass_fields__}
        return cache_folder() / "synthetic" / digest([FORMAT_VERSION, self.kind, own])[:32]

    def _spoken(self, rng: np.random.Generator) -> list[str]:
        """Draw the words of all clips, in an order that gives every voice some of each kind."""
        away = other_words(self.wanted, language=self.languages[0], without=self.without)
        near = [word for word, sounds in away.items() if sounds <= _NEAR]
        far = [word for word, sounds in away.items() if sounds > _NEAR] or near
        count = round(self.near_share * self.clips) if near else 0
        drawn = (np.resize(rng.permutation(near), count), np.resize(rng.permutation(far), self.clips - count))
        return rng.permutation(np.concatenate(drawn)).tolist()

    def _make(self, folder: Path, progress: Progress) -> None:
        rng = np.random.default_rng(self.seed)
        engine = Espeak()
        spoken = self._spoken(rng)
        speakers = draw_speakers(self.voices, languages=self.languages, pitch=_PITCH, rng=rng)
        with progress.task("speaking other words", total=self.clips, unit="clips") as task:
            for place, speaker in enumerate(speakers):
                engine.choose(speaker.language, speaker.variant)
                own = spoken[place :: len(speakers)]
                for number, word in enumerate(own):
                    rate, intonation = round(rng.uniform(_SLOWEST, _FASTEST)), int(rng.integers(30, 71))
                    samples = engine.say(word, rate=rate, pitch=speaker.pitch, intonation=intonation)
                    if len(samples):
                        write_clip(folder / f"{speaker.name}-{number:04d}-{word}.wav", samples)
                task.advance(len(own))


def _clip(folder: Path, name: str) -> Clip:
    speaker, _, word = Path(name).stem.rsplit("-", 2)
    return Clip(f"{folder}{os.sep}{name}", word, speaker)
